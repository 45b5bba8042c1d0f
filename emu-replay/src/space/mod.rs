//! The mappings of an address space, and what calls do to them.
//!
//! Models the lists of mm/vma.c, mm/mmap.c, mm/mprotect.c, mm/mremap.c, mm/madvise.c and mm/mlock.c
//! (v7.3): which mappings a call makes, splits, joins and removes. Each call that succeeded is
//! done; what it does to page tables it returns as [`Act`]s. Limits are not modelled, since the log
//! says which calls failed.

mod change;
mod fault;
mod map;
mod merge;
mod mremap;
mod vma;

use std::collections::BTreeMap;

pub use vma::{Anon, Attrs, Flags, Vma};

/// What a call does to page tables, in its order; the mappings are cut to the part that it is
/// about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A range was mapped: its pages may be touched from now on.
    Map(Vma),
    /// A range was mapped or locked, and the kernel makes all of its pages.
    Populate(Vma),
    /// Ranges are unmapped, with one gather.
    Unmap(Vec<Vma>),
    /// The pages of ranges go away, and the mappings stay.
    Discard(Vec<Vma>),
    /// Ranges get another protection, that of these mappings, with one gather; beside each the
    /// flags that it had.
    Protect(Vec<(Vma, Flags)>),
    /// The pages of ranges are aged, reclaimed, or marked to go away.
    Age(Age, Vec<Vma>),
    /// The entries of a range move to an address.
    Move(Vma, u64),
}

/// What `madvise()` says of pages that stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// They are cold: `MADV_COLD`.
    Cold,
    /// They are to be reclaimed: `MADV_PAGEOUT`.
    Pageout,
    /// They need not be kept: `MADV_FREE`.
    Free,
}

/// A call that succeeded on a real kernel and would not here: the log has gaps, or the model is
/// wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Differs {
    /// Why.
    pub why: &'static str,
}

/// An address space.
#[derive(Clone, Debug, Default)]
pub struct Space {
    vmas: BTreeMap<u64, Vma>,
    /// Beginning and end of the heap, once known.
    brk: Option<(u64, u64)>,
    /// What new mappings get since `mlockall(MCL_FUTURE)`.
    def_flags: Flags,
    /// What `execve()` mapped is not known.
    image_is_unknown: bool,
    /// The line of the log that is being done.
    line: usize,
    anons: u32,
}

/// The end of the page of `addr`, as `PAGE_ALIGN()`; none where it is no user address.
fn page_align(addr: u64) -> Option<u64> {
    addr.checked_add(0xfff).map(|addr| addr & !0xfff)
}

/// The pages of `addr..addr + len`; none where there are none, `addr` is not that of a page, or
/// they are no user addresses that the lab has.
fn pages_of(addr: u64, len: u64) -> Option<(u64, u64)> {
    let end = page_align(addr.checked_add(len)?)?;
    let ok = addr.is_multiple_of(0x1000) && addr < end && end < emu_arch::VirtAddr::TASK_SIZE;
    ok.then_some((addr, end))
}

