//! The sites of arch/.

use emu_arch::hw::addr::PUD_SHIFT;
use emu_arch::{Level, Pfn, Pte, VirtAddr};

use super::ground::{Ground, PAGES, page};
use super::site::{Built, Site};
use crate::arch::arm64::{KernelMap, range_split_to_ptes};
use crate::arch::powerpc::{
    __flush_hash_table_range, flush_hash_table_pmd_range, hpte_flush_range,
};

const ARM64: Built = Built::Where(|facts| facts.arch_code_sleeps, "arm64 alone");
const HASH: Built = Built::Where(|facts| facts.hash_table, "powerpc hash alone");
/// A section that begins and ends with its function.
const WHOLE: &str = "the kernel's loop, whole";

/// The sites of architectures, in the order of the kernel's files.
pub(super) static OWN: [Site; 6] = [
    Site {
        function: "split_kernel_leaf_mapping",
        file: "arch/arm64/mm/mmu.c E845 D867",
        models: "a mutex; page tables are allocated in the section, which may sleep; blocks of \
                 1 GiB, 2 MiB and contiguous ones",
        left_out: "how it is found out whether CPUs have BBML3",
        built: ARM64,
        run: |ground, call| {
            let start = blocks(ground);
            let map = KernelMap { mm: ground.machine.init_mm(), bbml3: true };
            call(&|| {
                map.split_kernel_leaf_mapping(start.add_pages(1), start.add_pages(2));
            });
        },
    },
    Site {
        function: "range_split_to_ptes",
        file: "arch/arm64/mm/mmu.c E928 D931",
        models: WHOLE,
        left_out: "",
        built: ARM64,
        run: |ground, call| {
            let start = blocks(ground);
            let mm = ground.machine.init_mm();
            call(&|| range_split_to_ptes(mm, start, start.add_pages(2 * PAGES)));
        },
    },
    Site {
        function: "update_range_prot",
        file: "arch/arm64/mm/pageattr.c E118 D127",
        models: "entries of all levels; no flush where pages only become valid",
        left_out: "the aliases in the linear map (rodata_full)",
        built: ARM64,
        run: |ground, call| {
            let (mm, start) = (ground.machine.init_mm(), ground.kernel());
            ground.fill(mm, start, Pte::kernel(Pfn(1)));
            call(&|| KernelMap { mm, bbml3: false }.set_memory_ro(start, PAGES));
        },
    },
    Site {
        function: "__flush_hash_table_range",
        file: "arch/powerpc/mm/book3s64/hash_tlb.c E210 D222",
        models: "no lock and no change of an entry",
        left_out: "interrupts, which the kernel has off there",
        built: HASH,
        run: |ground, call| {
            let (mm, start) = (ground.machine.init_mm(), ground.kernel());
            ground.fill(mm, start, Pte::kernel(Pfn(1)));
            call(&|| __flush_hash_table_range(mm, start, start.add_pages(PAGES)));
        },
    },
    Site {
        function: "flush_hash_table_pmd_range",
        file: "arch/powerpc/mm/book3s64/hash_tlb.c E242 D254",
        models: "no lock and no change of an entry; where there is no table the section is empty",
        left_out: "interrupts, which the kernel has off there",
        built: HASH,
        run: |ground, call| {
            call(&|| flush_hash_table_pmd_range(&ground.mm, ground.vma.vm_start));
        },
    },
    Site {
        function: "hpte_flush_range",
        file: "arch/powerpc/mm/book3s64/subpage_prot.c E76 D82",
        models: WHOLE,
        left_out: "",
        built: HASH,
        run: |ground, call| {
            call(&|| hpte_flush_range(&ground.mm, ground.vma.vm_start, PAGES as u16));
        },
    },
];

/// Has the kernel map 1 GiB by one entry, and returns where.
fn blocks(ground: &Ground) -> VirtAddr {
    let start = page(0xffff_0000_0000_0000 + (1 << PUD_SHIFT));
    ground.machine.init_mm().put_leaf(Level::Pud, start, Pte::kernel(Pfn(1 << 18)));
    start
}
