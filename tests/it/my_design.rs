//! A design of one's own: the example stays small, and stands beside the lab's designs.

#[expect(dead_code, reason = "an example has a main function")]
#[path = "../../examples/my_design.rs"]
mod example;

use emu_check::prove::{Verdict, text};

use crate::support::{check_snapshot, read, root};

/// The most lines that a state, four transitions and the active bit may take.
const LINES_MAX: usize = 40;

#[test]
fn a_design_of_ones_own_is_small() {
    let text = read(&root().join("examples/my_design.rs"));
    let lines = text.lines().skip_while(|line| !line.contains("lazy_mmu_state!"));
    let lines = lines.take_while(|line| !line.starts_with("/// ")).count();
    assert!(lines <= LINES_MAX, "{lines} lines, at most {LINES_MAX}");
}

#[test]
fn a_design_of_ones_own_beside_the_others() {
    let text = example::beside_the_lab(example::SCENARIO);
    check_snapshot!("compare", "my-design", "a disable and a resume too many", &text);
}

#[test]
fn a_design_of_ones_own_against_the_merged_one() {
    let shallow = example::against_the_merged_one(Some(255));
    assert_eq!(shallow.verdict, Verdict::Equivalent, "{}", text(&shallow));
    let Verdict::ToldApart(deep) = example::against_the_merged_one(None).verdict else {
        panic!("a counter that stops is told apart from one that wraps");
    };
    assert_eq!(deep.len(), 256);
}
