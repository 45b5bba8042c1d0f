//! One operation on the emulated machine, beside what the kernel did.

use emu_arch::{Arch, Kernel};

use crate::machine::{Done, Machine};
use crate::moves::{Act, BUG, Compared, Effect, Move, Reduced, Store, Tally};
use crate::words::Words;

/// Where the kernel and the emulated one differ first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The number of the line of the call, or of what contradicts itself.
    pub line: u32,
    /// The task, by its number, and the CPU; none where the trace contradicts itself.
    pub at: Option<(u32, u16)>,
    /// The call.
    pub call: String,
    /// What the kernel did.
    pub kernel: String,
    /// What the emulated kernel did.
    pub emulated: String,
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that was compared is the same.
    Same,
    /// The first difference.
    Different(Box<Difference>),
    /// Nothing was compared, and why.
    LeftOut(String),
}

/// An operation, compared.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// The number of its first line.
    pub line: u32,
    /// What became of it.
    pub verdict: Verdict,
    /// How many tasks did something.
    pub tasks: usize,
    /// How many CPUs.
    pub cpus: usize,
    /// How many calls and switches were compared.
    pub calls: u64,
    /// How many effects the kernel had.
    pub effects: u64,
    /// Calls that the trace cuts off.
    pub cut: u64,
    /// A `BUG_ON()` in which the emulated kernel ends with the trace, and the line.
    pub bug: Option<(u32, &'static str)>,
    /// The kernel has said that it died there.
    pub said: bool,
    /// What was left out.
    pub left: Tally,
    /// What was assumed.
    pub assumed: Tally,
    /// What else was counted.
    pub counted: Tally,
}

impl Checked {
    /// An operation of which nothing is known yet but its name and first line.
    pub(crate) fn new(name: &str, line: u32) -> Self {
        Self {
            name: name.to_owned(),
            line,
            verdict: Verdict::Same,
            tasks: 0,
            cpus: 0,
            calls: 0,
            effects: 0,
            cut: 0,
            bug: None,
            said: false,
            left: Tally::new(),
            assumed: Tally::new(),
            counted: Tally::new(),
        }
    }
}

/// Makes the moves of an operation on the emulated machine and compares.
pub(crate) fn compare(words: &Words, kernel: Kernel, reduced: &Reduced, into: &mut Checked) {
    let Reduced { moves, left, assumed, counted, broken, .. } = reduced;
    (into.left, into.assumed, into.counted) = (left.clone(), assumed.clone(), counted.clone());
    let (until, why) = match &reduced.whole {
        Some((line, why)) => (*line, Some(why)),
        None => (u32::MAX, None),
    };
    let end = moves.iter().position(|made| made.line >= until).unwrap_or(moves.len());
    let moves = &moves[..end];
    let broken = broken.as_ref().filter(|(line, _)| *line <= until);
    let done = |made: &&Move| made.compared != Compared::Not;
    let mut tasks: Vec<_> = moves.iter().filter(done).map(|made| made.task).collect();
    let mut cpus: Vec<_> = moves.iter().filter(done).map(|made| made.cpu).collect();
    cpus.sort_unstable();
    cpus.dedup();
    tasks.sort_unstable();
    tasks.dedup();
    (into.tasks, into.cpus) = (tasks.len(), cpus.len());
    let steps = moves.iter().filter(done).any(|made| !matches!(made.act, Act::Switch(_)));
    let arch: Arch = words.arch;
    let mut machine = Machine::new(arch, kernel, reduced);
    for (index, made) in moves.iter().enumerate() {
        if let Some((line, what)) = broken.filter(|(line, _)| *line <= made.line) {
            into.verdict = contradiction(*line, what);
            return;
        }
        let done = machine.make(made);
        if done.assumed {
            *into.assumed.entry("entries used where the trace does not show it").or_default() += 1;
        }
        if made.compared == Compared::Not {
            continue;
        }
        into.calls += 1;
        into.effects += made.seen.len() as u64;
        let is_last = index + 1 == moves.len();
        match judge(words, reduced, made, &done, is_last) {
            Judged::Same => {}
            Judged::Cut => into.cut += 1,
            Judged::Different(difference) => {
                into.verdict = Verdict::Different(difference);
                return;
            }
        }
        if let Some(bug) = done.bug {
            into.said = made.seen.iter().any(|seen| seen.effect == BUG);
            into.bug = Some((made.line, bug));
            return;
        }
    }
    into.verdict = match (broken, why) {
        (Some((line, what)), _) => contradiction(*line, what),
        (None, Some(why)) => Verdict::LeftOut(why.clone()),
        (None, None) if !steps => Verdict::LeftOut("no call and no primitive".to_owned()),
        (None, None) => Verdict::Same,
    };
}

