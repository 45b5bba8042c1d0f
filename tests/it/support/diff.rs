//! A record as what differs from another one; nothing is lost.
//!
//! ```text
//!   lazy_mmu_mode_enable()         -> arch_enter()  enable=1 pause=0     equal, to show the place
//! ~     set_pte_at(0x7f0000000000) -> mmu_update.args[1]=1               instead of the same call
//! = 4 lines                                                              equal ones, not shown
//! +                                   HYPERVISOR_mmu_update(1)           only here
//! -                                   isb()                              only in the other one
//! ```

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// What `text` has otherwise than `base`.
pub(crate) fn diff(base: &str, text: &str) -> String {
    let lines = changes(base, text);
    let mut shown = String::new();
    let mut next = 0;
    while let Some((marker, line)) = lines.get(next) {
        // The line before a change stays.
        let alike = lines[next..].iter().take_while(|(marker, _)| *marker == ' ').count();
        let more = next + alike < lines.len();
        let gap = if more { alike.saturating_sub(1) } else { alike };
        if gap > 1 {
            shown += &format!("= {gap} lines\n");
            next += gap;
        } else {
            shown += &format!("{marker} {line}\n");
            next += 1;
        }
    }
    shown
}

/// The text of which [`diff`] made `diff`.
pub(crate) fn apply(base: &str, diff: &str) -> String {
    let mut base = base.lines();
    let mut text = String::new();
    let mut push = |line: &str| {
        text += line;
        text.push('\n');
    };
    for line in diff.lines() {
        let (marker, line) = line.split_at(2);
        match marker {
            "+ " => push(line),
            "- " => assert_eq!(base.next(), Some(line)),
            "= " => {
                let lines = line.trim_end_matches(" lines").parse().expect("a number of lines");
                base.by_ref().take(lines).for_each(&mut push);
            }
            _ => {
                let old = base.next().expect("a line of the base");
                assert!(marker == "~ " || old == line, "{line:?} stands for {old:?}");
                push(line);
            }
        }
    }
    assert_eq!(base.next(), None, "the diff ends early:\n{diff}");
    text
}

/// Every line of both, with its marker; lines about the same call stand for each other.
fn changes<'t>(base: &'t str, text: &'t str) -> Vec<(char, &'t str)> {
    let [old, new] = [base, text].map(|text| text.lines().collect::<Vec<_>>());
    let [old_keys, new_keys] =
        [&old, &new].map(|lines| lines.iter().map(|line| key(line)).collect::<Vec<_>>());
    let mut lines = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &old_keys, &new_keys) {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            let pairs = old[old_index..][..len].iter().zip(&new[new_index..][..len]);
            lines.extend(pairs.map(|(old, new)| (if old == new { ' ' } else { '~' }, *new)));
        } else {
            lines.extend(old[op.old_range()].iter().map(|line| ('-', *line)));
            lines.extend(new[op.new_range()].iter().map(|line| ('+', *line)));
        }
    }
    lines
}

/// What a line is about: the call, or all but the numbers of what has no call.
fn key(line: &str) -> String {
    match line.split_once("-> ") {
        Some((call, _)) => call.trim_end().to_owned(),
        None => line.chars().filter(|c| !c.is_ascii_digit()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, text: &str, expected: &str) {
        let found = diff(base, text);
        assert_eq!(found, expected);
        assert_eq!(apply(base, &found), text);
    }

    const BASE: &str =
        "enable()  -> enter\n  set()   -> ø\n  set()   -> ø\ndisable() -> leave\nend\n";

    #[test]
    fn equal_texts() {
        check(BASE, BASE, "= 5 lines\n");
        check("", "", "");
    }

    #[test]
    fn a_call_with_other_effects() {
        let text = "enable()  -> enter\n  set()   -> ø\n  set()   -> nr=1\n             isb()\n\
                    disable() -> leave\nend\n";
        let expected = "  enable()  -> enter\n    set()   -> ø\n~   set()   -> nr=1\n\
                        +              isb()\n= 2 lines\n";
        check(BASE, text, expected);
    }

    #[test]
    fn lines_on_one_side_only() {
        let text = "enable()  -> enter\ndisable() -> leave\nend\nmore\n";
        let expected = "  enable()  -> enter\n-   set()   -> ø\n-   set()   -> ø\n  \
                        disable() -> leave\n  end\n+ more\n";
        check(BASE, text, expected);
    }

    #[test]
    fn numbers_of_what_has_no_call() {
        check("lock() count=1\nend\n", "lock() count=2\nend\n", "~ lock() count=2\n  end\n");
    }

    #[test]
    fn a_gap_leaves_the_line_before_a_change() {
        let base = "a\nb\nc\nd\ne\n";
        check(base, "a\nb\nc\nd\nx\n", "= 3 lines\n  d\n- e\n+ x\n");
        check(base, "x\na\nb\nc\nd\ne\n", "+ x\n= 5 lines\n");
    }
}
