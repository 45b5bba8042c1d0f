//! What no task can do is reported, and a BUG ends the task and the run (issue 11).

use crate::cli::lazymmu;

/// Runs the scenario `text` on Xen PV and checks the exit status and a part of what is said on
/// either stream.
#[track_caller]
fn check(text: &str, status: i32, said: &str) {
    let output = lazymmu(&["run", "-", "--arch", "xen-pv"], text.as_bytes());
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert_eq!(output.status.code(), Some(status), "{out}{err}");
    assert!(out.contains(said) || err.contains(said), "{said:?} is not in:\n{out}{err}");
}

/// `__nmi_exit()` of include/linux/hardirq.h v7.2 and v7.3 has `BUG_ON(!in_nmi())`.
#[test]
fn a_bug_of_the_context_is_one_like_any_other() {
    check("A: nmi_exit\nA: enable\n", 1, "BUG: BUG_ON(!in_nmi())");
    check("A: nmi_exit\nA: enable\n", 1, "the task is dead");
    check("A: nmi_exit\n", 1, "unexpected hazard api-warning");
    check("A: nmi_exit\nexpect hazard api-warning\n", 0, "BUG");
    // A mere warning of a scenario without claims is no failure.
    check("A: preempt_enable\n", 0, "WARNING");
}

#[test]
fn a_task_does_nothing_after_its_exit() {
    let message = "<stdin>:3: expected a task that lives, found A, which exits in line 1";
    check("A: exit\nB: run\nA: enable\n", 1, message);
    check("exit\nenable\n", 1, "found the task that runs, which exits in line 1");
    check(
        "A: enable before arch_enter {\nA: exit\n}\nA: disable\n",
        1,
        "expected A to end its call",
    );
    // What is claimed is no step of the task.
    check("A: enable\nA: disable\nA: exit\nexpect inactive\n", 0, "do_exit");
}

#[test]
fn forks_that_no_task_can_make() {
    check("A: fork A\n", 1, "<stdin>:1: expected another task after fork, found A, which forks");
    let there = "expected a task that was never there after fork, found B";
    check("A: fork B\nA: fork B\n", 1, there);
    check("B: run\nA: fork B\n", 1, there);
    check("A: fork B\nB: exit\nA: fork B\n", 1, there);
}

/// `debug_check_no_locks_held()`, which `do_exit()` calls.
#[test]
fn a_mutex_that_is_held_at_exit() {
    check("A: mutex_lock\nA: exit\n", 0, "DEBUG_LOCKS_WARN_ON(current->lockdep_depth > 0)");
    let output = lazymmu(&["run", "-"], b"A: mutex_lock\nA: mutex_unlock\nA: exit\n");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("lockdep_depth"));
}

/// A child that its first switch has resumed exits with a count of 255 that nobody began (review
/// F1): the text of the hazard is true of it too.
#[test]
fn the_child_of_a_fork_on_xen_began_nothing() {
    let text = "the task exits with its count of sections or pauses not at zero";
    check("A: fork B\nB: exit\n", 1, text);
}

/// Review F3, input d10: where arch code turns preemption off is a point. Up to v6.14 a switch
/// right before it, in the section that `set_ptes()` is inside of another one, ends in a BUG.
#[test]
fn a_point_where_arch_code_turns_preemption_off() {
    let text = "A: enable\nA: set_pte_at 0xffff800008000000 before preempt_disable {\n\
                B: read 0x7f0000001000\n}\nA: disable\nexpect hazard arch-bug\n";
    let run = |kernel: &str| {
        let output =
            lazymmu(&["run", "-", "--arch", "xen-pv", "--kernel", kernel], text.as_bytes());
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (status, said) = run("v6.14");
    assert!(status == Some(0) && said.contains("BUG_ON(old_mode != XEN_LAZY_NONE)"), "{said}");
    // The flush hook turns it off too, so that an interrupt may come before its work.
    let flush =
        "enable\narch_flush_lazy_mmu_mode before preempt_disable {\nhardirq {\n}\n}\ndisable\n";
    for kernel in ["v6.0", "v6.14", "v7.0", "v7.3"] {
        let output =
            lazymmu(&["run", "-", "--arch", "xen-pv", "--kernel", kernel], flush.as_bytes());
        assert_eq!(output.status.code(), Some(0), "{kernel}");
    }
}
