//! s390 as proposed: effect by effect what a hinted section does, and who takes the hint.

use emu_arch::hazard::Hazard;
use emu_arch::hw::table::Table;
use emu_arch::{Arch, Kernel, Machine, MmStruct, Pfn, Pte, VirtAddr, pgtable, s390};
use emu_lab::scenario::{self, Outcome, Setup};
use emu_mm::proc;
use emu_mm::workload::{self, Options, Workload};
use lazy_mmu::design::with_ptes::{ENABLE_WITH_PTES, ENTER_WITH_PTES};
use lazy_mmu::design::{Call, Design};
use lazy_mmu::trace::{Event, effect_text};
use lazy_mmu::{
    PteRange, PteRangePart, lazy_mmu_mode_disable, lazy_mmu_mode_enable_with_ptes, record_hooks,
    sched,
};

use crate::cli::{check_refused, lazymmu};
use crate::support::{parse, read, root};

/// Runs a scenario on s390 under the design of the proposal.
#[track_caller]
fn run(text: &str) -> Outcome {
    let kernel = Kernel::S390V6;
    let setup = Setup { arch: Arch::S390, kernel, ..Setup::from(kernel.design()) };
    scenario::run(&parse(text), setup)
}

/// Every effect in order, moves into the cache as `cache=`.
fn effects(outcome: &Outcome) -> Vec<String> {
    let effect = |event| match event {
        Event::Effect { name: "ipte_range.cache=", n: Some(n) } => Some(format!("cache={n}")),
        Event::Effect { name, n } => Some(effect_text(name, n)),
        _ => None,
    };
    outcome.record.events().filter_map(|seen| effect(seen.event)).collect()
}

/// Checks every effect of a scenario, and that nothing is pending or out of balance behind it.
#[track_caller]
fn check_effects(text: &str, expected: &[&str]) {
    let outcome = run(text);
    assert_eq!(effects(&outcome), expected, "\n{}", outcome.record);
    let text = outcome.record.to_string();
    assert_eq!(text.lines().last(), Some("enable=0 pause=0, nothing pending"));
}

#[test]
fn stores_to_the_range_wait_for_the_leave() {
    check_effects(
        "map 0x7f0000000000 4\nenable_with_ptes 0x7f0000000000 4\n\
         ptep_get_and_clear 0x7f0000000000\nset_ptes 0x7f0000001000 2\n\
         ptep_get 0x7f0000000000\nptep_set_wrprotect 0x7f0000003000\ndisable",
        &["cache=1", "cache=2", "cache=3", "cache=4", "ipte_range(4)"],
    );
}

#[test]
fn an_entry_that_changes_twice_is_cached_once() {
    check_effects(
        "map 0x7f0000000000 2\nenable_with_ptes 0x7f0000000000 2\n\
         ptep_modify_prot_start 0x7f0000000000\nptep_modify_prot_commit 0x7f0000000000 ro\n\
         ptep_test_and_clear_young 0x7f0000000000\nptep_get_and_clear 0x7f0000000000\ndisable",
        &["cache=1", "cache=1", "cache=1", "cache=1", "ipte_range(1)"],
    );
}

#[test]
fn a_gap_and_a_change_of_validity_end_an_invalidation() {
    // 0 and 1 valid, 2 and 3 empty, 4 untouched, 5 and 6 valid.
    check_effects(
        "map 0x7f0000000000 2\nmap 0x7f0000005000 2\nenable_with_ptes 0x7f0000000000 8\n\
         set_ptes 0x7f0000000000 4\nset_ptes 0x7f0000005000 2\ndisable",
        &[
            "cache=1",
            "cache=2",
            "cache=3",
            "cache=4",
            "cache=5",
            "cache=6",
            "ipte_range(2)",
            "ipte_range(2)",
        ],
    );
}

