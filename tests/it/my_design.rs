//! A design of one's own: the example stays small, and stands beside the lab's designs.

#[expect(dead_code, reason = "an example has a main function")]
#[path = "../../examples/my_design.rs"]
mod example;

use emu_check::prove::{Row, Step, Verdict, text};
use lazy_mmu::design::{Design, register};

use crate::support::{check_snapshot, read, root};

/// The most lines that a state, four transitions, the active bit, and a call and a hook of the
/// design's own may take.
const LINES_MAX: usize = 52;

#[test]
fn a_design_of_ones_own_is_small() {
    let text = read(&root().join("examples/my_design.rs"));
    let lines = text.lines().skip_while(|line| !line.contains("lazy_mmu_state!"));
    let lines = lines.take_while(|line| !line.starts_with("/// ")).count();
    assert!(lines <= LINES_MAX, "{lines} lines, at most {LINES_MAX}");
}

#[test]
fn a_design_of_ones_own_runs() {
    register(Design::of::<example::State>()).expect("an id, a call and a hook of its own");
    let text = example::on_arm64(example::SCENARIO);
    insta::assert_snapshot!(text, @"
    lazy_mmu_mode_disable()             -> ø             depth=0 pauses=0
    lazy_mmu_mode_resume()              -> ø             depth=0 pauses=0
    lazy_mmu_mode_enable()              -> arch_enter()  depth=1 pauses=0
        lazy_mmu_mode_pause()           -> arch_leave()  depth=1 pauses=1
        lazy_mmu_mode_resume()          -> arch_enter()  depth=1 pauses=0
        set_pte_at(0xffff800008000000)  -> TIF_LAZY_MMU_PENDING=1
        lazy_mmu_mode_sync()            -> arch_sync()   depth=1 pauses=0
                                           dsb(ishst)
                                           isb()
    lazy_mmu_mode_disable()             -> arch_leave()  depth=0 pauses=0
    depth=0 pauses=0, nothing pending
    ");
}

#[test]
fn a_design_of_ones_own_beside_the_others() {
    register(Design::of::<example::State>()).expect("an id, a call and a hook of its own");
    let text = example::beside_the_lab(example::SCENARIO);
    check_snapshot!("compare", "my-design", "a disable and a resume too many", &text);
}

#[test]
fn a_design_of_ones_own_against_the_merged_one() {
    let shallow = example::against_the_merged_one(false, Some(255));
    assert_eq!(shallow.verdict, Verdict::Equivalent, "{}", text(&shallow));
    let Verdict::Distinguished(deep) = example::against_the_merged_one(false, None).verdict else {
        panic!("a counter that stops is distinguished from one that wraps");
    };
    assert_eq!(deep.len(), 256);
    let Verdict::Distinguished(own) = example::against_the_merged_one(true, None).verdict else {
        panic!("the merged design knows nothing like the call");
    };
    let name = |row: &Row| match row.step {
        Step::Call(info, _) => info.short,
        Step::IrqEnter | Step::IrqExit => "an interrupt",
    };
    assert_eq!(own.rows.iter().map(name).collect::<Vec<_>>(), ["enable", "sync"]);
}
