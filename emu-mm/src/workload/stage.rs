//! One run of a workload: the machine, the address space on it, and what each mapping took.

use emu_arch::hw::addr::{PAGE_SHIFT, PMD_SIZE};
use emu_arch::machine::Totals;
use emu_arch::{Arch, Machine, VirtAddr};
use lazy_mmu::design::Design;
use lazy_mmu::{
    is_lazy_mmu_mode_active, lazy_mmu_mode_disable, lazy_mmu_mode_enable, record_hooks, sched,
    with_lazy_mmu_paused,
};

use super::options::Options;
use crate::mm::Resched;
use crate::proc::{AddressSpace, BuildError, Mapping, build};

/// Page tables between two calls of the progress callback.
const CHUNK_TABLES: u64 = 128;

/// Whether the mode may delay anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// As the kernel has it.
    Lazy,
    /// Paused from beginning to end.
    Paused,
}

/// What one run of a workload did.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) mappings: Vec<Work>,
    /// What belongs to no mapping, such as a flush of everything.
    pub(super) rest: Work,
    /// Whether a section of the task was ignored, though nobody had paused it.
    pub(super) mode_is_off: bool,
}

/// What was done for a mapping.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    /// Pages in memory.
    pub(super) pages: u64,
    /// Page table entries written, each as often as it was.
    pub(super) ptes: u64,
    pub(super) totals: Totals,
}

/// One run of a workload.
pub(super) struct Stage<'p> {
    pub(super) machine: Machine,
    pub(super) space: AddressSpace,
    pub(super) resched: Resched,
    mode: Mode,
    design: Design,
    generation: u32,
    /// Whether a section of the task is ignored, though nobody has paused it.
    pub(super) mode_is_off: bool,
    progress: &'p mut dyn FnMut(u64, u64),
    /// Pages of the mappings before the current one.
    pages_before: u64,
    pages_total: u64,
    /// The machine's totals when the current mapping began.
    mark: Totals,
    done: Vec<Work>,
    rest: Work,
}

impl<'p> Stage<'p> {
    pub(super) fn new(
        arch: Arch,
        mappings: &[Mapping],
        options: &Options,
        mode: Mode,
        progress: &'p mut dyn FnMut(u64, u64),
    ) -> Result<Self, BuildError> {
        let machine = Machine::with_kernel(arch, options.kernel);
        let space = build(&machine, mappings, options.populate, options.folio_order)?;
        let design = if mode == Mode::Lazy { options.design } else { Design::default() };
        Ok(Self {
            resched: Resched::every(options.resched),
            mode,
            design,
            generation: options.generation,
            mode_is_off: false,
            progress,
            pages_before: 0,
            pages_total: space.pages.iter().sum(),
            mark: machine.totals(),
            done: Vec::with_capacity(mappings.len()),
            rest: Work::default(),
            machine,
            space,
        })
    }

    /// Runs `f` on the machine, in a kernel of the stage's design, as a task of the stage's
    /// generation.
    pub(super) fn run<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> R {
        let (machine, mode) = (self.machine.clone(), self.mode);
        sched::with_design(self.design, || {
            machine.run(|| match mode {
                Mode::Lazy => {
                    self.mode_is_off = fork_chain(&machine, self.generation);
                    self.mark = machine.totals();
                    f(self)
                }
                Mode::Paused => with_lazy_mmu_paused(|| f(self)),
            })
        })
    }

    /// Calls `f` with the parts of mapping `index` in which there are page tables, each cut at a
    /// page table, and reports progress behind each.
    pub(super) fn each_chunk(
        &mut self,
        index: usize,
        mut f: impl FnMut(&Self, VirtAddr, VirtAddr),
    ) {
        let (start, end) = (self.space.vmas[index].vm_start, self.space.vmas[index].vm_end);
        let mut addr = start;
        while let Some(first) = self.space.mm.next_pte_table(addr, end) {
            let last = first.get() + (CHUNK_TABLES - 1) * PMD_SIZE;
            // A part that would end behind the last user address ends with the mapping.
            addr = VirtAddr::page(last).map_or(end, |last| last.min(end).pmd_addr_end(end));
            f(self, first, addr);
            self.progress(index, (addr.get() - start.get()) >> PAGE_SHIFT);
        }
    }

    /// Reports that the first `pages` pages of mapping `index` are done.
    pub(super) fn progress(&mut self, index: usize, pages: u64) {
        let done = self.pages_before + pages.min(self.space.pages[index]);
        // The paused run comes second.
        let earlier = if self.mode == Mode::Paused { self.pages_total } else { 0 };
        (self.progress)(earlier + done, 2 * self.pages_total);
    }

    /// Ends mapping `index`, for which `ptes` entries were written.
    pub(super) fn mapping_done(&mut self, index: usize, ptes: u64) {
        let pages = self.space.pages[index];
        let totals = self.since_mark();
        self.pages_before += pages;
        self.done.push(Work { pages, ptes, totals });
    }

    /// Ends the run.
    pub(super) fn finish(mut self) -> Done {
        self.rest.totals = self.since_mark();
        Done { mappings: self.done, rest: self.rest, mode_is_off: self.mode_is_off }
    }

    fn since_mark(&mut self) -> Totals {
        let now = self.machine.totals();
        let since = now.since(&self.mark);
        self.mark = now;
        since
    }
}

/// Has the running task fork, its child run and fork, and so on, `generation` times; the last one
/// runs when this returns. Returns whether a section of it is ignored, and was not before.
///
/// A count of eight bits is as it was after 256 generations, and nothing else passes from task to
/// task.
#[must_use]
pub fn fork_chain(machine: &Machine, generation: u32) -> bool {
    let fresh = enables();
    // A record takes what the generic layer warns of, which a kernel without CONFIG_DEBUG_VM keeps
    // to itself.
    let ((), _) = record_hooks(|| {
        for n in 0..generation % 256 {
            // The parent is not needed any more.
            let child = 1 + (n % 2) as u8;
            machine.fork(child);
            machine.context_switch(0, child);
        }
    });
    fresh && !enables()
}

/// Whether the mode is active in a section, as far as the design knows.
fn enables() -> bool {
    lazy_mmu_mode_enable();
    let active = is_lazy_mmu_mode_active();
    lazy_mmu_mode_disable();
    active
}
