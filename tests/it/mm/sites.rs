//! The table of call sites: 25 functions, and figures of booted kernels.

use emu_arch::backend::Access;
use emu_arch::{Arch, Machine, Pte, pgtable, powerpc};
use emu_mm::mm::internal::ANON_FRAMES;
use emu_mm::mm::memory::{ZapDetails, unmap_page_range};
use emu_mm::mm::mremap::move_page_tables;
use emu_mm::mm::{MmuGather, Resched};
use emu_mm::sites;
use lazy_mmu::Record;
use lazy_mmu::design::Hook;
use lazy_mmu::trace::Event;

use super::{USER, User, page};

/// The numbers of the effect called `name`, in order.
fn numbers(record: &Record, name: &str) -> Vec<u32> {
    let of = |event: Event<'_>| match event {
        Event::Effect { name: of, n } if of == name => n,
        _ => None,
    };
    record.events().filter_map(|recorded| of(recorded.event)).collect()
}

#[test]
fn all_functions_of_v7_3_are_there_once_and_run_somewhere() {
    let mut names: Vec<_> = sites::all().map(|site| site.function).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 25);
    for site in sites::all() {
        let mut records = Arch::all().filter_map(|arch| site.record(arch).ok()).peekable();
        assert!(records.peek().is_some(), "{} runs nowhere", site.function);
        for record in records {
            let (enters, leaves) = (of(&record, Hook::ENTER), of(&record, Hook::LEAVE));
            assert!(enters > 0 && enters == leaves, "{}", site.function);
        }
    }
}

/// How often `hook`, or a variant of it, was called.
fn of(record: &Record, hook: Hook) -> usize {
    record.hooks().filter(|known| known.info().and_then(|i| i.kernel()) == Some(hook)).count()
}

#[test]
fn mremap_one_page_off_is_as_on_a_booted_kernel() {
    // powerpc hash 7.3-rc7, 512 pages: 2 sections and an empty one; flushes of 192 192 127, 1.
    let user = User::anon(Arch::POWERPC_HASH, 512);
    let record = user.record(|| {
        let (start, end) = (user.vma.vm_start, user.vma.vm_end);
        let moved = move_page_tables(&user.mm, start, end, page(USER - (1 << 30) + 4096));
        assert_eq!(moved, 512);
        let resched = Resched::never();
        let details = ZapDetails { vma: &user.vma, drop_markers: true, resched: &resched };
        let mut tlb = MmuGather::tlb_gather_mmu(&user.mm);
        unmap_page_range(&mut tlb, start, end, details);
        tlb.tlb_finish_mmu();
    });
    assert_eq!(numbers(&record, powerpc::FLUSH_HASH_RANGE.name), [192, 192, 127]);
    assert_eq!(user.effects(powerpc::FLUSH_HASH_PAGE), 1, "a batch of one");
    assert_eq!(of(&record, Hook::ENTER), 3);
}

#[test]
fn what_has_no_section_is_done_at_once_as_on_a_booted_kernel() {
    // clear_refs of 273 pages: 273 times flush_hash_page(); a COW fault: one.
    let machine = Machine::new(Arch::POWERPC_HASH);
    let mm = machine.mm_alloc().expect("a first address space");
    let start = page(USER);
    let pte = Pte::user(ANON_FRAMES, true, false);
    let used = machine.accessed(&mm, start, pte, Access::Write);
    let table = mm.pte_table(start);
    machine.run(|| {
        for n in 0..273 {
            table.ptep(n).write(used.advance_pfn(2 * u64::from(n)));
            pgtable::ptep_test_and_clear_young(&mm, start.add_pages(n.into()), table.ptep(n));
        }
    });
    let refs = machine.totals();
    assert_eq!(refs.of(powerpc::FLUSH_HASH_PAGE), 273);
    table.ptep(0).write(used);
    machine.run(|| {
        pgtable::ptep_get_and_clear(&mm, start, table.ptep(0));
        pgtable::flush_tlb_range(&mm, start, 1);
    });
    assert_eq!(machine.totals().since(&refs).of(powerpc::FLUSH_HASH_PAGE), 1);
    assert_eq!(machine.totals().hooks().count(), 0);
}

#[test]
fn madvise_cold_and_free_are_as_on_a_booted_kernel() {
    for name in ["madvise_cold_or_pageout_pte_range", "madvise_free_pte_range"] {
        let site = sites::all().find(|site| site.function == name).expect("in the table");
        let record = site.record(Arch::POWERPC_HASH).expect("everywhere");
        assert_eq!(numbers(&record, powerpc::FLUSH_HASH_RANGE.name), [192, 192, 128], "{name}");
    }
}
