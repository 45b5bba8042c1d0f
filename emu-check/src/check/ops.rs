//! The steps of clients: those of the most general one, and those of programs.

use std::fmt;

use emu_arch::VirtAddr;
use emu_arch::backend::At;
use lazy_mmu::trace::PteOp;

use super::client::{Kind, Op, Owner};
use super::options::{Accesses, Client, Options, Pages};
use emu_arch::kernel::{Lock, LockOp, PteArgs, Step, TaskOp};
use emu_arch::replay::Memory;
use emu_lab::scenario::{self, Expect, Line, Scenario};

/// A page of clients, where they have any: each task has one, then the interrupts of each CPU. In
/// the client of batches the one task has three, and one in a second table or address space; in the
/// client of joins it has two.
fn page(options: &Options, number: u8) -> Option<At> {
    let second = options.client == Client::Batches && number == 3;
    let (mm, base) = match options.pages {
        Pages::None => return None,
        Pages::Kernel => (0, 0xffff_8000_0800_0000 + if second { 1 << 21 } else { 0 }),
        Pages::User => (if second { 2 } else { 1 }, 0x7f00_0000_1000),
    };
    let base = VirtAddr::page(base).ok()?;
    Some(At { mm, addr: base.add_pages(if second { 0 } else { number.into() }) })
}

fn args(page: At) -> PteArgs {
    let At { mm, addr } = page;
    let pfn = Some(0x1000 + (addr.get() >> 12 & 0xff));
    PteArgs { addr, nr: 1, mm, prot: None, pfn, psize: None }
}

/// The steps of a client: the calls, for each page a mapping, a use, an unmapping, and what the
/// client adds.
pub(super) fn general(options: &Options) -> Vec<Op> {
    let mut ops = Vec::new();
    let mut op = |step: Step, of| ops.push(Op { kind: Kind::of_page(&step), step, of });
    let calls = || options.design.calls().iter().filter(|info| !info.by_arch);
    for info in calls().filter(|info| !info.takes.takes_pages()) {
        op(Step::Call(info, None), Owner::All);
    }
    let cpus = if options.interrupts { options.cpus } else { 0 };
    let (of_tasks, one) = match options.client {
        Client::Calls | Client::Locks | Client::Tasks => (options.tasks, false),
        Client::Batches => (4, true),
        Client::Joins => (2, true),
    };
    for number in 0..of_tasks + cpus {
        let owner = match number.checked_sub(of_tasks) {
            None if one => Owner::Task(0),
            None => Owner::Task(number),
            Some(cpu) => Owner::Interrupt(cpu),
        };
        let Some(page) = page(options, number) else { continue };
        if matches!(owner, Owner::Task(_)) {
            for info in calls().filter(|info| info.takes.takes_pages()) {
                op(Step::Call(info, Some(args(page))), owner);
            }
        }
        op(Step::Pte(PteOp::set_pte_at, args(page)), owner);
        op(Step::Pte(PteOp::read, PteArgs { pfn: None, ..args(page) }), owner);
        op(Step::Pte(PteOp::ptep_get_and_clear, PteArgs { pfn: None, ..args(page) }), owner);
    }
    for number in 0..options.tasks {
        let own = |step: Step| (step, Owner::Task(number));
        let page = page(options, number).map(|page| (page, PteArgs { pfn: None, ..args(page) }));
        let more: Vec<Step> = match (options.client, page) {
            (Client::Locks, Some((page, args))) => {
                let At { mm, addr } = page;
                let lock = if mm == 0 { Lock::InitMm } else { Lock::Pte { mm, addr } };
                vec![
                    Step::Lock(lock, LockOp::Lock),
                    Step::Lock(lock, LockOp::Unlock),
                    Step::Pte(PteOp::flush_tlb_range, args),
                    // Another page, which a translation of the first one must not reach.
                    Step::Pte(PteOp::set_pte_at, PteArgs { pfn: Some(0x2000), ..args }),
                    Step::Pte(PteOp::ptep_get, args),
                ]
            }
            (Client::Tasks, _) => {
                vec![Step::Task(TaskOp::MightSleep), Step::Task(TaskOp::Schedule)]
            }
            (Client::Calls, Some((_, args))) if options.accesses == Accesses::Any => {
                vec![Step::Pte(PteOp::raw_read, args), Step::Task(TaskOp::MightSleep)]
            }
            _ => Vec::new(),
        };
        let exit = options.fork.then_some(Step::Task(TaskOp::Exit));
        more.into_iter().chain(exit).map(own).for_each(|(step, of)| op(step, of));
    }
    ops
}

