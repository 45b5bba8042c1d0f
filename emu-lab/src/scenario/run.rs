//! Steps to a record: runs a scenario on a fresh machine.

use std::collections::BTreeMap;
use std::rc::Rc;

use emu_arch::backend::{Access, Level};
use emu_arch::machine::Totals;
use emu_arch::{Arch, Kernel, Machine, MmStruct, Pfn, Pte, VirtAddr, pgtable};
use lazy_mmu::design::Design;
use lazy_mmu::trace::{Event, PteOp};
use lazy_mmu::{Record, record_hooks, sched};

use super::{Expect, Line, Prot, PteArgs, Scenario, Step};

/// What a scenario runs on.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The architecture.
    pub arch: Arch,
    /// The era of the architecture's code.
    pub kernel: Kernel,
    /// The API design.
    pub design: Design,
    /// Stops at the first warning, as a kernel with `panic_on_warn` does.
    pub panic_on_warn: bool,
}

impl Default for Setup {
    /// v7.0 on an architecture that batches nothing.
    fn default() -> Self {
        let kernel = Kernel::default();
        Self { arch: Arch::Naive, kernel, design: kernel.design(), panic_on_warn: false }
    }
}

impl From<Design> for Setup {
    /// v7.0 on an architecture that batches nothing, under `design`.
    fn from(design: Design) -> Self {
        Self { design, ..Self::default() }
    }
}

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was seen.
    pub record: Record,
    /// The line at which a warning stopped the run.
    pub stopped: Option<u32>,
    /// The claims that did not hold, in order.
    pub unmet: Vec<Unmet>,
    /// How often each hook was called and each effect happened.
    pub totals: Totals,
}

/// A claim of a scenario that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// The number of its line.
    pub line: u32,
    /// What was expected and what was found.
    pub message: String,
}

/// Runs a scenario as a fresh task on a fresh machine, with the page tables it needs in place.
#[must_use]
pub fn run(scenario: &Scenario, setup: Setup) -> Outcome {
    run_steps(scenario, setup, None)
}

/// Who is shown each line with the record of it alone, while the task is still current.
pub type See<'s> = &'s mut dyn FnMut(&Line, &Record);

/// Runs a scenario and shows each line that was run to `see`.
#[must_use]
pub fn run_lines(scenario: &Scenario, setup: Setup, see: See<'_>) -> Outcome {
    run_steps(scenario, setup, Some(see))
}

fn run_steps(scenario: &Scenario, setup: Setup, mut see: Option<See<'_>>) -> Outcome {
    let machine = Machine::with_kernel(setup.arch, setup.kernel);
    let mut lab = Lab::new(&machine);
    for line in &scenario.steps {
        lab.prepare(line);
    }
    let steps = || {
        for line in &scenario.steps {
            if setup.panic_on_warn || see.is_some() {
                let ((), part) = record_hooks(|| lab.step(line));
                if let Some(see) = &mut see {
                    see(line, &part);
                }
                if setup.panic_on_warn
                    && part.events().any(|seen| matches!(seen.event, Event::Warn { .. }))
                {
                    return Some(line.number);
                }
            } else {
                lab.step(line);
            }
        }
        None
    };
    let (stopped, record) =
        sched::with_design(setup.design, || machine.run(|| record_hooks(steps)));
    Outcome { record, stopped, unmet: lab.unmet, totals: machine.totals() }
}

/// The address spaces of a run and what its lines refer to.
struct Lab {
    mms: BTreeMap<u8, MmStruct>,
    /// Entries between `ptep_modify_prot_start` and its commit.
    started: BTreeMap<(u8, VirtAddr), Pte>,
    next_pfn: u64,
    unmet: Vec<Unmet>,
}

impl Lab {
    fn new(machine: &Machine) -> Self {
        // Numbered in order of allocation, so that mm=N of a scenario is mm N of the record.
        let user = std::iter::from_fn(|| machine.mm_alloc());
        let mms = std::iter::once(machine.init_mm().clone()).chain(user);
        let mms = mms.map(|mm| (mm.id(), mm)).collect();
        Self { mms, started: BTreeMap::new(), next_pfn: 0x1000, unmet: Vec::new() }
    }

