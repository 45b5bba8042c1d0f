//! What each design does: the call table of the proposal, and a test per sanity check.

use lazy_mmu::design::{Call, Design, Hook};
use lazy_mmu::trace::Event;

use crate::support::sheet::{Entry, sheet};
use crate::support::{check_snapshot, files, parse, read, run_design, scenario_name};

#[test]
fn nesting_under_every_design() {
    for path in files("scenarios/nesting", ".scn") {
        let scenario = parse(&read(&path));
        let name = scenario_name("scenarios/nesting", &path);
        let entry = |design: Design| {
            Entry::new(design.id(), run_design(&scenario, design).record.to_string())
        };
        // The merged one first.
        let others = Design::LAB.iter().filter(|design| **design != Design::default());
        let entries: Vec<_> =
            [Design::default()].iter().chain(others).copied().map(entry).collect();
        check_snapshot!("design", &name, &scenario.what, sheet(&entries));
    }
}

#[test]
fn call_table_of_the_proposal() {
    const ENTER: Hook = Hook::ENTER;
    const LEAVE: Hook = Hook::LEAVE;
    const FLUSH: Hook = Hook::FLUSH;
    let table = parse("enable\nenable\npause\nresume\ndisable\ndisable\n");
    for design in Design::LAB {
        let record = run_design(&table, *design).record;
        let hooks: Vec<_> = record.hooks().collect();
        let expected: &[Hook] = match design.id() {
            "direct" | "token" => &[ENTER, ENTER, LEAVE, ENTER, LEAVE, LEAVE],
            "sketch" => &[ENTER, LEAVE, ENTER, LEAVE],
            _ => &[ENTER, LEAVE, ENTER, FLUSH, LEAVE],
        };
        assert_eq!(hooks, expected, "{}", design.id());
    }
}

/// Runs `calls` under the merged design: each warning, and the state at the end.
fn counts(calls: &[Call]) -> (Vec<String>, String) {
    let text: String = calls.iter().map(|call| format!("{call}()\n")).collect();
    let record = run_design(&parse(&text), Design::default()).record;
    let mut warnings = Vec::new();
    let mut state = String::new();
    for seen in record.events() {
        match seen.event {
            Event::Warn { check, cond, .. } => warnings.push(format!("{check}({cond})")),
            Event::End { state: bits, .. } => state = record.design().show(bits),
            _ => {}
        }
    }
    (warnings, state)
}

#[track_caller]
fn check_counts(calls: &[Call], warnings: &[&str], state: &str) {
    let (found, end) = counts(calls);
    assert_eq!(
        (found.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), end.as_str()),
        (warnings, state)
    );
}

#[test]
fn disable_underflow_warns_and_wraps() {
    let warning = "VM_WARN_ON_ONCE(state->enable_count == 0)";
    check_counts(&[Call::DISABLE], &[warning], "enable=255 pause=0");
}

#[test]
fn enable_overflow_warns_and_wraps() {
    let warning = "VM_WARN_ON_ONCE(state->enable_count == U8_MAX)";
    check_counts(&[Call::ENABLE; 255], &[], "enable=255 pause=0");
    check_counts(&[Call::ENABLE; 256], &[warning], "enable=0 pause=0");
}

#[test]
fn pause_overflow_warns_and_wraps() {
    let warning = "VM_WARN_ON_ONCE(state->pause_count == U8_MAX)";
    check_counts(&[Call::PAUSE; 255], &[], "enable=0 pause=255");
    check_counts(&[Call::PAUSE; 256], &[warning], "enable=0 pause=0");
}

#[test]
fn resume_underflow_warns_and_wraps() {
    let warning = "VM_WARN_ON_ONCE(state->pause_count == 0)";
    check_counts(&[Call::RESUME], &[warning], "enable=0 pause=255");
}

#[test]
fn the_proposal_wraps_in_silence() {
    for id in ["count-enabled-rfc", "count-paused-rfc"] {
        let design = Design::by_id(id).expect("a design of the lab");
        let record = run_design(&parse("disable"), design).record;
        assert!(!record.events().any(|seen| matches!(seen.event, Event::Warn { .. })));
        assert!(record.to_string().contains("count=255"), "{record}");
    }
}

#[test]
fn order_of_hook_and_state() {
    // Program order of the first enable: the merged design stores first, the proposal last.
    let order = |id: &str| {
        let design = Design::by_id(id).expect("a design of the lab");
        let record = run_design(&parse("enable"), design).record;
        let kinds = record.events().filter_map(|seen| match seen.event {
            Event::Store(_) => Some('s'),
            Event::Hook(_) => Some('h'),
            _ => None,
        });
        kinds.collect::<String>()
    };
    assert_eq!(order("counts"), "sh");
    assert_eq!(order("nesting-active"), "ssh");
    assert_eq!(order("count-enabled"), "hss");
    assert_eq!(order("count-enabled-rfc"), "hss");
    assert_eq!(order("count-paused-rfc"), "hs");
}
