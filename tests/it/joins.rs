//! What an interrupt does to a batch that the task is filling or flushing: the sequence of the
//! kernel's own code, compiled and run (review real-c 1 to 5 and fidelity 6, 6a, 6b).

use emu_arch::hazard::Hazard;
use emu_arch::{Arch, Kernel};
use emu_check::check::{Client, Options, Property, check, nobody};
use emu_lab::scenario::{self, Setup};
use lazy_mmu::trace::{Event, effect_text};

use crate::support::parse;

/// The hazards of every run here, which are left out.
const EXPECTED: [&str; 2] = ["irq-deferred", "batch-preemptible"];

/// What the architecture does, in order: `irq@N` is the preempt count behind `hardirq_enter()`.
fn sequence(arch: Arch, kernel: &str, text: &str) -> String {
    let kernel: Kernel = kernel.parse().expect("an era of the list");
    let setup = Setup { arch, kernel, ..Setup::from(kernel.design()) };
    let record = scenario::run(&parse(text), setup).record;
    let words = record.events().filter_map(|seen| match seen.event {
        Event::Context { name: "hardirq_enter", preempt_count, .. } => {
            Some(format!("irq@{preempt_count}"))
        }
        Event::Context { name: "hardirq_exit", .. } => Some("end".to_owned()),
        Event::Effect { name, n } => {
            let name = name.trim_start_matches("tlb_batch.").trim_start_matches("ppc64_tlb_batch.");
            Some(effect_text(name, n))
        }
        Event::Warn { check, cond, .. } => Some(format!("{check}({cond})")),
        Event::Hazard { name, .. } if !EXPECTED.contains(&name) => Some(format!("{name}!")),
        _ => None,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn same(arch: Arch, kernels: &[&str], text: &str, expected: &str) {
    for kernel in kernels {
        assert_eq!(sequence(arch, kernel, text), expected, "{kernel}:\n{text}");
    }
}

/// A page joins; where `call` does `point`, a handler changes a page of `mm`.
fn interrupted(point: &str, mm: u8) -> String {
    format!(
        "map 0x7f0000001000 2\nmap 0x7f0000002000 1 mm=2\nenable\n\
         ptep_get_and_clear 0x7f0000001000\n\
         disable before {point} {{\nhardirq {{\nptep_get_and_clear 0x7f0000002000 mm={mm}\n}}\n}}\n\
         read 0x7f0000002000 mm={mm}"
    )
}

const JOINING: [&str; 3] = ["v6.12.y", "v6.16", "v6.19"];
const COUNTING: [&str; 2] = ["v7.0", "v7.2"];

#[test]
fn sparc64_reads_the_number_before_each_part_of_a_flush() {
    let arch = Arch::SPARC64;
    let text = interrupted("flush_tsb_user", 1);
    let both = "tlb_nr=1 irq@0x10002 tlb_nr=2 end flush_tsb_user(2) smp_flush_tlb_pending(2) \
                page fault";
    same(arch, &JOINING, &text, both);
    let now = "tlb_nr=1 irq@0x10002 flush_tsb_user_page() global_flush_tlb_page() end \
               flush_tsb_user(1) global_flush_tlb_page() page fault";
    same(arch, &COUNTING, &text, now);

    // Another address space flushes the batch, and leaves nothing.
    let text = interrupted("flush_tsb_user", 2);
    let nothing = "tlb_nr=1 irq@0x10002 flush_tsb_user(1) global_flush_tlb_page() \
                   flush_tsb_user_page() global_flush_tlb_page() end \
                   flush_tsb_user(0) smp_flush_tlb_pending(0) page fault";
    same(arch, &COUNTING, &text, nothing);
    // Or its own page, which the task then flushes from the TLBs of the address space that it had.
    let wrong = "tlb_nr=1 irq@0x10002 flush_tsb_user(1) global_flush_tlb_page() tlb_nr=1 end \
                 flush_tsb_user(1) global_flush_tlb_page() lost-invalidation! page fault \
                 stale-translation!";
    same(arch, &JOINING, &text, wrong);

    let text = interrupted("global_flush_tlb_page", 1);
    let lost = "tlb_nr=1 flush_tsb_user(1) irq@0x10002 tlb_nr=2 end global_flush_tlb_page() \
                lost-invalidation! page fault stale-translation!";
    same(arch, &JOINING, &text, lost);
}

#[test]
fn powerpc_forgets_what_joins_while_it_flushes() {
    let text = interrupted("flush_hash_page", 1);
    let lost = "index=1 irq@0x10001 index=2 end flush_hash_page() lost-invalidation! page fault stale-translation!";
    same(Arch::POWERPC_HASH, &["v6.14", "v6.19"], &text, lost);
    let now = "index=1 irq@0x10001 flush_hash_page() end flush_hash_page() page fault";
    same(Arch::POWERPC_HASH, &COUNTING, &text, now);
    // What another address space brings along has the batch flushed as a whole.
    let text = interrupted("flush_hash_page", 2);
    let whole = "index=1 irq@0x10001 flush_hash_page() index=1 end flush_hash_page() lost-invalidation! \
                 page fault stale-translation!";
    same(Arch::POWERPC_HASH, &["v6.14", "v6.19"], &text, whole);
}

#[test]
fn a_join_that_an_interrupt_splits_overwrites_its_page() {
    let text = |point: &str| {
        format!(
            "map 0x7f0000001000 2\nenable\nptep_get_and_clear 0x7f0000001000 before {point} {{\n\
             hardirq {{\nptep_get_and_clear 0x7f0000002000\n}}\n}}\ndisable\nread 0x7f0000002000"
        )
    };
    let lost = "irq@0x10002 index=1 end index=1 flush_hash_page() lost-invalidation! page fault stale-translation!";
    same(Arch::POWERPC_HASH, &["v6.14", "v6.19"], &text("ppc64_tlb_batch.index"), lost);
    let lost = "irq@0x10002 tlb_nr=1 end tlb_nr=1 flush_tsb_user(1) global_flush_tlb_page() \
                lost-invalidation! page fault stale-translation!";
    same(Arch::SPARC64, &JOINING, &text("tlb_batch.tlb_nr"), lost);
    let now = "irq@0x10002 flush_tsb_user_page() global_flush_tlb_page() end tlb_nr=1 \
               flush_tsb_user(1) global_flush_tlb_page() page fault";
    same(Arch::SPARC64, &COUNTING, &text("tlb_batch.tlb_nr"), now);
}

#[test]
fn sparc64_keeps_the_address_space_that_an_interrupt_leaves() {
    // real-c 5: the page that joins next is of another address space than the batch.
    let text = "map 0x7f0000001000 3\nmap 0x20000000 1 psize=64k\nmap 0x7f0000001000 1 mm=2\n\
                enable\nptep_get_and_clear 0x7f0000001000\n\
                ptep_get_and_clear 0x20000000 before flush_tsb_user {\n\
                hardirq {\nptep_get_and_clear 0x7f0000001000 mm=2\n}\n}\n\
                ptep_get_and_clear 0x7f0000002000";
    let kept = "tlb_nr=1 irq@0x10003 flush_tsb_user(1) global_flush_tlb_page() tlb_nr=1 end \
                flush_tsb_user(1) global_flush_tlb_page() lost-invalidation! tlb_nr=1 \
                flush_tsb_user(1) global_flush_tlb_page() lost-invalidation! tlb_nr=1";
    same(Arch::SPARC64, &JOINING, text, kept);
}

#[test]
fn the_cpu_is_held_around_a_flush() {
    // real-c 3: one more than the task's own count, which is 0 here.
    let text = |point: &str| {
        format!(
            "map 0x7f0000001000 1\nenable\nptep_get_and_clear 0x7f0000001000\n\
             tlb_flush 0x7f0000001000 1 before {point} {{\nhardirq {{\n}}\n}}\ndisable"
        )
    };
    let flushed = "index=1 irq@0x10001 end flush_hash_page()";
    same(Arch::POWERPC_HASH, &["v6.0"], &text("flush_hash_page"), flushed);
    let flushed = "index=1 irq@0x10002 end flush_hash_page()";
    same(Arch::POWERPC_HASH, &["v6.19", "v7.0"], &text("flush_hash_page"), flushed);
    let flushed = "tlb_nr=1 flush_tsb_user(1) irq@0x10001 end global_flush_tlb_page()";
    same(Arch::SPARC64, &["v6.0"], &text("global_flush_tlb_page"), flushed);
    let flushed = "tlb_nr=1 flush_tsb_user(1) irq@0x10002 end global_flush_tlb_page()";
    same(Arch::SPARC64, &["v6.19", "v7.0"], &text("global_flush_tlb_page"), flushed);
    // No other task gets in there.
    let text = "map 0x7f0000001000 1\nA: enable\nA: ptep_get_and_clear 0x7f0000001000\n\
                A: disable before global_flush_tlb_page {\nB: run\n}";
    let atomic = "tlb_nr=1 flush_tsb_user(1) sleep-in-atomic! batch-at-switch!";
    let found = sequence(Arch::SPARC64, "v6.0", text);
    assert!(found.starts_with(atomic), "{found}");
}

#[test]
fn the_root_of_xen_has_interrupts_off_alone() {
    // real-c 7: no point lies in set_p4d() whose count would show it; what it does is the same.
    let text = "set_pud 0x7f0000000000\nset_p4d 0x7f0000000000";
    let calls = "args[1]=1 HYPERVISOR_mmu_update(1) args[1]=1 args[1]=2 HYPERVISOR_mmu_update(2)";
    let found = sequence(Arch::XEN_PV, "v7.2", text);
    assert_eq!(found.replace("mmu_update.", ""), calls);
}

#[test]
fn powerpc_warns_of_an_entry_that_is_valid() {
    // fidelity 6b
    let warns = "VM_WARN_ON(pte_hw_valid(*ptep) && !pte_protnone(*ptep))";
    for arch in [Arch::POWERPC_HASH, Arch::POWERPC_RADIX] {
        for kernel in ["v6.0", "v6.14", "v7.2"] {
            let found =
                sequence(arch, kernel, "map 0x7f0000001000 1\nset_pte_at 0x7f0000001000 ro");
            assert!(found.starts_with(warns), "{found}");
            // The start of a change takes _PAGE_PRESENT away.
            let change = "map 0x7f0000001000 1\nptep_modify_prot_start 0x7f0000001000\n\
                          ptep_modify_prot_commit 0x7f0000001000 ro";
            assert!(!sequence(arch, kernel, change).contains("WARN"));
        }
    }
}

/// The hazards that a search finds around batches of two.
fn found(arch: Arch, kernel: &str) -> Vec<Property> {
    let kernel = kernel.parse().expect("an era of the list");
    let report = check(&Options::of(Client::Joins, arch, kernel), &mut nobody());
    report.broken.iter().map(|found| found.property).collect()
}

#[test]
fn a_search_finds_what_a_batch_forgets_and_what_is_one_too_many() {
    for arch in [Arch::POWERPC_HASH, Arch::SPARC64] {
        let before = found(arch, "v6.19");
        for hazard in [Hazard::LostInvalidation, Hazard::BatchOverflow] {
            assert!(before.contains(&Property::No(hazard)), "{arch}: {before:?}");
            assert!(!found(arch, "v7.2").contains(&Property::No(hazard)), "{arch}");
        }
    }
}