    /// Does what stands before the scenario: page sizes of slices and mapped pages.
    fn prepare(&mut self, line: &Line) {
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

    fn step(&mut self, line: &Line) {
        match line.step {
            Step::Call(call) => lazy_mmu::pgtable::call(call),
            Step::Context(change) => (change.make)(),
            Step::Pte(op, args) => self.pte(op, args),
            Step::Map(_) => {}
            Step::Expect(expected) => self.expect(line.number, expected),
        }
    }

    /// Remarks on a claim that does not hold.
    fn expect(&mut self, line: u32, expected: Expect) {
        let Expect::Active(expected) = expected;
        let found = lazy_mmu::is_lazy_mmu_mode_active();
        if found != expected {
            let message = format!("expected {}, found {}", word(expected), word(found));
            sched::note(&format!("line {line}: {message}"));
            self.unmet.push(Unmet { line, message });
        }
    }

    /// The entry that `args` describe: read and write unless said otherwise.
    fn entry(&mut self, args: PteArgs) -> Pte {
        let pfn = args.pfn.unwrap_or_else(|| {
            let next = self.next_pfn;
            self.next_pfn += u64::from(args.nr);
            next
        });
        let base = if args.addr.is_kernel() {
            Pte::kernel(Pfn(pfn))
        } else {
            Pte::user(Pfn(pfn), true, false)
        };
        with_prot(base, args.prot)
    }

    fn pte(&mut self, op: PteOp, args: PteArgs) {
        let mm = self.mms[&args.mm].clone();
        let table = Rc::clone(&mm.pte_table(args.addr));
        let (mm, addr, ptep) = (&mm, args.addr, table.ptep(args.addr.pte_index()));
        match op {
            PteOp::set_pte => pgtable::set_pte(mm, addr, ptep, self.entry(args)),
            PteOp::set_pte_at => pgtable::set_pte_at(mm, addr, ptep, self.entry(args)),
            PteOp::set_ptes => pgtable::set_ptes(mm, addr, ptep, self.entry(args), args.nr),
            PteOp::ptep_modify_prot_start => {
                let pte = pgtable::ptep_modify_prot_start(mm, addr, ptep);
                self.started.insert((args.mm, addr), pte);
            }
            PteOp::ptep_modify_prot_commit => {
                let started = self.started.remove(&(args.mm, addr));
                let pte = started.map_or_else(|| self.entry(args), |pte| with_prot(pte, args.prot));
                pgtable::ptep_modify_prot_commit(mm, addr, ptep, pte);
            }
            PteOp::ptep_set_access_flags => {
                let pte = with_prot(ptep.read().with(Pte::YOUNG), args.prot);
                pgtable::ptep_set_access_flags(mm, addr, ptep, pte);
            }
            PteOp::wrprotect_ptes => pgtable::wrprotect_ptes(mm, addr, ptep, args.nr),
            PteOp::flush_tlb_range => pgtable::flush_tlb_range(mm, addr, u64::from(args.nr)),
            PteOp::set_pmd => set_table(mm, Level::Pmd, args),
            PteOp::set_pud => set_table(mm, Level::Pud, args),
            PteOp::set_p4d => set_table(mm, Level::P4d, args),
            PteOp::set_pgd => set_table(mm, Level::Pgd, args),
            PteOp::ptep_get => _ = pgtable::ptep_get(mm, addr, ptep),
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

/// The mode in a word.
const fn word(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}

fn with_prot(pte: Pte, prot: Option<Prot>) -> Pte {
    match prot {
        None => pte,
        Some(Prot::ReadWrite) => pte.with(Pte::WRITE),
        Some(Prot::ReadOnly) => pte.without(Pte::WRITE),
        Some(Prot::None) => Pte::NONE,
    }
}

fn set_table(mm: &MmStruct, level: Level, args: PteArgs) {
    pgtable::set_table(mm, level, args.addr, args.prot != Some(Prot::None));
}
