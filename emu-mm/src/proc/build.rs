//! The page tables of an address space, as they are after its pages were touched.
//!
//! Where pagemap was read, it says which pages of a mapping are in memory. Else only their number
//! is known: they are taken to be the first ones, those of no file before those of the file. A
//! private page of a file becomes one of no file when it is written; where smaps does not tell, all
//! pages of a writable mapping were written. The entry of a page of a file is dirty in a shared
//! writable mapping if smaps says that the page is dirty, which another process may have caused.

use std::fmt::{self, Display, Formatter};

use emu_arch::backend::Access;
use emu_arch::hw::SoftLeaf;
use emu_arch::hw::addr::PTRS_PER_PTE;
use emu_arch::machine::MMS_MAX;
use emu_arch::{Arch, Machine, MmStruct, Pfn, Pte, VirtAddr};

use super::mapping::Mapping;
use super::pagemap::{PageKind, PageRun, zero_pages};
use crate::mm::VmAreaStruct;
use crate::mm::internal::ANON_FRAMES;
use crate::mm::vma::VmFlags;

/// How many pages an address space has in memory at most.
pub const PAGES_MAX: u64 = 64 << 20;

/// The largest folio, as a power of two of pages: one page table.
pub const FOLIO_ORDER_MAX: u8 = 9;

/// Which pages of a mapping are in memory; never any of a mapping without permissions, since no
/// process can have touched one, nor any of huge pages, which other tables map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Populate {
    /// As many as smaps tells; all where it does not.
    #[default]
    Rss,
    /// All.
    All,
    /// None.
    None,
}

/// An address space on a machine.
#[derive(Clone, Debug)]
pub struct AddressSpace {
    /// Its page tables.
    pub mm: MmStruct,
    /// Its mappings, in the order of the input.
    pub vmas: Vec<VmAreaStruct>,
    /// How many pages of each mapping are in memory: its first ones.
    pub pages: Vec<u64>,
}

/// Why an address space could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// More than [`PAGES_MAX`] pages would be in memory.
    TooManyPages {
        /// How many.
        pages: u64,
    },
    /// The machine has as many address spaces as it can have.
    TooManyMms,
    /// The architecture does not have what is to run, for this reason.
    NotThere(&'static str),
}

impl Display for BuildError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyPages { pages } => write!(
                f,
                "expected at most {PAGES_MAX} pages in memory, found {pages}; \
                 populate fewer (rss or none)"
            ),
            Self::NotThere(reason) => write!(f, "expected an architecture that has this: {reason}"),
            Self::TooManyMms => {
                write!(f, "expected at most {MMS_MAX} address spaces, the kernel's included")
            }
        }
    }
}

impl std::error::Error for BuildError {}

/// Builds the address space with `mappings` on `machine`, in folios of 2^`folio_order` pages;
/// nothing happens to the machine and nothing is recorded.
///
/// # Errors
/// `TooManyPages`: more than [`PAGES_MAX`] pages would be in memory. `TooManyMms`: the machine has
/// no room for another address space.
pub fn build(
    machine: &Machine,
    mappings: &[Mapping],
    populate: Populate,
    folio_order: u8,
) -> Result<AddressSpace, BuildError> {
    let resident: Vec<Vec<Run>> =
        mappings.iter().map(|mapping| resident(mapping, populate, machine.arch())).collect();
    let count = |runs: &Vec<Run>| -> u64 {
        runs.iter().filter(|run| run.pages != Pages::NotPresent).map(|run| run.nr).sum()
    };
    let pages = resident.iter().map(count).sum();
    if pages > PAGES_MAX {
        return Err(BuildError::TooManyPages { pages });
    }
    let mm = machine.mm_alloc().ok_or(BuildError::TooManyMms)?;
    let mut filler = Filler::new(machine, &mm, folio_order);
    let mut vmas = Vec::with_capacity(mappings.len());
    for (mapping, runs) in mappings.iter().zip(&resident) {
        for run in runs {
            let first = mapping.start.add_pages(run.first);
            filler.fill(mapping.vm_flags, first, run.nr, run.pages);
        }
        vmas.push(VmAreaStruct {
            vm_start: mapping.start,
            vm_end: mapping.end,
            vm_flags: mapping.vm_flags,
            anonymous: mapping.is_anonymous(),
            anon_vma: runs.iter().any(|run| run.pages.is_anon()),
        });
    }
    Ok(AddressSpace { mm, vmas, pages: resident.iter().map(count).collect() })
}

/// Entries of one kind that follow each other, from page `first` of the mapping on.
struct Run {
    first: u64,
    nr: u64,
    pages: Pages,
}