/// A line of a scenario that no program can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its number.
    pub line: u32,
    /// Why not.
    pub why: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for Refused {}

/// The interrupt that the lines of a scenario are in.
#[derive(Default)]
struct Interrupt {
    /// The task that it interrupts, 0 for whichever runs.
    task: Option<u8>,
    /// How many more have begun inside of it.
    nested: u32,
}

impl Interrupt {
    /// Goes on by a line of `task` that does `step`; tells whether it begins or ends the interrupt.
    /// One that ends what did not begin is a step like any other, and so is one that nests.
    fn begins_or_ends(&mut self, step: &Step, task: u8) -> bool {
        let Step::Context(change) = step else { return false };
        match (change.name, self.task) {
            ("hardirq_enter", None) => self.task = Some(task),
            ("hardirq_exit", Some(_)) if self.nested == 0 => self.task = None,
            ("hardirq_enter", Some(_)) => {
                self.nested += 1;
                return false;
            }
            ("hardirq_exit", Some(_)) => {
                self.nested -= 1;
                return false;
            }
            _ => return false,
        }
        true
    }
}

/// What a line has a program do, if anything: a claim about the mode is a step that does nothing.
/// Where there are `several` tasks, it must say which one it is about.
fn step_of(line: &Line, several: bool) -> Option<(Step, Kind)> {
    match line.step {
        scenario::Step::Kernel(step) => Some((step, Kind::of(&step))),
        scenario::Step::Expect(Expect::Active(active)) if line.task > 0 || !several => {
            let line = line.number;
            Some((Step::Task(TaskOp::Run), Kind::Claim { line, active }))
        }
        scenario::Step::Expect(_) | scenario::Step::Map(_) => None,
    }
}

/// The programs of a scenario, what is mapped before, and the number of tasks.
///
/// # Errors
/// A line that the checker has no move for.
pub(super) fn programs(
    scenario: &Scenario,
    options: &Options,
) -> Result<(Vec<Op>, Memory, u8), Refused> {
    let mut memory = Memory::new(options.arch);
    let mut ops = Vec::new();
    let mut tasks = 1;
    // The next place in each task's program, and in the handler's.
    let mut places = [0u16; 27];
    let mut handler = 0;
    let mut interrupt = Interrupt::default();
    let mut exited = [false; 27];
    let several = scenario.lines().any(|line| line.task > 1);
    for line in scenario.lines() {
        line.step.prepare(&mut memory, options.arch);
        let task = line.task.max(1);
        let refuse = |why| Err(Refused { line: line.number, why });
        let Some((step, kind)) = step_of(line, several) else { continue };
        if interrupt.begins_or_ends(&step, line.task) {
            continue;
        }
        let claims = matches!(kind, Kind::Claim { .. });
        if exited[usize::from(task)] && !claims {
            return refuse("the task exits before this line");
        }
        exited[usize::from(task)] |= kind == Kind::Exit;
        match step {
            Step::Task(TaskOp::Run) if !claims => continue,
            Step::Fork(_) => return refuse("a program forks no task"),
            Step::Task(TaskOp::Schedule) => {
                return refuse("the search decides when a program is left");
            }
            Step::Lock(..) if several => {
                return refuse("programs of several tasks take no locks: none would wait");
            }
            Step::Call(..) | Step::Context(_) | Step::Pte(..) | Step::Task(_) | Step::Lock(..) => {}
        }
        if task > 3 {
            return refuse("there are three programs at most, A to C");
        }
        let of = match interrupt.task {
            Some(of) if line.task != 0 && line.task != of => {
                return refuse("another task runs inside the interrupt");
            }
            Some(_) => {
                handler += 1;
                Owner::Handler(handler - 1)
            }
            None => {
                tasks = tasks.max(task);
                let place = &mut places[usize::from(task)];
                *place += 1;
                Owner::Program(task - 1, *place - 1)
            }
        };
        ops.push(Op { kind, step, of });
    }
    Ok((ops, memory, tasks))
}
