//! Small traces, one per trap that a reader of traces must know.

use std::fmt::Write;

use emu_arch::{Arch, Kernel};
use emu_conform::{Report, Verdict, text};

use super::report;

/// The report on events `TASK CPU: EVENT`, as a trace between two markers of task 1 on CPU 9.
fn events(kernel: Kernel, events: &str, arch: Arch) -> Report {
    let mut trace = "m-1 [009] ..... 0.0: tracing_mark_write: BEGIN x\n".to_owned();
    for line in events.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (task, rest) = line.split_once(' ').expect("a task");
        let (cpu, event) = rest.split_once(": ").expect("a CPU");
        let _ = writeln!(trace, "t-{task} [{cpu:0>3}] ..... 0.0: {event}");
    }
    trace += "m-1 [009] ..... 0.0: tracing_mark_write: END x\n";
    report(&trace, None, Some(kernel), Some(arch))
}

#[track_caller]
fn check_same(report: &Report) {
    assert_eq!(report.verdicts(), [1, 0, 0], "{}", text(report));
}

#[track_caller]
fn check_different(report: &Report, line: u32, expected: &str) {
    let Verdict::Different(difference) = &report.checked[0].verdict else {
        panic!("{}", text(report));
    };
    assert_eq!(difference.line, line, "{}", text(report));
    let said = text(report).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(expected), "{}", text(report));
}

/// A section that queues an update, and is preempted where `switched` stands.
fn preempted(point: usize) -> String {
    let section = [
        "5 0: en1_vmap: new=1 en=0 pa=0",
        "5 0: xen_enter_lazy_mmu: (x)",
        "5 0: xen_mmu_set_pte: -",
        "5 0: xen_mc_extend_args: extending op 1(mmu_update) by 16 bytes res BAD_OP",
        "5 0: xen_mc_entry: op 1(mmu_update)",
        "5 0: en2_vmap: new=0 en=1 pa=0",
        "5 0: xen_leave_lazy_mmu: (x)",
        "5 0: xen_mc_flush: flushing 1 hypercalls, 16 arg bytes, 0 callbacks",
    ];
    let queued = (5..7).contains(&point);
    let mut lines: Vec<&str> = section[..point].to_vec();
    lines.push("5 0: sched_switch: prev_pid=5 ==> next_pid=6");
    if (2..7).contains(&point) {
        lines.push("5 0: xen_leave_lazy_mmu: (x)");
    }
    let flush = "5 0: xen_mc_flush: flushing 1 hypercalls, 16 arg bytes, 0 callbacks";
    lines.extend(queued.then_some(flush));
    lines.push("6 0: sched_switch: prev_pid=6 ==> next_pid=5");
    // The way back enters the mode where the counter says so.
    lines.extend((2..6).contains(&point).then_some("6 0: xen_enter_lazy_mmu: (x)"));
    let rest = &section[point..];
    let empty = "5 0: xen_mc_flush: flushing 0 hypercalls, 0 arg bytes, 0 callbacks";
    for line in rest {
        lines.push(if queued && *line == section[7] { empty } else { line });
    }
    lines.join("\n")
}

/// A probe at a store fires before the store; a switch there is not one between counter and hook.
#[test]
fn a_switch_at_each_place_of_a_section() {
    for point in [1, 2, 3, 5, 6] {
        let lines = preempted(point);
        for kernel in [Kernel::V7_0, Kernel::V7_1] {
            let report = events(kernel, &lines, Arch::XEN_PV);
            assert_eq!(
                report.verdicts()[1],
                0,
                "at {point} in {kernel}:\n{lines}\n{}",
                text(&report)
            );
        }
    }
}

/// The crash: `disable` is preempted between counter and hook; the way back does not enter.
#[test]
fn a_window_of_v7_0_ends_in_a_bug() {
    let lines = preempted(6).replace("6 0: xen_enter_lazy_mmu: (x)\n", "");
    let lines = lines
        .trim_end_matches("\n5 0: xen_mc_flush: flushing 0 hypercalls, 0 arg bytes, 0 callbacks");
    let report = events(Kernel::V7_0, lines, Arch::XEN_PV);
    let bug = report.checked[0].bug.map(|(_, bug)| bug);
    assert_eq!(bug, Some("this_cpu_read(xen_lazy_mode) != mode"), "{}", text(&report));
    assert_eq!(events(Kernel::V7_1, lines, Arch::XEN_PV).checked[0].bug, None);
}

