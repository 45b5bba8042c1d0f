//! The sites outside of arch/.

use emu_arch::{Level, Pfn, Pte, VirtAddr};

use super::ground::{Ground, PAGES, page};
use super::site::{Built, Site};
use crate::fs::task_mmu::{PagemapScan, pagemap_scan};
use crate::mm::MmuGather;
use crate::mm::kasan::{kasan_populate_vmalloc, kasan_release_vmalloc};
use crate::mm::madvise::{
    MadviseWalk, madvise_cold_or_pageout_page_range, madvise_free_page_range,
};
use crate::mm::memory::{
    Create, PageCopy, ZapDetails, apply_to_page_range, copy_page_range, remap_pfn_range,
    unmap_page_range,
};
use crate::mm::migrate_device::{MigrateVma, migrate_vma_collect};
use crate::mm::mprotect::change_protection;
use crate::mm::mremap::move_page_tables;
use crate::mm::userfaultfd::{MovePages, move_pages};
use crate::mm::vma::{VmFlags, vm_get_page_prot};
use crate::mm::vmalloc::{vmap_page_range, vmap_pages_range, vunmap_range_noflush};
use crate::mm::vmscan::{LruGenMmWalk, lru_gen_look_around, walk_mm};

const WALKS: Built = Built::Where(|facts| facts.hw_pte_young, "no LRU_GEN_WALKS_MMU");
const UFFD_WP: Built = Built::Where(|facts| facts.userfaultfd_wp, "no HAVE_ARCH_USERFAULTFD_WP");
const DEVICES: Built = Built::Where(|facts| facts.device_migration, "no DEVICE_MIGRATION");
const KASAN: Built = Built::Where(|facts| facts.kasan_vmalloc, "no KASAN_VMALLOC");

