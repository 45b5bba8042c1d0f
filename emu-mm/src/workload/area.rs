//! Addresses of a process at which nothing is mapped, for workloads that move pages.

use emu_arch::VirtAddr;
use emu_arch::hw::addr::{PAGE_SIZE, PMD_SIZE};

use crate::mm::VmAreaStruct;

/// Room for more pages than an address space may have in memory here.
const ROOM: u64 = 1 << 40;

/// Free addresses, from low to high.
pub(super) struct Area(u64);

impl Area {
    /// The first place with room beside `vmas`.
    pub(super) fn beside(vmas: &[VmAreaStruct]) -> Self {
        let free = |start: &u64| {
            let meets =
                |vma: &VmAreaStruct| vma.vm_start.get() < start + ROOM && vma.vm_end.get() > *start;
            !vmas.iter().any(meets)
        };
        Self((1..128).map(|n| n * ROOM).find(free).unwrap_or(ROOM))
    }

    /// Takes the addresses for `from..end`, which begin one page further on in their table, so that
    /// no table can move whole.
    pub(super) fn take(&mut self, from: VirtAddr, end: VirtAddr) -> VirtAddr {
        let start = self.0 + from.get() % PMD_SIZE + PAGE_SIZE;
        self.0 = (start + (end.get() - from.get())).next_multiple_of(PMD_SIZE);
        VirtAddr::page(start).unwrap_or_default()
    }
}
