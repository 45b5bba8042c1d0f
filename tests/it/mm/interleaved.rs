//! Kernel functions as they ran once, in every interleaving with others and with an interrupt.

use emu_arch::hazard::Hazard;
use emu_arch::{Arch, Kernel, Machine, Pfn};
use emu_check::check::{Options, Property, Report, check_programs, nobody, recorded};
use emu_lab::scenario::parse;
use emu_mm::mm::vmalloc::vmap_pages_range;
use emu_mm::mm::{MmuGather, Resched};
use lazy_mmu::{Record, record_hooks};

use super::{User, page};

/// What `zap_pte_range()` does to two dirty pages of a file.
fn zap() -> Record {
    let user = User::shared(Arch::NAIVE, 2);
    user.record(|| {
        let mut tlb = MmuGather::tlb_gather_mmu(&user.mm);
        user.zap(&mut tlb, &Resched::never());
    })
}

/// What `vmap_pages_pte_range()` does for two pages at `addr`.
fn vmap(addr: u64) -> Record {
    let machine = Machine::new(Arch::NAIVE);
    let (start, end) = (page(addr), page(addr).add_pages(2));
    let _ = machine.init_mm().pte_alloc_kernel(start);
    let frames = [Pfn(1), Pfn(2)];
    machine.run(|| record_hooks(|| vmap_pages_range(machine.init_mm(), start, end, &frames))).1
}

/// A handler that maps a page of the kernel, counts on it, and takes it away.
fn handler() -> Record {
    let text = "enable\nset_pte_at 0xffff800009000000 pfn=0x30\ndisable\nread 0xffff800009000000\n\
                ptep_get_and_clear 0xffff800009000000\nflush_tlb_range 0xffff800009000000 1";
    let scenario = parse(text).expect("a scenario");
    emu_lab::scenario::run(&scenario, emu_lab::scenario::Setup::default()).record
}

fn check(arch: Arch, kernel: Kernel) -> Report {
    let (zap, vmap, handler) = (zap(), vmap(0xffff_8000_0800_0000), handler());
    let scenario = recorded(&[&zap, &vmap], Some(&handler));
    let report =
        check_programs(&scenario, &Options::new(arch, kernel), &mut nobody()).expect("programs");
    assert!(report.is_exhaustive(), "{arch:?} {kernel:?}");
    report
}

#[test]
fn a_zap_beside_a_vmap_and_an_interrupt_is_right_since_v7_1() {
    for arch in Arch::all() {
        for kernel in [Kernel::V7_1, Kernel::V7_2, Kernel::V7_3, Kernel::S390V6] {
            if arch.is_in(kernel).is_err() {
                continue;
            }
            let report = check(arch, kernel);
            let broken: Vec<_> = report.broken.iter().map(|found| found.property).collect();
            // A switch in an enable leaves before the enter: v7.2 on Xen.
            let known = arch == Arch::XEN_PV && matches!(kernel, Kernel::V7_2 | Kernel::V7_3);
            let allowed: &[Property] = if known { &[Property::HooksAlternate] } else { &[] };
            let first = report.broken.first().map(|found| found.record.to_string());
            assert_eq!(broken, allowed, "{arch:?} {kernel:?}\n{}", first.unwrap_or_default());
        }
    }
}

#[test]
fn a_vmap_crashes_v7_0_on_xen() {
    let report = check(Arch::XEN_PV, Kernel::V7_0);
    let bug = report.of(Property::No(Hazard::ArchBug)).next().expect("a counterexample");
    assert!(bug.detail.contains("xen_lazy_mode"), "{}", bug.record);
    assert!(bug.scenario.is_some(), "{}", bug.record);
}