#[test]
fn entries_outside_of_the_range_take_the_old_path() {
    check_effects(
        "map 0x7f0000000000 5\nenable_with_ptes 0x7f0000001000 3\n\
         ptep_get_and_clear 0x7f0000000000\nptep_get_and_clear 0x7f0000004000\n\
         set_pte_at 0x7f0000008000\npte_clear 0x7f0000008000\ndisable",
        &["ipte()", "ipte()"],
    );
    // Another address space has other tables.
    check_effects(
        "map 0x7f0000000000 1\nmap 0x7f0000000000 1 mm=2\nenable_with_ptes 0x7f0000000000 1\n\
         ptep_get_and_clear 0x7f0000000000 mm=2\nptep_get_and_clear 0x7f0000000000\ndisable",
        &["ipte()", "cache=1", "ipte_range(1)"],
    );
}

#[test]
fn a_section_without_a_hint_caches_nothing() {
    check_effects(
        "map 0x7f0000000000 2\nenable\nenable_with_ptes 0x7f0000000000 2\n\
         ptep_get_and_clear 0x7f0000000000\ndisable\nptep_get_and_clear 0x7f0000001000\ndisable",
        &["ipte()", "ipte()"],
    );
}

#[test]
fn a_nested_disable_flushes_and_a_pause_loses_the_range() {
    let worked = read(&root().join("scenarios/worked/hinted-ptes.scn"));
    check_effects(
        &worked,
        &["cache=1", "cache=2", "cache=3", "cache=4", "ipte_range(4)", "ipte()", "ipte()"],
    );
    // With an update between the nested section and the pause, the flush has kept the range.
    let at = worked.find("    pause").expect("step S6");
    let with_g = format!("{}    pte_clear 0x7f0000006000\n{}", &worked[..at], &worked[at..]);
    let tail = ["ipte_range(4)", "cache=1", "ipte_range(1)", "ipte()", "ipte()"];
    assert_eq!(effects(&run(&with_g))[4..], tail);
}

#[test]
fn preemption_is_off_in_a_section_and_on_in_a_pause() {
    let outcome = run("enable_with_ptes 0x7f0000000000 1\nenable\ndisable\npause\nresume\ndisable");
    let depth = |event| match event {
        Event::Context { preempt_count, .. } => Some(preempt_count.0),
        _ => None,
    };
    let depths: Vec<_> = outcome.record.events().filter_map(|seen| depth(seen.event)).collect();
    // Enter; leave and enter of the flush, which holds the CPU; pause; resume; leave.
    assert_eq!(depths, [1, 1, 2, 0, 1, 0]);
}

#[test]
fn an_interrupt_finds_the_cache() {
    let outcome = run("map 0x7f0000000000 2\nenable_with_ptes 0x7f0000000000 2\nhardirq {\n\
         ptep_get_and_clear 0x7f0000000000\nenable\nptep_get_and_clear 0x7f0000001000\ndisable\n}\n\
         disable");
    assert_eq!(effects(&outcome), ["cache=1", "cache=2", "ipte_range(2)"]);
    let hazards: Vec<_> = outcome.hazards.iter().map(|found| found.hazard).collect();
    assert_eq!(hazards, [Hazard::IrqDeferred; 2]);
}

#[test]
fn what_an_interrupt_puts_behind_a_leave_is_lost() {
    // Two runs: the interrupt falls in before the second, and changes an entry of the first.
    let text = |inside: &str| {
        format!(
            "map 0x7f0000000000 4\nenable_with_ptes 0x7f0000000000 4\n\
             set_pte_at 0x7f0000000000 pfn=0x1000\n{inside}\n\
             disable before ipte_range {{\nhardirq {{\n\
             set_pte_at 0x7f0000000000 pfn=0x1000\n}}\n}}"
        )
    };
    let outcome = run(&text(""));
    assert!(outcome.record.to_string().ends_with("enable=0 pause=0, nothing pending\n"));
    // Entry 0 is old, so that its store is over when the first invalidation comes.
    let outcome = run(&text("ptep_get_and_clear 0x7f0000002000")
        .replace("enable_with", "ptep_test_and_clear_young 0x7f0000000000\nenable_with"));
    let pending = "enable=0 pause=0, pending: 1 in ipte_range\n";
    assert!(outcome.record.to_string().ends_with(pending), "{}", outcome.record);
    let hazards: Vec<_> = outcome.hazards.iter().map(|found| found.hazard).collect();
    assert_eq!(hazards, [Hazard::IrqDeferred, Hazard::PendingAtDisable]);
}