/// More tasks and address spaces than a scenario has letters and numbers.
#[test]
fn many_tasks_and_address_spaces() {
    let mut lines = String::new();
    for n in 0..300 {
        let task = 100 + n;
        let mm = format!("mm=0xc0000000{n:08x}");
        let _ = writeln!(lines, "{task} {}: en1_zap: new=1 en=0 pa=0", n % 8);
        let flush = "en=1 pa=0 from=__zap_vma_range";
        let _ = writeln!(lines, "{task} {}: hpte_need_flush: {mm} addr=0x1000 {flush}", n % 8);
        let _ = writeln!(lines, "{task} {}: en2_zap: new=0 en=1 pa=0", n % 8);
        let _ = writeln!(lines, "{task} {}: flush_hash_page: from=__flush_tlb_pending", n % 8);
        let next = if n < 292 { task + 8 } else { 0 };
        let _ =
            writeln!(lines, "{task} {}: sched_switch: prev_pid={task} ==> next_pid={next}", n % 8);
    }
    let report = events(Kernel::V7_2, &lines, Arch::POWERPC_HASH);
    check_same(&report);
    assert_eq!((report.checked[0].tasks, report.checked[0].cpus), (300, 8));
}

/// Up to v6.19 the flush of the leave hook stands before `active = 0`.
#[test]
fn the_word_of_the_batch_up_to_v6_19() {
    let lines = "
        7 0: act1_zap: new=1
        7 0: hpte_need_flush: mm=0xc1 addr=0x1000 en=9 from=zap_pte_range
        7 0: hpte_need_flush: mm=0xc1 addr=0x2000 en=9 from=zap_pte_range
        7 0: flush_tlb_pending: n=2 from=zap_pte_range
        7 0: flush_hash_range: n=2 local=1 from=__flush_tlb_pending
        7 0: act2_zap: new=0
        7 0: hpte_need_flush: mm=0xc1 addr=0x3000 en=9 from=ptep_clear_flush
        7 0: flush_hash_page: from=hpte_need_flush
        7 0: hash__tlb_flush: from=tlb_finish_mmu";
    for kernel in [Kernel::V6_14, Kernel::V6_19] {
        check_same(&events(kernel, lines, Arch::POWERPC_HASH));
    }
    let wrong = lines.replace("n=2", "n=1");
    check_different(&events(Kernel::V6_14, &wrong, Arch::POWERPC_HASH), 6, "flush_hash_range(1)");
}

/// An entry that does not go with those in the batch has them flushed first, though its event comes
/// before the flush.
#[test]
fn a_batch_of_another_address_space() {
    let flush = "en=1 pa=0 from=__zap_vma_range";
    let lines = format!(
        "
        7 0: en1_zap: new=1 en=0 pa=0
        7 0: hpte_need_flush: mm=0xc1 addr=0x1000 {flush}
        7 0: hpte_need_flush: mm=0xc2 addr=0x2000 {flush}
        7 0: flush_tlb_pending: n=1 from=hpte_need_flush
        7 0: flush_hash_page: from=__flush_tlb_pending
        7 0: en2_zap: new=0 en=1 pa=0
        7 0: flush_tlb_pending: n=1 from=__zap_vma_range
        7 0: flush_hash_page: from=__flush_tlb_pending"
    );
    check_same(&events(Kernel::V7_2, &lines, Arch::POWERPC_HASH));
}

