//! Page table stores per second through the mm-style code, beside the `x86_64` crate and a flat
//! array. All contenders write the same number of entries, single-threaded, nothing recorded; the
//! second three tables are the first three with hazards tracked.

#[path = "../../ratio/mod.rs"]
mod ratio;

use std::hint::black_box;

use emu_arch::{Arch, Machine, MmStruct, Pfn, Pte, VirtAddr};
use emu_mm::mm::memory::{ZapDetails, unmap_page_range};
use emu_mm::mm::mprotect::change_protection;
use emu_mm::mm::vma::{VmAreaStruct, VmFlags};
use emu_mm::mm::vmalloc::{vmap_pages_range, vunmap_range_noflush};
use emu_mm::mm::{MmuGather, Resched};
use lazy_mmu::sched;
use ratio::{Contender, compare, contender, items};
use x86_64::structures::paging::{
    FrameAllocator, Mapper, OffsetPageTable, Page, PageTable, PageTableFlags, PhysFrame, Size4KiB,
};

const KERNEL: u64 = 0xffff_8000_4000_0000;
const USER: u64 = 0x7f00_0000_0000;

/// Page tables from the host's heap, where physical and virtual addresses are the same.
struct Heap;

// SAFETY: every table is fresh, zeroed, page-aligned and never freed.
unsafe impl FrameAllocator<Size4KiB> for Heap {
    fn allocate_frame(&mut self) -> Option<PhysFrame> {
        let table = Box::leak(Box::new(PageTable::new()));
        let addr = x86_64::PhysAddr::new(std::ptr::from_mut(table) as u64);
        Some(PhysFrame::containing_address(addr))
    }
}

fn offset_page_table() -> OffsetPageTable<'static> {
    let root = Box::leak(Box::new(PageTable::new()));
    // SAFETY: the root is fresh, and all its tables come from `Heap`.
    unsafe { OffsetPageTable::new(root, x86_64::VirtAddr::new(0)) }
}

fn page(n: u64) -> Page<Size4KiB> {
    Page::containing_address(x86_64::VirtAddr::new(0x1000_0000 + n * 4096))
}

fn x86_map(table: &mut OffsetPageTable<'_>, n: u64) -> u64 {
    let flags = PageTableFlags::PRESENT | PageTableFlags::WRITABLE;
    for i in 0..n {
        let frame = PhysFrame::containing_address(x86_64::PhysAddr::new(i * 4096));
        // SAFETY: nothing is ever accessed through the mapping.
        unsafe { table.map_to(page(i), frame, flags, &mut Heap) }.expect("not mapped yet").ignore();
    }
    n
}

fn x86_protect(table: &mut OffsetPageTable<'_>, n: u64) -> u64 {
    for i in 0..n {
        // SAFETY: nothing is ever accessed through the mapping.
        unsafe { table.update_flags(page(i), PageTableFlags::PRESENT) }.expect("mapped").ignore();
    }
    n
}

fn x86_unmap(table: &mut OffsetPageTable<'_>, n: u64) -> u64 {
    (0..n).for_each(|i| table.unmap(page(i)).expect("mapped").1.ignore());
    n
}

fn at(base: u64, pages: u64) -> VirtAddr {
    VirtAddr::page(base + pages * 4096).expect("an address of the bench")
}

fn vma(pages: u64, flags: VmFlags) -> VmAreaStruct {
    let (vm_start, vm_end) = (at(USER, 0), at(USER, pages));
    VmAreaStruct { vm_start, vm_end, vm_flags: flags, anonymous: true, anon_vma: true }
}

/// Whether the machines look for hazards.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hazards {
    Off,
    Tracked,
}

impl Hazards {
    /// The title of the table that `title` is for.
    fn title(self, title: &str) -> String {
        match self {
            Self::Off => format!("{title}, per store"),
            Self::Tracked => format!("{title}, per store, hazards tracked"),
        }
    }
}

/// A machine of the default kernel, or of the first that has the architecture.
fn boot(arch: Arch, hazards: Hazards) -> Machine {
    let machine = Machine::with_kernel(arch, arch.default_kernel());
    if hazards == Hazards::Tracked {
        machine.track_hazards();
    }
    machine
}

/// Runs `f` on the machine, under the design of its kernel.
fn run_on<R>(machine: &Machine, f: impl FnOnce() -> R) -> R {
    sched::with_design(machine.arch().default_kernel().design(), || machine.run(f))
}

/// A machine with `n` used user pages.
fn machine(arch: Arch, hazards: Hazards, n: u64) -> (Machine, MmStruct) {
    let machine = boot(arch, hazards);
    let mm = machine.mm_alloc().expect("the first address space");
    fill(&machine, &mm, n);
    (machine, mm)
}

