//! The chapter of one design: its state, transitions, call table, order of effects and warnings.

use std::fmt::Write;

use emu_arch::Kernel;
use lazy_mmu::design::{Call, Context, Design, Effect, StateBits, Token, Value, Warn};

use super::states::{calls, fields, reachable, representative, values};
use super::task::{Effects, Task, is_bug, step, stored};
use crate::words::{code, hook_word, linked, table};
use emu_lab::render::text::mode;

/// Writes the chapter of `design`.
pub(super) fn write(text: &mut String, design: Design) {
    let all = reachable(design);
    let states = representative(design, &all);
    let _ = writeln!(text, "\n## {}\n\n{}.\n", design.id(), capital(design.about()));
    let _ = writeln!(text, "* Published: {}", linked(design.source()));
    let kernels: Vec<_> = Kernel::ALL.iter().filter(|kernel| kernel.had(design)).collect();
    let kernels: Vec<_> = kernels.iter().map(|kernel| kernel.id()).collect();
    let kernels = if kernels.is_empty() { "none".to_owned() } else { kernels.join(", ") };
    let _ = writeln!(text, "* Kernels of the lab that have it: {kernels}");
    let irq = Context { in_interrupt: true, ..Context::default() };
    let _ = writeln!(text, "* In interrupt: {}", elsewhere(design, &states, irq));
    let declined = Context { arch_wants: false, ..Context::default() };
    let declined = elsewhere(design, &states, declined);
    let _ = writeln!(text, "* Where the architecture declines the mode: {declined}");
    let _ = writeln!(text, "* Order: {}\n", order(design));
    state_table(text, design);
    text.push_str("\nTransitions:\n\n");
    transitions(text, design, &states);
    text.push_str("\nThe call table of a nested section with a pause inside:\n\n");
    nested(text, design);
    warnings(text, design, &states, &all);
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    // The name of a field stays as it is.
    let word = text.split(' ').next().unwrap_or("");
    match chars.next() {
        Some(first) if !word.contains('_') => first.to_uppercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

/// How calls in context `there` compare with those in task context.
fn elsewhere(design: Design, states: &[StateBits], there: Context) -> String {
    let pairs = || states.iter().flat_map(|state| calls(design).into_iter().map(|c| (*state, c)));
    let at = |state, (cx, call): (Context, Call)| {
        step(design, state, Context { token: cx.token, ..there }, call).0
    };
    let same =
        pairs().all(|(state, made)| at(state, made) == step(design, state, made.0, made.1).0);
    let calls = match (same, pairs().all(|(state, made)| at(state, made).is_empty())) {
        (true, _) => "calls do what they do elsewhere",
        (_, true) => "calls are ignored",
        _ => "some calls are ignored",
    };
    if !there.in_interrupt {
        return calls.to_owned();
    }
    let active = states.iter().any(|state| design.is_active(*state)[1]);
    let answer = if active { "what the state says" } else { "inactive" };
    format!("{calls}; arch code that asks is told {answer}")
}

/// The order of store and hook in the calls of a plain section with a pause.
fn order(design: Design) -> String {
    let mut task = Task::new(design);
    let calls = [Call::ENABLE, Call::PAUSE, Call::RESUME, Call::DISABLE];
    let order = calls.map(|call| {
        let mut words: Vec<&str> = Vec::new();
        for effect in task.call(call) {
            let word = match effect {
                Effect::Store(_) => "state",
                Effect::Hook(hook) => hook_word(hook),
                Effect::Warn(_) => "check",
            };
            if words.last() != Some(&word) {
                words.push(word);
            }
        }
        format!("{} {}", short(call), words.join(", "))
    });
    order.join("; ")
}

fn short(call: Call) -> &'static str {
    call.info().map_or("", |info| info.short)
}

fn state_table(text: &mut String, design: Design) {
    let row = |field: &lazy_mmu::design::Field| {
        let kind = match field.value {
            Value::Count(_) => "a counter, 0 to 255",
            Value::Flag(_) => "a flag",
        };
        vec![code(field.name), field.short.to_owned(), kind.to_owned()]
    };
    let rows: Vec<_> = fields(design, StateBits::default()).iter().map(row).collect();
    table(text, &["field", "in traces", "kind"], &rows);
}

/// The header of columns with states: `(enable, pause)`.
fn names(design: Design) -> String {
    let fields = fields(design, StateBits::default());
    let names: Vec<_> = fields.iter().map(|field| field.short).collect();
    format!("({})", names.join(", "))
}

fn transitions(text: &mut String, design: Design, states: &[StateBits]) {
    let calls = calls(design);
    let name = |(cx, call): &(Context, Call)| match cx.token {
        Token::DEFAULT => short(*call).to_owned(),
        _ => format!("{} of a nested enable", short(*call)),
    };
    let header = [names(design), "the mode".to_owned()];
    let header: Vec<_> = header.into_iter().chain(calls.iter().map(name)).collect();
    let row = |state: &StateBits| {
        let active = mode(design.is_active(*state)[0]);
        let first = [values(design, *state), active.to_owned()];
        let cells = calls
            .iter()
            .map(|(cx, call)| transition(design, *state, &step(design, *state, *cx, *call).0));
        first.into_iter().chain(cells).collect()
    };
    table(text, &header, &states.iter().map(row).collect::<Vec<_>>());
}

/// One transition in a few words: what fires, which hook, the state after it.
fn transition(design: Design, state: StateBits, effects: &Effects) -> String {
    let last = effects.iter().rposition(|effect| matches!(effect, Effect::Store(_)));
    let mut words: Vec<String> = Vec::new();
    for (at, effect) in effects.iter().enumerate() {
        match effect {
            Effect::Warn(_) if is_bug(effect) => words.push("BUG".to_owned()),
            Effect::Warn(_) if !words.iter().any(|word| word == "WARN") => {
                words.push("WARN".to_owned());
            }
            Effect::Warn(_) => {}
            Effect::Hook(hook) => words.push(hook_word(*hook).to_owned()),
            Effect::Store(_) if last == Some(at) => {
                words.push(values(design, stored(state, effects)));
            }
            Effect::Store(_) => {}
        }
    }
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

/// The six calls of the proposal's table.
fn nested(text: &mut String, design: Design) {
    let calls =
        [Call::ENABLE, Call::ENABLE, Call::PAUSE, Call::RESUME, Call::DISABLE, Call::DISABLE];
    let mut task = Task::new(design);
    let mut depth = 0usize;
    let row = |call: Call| {
        let opens = design.role(call).opens();
        depth = depth.saturating_sub(usize::from(!opens));
        let name = format!("{}{}", "- ".repeat(depth), short(call));
        depth += usize::from(opens);
        let hooks: Vec<_> = task.call(call).iter().filter_map(hook).collect();
        let hooks = if hooks.is_empty() { "nothing".to_owned() } else { hooks.join(", ") };
        vec![name, hooks, values(design, task.state), mode(task.is_active()).to_owned()]
    };
    let rows: Vec<_> = calls.into_iter().map(row).collect();
    table(
        text,
        &["call".to_owned(), "hook".to_owned(), names(design), "the mode".to_owned()],
        &rows,
    );
}

fn hook(effect: &Effect<StateBits>) -> Option<&'static str> {
    match effect {
        Effect::Hook(hook) => Some(hook_word(*hook)),
        Effect::Store(_) | Effect::Warn(_) => None,
    }
}

/// Every check that can fire, with the states of the table where it does.
fn warnings<'s>(
    text: &mut String,
    design: Design,
    states: &[StateBits],
    all: impl IntoIterator<Item = &'s StateBits> + Copy,
) {
    let mut rows = Vec::new();
    for (cx, call) in calls(design) {
        let fires = |state: &StateBits| -> Vec<Warn> {
            let warn = |effect: &Effect<StateBits>| match effect {
                Effect::Warn(warn) => Some(*warn),
                Effect::Store(_) | Effect::Hook(_) => None,
            };
            step(design, *state, cx, call).0.iter().filter_map(warn).collect()
        };
        let mut counts: Vec<(Warn, usize)> = Vec::new();
        for warn in all.into_iter().flat_map(fires) {
            match counts.iter_mut().find(|(known, _)| *known == warn) {
                Some((_, count)) => *count += 1,
                None => counts.push((warn, 1)),
            }
        }
        for (warn, count) in counts {
            let shown = states.iter().filter(|state| fires(state).contains(&warn));
            let shown: Vec<_> = shown.map(|state| values(design, *state)).collect();
            let shown = if shown.is_empty() { "none".to_owned() } else { shown.join(" ") };
            rows.push(vec![
                short(call).to_owned(),
                code(&warn.to_string()),
                shown,
                count.to_string(),
            ]);
        }
    }
    let total = all.into_iter().count();
    if rows.is_empty() {
        text.push_str("\nIt warns on nothing.\n");
        return;
    }
    text.push_str("\nIt warns:\n\n");
    let header = ["call", "check", "in these states of the table"].map(str::to_owned);
    let header: Vec<_> = header.into_iter().chain([format!("of {total} states")]).collect();
    table(text, &header, &rows);
}
