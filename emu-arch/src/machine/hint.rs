//! The range hint of a section: handles of the machine as plain integers.

use lazy_mmu::PteRangePart;

use super::MmStruct;
use crate::hw::addr::VirtAddr;
use crate::hw::table::Ptep;

impl PteRangePart for MmStruct {
    fn pte_range_part(&self) -> u64 {
        self.id().into()
    }
}

impl PteRangePart for VirtAddr {
    fn pte_range_part(&self) -> u64 {
        self.get()
    }
}

impl PteRangePart for Ptep<'_> {
    fn pte_range_part(&self) -> u64 {
        self.slot().0
    }
}
