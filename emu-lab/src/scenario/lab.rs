//! The machine of a thread as the stage of a scenario, with what its lines refer to and claim.

use std::cell::RefCell;
use std::collections::BTreeMap;

use emu_arch::hazard::Hazard;
use emu_arch::kernel::{self, PteArgs};
use emu_arch::machine::Found;
use emu_arch::{Machine, MmStruct};
use lazy_mmu::trace::Event;
use lazy_mmu::{machine_api, sched};

use super::driver::{Script, Stage};
use super::setup::{Standing, expected};
use super::value::{Expect, Inside, Line, Scenario, Step};

/// A claim of a scenario that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// The number of its line.
    pub line: u32,
    /// What was expected and what was found.
    pub message: String,
}

/// The machine of a run and what its lines refer to.
pub(super) struct Lab {
    pub(super) machine: Machine,
    mms: BTreeMap<u8, MmStruct>,
    standing: Standing,
    /// The hazards that the scenario expects somewhere: none in a good run.
    expected: BTreeMap<Hazard, u32>,
    pub(super) unmet: RefCell<Vec<Unmet>>,
    /// The number of the next event as each line began, or continued, and the line.
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
            standing,
            expected: expected(scenario, standing),
            unmet: RefCell::default(),
            lines: RefCell::default(),
        };
        scenario.lines().for_each(|line| lab.prepare(line));
        lab
    }

    /// Does what stands before the scenario: page sizes of slices and mapped pages.
    fn prepare(&self, line: &Line) {
        let Some(args) = line.step.pte_args() else { return };
        let mm = &self.mms[&args.mm];
        if let Some(psize) = args.psize {
            mm.set_slice_psize(args.addr, psize);
        }
        if matches!(line.step, Step::Map(_)) {
            mm.populate_pages(args);
        }
    }

    /// The pages that a call is given.
    fn pages(&self, args: &PteArgs) -> lazy_mmu::PteRange {
        let mm = &self.mms[&args.mm];
        let table = mm.pte_table(args.addr);
        lazy_mmu::PteRange {
            mm: args.mm.into(),
            addr: args.addr.get(),
            end: args.addr.add_pages(args.nr.into()).get(),
            ptep: table.ptep(args.addr.pte_index()).slot().0,
        }
    }

    fn one(&self, step: &kernel::Step) {
        match step {
            kernel::Step::Call(info, Some(args)) => {
                lazy_mmu::pgtable::call_with_ptes(info.call, self.pages(args));
            }
            kernel::Step::Pte(op, args) => self.mms[&args.mm].step(*op, args),
            kernel::Step::Call(_, None)
            | kernel::Step::Context(_)
            | kernel::Step::Task(_)
            | kernel::Step::Fork(_)
            | kernel::Step::Lock(..) => self.machine.step(step),
        }
    }

    /// Remarks on a claim that does not hold.
    fn expect(&self, line: u32, expected: Expect) {
        let found = self.machine.hazards();
        match expected {
            Expect::Active(expected) => {
                let found = lazy_mmu::is_lazy_mmu_mode_active();
                if found != expected {
                    self.unmet(line, format!("expected {}, found {}", word(expected), word(found)));
                }
            }
            Expect::Hazard(hazard) => {
                let here = self.expected.contains_key(&hazard);
                if here && !found.iter().any(|found| found.hazard == hazard) {
                    self.unmet(line, format!("expected the hazard {}, found none", hazard));
                }
            }
            Expect::None => {
                if let Some(found) = self.unexpected().first() {
                    let found = found.hazard;
                    self.unmet(line, format!("expected no hazard, found {found}"));
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
            Standing::Good | Standing::Only => {
                if !holds {
                    self.unmet(line, format!("expected {effect} {times} times, found {found}"));
                }
            }
            Standing::Bad => {
                if holds {
                    let message = format!("expected {effect} not {times} times in a bad run");
                    self.unmet(line, message);
                }
            }
            Standing::Other => {}
        }
    }

    /// The hazards found that the scenario does not expect, in order.
    pub(super) fn unexpected(&self) -> Vec<Found> {
        let found = self.machine.hazards();
        found.into_iter().filter(|found| !self.expected.contains_key(&found.hazard)).collect()
    }

    fn unmet(&self, line: u32, message: String) {
        sched::note(&format!("line {line}: {message}"));
        self.unmet.borrow_mut().push(Unmet { line, message });
    }
}

impl Stage for Lab {
    fn current(&self) -> (u8, u8) {
        let cpu = self.machine.cpu();
        (self.machine.running(cpu), cpu)
    }

    fn cpu_of(&self, pid: u8) -> Option<u8> {
        self.machine.cpu_of(pid)
    }

    fn run_on(&self, cpu: u8) {
        self.machine.run_on(cpu);
    }

    fn context_switch(&self, cpu: u8, next: u8) {
        self.machine.context_switch(cpu, next);
    }

    fn step(&self, step: &kernel::Step, inside: Option<(&Inside, Script)>) -> bool {
        match inside {
            None => {
                self.one(step);
                true
            }
            Some((Inside { point, nth, .. }, script)) => {
                self.machine.with_point(point, *nth, script, || self.one(step))
            }
        }
    }

    fn bugs(&self) -> u32 {
        self.machine.bugs()
    }

    fn note(&self, event: Event<'_>) {
        machine_api::note_event(event);
    }

    fn begin(&self, number: u32) {
        self.lines.borrow_mut().push((machine_api::next_seq(), number));
    }

    fn refuse(&self, line: &Line, why: String) {
        self.unmet(line.number, why);
    }

    fn claim(&self, line: &Line, no_point: Option<&str>) {
        if let Step::Expect(expected) = line.step {
            self.expect(line.number, expected);
        }
        if let Some(point) = no_point {
            self.unmet(line.number, format!("expected the point {point} inside, found none"));
        }
    }
}

/// The mode in a word.
const fn word(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}
