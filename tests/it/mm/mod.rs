//! The mm-style functions: their sequences of hooks, their breaks, and what they leave.

mod breaks;
mod copy;
mod interleaved;
mod lives;
mod mprotect;
mod real;
mod sites;
mod vmalloc;
mod wrong;
mod wrong_arch;
mod wrong_sites;
mod zap;

use emu_arch::backend::Access;
use emu_arch::{Arch, ArchEffect, Machine, MmStruct, Pfn, Pte, VirtAddr};
use emu_mm::mm::internal::ANON_FRAMES;
use emu_mm::mm::memory::{PageCopy, ZapDetails, copy_page_range, unmap_page_range};
use emu_mm::mm::vma::VmFlags;
use emu_mm::mm::{MmuGather, Resched, VmAreaStruct};
use lazy_mmu::design::Hook;
use lazy_mmu::trace::{Event, PteOp};
use lazy_mmu::{Record, record_hooks};

const USER: u64 = 0x7f00_0000_0000;

fn page(addr: u64) -> VirtAddr {
    VirtAddr::page(addr).expect("an address of a page")
}

/// An address space on a fresh machine and one mapping in it.
struct User {
    machine: Machine,
    mm: MmStruct,
    vma: VmAreaStruct,
}

impl User {
    /// `pages` anonymous pages from [`USER`] on that may be written and were.
    fn anon(arch: Arch, pages: u64) -> Self {
        Self::new(arch, pages, VmFlags::VM_MAYWRITE, Pte::user(ANON_FRAMES, true, false))
    }

    /// `pages` pages of a shared file that may be written and were.
    fn shared(arch: Arch, pages: u64) -> Self {
        Self::new(arch, pages, VmFlags::VM_SHARED, Pte::user(Pfn(1), true, false))
    }

    fn new(arch: Arch, pages: u64, flags: VmFlags, pte: Pte) -> Self {
        let machine = Machine::new(arch);
        let mm = machine.mm_alloc().expect("a first address space");
        let pte = machine.accessed(&mm, page(USER), pte, Access::Write);
        for n in 0..pages {
            let addr = page(USER).add_pages(n);
            mm.pte_table(addr).ptep(addr.pte_index()).write(pte.advance_pfn(2 * n));
        }
        let vma = VmAreaStruct {
            vm_start: page(USER),
            vm_end: page(USER).add_pages(pages),
            vm_flags: VmFlags::VM_READ | VmFlags::VM_WRITE | flags,
            anonymous: flags.has(VmFlags::VM_MAYWRITE),
            anon_vma: flags.has(VmFlags::VM_MAYWRITE),
        };
        Self { machine, mm, vma }
    }

    fn pte(&self, n: u64) -> Pte {
        let addr = page(USER).add_pages(n);
        self.mm.pte_table(addr).ptep(addr.pte_index()).read()
    }

    fn record(&self, f: impl FnOnce()) -> Record {
        self.machine.run(|| record_hooks(f)).1
    }

    fn zap(&self, tlb: &mut MmuGather<'_>, resched: &Resched) {
        let details = ZapDetails { vma: &self.vma, drop_markers: true, resched };
        unmap_page_range(tlb, self.vma.vm_start, self.vma.vm_end, details);
    }

    /// Copies the mapping for a child and returns the child with what was copied and
    /// write-protected.
    fn fork(&self, resched: &Resched) -> (MmStruct, [u64; 2]) {
        let child = self.machine.mm_alloc().expect("a second address space");
        let (dst_mm, src_mm) = (&child, &self.mm);
        let mut copy = PageCopy { dst_mm, src_mm, resched, copied: 0, wrprotected: 0 };
        copy_page_range(&mut copy, &self.vma, self.vma.vm_start, self.vma.vm_end);
        let counts = [copy.copied, copy.wrprotected];
        (child, counts)
    }

    fn effects(&self, effect: ArchEffect) -> u64 {
        self.machine.totals().of(effect)
    }
}

/// The hooks of a record as one word each.
fn hooks(record: &Record) -> String {
    record.hooks().filter_map(Hook::info).map(|info| info.short).collect::<Vec<_>>().join(" ")
}

/// How often `op` was used on how many entries.
fn uses(record: &Record, op: PteOp) -> Vec<u16> {
    let ptes = record.events().filter_map(|recorded| match recorded.event {
        Event::Pte(pte) if pte.op == op => Some(pte.nr),
        _ => None,
    });
    ptes.collect()
}