/// Up to v6.19 the hooks are the sections of Xen; a switch leaves and enters by a thread flag.
#[test]
fn hooks_are_the_sections_of_xen_up_to_v6_19() {
    let queue = "xen_mc_extend_args: extending op 1(mmu_update) by 16 bytes res";
    let flush = "xen_mc_flush: flushing 1 hypercalls, 16 arg bytes, 0 callbacks";
    let lines = format!(
        "
        5 0: xen_enter_lazy_mmu: (x)
        5 0: xen_mmu_set_pte: -
        5 0: {queue} BAD_OP
        5 0: xen_mc_entry: op 1(mmu_update)
        5 0: sched_switch: prev_pid=5 ==> next_pid=6
        5 0: xen_leave_lazy_mmu: (x)
        5 0: {flush}
        6 0: xen_mmu_set_pte: -
        6 0: sched_switch: prev_pid=6 ==> next_pid=5
        6 0: xen_enter_lazy_mmu: (x)
        5 0: xen_mmu_set_pte: -
        5 0: {queue} BAD_OP
        5 0: xen_mc_entry: op 1(mmu_update)
        5 0: xen_leave_lazy_mmu: (x)
        5 0: {flush}"
    );
    for kernel in [Kernel::V6_0, Kernel::V6_14, Kernel::V6_16, Kernel::V6_19] {
        check_same(&events(kernel, &lines, Arch::XEN_PV));
    }
}

/// The event of a store comes before its update is queued, and a task may be preempted between.
#[test]
fn an_event_before_its_queue() {
    let lines = "
        5 0: en1_vmap: new=1 en=0 pa=0
        5 0: xen_enter_lazy_mmu: (x)
        5 0: xen_mmu_set_pte: -
        5 0: sched_switch: prev_pid=5 ==> next_pid=6
        5 0: xen_leave_lazy_mmu: (x)
        6 0: sched_switch: prev_pid=6 ==> next_pid=5
        6 0: xen_enter_lazy_mmu: (x)
        5 0: xen_mc_entry: op 3(stack_switch)
        5 0: xen_mc_flush: flushing 1 hypercalls, 0 arg bytes, 0 callbacks
        5 0: xen_mc_extend_args: extending op 1(mmu_update) by 16 bytes res BAD_OP
        5 0: xen_mc_entry: op 1(mmu_update)
        5 0: en2_vmap: new=0 en=1 pa=0
        5 0: xen_leave_lazy_mmu: (x)
        5 0: xen_mc_flush: flushing 1 hypercalls, 16 arg bytes, 0 callbacks";
    check_same(&events(Kernel::V7_1, lines, Arch::XEN_PV));
    let lost = lines.replace("BAD_OP\n        5 0: xen_mc_entry: op 1(mmu_update)", "OK");
    check_different(&events(Kernel::V7_1, &lost, Arch::XEN_PV), 14, "0 are queued");
}

/// Whatever queues an update issues it.
#[test]
fn an_update_that_nobody_issues() {
    let lines = "
        5 0: xen_mmu_ptep_modify_prot_start: mm 0 addr 1000 ptep 0 pteval 0
        5 0: xen_mmu_ptep_modify_prot_commit: mm 0 addr 1000 ptep 0 pteval 0
        5 0: xen_mc_entry: op 1(mmu_update)
        5 0: xen_mc_issue: start batch NONE
        5 0: xen_mc_flush: flushing 1 hypercalls, 16 arg bytes, 0 callbacks
        5 0: xen_mmu_set_pte: -";
    check_same(&events(Kernel::V7_1, lines, Arch::XEN_PV));
    let lost =
        format!("{lines}{lines}").replacen("        5 0: xen_mc_issue: start batch NONE\n", "", 1);
    check_different(&events(Kernel::V7_1, &lost, Arch::XEN_PV), 4, "no xen_mc_issue follows");
}

/// What `__flush_tlb_pending()` is told to flush is flushed before it is told again.
#[test]
fn a_flush_of_the_batch_has_its_beginning() {
    let lines = "
        7 0: en1_zap: new=1 en=0 pa=0
        7 0: hpte_need_flush: mm=0xc1 addr=0x1000 en=1 pa=0 from=__zap_vma_range
        7 0: en2_zap: new=0 en=1 pa=0
        7 0: flush_tlb_pending: n=1 from=__zap_vma_range
        7 0: flush_hash_page: from=__flush_tlb_pending";
    let next = lines.replace("0x1000", "0x3000");
    let against = |lines: &str| events(Kernel::V7_3, lines, Arch::POWERPC_HASH);
    check_same(&against(&format!("{lines}{next}")));
    let pending = "        7 0: flush_tlb_pending: n=1 from=__zap_vma_range\n";
    let without = format!("{lines}{}", next.replace(pending, ""));
    check_different(&against(&without), 10, "no __flush_tlb_pending before it");
    let twice = lines.replace(pending, &pending.repeat(2));
    check_different(&against(&twice), 6, "__flush_tlb_pending twice");
}