/// Puts `n` used user pages in place, table by table.
fn fill(machine: &Machine, mm: &MmStruct, n: u64) {
    let hashed = if machine.arch() == Arch::POWERPC_HASH { Pte::HASHPTE } else { 0 };
    for first in (0..n).step_by(512) {
        let table = mm.pte_table(at(USER, first));
        for i in first..n.min(first + 512) {
            let pte = Pte::user(Pfn(i), true, false).with(hashed);
            table.ptep((i % 512) as u16).write(pte);
        }
    }
}

/// `change_protection()`: two stores a page.
fn protect(machine: &Machine, mm: &MmStruct, pages: u64) -> u64 {
    let vma = vma(pages, VmFlags::VM_READ);
    run_on(machine, || {
        let mut tlb = MmuGather::tlb_gather_mmu(mm);
        2 * change_protection(&mut tlb, &vma, vma.vm_start, vma.vm_end)
    })
}

/// `unmap_page_range()`: one store a page.
fn zap(machine: &Machine, mm: &MmStruct, pages: u64) -> u64 {
    run_on(machine, || {
        let mut tlb = MmuGather::tlb_gather_mmu(mm);
        let (vma, resched) = (vma(pages, VmFlags::VM_READ), Resched::every(None));
        let details = ZapDetails { vma: &vma, drop_markers: true, resched: &resched };
        unmap_page_range(&mut tlb, at(USER, 0), at(USER, pages), details);
        pages
    })
}

/// `vmap_pages_range()` and `vunmap_range()`: a store a page each.
fn vmalloc(machine: &Machine, pages: &[Pfn]) -> u64 {
    let (start, end) = (at(KERNEL, 0), at(KERNEL, pages.len() as u64));
    run_on(machine, || {
        vmap_pages_range(machine.init_mm(), start, end, pages).expect("nothing is there");
        vunmap_range_noflush(machine.init_mm(), start, end);
    });
    2 * pages.len() as u64
}

/// The table of `vmalloc()`, beside a flat array and `OffsetPageTable`.
fn vmalloc_table(n: u64, hazards: Hazards) {
    let mut flat = vec![0u64; n as usize];
    let mut store = move |n: u64| {
        (0..n as usize).for_each(|i| *black_box(&mut flat[i]) = i as u64);
        n
    };
    let pages: Vec<Pfn> = (0..n / 2).map(Pfn).collect();
    let mut contenders = vec![contender("flat Vec<u64>, one store at a time", &mut store)];
    for arch in Arch::all() {
        let (pages, machine) = (&pages, boot(arch, hazards));
        vmalloc(&machine, pages);
        contenders.push(contender(arch.id(), move |_| vmalloc(&machine, pages)));
    }
    contenders.push(contender("x86_64 OffsetPageTable, map and unmap", move |n| {
        let mut table = offset_page_table();
        x86_map(&mut table, n / 2) + x86_unmap(&mut table, n / 2)
    }));
    compare(&hazards.title("vmap_pages_range and vunmap_range"), n, &mut contenders);
}

/// The table of `protect()`, beside `OffsetPageTable`.
fn protect_table(n: u64, hazards: Hazards) {
    let mut contenders: Vec<Contender<'_>> = Vec::new();
    for arch in Arch::all() {
        let (machine, mm) = machine(arch, hazards, n / 2);
        contenders.push(contender(arch.id(), move |n| protect(&machine, &mm, n / 2)));
    }
    let mut table = offset_page_table();
    x86_map(&mut table, n);
    contenders.push(contender("x86_64 OffsetPageTable, update_flags", move |n| {
        x86_protect(&mut table, n)
    }));
    compare(&hazards.title("change_protection"), n, &mut contenders);
}

/// The table of `zap()`.
fn zap_table(n: u64, hazards: Hazards) {
    let mut contenders: Vec<Contender<'_>> = Vec::new();
    for arch in Arch::all() {
        let (machine, mm) = machine(arch, hazards, n);
        let (again, again_mm) = (machine.clone(), mm.clone());
        contenders.push(Contender {
            name: arch.id(),
            prepare: Box::new(move |n| fill(&again, &again_mm, n)),
            body: Box::new(move |n| zap(&machine, &mm, n)),
        });
    }
    compare(&hazards.title("unmap_page_range"), n, &mut contenders);
}

fn main() {
    let n = items(262_144);
    for hazards in [Hazards::Off, Hazards::Tracked] {
        vmalloc_table(n, hazards);
        protect_table(n, hazards);
        zap_table(n, hazards);
    }
}