#[test]
fn a_section_inside_of_a_leave_takes_what_is_there() {
    // Preemption is off there, so that no kernel gets here; the lab must survive it.
    let outcome = run("map 0x7f0000000000 4\nA: enable_with_ptes 0x7f0000000000 4\n\
         A: ptep_get_and_clear 0x7f0000000000\nA: ptep_get_and_clear 0x7f0000001000\n\
         A: ptep_get_and_clear 0x7f0000003000\nA: disable before ipte_range {\n\
         B: enable_with_ptes 0x7f0000000000 3\nB: ptep_get 0x7f0000000000\n\
         B: set_pte_at 0x7f0000001000\nB: disable\n}\nA: ptep_get 0x7f0000000000");
    let text = outcome.record.to_string();
    assert!(text.ends_with("nothing pending\n"), "{text}");
}

#[test]
fn reads_past_the_accessor_see_the_old_entry() {
    let hazards = |line: &str| {
        let text = format!(
            "map 0x7f0000000000 1\nenable_with_ptes 0x7f0000000000 1\n\
             ptep_modify_prot_start 0x7f0000000000\n{line} 0x7f0000000000\n\
             ptep_modify_prot_commit 0x7f0000000000 ro\ndisable"
        );
        run(&text).hazards.iter().map(|found| found.hazard).collect::<Vec<_>>()
    };
    assert_eq!(hazards("ptep_get"), []);
    assert_eq!(hazards("ptep_get_lockless"), [], "its readers know");
    assert_eq!(hazards("raw_read"), [Hazard::StaleRead]);
    assert_eq!(hazards("write"), [Hazard::AccessPendingStore]);
    assert_eq!(hazards("flush_tlb_range"), [Hazard::FlushBeforeStores]);
}

#[test]
fn relaxing_an_entry_of_the_range_leaves_memory_invalid_until_the_leave() {
    let outcome = run("map 0x7f0000000000 1 ro\nenable_with_ptes 0x7f0000000000 1\n\
         ptep_set_access_flags 0x7f0000000000 rw\nptep_get 0x7f0000000000\n\
         read 0x7f0000000000\ndisable\nwrite 0x7f0000000000");
    assert_eq!(effects(&outcome), ["ipte()", "cache=1", "page fault"]);
    let hazards: Vec<_> = outcome.hazards.iter().map(|found| found.hazard).collect();
    assert_eq!(hazards, [Hazard::AccessPendingStore]);
}

#[test]
fn relaxing_an_entry_to_what_memory_still_has_is_dropped() {
    // The primitive compares with memory, where the write protection has not arrived.
    let text = |section: &str| {
        format!(
            "map 0x7f0000000000 1\n{section}\nptep_set_wrprotect 0x7f0000000000\n\
             ptep_set_access_flags 0x7f0000000000 rw\ndisable\nwrite 0x7f0000000000"
        )
    };
    let hinted = run(&text("enable_with_ptes 0x7f0000000000 1"));
    assert_eq!(effects(&hinted), ["cache=1", "ipte_range(1)", "page fault"]);
    assert_eq!(effects(&run(&text("enable"))), ["ipte()", "ipte()"]);
}

#[test]
fn only_the_design_of_the_proposal_takes_the_hint() {
    let hinted = parse("enable_with_ptes 0x7f0000000000 1\npte_clear 0x7f0000000000\ndisable");
    let plain = parse("enable\npte_clear 0x7f0000000000\ndisable");
    for arch in Arch::all() {
        for design in Design::LAB {
            let setup = Setup { arch, kernel: Kernel::S390V6, ..Setup::from(*design) };
            let record = scenario::run(&hinted, setup).record;
            let has = design.has_call(ENABLE_WITH_PTES.call);
            assert_eq!(has, design.id() == "with-ptes");
            assert_eq!(record.hooks().any(|hook| hook == ENTER_WITH_PTES.hook), has);
            let calls = record.events().filter(|seen| seen.event == Event::Call(Call::ENABLE));
            assert_eq!(calls.count() == 1, !has, "{arch:?} {design:?}");
            if !has {
                assert_eq!(record, scenario::run(&plain, setup).record, "{arch:?} {design:?}");
            }
        }
    }
}