/// trace-cmd writes switches in its own way.
#[test]
fn the_switch_of_trace_cmd() {
    let lines = "
        5 0: sched_switch: my task:5 [120] R ==> other:6 [49]
        6 0: xen_mmu_set_pte: -
        6 0: xen_mmu_set_pte: -
        6 0: sched_switch: other:6 [49] S ==> my task:5 [120]";
    check_same(&events(Kernel::V7_1, lines, Arch::XEN_PV));
}

#[test]
fn lost_events_leave_an_operation_out() {
    let trace = "t-1 [000] ..... 0.0: tracing_mark_write: BEGIN x\n\
                 t-1 [000] ..... 0.0: xen_mmu_set_pte: -\n\
                 CPU:0 [LOST 5 EVENTS]\n\
                 t-1 [000] ..... 0.0: xen_mmu_set_pte: -\n";
    let report = report(trace, None, None, None);
    let why = "5 events were lost inside of it".to_owned();
    assert_eq!(report.checked[0].verdict, Verdict::LeftOut(why));
}

/// A section that is preempted with PENDING, and what is planted in it.
#[test]
fn a_section_of_arm64_with_a_switch() {
    let trace = "m-1 [001] ..... 0.0: tracing_mark_write: BEGIN x\n\
                 a-5 [000] ..... 0.0: sched_switch: prev_pid=5 ==> next_pid=6\n\
                 b-6 [000] ..... 0.0: sched_switch: prev_pid=6 ==> next_pid=5\n\
                 m-1 [001] ..... 0.0: tracing_mark_write: END x\n";
    let hits = "1 >tracing_mark_write\n\
                0 enable[vmap_small_pages_range_noflush]\n\
                0 store[__set_ptes_anysz]\n\
                0 set_PENDING[__set_ptes_anysz]\n\
                0 store[__set_ptes_anysz]\n\
                0 >__switch_to\n\
                0 dsb(ish)[__switch_to]\n\
                0 >__switch_to\n\
                0 dsb(ish)[__switch_to]\n\
                0 store[__set_ptes_anysz]\n\
                0 disable[lazy_mmu_mode_disable]\n\
                0 dsb(ishst)[lazy_mmu_mode_disable]\n\
                0 isb[lazy_mmu_mode_disable]\n\
                0 enable[vmap_small_pages_range_noflush]\n\
                0 disable[lazy_mmu_mode_disable]\n\
                1 >tracing_mark_write\n";
    let against = |hits: &str| report(trace, Some(hits), Some(Kernel::V7_2), Some(Arch::ARM64));
    check_same(&against(hits));
    let without = |line: &str| hits.replacen(&format!("{line}\n"), "", 1);
    check_different(&against(&without("0 isb[lazy_mmu_mode_disable]")), 11, "isb()");
    check_different(&against(&without("0 dsb(ish)[__switch_to]")), 6, "dsb(ish)");
    check_different(&against(&without("0 store[__set_ptes_anysz]")), 3, "no entry is stored");
    let begins = "0 enable[vmap_small_pages_range_noflush]";
    let last = hits.rfind(begins).expect("it is there");
    let late = format!("{}{}", &hits[..last], &hits[last + begins.len() + 1..]);
    check_different(&against(&late), 14, "did not begin");
    // A section over entries of a user holds a lock, so that no switch is in it: its end is lost.
    let user = hits.replace("vmap_small_pages_range_noflush", "copy_page_range");
    check_different(&against(&user), 6, "a switch in a section that holds a spin lock");
    // A function that begins a section does not call itself.
    let end = "0 disable[lazy_mmu_mode_disable]\n0 dsb(ishst)[lazy_mmu_mode_disable]\n\
               0 isb[lazy_mmu_mode_disable]\n";
    let lost = hits.replacen(end, "", 1);
    check_different(&against(&lost), 11, "begins, and the last one has not ended");
}