/// What entries are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// Of no file.
    Anon,
    /// Of no file, and shared with another process since a fork.
    AnonShared,
    /// The zero page, which a private mapping has where it was read and never written.
    Zero,
    /// Of a file, and dirty.
    Dirty,
    /// Of a file.
    Clean,
    /// Neither empty nor present.
    NotPresent,
}

impl Pages {
    const fn is_anon(self) -> bool {
        matches!(self, Self::Anon | Self::AnonShared)
    }

    /// The entry of frame 0, and the access that made it; none where it is not present.
    fn entry(self, flags: VmFlags) -> Option<(Pte, Access)> {
        match self {
            Self::Anon => Some(anon_pte(flags)),
            Self::AnonShared => Some((anon_pte(flags).0.without(Pte::WRITE), Access::Read)),
            Self::Zero => {
                let pte = anon_pte(flags).0.without(Pte::WRITE).with(Pte::SPECIAL);
                Some((pte, Access::Read))
            }
            Self::Dirty => Some((file_pte(flags), Access::Write)),
            Self::Clean => Some((file_pte(flags), Access::Read)),
            Self::NotPresent => None,
        }
    }
}

/// The entries of a mapping that are not empty.
fn resident(mapping: &Mapping, populate: Populate, arch: Arch) -> Vec<Run> {
    let some = VmFlags::VM_READ | VmFlags::VM_WRITE | VmFlags::VM_EXEC;
    let none = mapping.hugetlb || !mapping.vm_flags.has(some) || !mapping.is_in(arch);
    if populate == Populate::None || none {
        return Vec::new();
    }
    let Resident { anon, dirty, all } = Resident::of(mapping, populate);
    if populate == Populate::Rss
        && let Some(runs) = &mapping.runs
    {
        return of_pagemap(runs, mapping, dirty);
    }
    let runs = [(0, anon, Pages::Anon), (anon, dirty, Pages::Dirty)];
    let clean = (anon + dirty, all - anon - dirty, Pages::Clean);
    let runs = runs.into_iter().chain([clean]).filter(|(_, nr, _)| *nr > 0);
    runs.map(|(first, nr, pages)| Run { first, nr, pages }).collect()
}

/// The entries that pagemap shows; the first `dirty` ones of a file are dirty. Where some entries
/// map the zero page and some a page that a fork shared, the latter are taken to be the first ones.
fn of_pagemap(runs: &[PageRun], mapping: &Mapping, mut dirty: u64) -> Vec<Run> {
    let bare = mapping.is_bare();
    let (mut shared, _) = mapping.shared_and_zero();
    let mut list = Vec::with_capacity(runs.len());
    for run in runs {
        let of = |first, nr, pages| Run { first: run.first + first, nr, pages };
        match run.kind {
            PageKind::Exclusive if !bare => list.push(of(0, run.nr, Pages::Anon)),
            PageKind::Shared if !bare => {
                let first = shared.min(run.nr);
                shared -= first;
                let parts =
                    [of(0, first, Pages::AnonShared), of(first, run.nr - first, Pages::Zero)];
                list.extend(parts.into_iter().filter(|run| run.nr > 0));
            }
            PageKind::Exclusive | PageKind::Shared | PageKind::File => {
                let first = dirty.min(run.nr);
                dirty -= first;
                let parts = [of(0, first, Pages::Dirty), of(first, run.nr - first, Pages::Clean)];
                list.extend(parts.into_iter().filter(|run| run.nr > 0));
            }
            PageKind::NotPresent => list.push(of(0, run.nr, Pages::NotPresent)),
        }
    }
    list
}

impl Mapping {
    /// Whether frames are mapped without their `struct page`.
    fn is_bare(&self) -> bool {
        self.vm_flags.has(VmFlags::VM_PFNMAP | VmFlags::VM_MIXEDMAP)
    }

    /// How many entries map a page that a fork shared, and how many the zero page, as pagemap and
    /// smaps tell together. Which is which they do not tell where both are there.
    #[must_use]
    pub fn shared_and_zero(&self) -> (u64, u64) {
        let runs = self.runs.as_deref().filter(|_| !self.is_bare()).unwrap_or_default();
        let shared = runs.iter().filter(|run| run.kind == PageKind::Shared);
        let zero = zero_pages(runs, Resident::of(self, Populate::Rss).anon);
        (shared.map(|run| run.nr).sum::<u64>() - zero, zero)
    }
}