#[test]
fn a_hint_that_is_none_is_a_plain_enable() {
    let machine = Machine::new(Arch::S390);
    let mm = machine.mm_alloc().expect("the first address space");
    let addr = VirtAddr::page(0x7f00_0000_1000).expect("a page");
    let table = mm.pte_table(addr);
    table.ptep(1).write(Pte::user(Pfn(1), true, false));
    let at = |pages: u64| addr.get() + pages * 0x1000;
    let cached = |end: u64, ptep: &dyn PteRangePart| {
        let (addr_part, ptep) = (addr.get(), ptep.pte_range_part());
        let hint = PteRange { mm: mm.pte_range_part(), addr: addr_part, end, ptep };
        let design = Kernel::S390V6.design();
        let ((), record) = sched::with_design(design, || {
            machine.run(|| {
                record_hooks(|| {
                    lazy_mmu_mode_enable_with_ptes(hint);
                    pgtable::ptep_set_wrprotect(&mm, addr, table.ptep(1));
                    pgtable::set_pte_at(&mm, addr, table.ptep(1), Pte::user(Pfn(1), true, false));
                    lazy_mmu_mode_disable();
                })
            })
        });
        record.to_string().contains("ipte_range.cache=")
    };
    assert!(cached(at(1), &table.ptep(1)) && cached(at(511), &table.ptep(1)));
    assert!(!cached(at(0), &table.ptep(1)), "no page");
    assert!(!cached(at(0) - 0x1000, &table.ptep(1)), "an end before the start");
    assert!(!cached(at(512), &table.ptep(1)), "more than the table");
    assert!(!cached(u64::MAX, &table.ptep(1)), "far more");
    assert!(!cached(at(1), &table.ptep(0)), "the entry of another page");
}

#[test]
fn kernels_without_the_mode_on_s390_say_which_has_it() {
    let kernel = ["--arch s390 is not in --kernel v7.0", "--kernel s390-v6"];
    check_refused(&["run", "-", "--arch", "s390", "--kernel", "v7.0"], b"enable\n", &kernel);
    let maps = "tests/fixtures/maps/sh.maps";
    let exit = |arch| ["workload", "exit", "--maps", maps, "--arch", arch, "--kernel", "v7.0"];
    check_refused(&exit("s390"), b"", &kernel);
    let several = ["workload", "exit", "--maps", maps, "--arch", "arm64,s390"];
    check_refused(&several, b"", &["--arch s390 is not in --kernel v7.3"]);
    let has = |args: &[&str]| {
        let all = [&["workload", "exit", "--maps", maps], args].concat();
        String::from_utf8_lossy(&lazymmu(&all, b"").stdout).contains("exit on s390")
    };
    assert!(!has(&[]), "all architectures are those that the kernel has");
    assert!(has(&["--kernel", "s390-v6"]));
    assert!(has(&["--arch", "s390"]), "its own kernel is its default");
}

#[test]
fn wrong_hints() {
    let check = |text: &[u8], expected: &[&str]| check_refused(&["run", "-"], text, expected);
    check(b"enable_with_pte 0x1000\n", &["did you mean \"enable_with_ptes\"?", ":1:1"]);
    check(
        b"lazy_mmu_mode_enable_with_pts(0x1000, 2)\n",
        &["did you mean \"lazy_mmu_mode_enable_with_ptes\"?"],
    );
    check(b"enable_with_ptes\n", &["expected an address after enable_with_ptes", ":1:17"]);
    check(b"enable_with_ptes 0x1ff000 2\n", &["do not lie in one page table"]);
    check(b"enable_with_ptes 0x1000 0\n", &["expected 1 to 512 pages"]);
}

