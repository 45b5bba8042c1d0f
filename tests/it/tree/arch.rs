//! The code of an architecture from a tree: what it does, and what edits of it break.

use super::{Edited, TREE, check_refused, check_says, command, text};
use crate::cli::lazymmu;

/// What sparc64 does with the code of the tree, in every line of a record.
#[test]
fn an_architecture_from_a_tree_is_what_it_is_written_as() {
    let scenario = "map 0x10000 ro 4 mm=1\nmap 0x20000 rw 200 mm=2\nenable\n \
        ptep_get_and_clear 0x10000 mm=1\n set_ptes 0x14000 2 mm=1\n enable\n disable\n \
        ptep_get_and_clear 0x11000 mm=1\n wrprotect_ptes 0x20000 200 mm=2\n pause\n \
        ptep_get_and_clear 0x12000 mm=1\n resume\ndisable\nptep_set_wrprotect 0x13000 mm=1\n";
    let run = |design: [&str; 2]| {
        let args = ["run", "-", "--arch", "sparc64", design[0], design[1]];
        let output = lazymmu(&args, scenario.as_bytes());
        let words = text(&output.stdout).replace("enable=", "open=").replace("pause=", "hold=");
        let words = words.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(words.len() > 50, "{}", text(&output.stderr));
        words
    };
    assert_eq!(run(["--tree", TREE]), run(["--design", "counts"]));
}

/// Checks that the search of sparc64 with an edit of the tree's code breaks `properties`.
#[track_caller]
fn check_arch_edit(edit: (&str, &str), expected: &[&str]) {
    let tree = Edited::new("../../arch/sparc/mm/tlb.c", &[edit]);
    check_says(&["check", "--arch", "sparc64", "--tree", tree.path()], 1, expected);
}

#[test]
fn edits_of_an_architecture_are_found() {
    let preempt = ("	preempt_disable();", "	barrier();");
    check_arch_edit(preempt, &["no-batch-preemptible is broken", "no-foreign-batch is broken"]);
    let index = ("		toy->tlb_nr = 0;", "		barrier();");
    check_arch_edit(index, &["settled-at-disable is broken", "settled-at-pause is broken"]);
    check_arch_edit(
        ("toy->mm != mm", "toy->mm == mm"),
        &["no-access-pending-invalidation is broken"],
    );
    let guard = ("tlb_batch)->tlb_nr)", "tlb_batch)->tlb_nr == 1)");
    check_arch_edit(guard, &["settled-at-disable is broken"]);
    let limit = ("used >= TLB_BATCH_NR", "used > TLB_BATCH_NR");
    let tree = Edited::new("../../arch/sparc/mm/tlb.c", &[limit]);
    let scenario = b"map 0x20000 rw 200 mm=1\nenable\n wrprotect_ptes 0x20000 200 mm=1\ndisable\n";
    let output = lazymmu(&["run", "-", "--arch", "sparc64", "--tree", tree.path()], scenario);
    assert!(text(&output.stdout).contains("batch-overflow"), "{}", text(&output.stdout));
}

#[test]
fn an_architecture_that_goes_wrong_says_where() {
    let edit = ("		toy->tlb_nr = 0;", "		toy->tlb_nr = *(volatile int *)8;");
    let tree = Edited::new("../../arch/sparc/mm/tlb.c", &[edit]);
    let expected = ["arch_leave_lazy_mmu_mode() crashes", "at arch/sparc/mm/tlb.c:18"];
    check_refused(&mut command(&["check", "--arch", "sparc64", "--tree", tree.path()]), &expected);
    let edit = ("void flush_tlb_pending(", "void flush_other(");
    let tree = Edited::new("../../arch/sparc/mm/tlb.c", &[edit]);
    let expected = ["no definition of flush_tlb_pending in arch/sparc/", "sparc64 of --tree"];
    check_refused(&mut command(&["check", "--arch", "sparc64", "--tree", tree.path()]), &expected);
}