/// How many pages of a mapping are in memory.
struct Resident {
    /// Those of no file.
    anon: u64,
    /// Those of the file whose entries are dirty.
    dirty: u64,
    all: u64,
}

impl Resident {
    fn of(mapping: &Mapping, populate: Populate) -> Self {
        let flags = mapping.vm_flags;
        let (told, pages) = (mapping.memory.map(|memory| memory.mapped()), mapping.pages());
        let all = match (populate, told) {
            (Populate::Rss, Some((_, all))) => all,
            _ => pages,
        };
        let anon = if mapping.is_anonymous() {
            all
        } else if !mapping.is_private() {
            0
        } else if let Some((anon, _)) = told {
            anon
        } else if flags.has(VmFlags::VM_WRITE) {
            all
        } else {
            0
        };
        let dirty = if mapping.is_private() || !flags.has(VmFlags::VM_WRITE) {
            0
        } else {
            mapping.memory.map_or(all, |memory| memory.dirty().min(all))
        };
        Self { anon, dirty, all }
    }
}

/// The entry of a page of no file, and the access that made it.
fn anon_pte(flags: VmFlags) -> (Pte, Access) {
    let write = flags.has(VmFlags::VM_WRITE);
    let pte = Pte::user(Pfn(0), write, flags.has(VmFlags::VM_EXEC));
    (pte, if write { Access::Write } else { Access::Read })
}

/// The entry of a page of a file: not written yet, so without permission to write where it is
/// private.
fn file_pte(flags: VmFlags) -> Pte {
    let write = flags.has(VmFlags::VM_WRITE) && flags.has(VmFlags::VM_SHARED);
    let pte = Pte::user(Pfn(0), write, flags.has(VmFlags::VM_EXEC)).without(Pte::DIRTY);
    let bare = flags.has(VmFlags::VM_PFNMAP | VmFlags::VM_MIXEDMAP);
    if bare { pte.with(Pte::SPECIAL) } else { pte }
}

/// Fills page tables with the entries of pages that were touched; nothing happens to the machine
/// and nothing is recorded.
#[derive(Debug)]
pub struct Filler<'m> {
    machine: &'m Machine,
    mm: &'m MmStruct,
    anon: Frames,
    file: Frames,
}

impl<'m> Filler<'m> {
    /// For address space `mm` of `machine`, in folios of 2^`folio_order` pages.
    #[must_use]
    pub fn new(machine: &'m Machine, mm: &'m MmStruct, folio_order: u8) -> Self {
        let order = folio_order.min(FOLIO_ORDER_MAX);
        let [anon, file] = [ANON_FRAMES, Pfn(1)].map(|next| Frames { next, order });
        Self { machine, mm, anon, file }
    }

    /// Fills the entries of `nr` pages from `first` on, of a mapping with `flags`.
    pub fn fill(&mut self, flags: VmFlags, first: VirtAddr, nr: u64, pages: Pages) {
        let pte = match pages.entry(flags) {
            Some((pte, access)) => self.machine.accessed(self.mm, first, pte, access),
            None => SoftLeaf::Swap.pte(Pfn(0)),
        };
        let frames = match pages {
            Pages::Anon | Pages::AnonShared => Some(&mut self.anon),
            Pages::Dirty | Pages::Clean | Pages::NotPresent => Some(&mut self.file),
            Pages::Zero => None,
        };
        populate_pages(self.mm, first, nr, pte, frames);
    }
}

/// Frames to hand out, with a gap behind each folio of 2^`order` pages.
#[derive(Debug)]
struct Frames {
    next: Pfn,
    order: u8,
}

/// Fills the entries of `pages` pages from `addr` on; `pte` is the entry of frame 0, which all have
/// where there are no `frames`.
fn populate_pages(
    mm: &MmStruct,
    mut addr: VirtAddr,
    pages: u64,
    pte: Pte,
    frames: Option<&mut Frames>,
) {
    let (next, order) = frames.as_ref().map_or((0, 0), |frames| (frames.next.0, frames.order));
    let frame = |page: u64| match &frames {
        Some(_) => next + page + (page >> order),
        None => 0,
    };
    let mut done = 0;
    while done < pages {
        let table = mm.pte_table(addr);
        let first = addr.pte_index();
        let nr = (PTRS_PER_PTE as u64 - u64::from(first)).min(pages - done);
        for n in 0..nr {
            table.ptep(first + n as u16).write(pte.advance_pfn(frame(done + n)));
        }
        done += nr;
        addr = addr.add_pages(nr);
    }
    let behind = Pfn(frame(pages) + 1);
    if let Some(frames) = frames {
        frames.next = behind;
    }
}