#[test]
fn workloads_give_the_range_that_they_touch() {
    // A table of a heap; as many pages of a file and of a shared file in the next two.
    let maps = b"7f0000000000-7f0000200000 rw-p 00000000 00:00 0 [heap]\n\
        7f0000200000-7f0000400000 r-xp 00000000 fe:00 1 /bin/a\n\
        7f0000400000-7f0000600000 rw-s 00000000 fe:00 2 /tmp/b\n";
    let mappings = proc::parse(maps).expect("text as the kernel prints it");
    let options =
        |kernel: Kernel| Options { kernel, design: kernel.design(), ..Options::default() };
    // Each full table of valid entries takes two instructions. The areas of vmalloc begin 0, 1 and
    // 2 entries after the start of a table; mapping them invalidates nothing.
    let expected = [(1, 2, 512), (3, 6, 1536), (2, 4, 1024), (10, 8, 1536)];
    for (workload, (sections, ranges, pages)) in Workload::ALL.into_iter().zip(expected) {
        let run = |kernel| {
            let options = options(kernel);
            let report = workload::run(workload, Arch::S390, &mappings, &options, &mut |_, _| {});
            report.expect("few pages").total
        };
        let total = run(Kernel::S390V6);
        assert_eq!(total.lazy.hook(ENTER_WITH_PTES.hook), sections, "{workload:?}");
        assert_eq!((total.sections(), total.hooks()), (sections, 2 * sections), "{workload:?}");
        let of = |effect| (total.lazy.of(effect), total.paused.of(effect));
        assert_eq!((of(s390::IPTE_RANGE), of(s390::IPTE)), ((ranges, 0), (0, pages)));
        // Without the hint the mode saves nothing.
        let total = run(Kernel::V7_0);
        assert_eq!((total.delayable(), total.delayable_paused()), (pages, pages), "{workload:?}");
    }
}

/// Does the operation that `random` says, of those that the proposal intercepts, to one of 16
/// entries, and returns what software saw.
fn random_operation(mm: &MmStruct, table: &Table, random: u64) -> Pte {
    let index = (random >> 8) as u16 % 16;
    let addr = VirtAddr::page(0x7f00_0000_0000 + u64::from(index) * 0x1000).expect("a page");
    let (ptep, fresh) = (table.ptep(index), Pte::user(Pfn(random >> 16 & 0xff), true, false));
    match random % 8 {
        0 => pgtable::set_pte_at(mm, addr, ptep, fresh),
        1 => pgtable::set_ptes(mm, addr, ptep, fresh, (16 - index).min(3)),
        2 => pgtable::pte_clear(mm, addr, ptep),
        3 => pgtable::ptep_set_wrprotect(mm, addr, ptep),
        4 => return pgtable::ptep_get_and_clear(mm, addr, ptep),
        5 => return Pte(pgtable::ptep_test_and_clear_young(mm, addr, ptep).into()),
        6 => {
            let pte = pgtable::ptep_modify_prot_start(mm, addr, ptep);
            pgtable::ptep_modify_prot_commit(mm, addr, ptep, pte.without(Pte::DIRTY));
        }
        _ => {}
    }
    pgtable::ptep_get(mm, addr, ptep)
}

#[test]
fn a_hint_changes_nothing_that_software_sees() {
    let design = Kernel::S390V6.design();
    for seed in 1..=300u64 {
        let [naive, s390] = [Arch::NAIVE, Arch::S390].map(|arch| {
            let machine = Machine::with_kernel(arch, Kernel::S390V6);
            let mm = machine.mm_alloc().expect("the first address space");
            let table = mm.pte_table(VirtAddr::page(0x7f00_0000_0000).expect("a page"));
            let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut seen = Vec::new();
            let mut some = |times| {
                for _ in 0..times {
                    random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
                    seen.push(random_operation(&mm, &table, random >> 20));
                }
            };
            let (first, nr) = (seed % 8, 1 + seed % 9);
            let addr = 0x7f00_0000_0000 + first * 0x1000;
            let hint = PteRange { mm: 1, addr, end: addr + nr * 0x1000, ptep: first };
            sched::with_design(design, || {
                machine.run(|| {
                    some(20);
                    lazy_mmu_mode_enable_with_ptes(hint);
                    some(30);
                    lazy_mmu::with_lazy_mmu(|| some(10));
                    some(10);
                    lazy_mmu::with_lazy_mmu_paused(|| some(10));
                    some(10);
                    lazy_mmu_mode_disable();
                });
            });
            (seen, (0..16).map(|index| table.ptep(index).read()).collect::<Vec<_>>())
        });
        assert_eq!(naive, s390, "seed {seed}");
    }
}