impl Space {
    /// The address space of a program of which nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self { image_is_unknown: true, ..Self::default() }
    }

    /// The mappings, by address.
    pub fn vmas(&self) -> impl DoubleEndedIterator<Item = &Vma> + '_ {
        self.vmas.values()
    }

    /// Tells whether what `execve()` mapped is not known.
    #[must_use]
    pub const fn image_is_unknown(&self) -> bool {
        self.image_is_unknown
    }

    /// The line of the log that is done from now on.
    pub const fn at_line(&mut self, line: usize) {
        self.line = line;
    }

    /// The mapping that `addr` lies in.
    #[must_use]
    pub fn at(&self, addr: u64) -> Option<Vma> {
        let (_, vma) = self.vmas.range(..=addr).next_back()?;
        (addr < vma.end).then_some(*vma)
    }

    /// The mappings in `start..end`, whole.
    pub fn over(&self, start: u64, end: u64) -> impl Iterator<Item = Vma> + '_ {
        let first = self.at(start).map_or(start, |vma| vma.start);
        let end = end.max(first);
        self.vmas.range(first..end).map(|(_, vma)| *vma)
    }

    /// The first mapping in `start..end`, whole.
    fn first_over(&self, start: u64, end: u64) -> Option<Vma> {
        self.over(start, end).next()
    }

    /// The mapping before `addr`.
    fn before(&self, addr: u64) -> Option<Vma> {
        self.vmas.range(..addr).next_back().map(|(_, vma)| *vma)
    }

    fn insert(&mut self, vma: Vma) -> u64 {
        self.vmas.insert(vma.start, vma);
        vma.start
    }

    /// Removes the mappings of `start..end`, and splits those at its ends; returns the parts that
    /// are gone.
    ///
    /// Fidelity: same as `vms_gather_munmap_vmas()` of mm/vma.c v7.3; mappings are never sealed.
    fn remove(&mut self, start: u64, end: u64) -> Vec<Vma> {
        let whole: Vec<Vma> = self.over(start, end).collect();
        for vma in &whole {
            self.vmas.remove(&vma.start);
            if vma.start < start {
                self.insert(vma.up_to(start));
            }
            if vma.end > end {
                self.insert(vma.from(end));
            }
        }
        whole.into_iter().filter_map(|vma| vma.within(start, end)).collect()
    }

    /// `munmap()`, and `do_vmi_munmap()` of others.
    ///
    /// Fidelity: changed: mm/vma.c v7.3; ranges that only the unknown image of a program may have
    /// are taken as mapped.
    ///
    /// # Errors
    /// The range is none that a process can unmap.
    pub fn munmap(&mut self, addr: u64, len: u64) -> Result<Vec<Act>, Differs> {
        let (start, end) = pages_of(addr, len).ok_or(OUT_OF_RANGE)?;
        self.assume(start, end);
        let gone = self.remove(start, end);
        Ok(if gone.is_empty() { Vec::new() } else { vec![Act::Unmap(gone)] })
    }

    /// The address space of a child.
    ///
    /// Fidelity: changed: `dup_mmap()` of mm/mmap.c v7.3 and `anon_vma_fork()` of mm/rmap.c, which
    /// may use a parent's `anon_vma` that nobody else has; a userfaultfd does not follow a fork.
    #[must_use]
    pub fn fork(&self) -> Self {
        let mut child = Self { def_flags: Flags::default(), ..self.clone() };
        child.vmas.retain(|_, vma| !vma.flags().has(Flags::DONTCOPY));
        for vma in child.vmas.values_mut() {
            let forgets = Flags::LOCKED_MASK | Flags::UFFD | Flags::UFFD_WP;
            vma.attrs.flags = vma.attrs.flags.without(forgets);
            vma.attrs.uffd = 0;
            if vma.flags().has(Flags::WIPEONFORK) {
                vma.anon = Anon::default();
            } else if vma.anon.id != 0 {
                child.anons += 1;
                vma.anon = Anon { id: child.anons, forked: true };
            }
        }
        child
    }

    /// Takes what `start..end` lacks as mapped by `execve()`, where that is not known: private,
    /// written, and of a file of its own.
    fn assume(&mut self, start: u64, end: u64) {
        if !self.image_is_unknown {
            return;
        }
        let mut at = start;
        while at < end {
            let next = self.first_over(at, end);
            let hole = next.map_or(end, |vma| vma.start.min(end));
            if at < hole {
                self.assumed(at, hole);
            }
            at = next.map_or(end, |vma| vma.end);
        }
    }

    fn assumed(&mut self, start: u64, end: u64) {
        self.anons += 1;
        let flags = Flags::READ | Flags::WRITE | Flags::MAYWRITE | Flags::ACCOUNT;
        let attrs = Attrs { flags, file: u32::MAX, ..Attrs::default() };
        let pgoff = start >> 12;
        let anon = Anon { id: self.anons, forked: false };
        let (anon_pgoff, close, line) = (pgoff, false, 0);
        self.insert(Vma { start, end, attrs, pgoff, anon_pgoff, anon, close, line });
    }
}

/// The range has no pages, or lies above those that the lab has.
const OUT_OF_RANGE: Differs = Differs { why: "the range is no range of user pages" };
/// A range that the kernel chooses is free there.
const NOT_FREE: Differs = Differs { why: "something is mapped there already" };
/// Something in the range is not mapped.
const NOT_MAPPED: Differs = Differs { why: "a part of the range is not mapped" };