fn contradiction(line: u32, what: &str) -> Verdict {
    let (call, kernel) = ("the trace contradicts itself".to_owned(), what.to_owned());
    let emulated = "cannot be".to_owned();
    Verdict::Different(Box::new(Difference { line, at: None, call, kernel, emulated }))
}

enum Judged {
    Same,
    Cut,
    Different(Box<Difference>),
}

/// Compares one move.
fn judge(words: &Words, reduced: &Reduced, made: &Move, done: &Done, is_last: bool) -> Judged {
    let mut effects: Vec<Effect> =
        done.effects.iter().filter_map(|effect| (words.effect)(effect)).collect();
    // A kernel that dies may not have said so: then the trace ends there.
    let seen: Vec<Effect> = made.seen.iter().map(|seen| seen.effect).collect();
    let said = seen.contains(&BUG);
    if done.bug.is_some() && (said || !is_last) {
        effects.push(BUG);
    }
    let shown = |store: &&Store| reduced.shows.contains(&store.counter);
    let stores: Vec<Store> = done.stores.iter().filter(shown).copied().collect();
    let ends = made.compared == Compared::Beginning || is_last && done.bug.is_some();
    let same = if ends { effects.starts_with(&seen) } else { effects == seen };
    let stored = stores == made.stores || ends && stores.starts_with(&made.stores);
    if done.impossible.is_none() && same && stored {
        return if effects.len() > seen.len() { Judged::Cut } else { Judged::Same };
    }
    let call = match made.act {
        Act::Step(step) => step.to_string(),
        Act::Until(step, point) => format!("{step}, left before {point}"),
        Act::Rest => "the rest of the call that was left".to_owned(),
        Act::Switch(next) => format!("switch to task {}", next.pid()),
        Act::Map(..) | Act::Forget(_) => "memory is made ready".to_owned(),
    };
    let emulated = match &done.impossible {
        Some(what) => what.clone(),
        None => text(&stores, &effects),
    };
    let kernel = text(&made.stores, &seen);
    let at = Some((made.task.pid(), made.cpu));
    // The line of the first effect that the emulated kernel does not have there; of the call,
    // where it has one more.
    let mut emulated_effects = effects.iter();
    let odd = made.seen.iter().find(|seen| emulated_effects.next() != Some(&seen.effect));
    let line = odd.filter(|_| stored).map_or(made.line, |seen| seen.line);
    let call = if line == made.line { call } else { format!("{call} of line {}", made.line) };
    Judged::Different(Box::new(Difference { line, at, call, kernel, emulated }))
}

/// How many stores and effects are shown.
const SHOWN_MAX: usize = 8;

/// Stores and effects as a list.
fn text(stores: &[Store], effects: &[Effect]) -> String {
    let stores = stores.iter().map(|store| format!("{} = {}", store.counter.name(), store.value));
    let mut all: Vec<String> = stores.chain(effects.iter().map(ToString::to_string)).collect();
    let more = all.len().saturating_sub(SHOWN_MAX);
    all.truncate(SHOWN_MAX);
    if more > 0 {
        all.push(format!("and {more} more"));
    }
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}
