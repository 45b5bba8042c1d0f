//! Memory as a step finds it: empty, or with pages mapped that were used before.

use super::memory::{Memory, slot_of};
use crate::Arch;
use crate::backend::At;
use crate::hw::addr::{PAGE_SHIFT, VirtAddr};
use crate::kernel::PteArgs;

impl Memory {
    /// Empty page tables of `arch`.
    #[must_use]
    pub fn new(arch: Arch) -> Self {
        Self::empty(arch.facts())
    }

    /// Maps the pages that `args` describe, as entries that were used before on `arch`.
    pub fn populate(&mut self, args: &PteArgs, arch: Arch) {
        let pfn = args.pfn.unwrap_or_else(|| self.take_pfns(args.nr));
        let pte = args.entry(pfn);
        for n in 0..args.nr {
            let at = args.at().add_pages(n);
            self.write(slot_of(at), arch.used(pte.advance_pfn(u64::from(n))));
        }
    }

    /// Empties the page tables of address space `mm`, as those of another one that has its number
    /// from now on.
    pub fn forget(&mut self, mm: u8) {
        let at = |addr| slot_of(At { mm, addr }).0;
        let last = VirtAddr::default().add_pages(u64::MAX >> PAGE_SHIFT);
        self.clear(at(VirtAddr::default())..=at(last));
    }
}
