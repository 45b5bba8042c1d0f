//! A machine with what the lines of a scenario refer to: executes one line after the other.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use emu_arch::backend::{Access, Level};
use emu_arch::hw::hazard::Hazard;
use emu_arch::machine::Found;
use emu_arch::{Machine, MmStruct, Pte, VirtAddr, pgtable};
use lazy_mmu::trace::PteOp;
use lazy_mmu::{machine_api, sched};

use super::entry::{entry, with_prot};
use super::run::{Standing, Unmet};
use super::{Expect, Inside, Line, Prot, PteArgs, Scenario, Step, TaskOp};

/// The machine of a run and what its lines refer to.
pub(super) struct Lab {
    pub(super) machine: Machine,
    mms: BTreeMap<u8, MmStruct>,
    /// Entries between `ptep_modify_prot_start` and its commit.
    started: RefCell<BTreeMap<(u8, VirtAddr), Pte>>,
    next_pfn: Cell<u64>,
    insides: Vec<Inside>,
    standing: Standing,
    /// The hazards that the scenario expects somewhere: none in a good run.
    expected: BTreeSet<Hazard>,
    /// Tasks that hit a `BUG_ON()`: their lines do nothing any more.
    dead: RefCell<BTreeSet<u8>>,
    pub(super) unmet: RefCell<Vec<Unmet>>,
    /// The number of the next event as each line began, or was gone on with, and the line.
    pub(super) lines: RefCell<Vec<(u32, u32)>>,
}

impl Lab {
    /// The machine as the scenario begins, which says `standing` of the run.
    pub(super) fn new(machine: Machine, scenario: &Scenario, standing: Standing) -> Self {
        // Numbered in order of allocation, so that mm=N of a scenario is mm N of the record.
        let user = std::iter::from_fn(|| machine.mm_alloc());
        let mms = std::iter::once(machine.init_mm().clone()).chain(user);
        let lab = Self {
            mms: mms.map(|mm| (mm.id(), mm)).collect(),
            machine,
            started: RefCell::default(),
            next_pfn: Cell::new(0x1000),
            insides: scenario.insides.clone(),
            standing,
            expected: if standing == Standing::Good { BTreeSet::new() } else { expected(scenario) },
            dead: RefCell::default(),
            unmet: RefCell::default(),
            lines: RefCell::default(),
        };
        let inside = lab.insides.iter().flat_map(|inside| &inside.steps);
        scenario.steps.iter().chain(inside).for_each(|line| lab.prepare(line));
        lab
    }

    /// Does what stands before the scenario: page sizes of slices and mapped pages.
    fn prepare(&self, line: &Line) {
        let (Step::Pte(_, args) | Step::Map(args)) = line.step else { return };
        let mm = &self.mms[&args.mm];
        if let Some(psize) = args.psize {
            mm.set_slice_psize(args.addr, psize);
        }
        if matches!(line.step, Step::Map(_)) {
            let (pte, mm) = (self.entry(args), &self.mms[&args.mm]);
            let table = mm.pte_table(args.addr);
            for n in 0..args.nr {
                let addr = args.addr.add_pages(u64::from(n));
                mm.populate(table.ptep(addr.pte_index()), pte.advance_pfn(u64::from(n)));
            }
        }
    }

    /// Executes a line, and what falls into it.
    pub(super) fn step(self: &Rc<Self>, line: &Line) {
        let bugs = self.machine.bugs();
        self.begin(line.number);
        self.go_to(line);
        match line.inside {
            // The switch to the task was deadly, or the task is dead.
            _ if self.machine.bugs() > bugs || self.is_dead() => {}
            None => self.one(line),
            Some(index) => self.with_inside(line, index),
        }
        if self.machine.bugs() > bugs {
            self.dead.borrow_mut().insert(self.machine.running(self.machine.cpu()));
            sched::note("the task is dead");
        }
    }

    /// Notes that what comes next belongs to line `number`.
    fn begin(&self, number: u32) {
        self.lines.borrow_mut().push((machine_api::next_seq(), number));
    }

    /// Tells whether the running task is dead.
    pub(super) fn is_dead(&self) -> bool {
        self.dead.borrow().contains(&self.machine.running(self.machine.cpu()))
    }

