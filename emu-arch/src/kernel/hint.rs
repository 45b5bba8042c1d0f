//! The range hint of a section: plain integers back to pages of one table.

use lazy_mmu::PteRange;

use crate::backend::{At, RangeHint};
use crate::hw::Slot;
use crate::hw::addr::{PAGE_SHIFT, PTRS_PER_PTE, VirtAddr};

/// The range that `hint` speaks of, if it is one of pages in one table of this machine and begins
/// with the entry of the first.
#[must_use]
pub(crate) fn hinted_range(hint: &PteRange) -> Option<RangeHint> {
    let addr = VirtAddr::page(hint.addr).ok()?;
    let nr = hint.end.checked_sub(hint.addr)? >> PAGE_SHIFT;
    let (first, table) = (usize::from(addr.pte_index()), PTRS_PER_PTE as u64);
    let fits = (1..=table).contains(&nr) && first + nr as usize <= PTRS_PER_PTE;
    let fits = fits && hint.ptep % table == first as u64;
    let at = At { mm: u8::try_from(hint.mm).ok()?, addr };
    fits.then_some(RangeHint { at, nr: nr as u16, slot: Slot(hint.ptep) })
}
