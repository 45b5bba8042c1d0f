//! Pieces of work on a machine: page tables as the model has them, then the work, and what it took.

use emu_arch::machine::Totals;
use emu_arch::{Arch, Machine, MmStruct};
use emu_mm::proc::Filler;
use emu_mm::workload::{Options, Row, fork_chain};
use lazy_mmu::design::Design;
use lazy_mmu::{sched, with_lazy_mmu_paused};

use super::perform::{page, perform};
use crate::job::Job;

/// An architecture on which work is done.
#[derive(Debug)]
pub(super) struct Bench {
    arch: Arch,
    options: Options,
}

/// What one piece of work took.
struct Done {
    ptes: u64,
    totals: Totals,
}

impl Bench {
    pub(super) fn new(arch: Arch, options: &Options) -> Self {
        Self { arch, options: *options }
    }

    /// Does `jobs`, `batch` of them on each machine; returns what each took, and whether the mode
    /// is off in a task that as many forks made as the options say.
    pub(super) fn work(&self, jobs: &[Job], batch: usize) -> (Vec<Row>, bool) {
        let (mut rows, mut mode_is_off) = (Vec::with_capacity(jobs.len()), false);
        let mut rest = jobs;
        while !rest.is_empty() {
            let (jobs, others) = rest.split_at(together(rest, batch));
            rest = others;
            let lazy = self.once(jobs, self.options.design, |machine, f| {
                mode_is_off = fork_chain(machine, self.options.generation);
                f()
            });
            let paused = self.once(jobs, Design::default(), |_, f| with_lazy_mmu_paused(f));
            let row = |((job, lazy), paused): ((&Job, Done), Done)| Row {
                pages: job.pages(),
                ptes: lazy.ptes,
                lazy: lazy.totals,
                paused: paused.totals,
            };
            rows.extend(jobs.iter().zip(lazy).zip(paused).map(row));
        }
        (rows, mode_is_off)
    }

    fn once(
        &self,
        jobs: &[Job],
        design: Design,
        run: impl FnOnce(&Machine, &mut dyn FnMut() -> Vec<Done>) -> Vec<Done>,
    ) -> Vec<Done> {
        let machine = Machine::with_kernel(self.arch, self.options.kernel);
        sched::with_design(design, || {
            machine.run(|| {
                run(&machine, &mut || jobs.iter().map(|job| self.one(&machine, job)).collect())
            })
        })
    }

    fn one(&self, machine: &Machine, job: &Job) -> Done {
        let mm = machine.mm_alloc().expect("a batch has as many as a machine has room for");
        self.fill(machine, &mm, job);
        let before = machine.totals();
        let ptes = perform(machine, &mm, job);
        Done { ptes, totals: machine.totals().since(&before) }
    }

    /// Makes the page tables of `job`.
    fn fill(&self, machine: &Machine, mm: &MmStruct, job: &Job) {
        for table in &job.tables {
            let _ = mm.pte_table(page(table << 21));
        }
        let mut filler = Filler::new(machine, mm, self.options.folio_order);
        for part in &job.parts {
            for run in &part.runs {
                filler.fill(part.flags_before(), page(run.first << 12), run.nr, run.pages);
            }
        }
    }
}

/// How many of `jobs` one machine does: at most `batch`, and at least one however large.
fn together(jobs: &[Job], batch: usize) -> usize {
    /// How many pages the address spaces of a machine have.
    const PAGES: u64 = 1 << 20;
    let mut pages = 0;
    let fit = jobs.iter().take(batch).take_while(|job| {
        pages += job.pages();
        pages <= PAGES
    });
    fit.count().max(1)
}
