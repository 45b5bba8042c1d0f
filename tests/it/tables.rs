//! The call tables of the mails and commit messages, as data: call, hook, state after the call; and
//! the order of hook and state that each design was published with.

use lazy_mmu::design::{Design, StateBits};
use lazy_mmu::trace::Event;

use crate::support::{parse, run_design};

/// A row: the call, the hook that it reaches, the values of the two fields after it.
type Row = (&'static str, &'static str, [u8; 2]);

#[track_caller]
fn check_table(id: &str, fields: &str, rows: &[Row]) {
    let calls: Vec<_> = rows.iter().map(|(call, ..)| *call).collect();
    let design = Design::by_id(id).expect("a design of the lab");
    let record = run_design(&parse(&calls.join("\n")), design).record;
    let (mut found, mut hook) = (Vec::new(), String::new());
    for seen in record.events() {
        match seen.event {
            Event::Hook(reached) => {
                hook = reached.info().expect("a hook of the lab").short.to_owned();
            }
            Event::Warn { .. } => panic!("{id}: a table has no warnings\n{record}"),
            Event::Return { state, .. } => {
                found.push((std::mem::take(&mut hook), design.show(state)));
            }
            _ => {}
        }
    }
    let [first, second] = fields.split(' ').collect::<Vec<_>>()[..] else { panic!("two fields") };
    let expected = rows.iter().map(|(_, hook, [a, b])| {
        let hook = if hook.is_empty() { String::new() } else { format!("arch_{hook}()") };
        (hook, format!("{first}={a} {second}={b}"))
    });
    assert_eq!(found, expected.collect::<Vec<_>>(), "{id}");
}

/// The table in the message of v3 and, with other names of the fields, of v4 and the merged commit:
/// a nested section with a pause inside; the values of count and enabled.
const NESTED: [Row; 6] = [
    ("enable", "enter", [1, 1]),
    ("enable", "", [2, 1]),
    ("pause", "leave", [2, 0]),
    ("resume", "enter", [2, 1]),
    ("disable", "flush", [1, 1]),
    ("disable", "leave", [0, 0]),
];

#[test]
fn proposal_of_12_september() {
    // The mail has the section within a section; the states are those of its pseudo-code.
    let nested: [Row; 4] = [
        ("enable", "enter", [1, 1]),
        ("enable", "", [2, 1]),
        ("disable", "flush", [1, 1]),
        ("disable", "leave", [0, 0]),
    ];
    check_table("count-enabled-rfc", "count enabled", &nested);
    check_table("count-paused-rfc", "count paused", &nested.map(|(c, h, [e, _])| (c, h, [e, 0])));
    check_table("count-enabled-rfc", "count enabled", &NESTED);
}

#[test]
fn v3() {
    check_table("count-enabled", "count enabled", &NESTED);
}

#[test]
fn v4() {
    check_table("nesting-active", "nesting active", &NESTED);
}

#[test]
fn v5_v6_and_merged() {
    let nested: [Row; 6] = [
        ("enable", "enter", [1, 0]),
        ("enable", "", [2, 0]),
        ("pause", "leave", [2, 1]),
        ("resume", "enter", [2, 0]),
        ("disable", "flush", [1, 0]),
        ("disable", "leave", [0, 0]),
    ];
    for id in ["counts", "counts-task", "with-ptes"] {
        check_table(id, "enable pause", &nested);
    }
}

/// Checks what arch code that asks inside each hook of the nested section is told: the hooks are
/// enter, leave of the pause, enter of the resume, flush, leave.
#[track_caller]
fn check_active_in_hooks(id: &str, expected: [bool; 5]) {
    let design = Design::by_id(id).expect("a design of the lab");
    let calls = NESTED.map(|(call, ..)| call).join("\n");
    let record = run_design(&parse(&calls), design).record;
    let (mut found, mut state) = (Vec::new(), StateBits::default());
    for seen in record.events() {
        match seen.event {
            Event::Store(bits) => state = bits,
            Event::Hook(_) => found.push(design.is_active(state)[0]),
            _ => {}
        }
    }
    assert_eq!(found, expected, "{id}\n{record}");
}

#[test]
fn hook_before_state_on_the_way_in() {
    // The proposal and v3: enter and leave both run with the mode inactive.
    for id in ["count-enabled-rfc", "count-enabled"] {
        check_active_in_hooks(id, [false, false, false, true, false]);
    }
}

#[test]
fn state_before_hook_from_v4_on() {
    for id in ["nesting-active", "counts", "counts-task", "with-ptes"] {
        check_active_in_hooks(id, [true, false, true, true, false]);
    }
}
