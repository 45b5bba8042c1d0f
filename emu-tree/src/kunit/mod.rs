//! A KUnit test of the mode, unmodified, on the emulated kernel.
//!
//! The file is compiled with our shim of kunit/test.h and runs as a guest; each call of the mode is
//! a question over the pipe, so that every design answers it, those in Rust too. The result is
//! KTAP, as Documentation/dev-tools/ktap.rst has it.

mod report;
mod unit;

use std::cell::{Cell, RefCell};

use emu_arch::{Arch, Kernel, Machine, VirtAddr};
use lazy_mmu::design::{CallInfo, Design};
use lazy_mmu::trace::Event;
use lazy_mmu::{PteRange, machine_api, record_hooks, sched};

use crate::error::Error;
use crate::guest::{self, Gone, Guest};
pub use report::Report;
use report::{Case, Suite};

/// What a test runs on.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The architecture.
    pub arch: Arch,
    /// The code of the architecture.
    pub kernel: Kernel,
    /// The API design.
    pub design: Design,
}

/// Compiles the KUnit file `text`, which the user calls `name`, and runs its suites.
///
/// # Errors
/// It does not compile, or its process goes wrong.
pub fn run(name: &str, text: &str, setup: Setup) -> Result<Report, Error> {
    let program = guest::build(name, &unit::text(name, text))?;
    let guest = RefCell::new(Guest::start(&program)?);
    let run =
        Run { setup, calls: lazy_mmu::design::calls().collect(), guest, doing: RefCell::default() };
    let suites = run.suites().map_err(|gone| {
        let doing = run.doing.borrow();
        let what =
            if doing.is_empty() { "the test".to_owned() } else { format!("test case {doing}") };
        Error::about(name, format!("{what} {gone}"))
    })?;
    Ok(Report { module: unit::module(name), suites })
}

/// A test under way.
struct Run {
    setup: Setup,
    /// What the numbers of calls stand for, as in the unit.
    calls: Vec<&'static CallInfo>,
    guest: RefCell<Guest>,
    /// The test case that runs.
    doing: RefCell<String>,
}

impl Run {
    fn suites(&self) -> Result<Vec<Suite>, Gone> {
        let mut suites: Vec<Suite> = Vec::new();
        loop {
            let tag = self.guest.borrow_mut().tag()?;
            let text = self.guest.borrow_mut().long_text()?;
            match (tag, suites.last_mut()) {
                (b'Q', _) => suites.push(Suite::new(text)),
                (b'N', Some(suite)) => suite.notes.push(text),
                (b'B', Some(suite)) => suite.cases.push(self.case(text)?),
                (b'Z', Some(_)) => {}
                (b'O', _) => return Ok(suites),
                _ => return Err(Gone::Garbage),
            }
        }
    }

    /// Runs a test case as a fresh task on a fresh machine.
    fn case(&self, name: String) -> Result<Case, Gone> {
        self.doing.replace(name.clone());
        let machine = Machine::with_kernel(self.setup.arch, self.setup.kernel);
        let case = RefCell::new(Case::new(name));
        let (served, record) = sched::with_design(self.setup.design, || {
            machine.run(|| record_hooks(|| self.serve(&machine, &case)))
        });
        served?;
        let mut case = case.into_inner();
        for seen in record.events() {
            if let Event::Warn { check, cond, again: false } = seen.event {
                case.notes.push(format!("WARNING: {check}({cond})"));
            }
        }
        if machine.bugs() > 0 {
            case.died();
        }
        self.doing.take();
        Ok(case)
    }

    /// Answers the questions of a test case until it is done.
    fn serve(&self, machine: &Machine, case: &RefCell<Case>) -> Result<(), Gone> {
        let asked = Cell::new(b'0');
        loop {
            let tag = self.guest.borrow_mut().tag()?;
            asked.set(tag);
            if matches!(tag, b'F' | b'N' | b'K') {
                let text = self.guest.borrow_mut().long_text()?;
                case.borrow_mut().say(tag, text);
                continue;
            }
            let [number] = self.guest.borrow_mut().bytes()?;
            let answer = match tag {
                b'C' => self.call(machine, number)?,
                b'P' => change(number)?,
                b'A' => u8::from(lazy_mmu::is_lazy_mmu_mode_active()),
                b'I' => u8::from(lazy_mmu::in_interrupt()),
                b'D' => {
                    case.borrow_mut().done(number);
                    0
                }
                _ => return Err(Gone::Garbage),
            };
            self.guest.borrow_mut().send(&[answer])?;
            if tag == b'D' {
                return Ok(());
            }
        }
    }

    /// Makes a call of the mode. Returns 2 where the task does not come back.
    fn call(&self, machine: &Machine, number: u8) -> Result<u8, Gone> {
        let info = self.calls.get(usize::from(number)).ok_or(Gone::Garbage)?;
        if info.takes.takes_pages() {
            lazy_mmu::pgtable::call_with_ptes(info.call, one_page(machine));
        } else {
            lazy_mmu::pgtable::call(info.call);
        }
        Ok(if machine.bugs() > 0 { 2 } else { 0 })
    }
}

/// Changes the preempt count of the task.
fn change(number: u8) -> Result<u8, Gone> {
    let changes = machine_api::CONTEXT_CHANGES;
    let &(name, what, add) = changes.get(usize::from(number)).ok_or(Gone::Garbage)?;
    machine_api::change_context(name, what, add);
    Ok(0)
}

/// A page of the kernel, for a call that takes pages: a test has none of its own.
fn one_page(machine: &Machine) -> PteRange {
    let addr = VirtAddr::new(0xffff_8000_0800_0000).expect("an address of the kernel");
    let mm = machine.init_mm();
    let table = mm.pte_alloc_kernel(addr);
    let ptep = table.ptep(addr.pte_index()).slot().0;
    PteRange { mm: 0, addr: addr.get(), end: addr.add_pages(1).get(), ptep }
}