    /// Has the task of a line run where the line says, or where it is, or on CPU 0.
    fn go_to(&self, line: &Line) {
        let machine = &self.machine;
        if line.task > 0 {
            let at = line.cpu.or_else(|| machine.cpu_of(line.task)).unwrap_or(0);
            machine.context_switch(at, line.task);
        } else if let Some(cpu) = line.cpu {
            machine.run_on(cpu);
        }
    }

    fn with_inside(self: &Rc<Self>, line: &Line, index: u32) {
        let (lab, index, number) = (Rc::clone(self), index as usize, line.number);
        let script = move || {
            let inside = &lab.insides[index];
            inside.steps.iter().for_each(|line| lab.step(line));
            lab.begin(number);
            inside.back_on
        };
        let Inside { point, nth, .. } = &self.insides[index];
        if !self.machine.with_point(point, *nth, Rc::new(script), || self.one(line)) {
            self.claim(line.number, format!("expected the point {point} inside, found none"));
        }
    }

    fn one(&self, line: &Line) {
        match line.step {
            Step::Call(info, None) => lazy_mmu::pgtable::call(info.call),
            Step::Call(info, Some(args)) => {
                lazy_mmu::pgtable::call_with_ptes(info.call, self.pages(args));
            }
            Step::Context(change) => (change.make)(),
            Step::Pte(op, args) => self.pte(op, args),
            Step::Map(_) => {}
            Step::Task(op) => self.task(op),
            Step::Lock(lock, true) => self.machine.lock(lock),
            Step::Lock(lock, false) => self.machine.unlock(lock),
            Step::Expect(expected) => self.expect(line.number, expected),
        }
    }

    /// The pages that a call is given.
    fn pages(&self, args: PteArgs) -> lazy_mmu::PteRange {
        let mm = &self.mms[&args.mm];
        let table = mm.pte_table(args.addr);
        lazy_mmu::PteRange {
            mm: args.mm.into(),
            addr: args.addr.get(),
            end: args.addr.add_pages(args.nr.into()).get(),
            ptep: table.ptep(args.addr.pte_index()).slot().0,
        }
    }

    fn task(&self, op: TaskOp) {
        match op {
            TaskOp::Run => {}
            TaskOp::MightSleep => self.machine.might_sleep(),
            TaskOp::Schedule => self.machine.schedule(),
            TaskOp::ArchFlush => self.machine.arch_flush(),
            TaskOp::Exit => self.machine.exit(),
            TaskOp::Fork { child } => self.machine.fork(child),
        }
    }

    /// Remarks on a claim that does not hold.
    fn expect(&self, line: u32, expected: Expect) {
        let found = self.machine.hazards();
        match expected {
            Expect::Active(expected) => {
                let found = lazy_mmu::is_lazy_mmu_mode_active();
                if found != expected {
                    self.claim(line, format!("expected {}, found {}", word(expected), word(found)));
                }
            }
            Expect::Hazard(hazard) => {
                let here = self.expected.contains(&hazard);
                if here && !found.iter().any(|found| found.hazard == hazard) {
                    self.claim(line, format!("expected the hazard {}, found none", hazard.id()));
                }
            }
            Expect::None => {
                if let Some(found) = self.unexpected().first() {
                    let found = found.hazard.id();
                    self.claim(line, format!("expected no hazard, found {found}"));
                }
            }
            Expect::Times { effect, times } => self.expect_times(line, effect, times),
        }
    }

    /// Remarks on a number of times that is not as it must be in a good run, or is so in a bad one.
    fn expect_times(&self, line: u32, effect: &str, times: u32) {
        let found = self.machine.totals().times(effect);
        let holds = found == u64::from(times);
        match self.standing {
            Standing::Good | Standing::Only if !holds => {
                self.claim(line, format!("expected {effect} {times} times, found {found}"));
            }
            Standing::Bad if holds => {
                let message = format!("expected {effect} not {times} times in a bad run");
                self.claim(line, message);
            }
            _ => {}
        }
    }

    /// The hazards found that the scenario does not expect, in order.
    pub(super) fn unexpected(&self) -> Vec<Found> {
        let found = self.machine.hazards();
        found.into_iter().filter(|found| !self.expected.contains(&found.hazard)).collect()
    }

    fn claim(&self, line: u32, message: String) {
        sched::note(&format!("line {line}: {message}"));
        self.unmet.borrow_mut().push(Unmet { line, message });
    }

