//! What the calls of the table of sites run over: a machine, 512 pages of a process in one table,
//! and the kernel's tables.

use emu_arch::backend::Access;
use emu_arch::hw::addr::PTRS_PER_PTE;
use emu_arch::{Arch, Machine, MmStruct, Pte, VirtAddr};

use crate::mm::internal::{ANON_FRAMES, Folios};
use crate::mm::vma::VmFlags;
use crate::mm::{Resched, VmAreaStruct};

/// Pages of a call.
pub(super) const PAGES: u64 = PTRS_PER_PTE as u64;

/// A machine on which a process has written 512 pages of its own, and 512 entries of the kernel are
/// empty.
pub(super) struct Ground {
    pub(super) machine: Machine,
    pub(super) mm: MmStruct,
    /// The pages that were written.
    pub(super) vma: VmAreaStruct,
    pub(super) resched: Resched,
    pub(super) folios: Folios,
}

impl Ground {
    pub(super) fn new(arch: Arch) -> Self {
        let machine = Machine::with_kernel(arch, arch.default_kernel());
        let mm = machine.mm_alloc().expect("a first address space");
        let start = page(0x100_0000_0000);
        let vma = VmAreaStruct {
            vm_start: start,
            vm_end: start.add_pages(PAGES),
            vm_flags: VmFlags::VM_READ | VmFlags::VM_WRITE | VmFlags::VM_MAYWRITE,
            anonymous: true,
            anon_vma: true,
        };
        let ground =
            Self { mm, vma, resched: Resched::never(), folios: Folios::default(), machine };
        ground.fill(&ground.mm, start, Pte::user(ANON_FRAMES, true, false));
        for addr in [ground.kernel(), ground.other()] {
            let _ = ground.machine.init_mm().pte_table(addr);
            let _ = ground.mm.pte_table(addr);
        }
        ground
    }

    /// An address of the kernel whose table has 512 empty entries.
    pub(super) fn kernel(&self) -> VirtAddr {
        page(0xffff_8000_0800_0000)
    }

    /// An address of the process whose table has 512 empty entries.
    pub(super) fn other(&self) -> VirtAddr {
        page(0x110_0000_0000)
    }

    /// Has 512 entries of `mm` from `addr` on map pages that were used, each a folio of its own.
    pub(super) fn fill(&self, mm: &MmStruct, addr: VirtAddr, pte: Pte) {
        let (table, used) =
            (mm.pte_table(addr), self.machine.accessed(mm, addr, pte, Access::Write));
        for n in 0..PAGES {
            table.ptep(addr.add_pages(n).pte_index()).write(used.advance_pfn(2 * n));
        }
    }
}

/// An address of a page.
pub(super) fn page(addr: u64) -> VirtAddr {
    VirtAddr::page(addr).expect("an address of a page")
}