/// The sites outside of arch/, in the order of the kernel's files.
pub(super) static GENERIC: [Site; 19] = [
    Site {
        function: "copy_pte_range",
        file: "mm/memory.c E1357 D1426",
        models: "two locks; a look at the scheduler every 32 points; batches of a folio; swap, \
                 migration, device and marker entries",
        left_out: "pinned pages (prealloc), -EIO, -EBUSY, -EHWPOISON, waiters for the locks",
        built: Built::Everywhere,
        run: |ground, call| {
            let child = ground.machine.mm_alloc().expect("a second address space");
            let _ = child.pte_table(ground.vma.vm_start);
            call(&|| {
                let (dst_mm, src_mm, resched) = (&child, &ground.mm, &ground.resched);
                let mut copy = PageCopy { dst_mm, src_mm, resched, copied: 0, wrprotected: 0 };
                copy_page_range(&mut copy, &ground.vma, ground.vma.vm_start, ground.vma.vm_end);
            });
        },
    },
    Site {
        function: "zap_pte_range",
        file: "mm/memory.c E2056 D2088",
        models: "retry behind a forced flush, a full gather or a wish of the scheduler; swap, \
                 device and marker entries; the marker that userfaultfd wants",
        left_out: "empty tables stay (PT_RECLAIM); the reverse map",
        built: Built::Everywhere,
        run: |ground, call| {
            call(&|| {
                let mut tlb = MmuGather::tlb_gather_mmu(&ground.mm);
                let (vma, resched) = (&ground.vma, &ground.resched);
                let details = ZapDetails { vma, drop_markers: true, resched };
                let (start, end) = (ground.vma.vm_start, ground.vma.vm_end);
                unmap_page_range(&mut tlb, start, end, details);
                tlb.tlb_finish_mmu();
            });
        },
    },
    Site {
        function: "remap_pte_range",
        file: "mm/memory.c E3054 D3064",
        models: "the table allocated and locked first; -EACCES ends the loop in the section",
        left_out: "L1TF as the reason for -EACCES",
        built: Built::Everywhere,
        run: |ground, call| {
            let (start, prot) = (ground.other(), vm_get_page_prot(ground.vma.vm_flags));
            call(&|| {
                let end = start.add_pages(PAGES);
                let mapped = remap_pfn_range(&ground.mm, start, end, Pfn(1), prot | Pte::YOUNG);
                mapped.expect("nothing is mapped there");
            });
        },
    },
    Site {
        function: "apply_to_pte_range",
        file: "mm/memory.c E3466 D3479",
        models: "create and existing; the lock for a process, none for init_mm; an error of the \
                 callback ends the loop in the section. Here the callback of vmap_pfn()",
        left_out: "arch_sync_kernel_mappings()",
        built: Built::Everywhere,
        run: |ground, call| {
            let (mm, start) = (ground.machine.init_mm(), ground.kernel());
            call(&|| {
                let end = start.add_pages(PAGES);
                let visit = |mm: &_, addr: VirtAddr, ptep: emu_arch::hw::table::Ptep<'_>| {
                    let pfn = Pfn(1 + u64::from(addr.pte_index()));
                    emu_arch::pgtable::set_pte_at(mm, addr, ptep, Pte::kernel(pfn));
                    Ok::<(), crate::mm::Errno>(())
                };
                apply_to_page_range(mm, start, end, Create::Yes, visit).expect("no error");
            });
        },
    },
    Site {
        function: "change_pte_range",
        file: "mm/mprotect.c E353 D435",
        models: "start and commit of each entry; PROT_NONE; migration and device entries",
        left_out: "NUMA hinting, userfaultfd, pages that may be written at once",
        built: Built::Everywhere,
        run: |ground, call| {
            let vm_flags = ground.vma.vm_flags.without(VmFlags::VM_WRITE);
            let vma = crate::mm::VmAreaStruct { vm_flags, ..ground.vma.clone() };
            call(&|| {
                let mut tlb = MmuGather::tlb_gather_mmu(&ground.mm);
                change_protection(&mut tlb, &vma, vma.vm_start, vma.vm_end);
                tlb.tlb_finish_mmu();
            });
        },
    },
    Site {
        function: "vmap_pte_range",
        file: "mm/vmalloc.c E113 D139",
        models: "no lock; BUG() where something is mapped",
        left_out: "huge entries",
        built: Built::Everywhere,
        run: |ground, call| {
            let (mm, start) = (ground.machine.init_mm(), ground.kernel());
            call(&|| vmap_page_range(mm, start, start.add_pages(PAGES), Pfn(1)));
        },
    },
    Site {
        function: "vunmap_pte_range",
        file: "mm/vmalloc.c E397 D416",
        models: "no lock; empty entries too",
        left_out: "huge entries; the lazy purge",
        built: Built::Everywhere,
        run: |ground, call| {
            let (mm, start) = (ground.machine.init_mm(), ground.kernel());
            ground.fill(mm, start, Pte::kernel(Pfn(1)));
            call(&|| vunmap_range_noflush(mm, start, start.add_pages(PAGES)));
        },
    },
    Site {
        function: "vmap_pages_pte_range",
        file: "mm/vmalloc.c E564 D586",
        models: "no lock; -EBUSY, -ENOMEM and -EINVAL end the loop in the section",
        left_out: "",
        built: Built::Everywhere,
        run: |ground, call| {
            let (mm, start) = (ground.machine.init_mm(), ground.kernel());
            let frames: Vec<Pfn> = (1..=PAGES).map(Pfn).collect();
            call(&|| {
                vmap_pages_range(mm, start, start.add_pages(PAGES), &frames).expect("room");
            });
        },
    },
    Site {
        function: "move_ptes",
        file: "mm/mremap.c E263 D317",
        models: "two locks, of which one may be both; the flush before either is released",
        left_out: "tables that move whole (HAVE_MOVE_PMD), userfaultfd, the reverse map's locks",
        built: Built::Everywhere,
        run: |ground, call| {
            call(&|| {
                let (start, end) = (ground.vma.vm_start, ground.vma.vm_end);
                move_page_tables(&ground.mm, start, end, ground.other());
            });
        },
    },
    Site {
        function: "madvise_cold_or_pageout_pte_range",
        file: "mm/madvise.c E465 D473 D509 E520 D569",
        models: "restart where the scheduler wants the CPU, each 32 entries; a large folio in part \
                 is split outside, and the section begins again",
        left_out: "huge pages; the reclaim behind MADV_PAGEOUT; other mappings of a folio",
        built: Built::Everywhere,
        run: |ground, call| {
            call(&|| {
                madvise(ground, |walk, start, end| {
                    madvise_cold_or_pageout_page_range(walk, false, start, end);
                })
            })
        },
    },
    Site {
        function: "madvise_free_pte_range",
        file: "mm/madvise.c E688 D737 E748 D788",
        models: "a large folio in part is split outside, and the section begins again; swap \
                 entries in batches, poison",
        left_out: "huge pages; the swap cache; other mappings of a folio",
        built: Built::Everywhere,
        run: |ground, call| {
            call(&|| {
                madvise(ground, |walk, start, end| {
                    madvise_free_page_range(walk, start, end);
                })
            })
        },
    },
    Site {
        function: "walk_pte_range",
        file: "mm/vmscan.c E3570 D3622",
        models: "trylock; all mappings of one table in one section",
        left_out: "notifiers, the Bloom filter, generations",
        built: WALKS,
        run: |ground, call| {
            // Without an entry above that is young, so that only this section is seen.
            let vmas = [ground.vma.clone()];
            call(&|| walk_mm(&mut LruGenMmWalk::of_ptes(&ground.mm, &vmas)));
        },
    },
    Site {
        function: "walk_pmd_range_locked",
        file: "mm/vmscan.c E3663 D3710",
        models: "trylock of the table of pmd entries; up to 66 entries at once; huge pages",
        left_out: "notifiers, the Bloom filter, generations",
        built: WALKS,
        run: |ground, call| {
            let mut vmas = [ground.vma.clone()];
            vmas[0].vm_start = ground.other();
            vmas[0].vm_end = ground.other().add_pages(4 * PAGES);
            ground.mm.put_leaf(Level::Pmd, ground.other().add_pages(PAGES), HUGE);
            ground.mm.put_leaf(Level::Pmd, ground.other().add_pages(2 * PAGES), HUGE);
            vmas[0].vm_start = ground.other().add_pages(PAGES);
            call(&|| walk_mm(&mut LruGenMmWalk::new(&ground.mm, &vmas)));
        },
    },
    Site {
        function: "lru_gen_look_around",
        file: "mm/vmscan.c E4314 D4357",
        models: "the caller's lock; 64 pages around one, in its mapping and table",
        left_out: "a contended lock, special mappings, generations",
        built: Built::Everywhere,
        run: |ground, call| {
            let addr = ground.vma.vm_start.add_pages(PAGES / 2);
            let ptl = ground.mm.pte_offset_map_lock(addr).expect("a table");
            call(&|| {
                lru_gen_look_around(&ptl, &ground.mm, &ground.vma, addr);
            });
        },
    },
    Site {
        function: "migrate_vma_collect_pmd",
        file: "mm/migrate_device.c E272 D317 D363 D493",
        models: "a flush at once of exclusive pages, one in the section of the others; a large \
                 folio is split outside, and the section begins again; device entries",
        left_out: "huge pages, the zero page, coherent device memory",
        built: DEVICES,
        run: |ground, call| {
            call(&|| {
                let mut migrate = MigrateVma::new(&ground.mm, &ground.vma, &ground.folios);
                migrate_vma_collect(&mut migrate, ground.vma.vm_start, ground.vma.vm_end);
            });
        },
    },
    Site {
        function: "move_present_ptes",
        file: "mm/userfaultfd.c E1343 D1387",
        models: "two locks, the lower first, and a check under them; an entry is put back where \
                 its page was pinned meanwhile; the batch ends at a page that cannot move",
        left_out: "huge pages, the zero page, the swap cache, waits for a folio's lock",
        built: Built::Everywhere,
        run: |ground, call| {
            let (mm, dst_vma, folios) = (&ground.mm, &ground.vma, &ground.folios);
            let moves = MovePages { mm, dst_vma, folios, allow_src_holes: false };
            call(&|| {
                let (start, end) = (ground.vma.vm_start, ground.vma.vm_end);
                move_pages(&moves, ground.other(), start, end).expect("nothing is there");
            });
        },
    },
    Site {
        function: "pagemap_scan_pmd_entry",
        file: "fs/proc/task_mmu.c E2888 D2959",
        models: "the flush in the section; the output that is full ends it; markers in the place \
                 of empty entries",
        left_out: "huge pages, soft-dirty, the zero page; its three loops are one",
        built: UFFD_WP,
        run: |ground, call| {
            let vm_flags = ground.vma.vm_flags | VmFlags::VM_UFFD_WP;
            let vma = crate::mm::VmAreaStruct { vm_flags, ..ground.vma.clone() };
            call(&|| {
                let mut scan = PagemapScan::watch_all(&ground.mm, &ground.resched);
                pagemap_scan(&mut scan, &vma, vma.vm_start, vma.vm_end).expect("no output");
            });
        },
    },
    Site {
        function: "kasan_populate_vmalloc_pte",
        file: "mm/kasan/shadow.c P308 R322",
        models: "init_mm.page_table_lock in the pause; pages allocated before the section, one \
                 page of frames at a time",
        left_out: "arch_sync_kernel_mappings(); one offset of the shadow for all architectures",
        built: KASAN,
        run: |ground, call| {
            let (start, end) = shadowed(ground);
            call(&|| {
                kasan_populate_vmalloc(ground.machine.init_mm(), start, end, frames());
            });
        },
    },
    Site {
        function: "kasan_depopulate_vmalloc_pte",
        file: "mm/kasan/shadow.c P474 R486",
        models: "init_mm.page_table_lock in the pause; the page is freed before the TLBs are flushed",
        left_out: "pages of shadow that serve two areas",
        built: KASAN,
        run: |ground, call| {
            let (start, end) = shadowed(ground);
            kasan_populate_vmalloc(ground.machine.init_mm(), start, end, frames());
            call(&|| {
                kasan_release_vmalloc(ground.machine.init_mm(), start, end);
            });
        },
    },
];

/// A huge page that was used.
const HUGE: Pte = Pte::user(Pfn(1 << 20), true, false);

/// Carries out an advice on the pages that were written.
fn madvise(ground: &Ground, advise: fn(&mut MadviseWalk<'_, '_>, VirtAddr, VirtAddr)) {
    let mut tlb = MmuGather::tlb_gather_mmu(&ground.mm);
    let (folios, resched) = (&ground.folios, &ground.resched);
    let mut walk = MadviseWalk { tlb: &mut tlb, folios, resched };
    advise(&mut walk, ground.vma.vm_start, ground.vma.vm_end);
    tlb.tlb_finish_mmu();
}

/// A range of kernel addresses whose shadow is one page table, which is there already.
fn shadowed(ground: &Ground) -> (VirtAddr, VirtAddr) {
    let start = page(0xffff_8000_4000_0000);
    let _ = ground.machine.init_mm().pte_table(page(0xffff_7000_0800_0000));
    (start, start.add_pages(8 * PAGES))
}

/// Frames of fresh pages.
fn frames() -> impl FnMut() -> Pfn {
    let mut next = 0x1000;
    move || {
        next += 1;
        Pfn(next)
    }
}
