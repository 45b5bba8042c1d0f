//! Calls from interrupts and with bottom halves disabled, under every design, by running them.

use lazy_mmu::design::Design;
use lazy_mmu::trace::Event;

use crate::words::{code, table};
use emu_lab::render::text::mode;
use emu_lab::scenario::{Setup, parse, run};

/// The contexts: their names, what begins each and what ends it.
const CONTEXTS: [(&str, &str, &str); 5] = [
    ("hardirq", "hardirq_enter", "hardirq_exit"),
    ("softirq", "softirq_enter", "softirq_exit"),
    ("NMI", "nmi_enter", "nmi_exit"),
    ("bottom halves disabled", "local_bh_disable", "local_bh_enable"),
    ("preemption disabled", "preempt_disable", "preempt_enable"),
];

const HEAD: &str = "
# Interrupts

An enable in a section of the interrupted task: whether it does anything, and what arch code is told
there. With bottom halves disabled a task counts as in interrupt; with preemption disabled it does not.

";

const ACROSS: &str = "
Where bottom halves are disabled inside a section, up to its end or from before its beginning, the
calls at the two ends are not treated alike under the designs that bail out. What is left:

";

/// Writes the two tables.
pub(super) fn write(text: &mut String) {
    text.push_str(HEAD);
    let header: Vec<_> = ["design"].into_iter().chain(CONTEXTS.map(|(name, ..)| name)).collect();
    let row = |design: &Design| {
        let cells = CONTEXTS.map(|(_, begin, end)| inside(*design, begin, end));
        [code(design.id())].into_iter().chain(cells).collect()
    };
    table(text, &header, &Design::LAB.iter().map(row).collect::<Vec<_>>());
    text.push_str(ACROSS);
    let sequences = ["enable, bh off, disable, bh on", "bh off, enable, bh on, disable"];
    let header: Vec<_> = ["design"].into_iter().chain(sequences).collect();
    let row = |design: &Design| {
        let cells = [
            "enable\nlocal_bh_disable\ndisable\nlocal_bh_enable",
            "local_bh_disable\nenable\nlocal_bh_enable\ndisable",
        ];
        [code(design.id())].into_iter().chain(cells.map(|s| left(*design, s))).collect()
    };
    table(text, &header, &Design::LAB.iter().map(row).collect::<Vec<_>>());
}

fn events<T>(design: Design, text: &str, mut see: impl FnMut(Event<'_>) -> Option<T>) -> Vec<T> {
    let scenario = parse(text).expect("the sequences above are scenarios");
    let record = run(&scenario, Setup::from(design)).record;
    record.events().filter_map(|seen| see(seen.event)).collect()
}

/// What an enable between `begin` and `end` inside a section does, and the active bit after it.
fn inside(design: Design, begin: &str, end: &str) -> String {
    let text = format!("enable\n{begin}\nenable\n{end}");
    let (mut did, mut acts) = (0, 0);
    let active = events(design, &text, |event| match event {
        Event::Call(_) => {
            did = 0;
            None
        }
        Event::Store(_) | Event::Hook(_) | Event::Warn { .. } => {
            did += 1;
            None
        }
        Event::Return { active, .. } => {
            acts = did;
            Some(active)
        }
        Event::Section(_)
        | Event::Effect { .. }
        | Event::Pte(_)
        | Event::Context { .. }
        | Event::Switch { .. }
        | Event::Away
        | Event::Back
        | Event::Hazard { .. }
        | Event::Note(_)
        | Event::Pending { .. }
        | Event::End { .. } => None,
    });
    let call = if acts > 0 { "takes effect" } else { "ignored" };
    format!("{call}, {}", active.last().map_or("", |active| mode(*active)))
}

/// The state at the end, and the warnings before it.
fn left(design: Design, text: &str) -> String {
    let parts = events(design, text, |event| {
        if let Event::Warn { check, cond, .. } = event {
            return Some(code(&format!("{check}({cond})")));
        }
        let Event::End { state, .. } = event else { return None };
        let active = mode(design.is_active(state)[0]);
        Some(format!("{}, {active}", design.show(state)))
    });
    parts.join("<br>")
}
