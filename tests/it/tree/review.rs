//! `lazymmu review`: what an edit of the tree shows, and what none does.

use super::{Edited, TREE, text};
use crate::cli::lazymmu;

/// Reviews the tree with edits of a header, and checks status and words.
#[track_caller]
fn check_review(arch: &str, edits: &[(&str, &str)], status: i32, expected: &[&str]) {
    let tree = Edited::new("pgtable.h", edits);
    let args = ["review", TREE, tree.path(), "--arch", arch];
    let output = lazymmu(&args, b"");
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{said}{errors}");
    for text in expected {
        assert!(said.contains(text), "{text:?} is not in:\n{said}");
    }
    for line in said.lines() {
        assert!(line.chars().count() <= 78 || line.contains(tree.path()), "too wide: {line}");
    }
}

#[test]
fn a_review_of_nothing() {
    let comment = [
        ("/*\n * Calls", "/*\n * More, and calls"),
        ("(toy)", "(state)"),
        ("*toy", "*state"),
        ("toy->", "state->"),
    ];
    let expected = ["lazy_mmu_mode_enable edited", "no difference: a proof", "changes nothing"];
    check_review("naive", &comment, 0, &expected);
    let comment = [("/*\n * Calls", "/*\n * More, and calls")];
    check_review("naive", &comment, 0, &["comments, layout, or what is no definition"]);
}

#[test]
fn a_review_of_a_flush_that_is_dropped() {
    let edits = [("arch_flush_lazy_mmu_mode()", "barrier()")];
    let expected = [
        "lazy_mmu_mode_disable edited",
        "shortest sequence: 3 calls",
        " on arm64",
        "arm64 breaks now: settled-at-nested-disable",
    ];
    check_review("arm64", &edits, 1, &expected);
}

#[test]
fn a_review_of_a_patch() {
    let patch = "Subject: flush no more\n\n---\n include/linux/pgtable.h | 2 +-\n\n\
        diff --git a/mm/vmalloc.c b/mm/vmalloc.c\n--- a/mm/vmalloc.c\n+++ b/mm/vmalloc.c\n\
        @@ -1,1 +1,1 @@\n-a\n+b\n\
        diff --git a/include/linux/pgtable.h b/include/linux/pgtable.h\n\
        --- a/include/linux/pgtable.h\n+++ b/include/linux/pgtable.h\n\
        @@ -39,5 +39,5 @@ static inline void lazy_mmu_mode_disable(void)\n\
        \u{20}\ttoy->open_count -= 1;\n\u{20}\tif (toy->open_count)\n\
        -\t\tarch_flush_lazy_mmu_mode();\n+\t\tarch_leave_lazy_mmu_mode();\n\
        \u{20}\telse\n\u{20}\t\tarch_leave_lazy_mmu_mode();\n-- \n2.50.0\n";
    let args = ["review", TREE, "-", "--arch", "naive"];
    let output = lazymmu(&args, patch.as_bytes());
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for expected in ["lazy_mmu_mode_disable edited", "mm/vmalloc.c (not looked at)", "arch_leave()"]
    {
        assert!(said.contains(expected), "{expected:?} is not in:\n{said}");
    }
    crate::cli::check_refused(&args, b"no diff\n", &["<stdin>: no patch"]);
    let stale = patch.replace("toy->open_count -= 1;", "toy->opened -= 1;");
    crate::cli::check_refused(
        &args,
        stale.as_bytes(),
        &["does not apply to include/linux/pgtable.h"],
    );
    let json = lazymmu(&["review", TREE, TREE, "--arch", "naive", "--format", "json"], b"");
    assert!(text(&json.stdout).contains("\"changes\":false"), "{}", text(&json.stdout));
    assert_eq!(json.status.code(), Some(0));
}