    /// The entry that `args` describe: read and write unless said otherwise.
    fn entry(&self, args: PteArgs) -> Pte {
        let pfn = args
            .pfn
            .unwrap_or_else(|| self.next_pfn.replace(self.next_pfn.get() + u64::from(args.nr)));
        entry(args, pfn)
    }

    fn pte(&self, op: PteOp, args: PteArgs) {
        let mm = self.mms[&args.mm].clone();
        let table = Rc::clone(&mm.pte_table(args.addr));
        let (mm, addr, ptep) = (&mm, args.addr, table.ptep(args.addr.pte_index()));
        match op {
            PteOp::set_pte => pgtable::set_pte(mm, addr, ptep, self.entry(args)),
            PteOp::set_pte_at => pgtable::set_pte_at(mm, addr, ptep, self.entry(args)),
            PteOp::set_ptes => pgtable::set_ptes(mm, addr, ptep, self.entry(args), args.nr),
            PteOp::ptep_modify_prot_start => {
                let pte = pgtable::ptep_modify_prot_start(mm, addr, ptep);
                self.started.borrow_mut().insert((args.mm, addr), pte);
            }
            PteOp::ptep_modify_prot_commit => {
                let started = self.started.borrow_mut().remove(&(args.mm, addr));
                let pte = started.map_or_else(|| self.entry(args), |pte| with_prot(pte, args.prot));
                pgtable::ptep_modify_prot_commit(mm, addr, ptep, pte);
            }
            PteOp::ptep_set_access_flags => {
                let pte = with_prot(ptep.read().with(Pte::YOUNG), args.prot);
                pgtable::ptep_set_access_flags(mm, addr, ptep, pte);
            }
            PteOp::wrprotect_ptes => pgtable::wrprotect_ptes(mm, addr, ptep, args.nr),
            PteOp::flush_tlb_range => pgtable::flush_tlb_range(mm, addr, u64::from(args.nr)),
            PteOp::tlb_flush => pgtable::tlb_flush(mm, addr, u64::from(args.nr)),
            PteOp::tlb_remove_tlb_entries => pgtable::tlb_remove_tlb_entries(mm, addr, args.nr),
            PteOp::set_tlb_ubc_flush_pending => {
                pgtable::set_tlb_ubc_flush_pending(mm, addr, args.nr);
            }
            PteOp::flush_tlb_batched_pending => pgtable::flush_tlb_batched_pending(mm, addr),
            PteOp::set_pmd => set_table(mm, Level::Pmd, args),
            PteOp::set_pud => set_table(mm, Level::Pud, args),
            PteOp::set_p4d => set_table(mm, Level::P4d, args),
            PteOp::set_pgd => set_table(mm, Level::Pgd, args),
            PteOp::ptep_get => _ = pgtable::ptep_get(mm, addr, ptep),
            PteOp::raw_read => _ = pgtable::raw_read(mm, addr, ptep),
            PteOp::ptep_get_lockless => _ = pgtable::ptep_get_lockless(mm, addr, ptep),
            PteOp::ptep_get_and_clear => _ = pgtable::ptep_get_and_clear(mm, addr, ptep),
            PteOp::pte_clear => pgtable::pte_clear(mm, addr, ptep),
            PteOp::ptep_set_wrprotect => pgtable::ptep_set_wrprotect(mm, addr, ptep),
            PteOp::ptep_test_and_clear_young => {
                pgtable::ptep_test_and_clear_young(mm, addr, ptep);
            }
            PteOp::read => pgtable::access(mm, addr, ptep, Access::Read),
            PteOp::write => pgtable::access(mm, addr, ptep, Access::Write),
        }
    }
}

/// The hazards that the scenario expects somewhere.
fn expected(scenario: &Scenario) -> BTreeSet<Hazard> {
    let expects = |line: &Line| match line.step {
        Step::Expect(Expect::Hazard(hazard)) => Some(hazard),
        _ => None,
    };
    scenario.lines().filter_map(expects).collect()
}

/// The mode in a word.
const fn word(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}

fn set_table(mm: &MmStruct, level: Level, args: PteArgs) {
    pgtable::set_table(mm, level, args.addr, args.prot != Some(Prot::None));
}
