//! Why something goes wrong, in two sentences: the cause, and what it does to its victim.

use emu_arch::hazard::Hazard;
use lazy_mmu::trace::{Event, task_name};

use super::{Flow, Owner, Tone, View};

impl View<'_> {
    /// The flow that the record is about: a BUG,
    /// or else the last hazard, one with a cause first.
    #[must_use]
    pub fn main_flow(&self) -> Option<&Flow> {
        let bug = self.flows.iter().find(|flow| flow.tone == Tone::Bug);
        let caused = self.flows.iter().rfind(|flow| flow.cause.is_some());
        let hazard = self.flows.iter().rfind(|flow| flow.tone == Tone::Hazard);
        bug.or(caused).or(hazard).or(self.flows.first())
    }

    /// Why the victim of `flow` suffers: what caused it, and what follows.
    #[must_use]
    pub fn why(&self, flow: &Flow) -> [String; 2] {
        let cause = match flow.cause {
            Some(cause) => self.caused(cause),
            None => self.led_to(flow),
        };
        [cause, self.effect(flow)]
    }

    /// What goes wrong, in a line.
    #[must_use]
    pub fn headline(&self, flow: &Flow) -> String {
        let (call, place) = (&self.steps[flow.victim].text, self.place(flow.victim));
        match flow.tone {
            Tone::Hazard => format!("{}: {call} ({place}).", flow.what),
            Tone::Bug => format!("BUG in {call} ({place})."),
            Tone::Warning => format!("A warning in {call} ({place})."),
            Tone::Hook | Tone::Effect | Tone::Note => flow.what.clone(),
        }
    }

    /// Why the record goes wrong; where nothing in it says so, that its last step breaks what
    /// `property` says.
    pub fn story(&self, property: &str) -> impl Iterator<Item = String> + use<> {
        let said = match (self.main_flow(), self.steps.len().checked_sub(1)) {
            (Some(flow), _) => self.why(flow).to_vec(),
            (None, Some(last)) => {
                let (call, place) = (&self.steps[last].text, self.place(last));
                let waits = self.waits(last);
                let waits = waits.iter().map(|(_, what, n)| format!("{n} in {what}"));
                let waits: Vec<String> = waits.collect();
                let before = match waits.as_slice() {
                    [] => self.state_before(last),
                    waits => format!("Behind {call} is pending: {}.", waits.join(", ")),
                };
                vec![before, format!("So {call} ({place}) breaks the property that {property}.")]
            }
            (None, None) => Vec::new(),
        };
        said.into_iter()
    }

    /// Where a step is: its number, its line, its task and its CPU.
    #[must_use]
    pub fn place(&self, at: usize) -> String {
        let step = &self.steps[at];
        let lane = self.lanes[step.lane];
        let task = match lane.task {
            0 => String::new(),
            task => format!("task {} on ", task_name(task)),
        };
        let number = self.numbered.then(|| format!("step {}", at + 1));
        let line = step.line.map(|line| format!("line {line}"));
        let places: Vec<String> = number.into_iter().chain(line).collect();
        let colon = if places.is_empty() { "" } else { ": " };
        format!("{}{colon}{task}CPU {}", places.join(", "), lane.cpu)
    }

    /// What waits behind step `at`, of whom.
    #[must_use]
    pub fn waits(&self, at: usize) -> Vec<(Owner, &str, u32)> {
        let mut levels: Vec<(Owner, &str, u32)> = Vec::new();
        let end = self.steps[at].end;
        for level in self.levels.iter().take_while(|level| level.seq < end) {
            levels.retain(|(owner, ..)| *owner != level.owner);
            levels.push((level.owner, level.what, level.n));
        }
        levels.retain(|(.., n)| *n > 0);
        levels.sort_unstable();
        levels
    }

    fn caused(&self, cause: usize) -> String {
        let (step, place) = (&self.steps[cause], self.place(cause));
        let call = &step.text;
        match (self.deferred(cause), step.event) {
            (Some(deferred), _) => deferred,
            (None, Some(Event::Pte(_))) => {
                format!("{call} ({place}) changed the entry.")
            }
            (None, _) => format!("It begins with {call} ({place})."),
        }
    }

    /// What step `at` left waiting, if it did.
    fn deferred(&self, at: usize) -> Option<String> {
        let (step, place) = (&self.steps[at], self.place(at));
        let within = |seq: u32| step.seq <= seq && seq < step.end;
        let level = self.levels.iter().rfind(|level| within(level.seq))?;
        let (what, n, call) = (level.what, level.n, &step.text);
        let s = if n == 1 { "" } else { "s" };
        let text = format!("{call} ({place}) deferred its work: {what} then held {n} update{s}.");
        (n > 0).then_some(text)
    }

    /// What led to a check that fired: what came in the middle of the call, or the state before it.
    fn led_to(&self, flow: &Flow) -> String {
        let (at, victim) = (flow.victim, &self.steps[flow.victim]);
        if let Some((changed, text)) = self.tested(flow) {
            return format!("{} ({}) set {text}.", self.steps[changed].text, self.place(changed));
        }
        if let Some(deferred) = self.deferred(at).filter(|_| flow.tone == Tone::Hazard) {
            return deferred;
        }
        if victim.goes_on {
            let begun = self.steps[..at].iter().rposition(|step| {
                step.left && step.text == victim.text && step.lane == victim.lane
            });
            if let Some(begun) = begun {
                let between: Vec<&str> =
                    self.steps[begun + 1..at].iter().map(|step| step.text.as_str()).collect();
                let (call, place, between) = (&victim.text, self.place(begun), list(&between));
                return format!("In the middle of {call} ({place}) came {between}.");
            }
        }
        self.state_before(at)
    }

    fn state_before(&self, at: usize) -> String {
        let task = self.task(&self.steps[at]);
        let states = self.steps[..at].iter().rev().filter_map(|step| step.state);
        let state = states.filter(|(of, _)| *of == task).map(|(_, state)| state).next();
        let state = state.map_or("fresh".to_owned(), |state| self.record.design().show(state));
        let (call, place) = (&self.steps[at].text, self.place(at));
        format!("Before {call} ({place}) the state of the task was {state}.")
    }

    /// The last step that set what the check of `flow` tests, and to what.
    fn tested<'v>(&'v self, flow: &'v Flow) -> Option<(usize, &'v str)> {
        self.steps[..=flow.victim].iter().enumerate().rev().find_map(|(at, step)| {
            let before = step.details.iter().rev().filter(|detail| detail.seq < flow.seq);
            let set = before.filter_map(|detail| {
                let (name, _) = detail.text.split_once('=')?;
                flow.what.contains(&format!("{name})")).then_some(detail.text.as_str())
            });
            set.map(|text| (at, text)).next()
        })
    }

    fn effect(&self, flow: &Flow) -> String {
        let (step, place) = (&self.steps[flow.victim], self.place(flow.victim));
        let call = &step.text;
        match flow.tone {
            Tone::Bug => format!("So {call} ({place}) hits {}.", flow.what),
            Tone::Warning => format!("So {call} ({place}) warns: {}.", flow.what),
            Tone::Hazard | Tone::Hook | Tone::Effect | Tone::Note => {
                let hazard = Hazard::ALL.into_iter().find(|hazard| hazard.id() == flow.what);
                let about = hazard.map_or("it goes wrong", Hazard::about);
                let faults = step.details.iter().any(|detail| detail.text == "page fault");
                let faults = if faults { "; here it faults" } else { "" };
                format!("At {call} ({place}) {about}{faults}.")
            }
        }
    }
}

/// A few words as a list; of many, the first and the last.
fn list(words: &[&str]) -> String {
    match words {
        [] => "something else".to_owned(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [first, .., last] => format!("{first} and {} more up to {last}", words.len() - 2),
    }
}

/// The sentence of a hazard that is known by name alone.
#[must_use]
pub fn about(hazard: &str) -> &'static str {
    let known = Hazard::ALL.into_iter().find(|known| known.id() == hazard);
    known.map_or("", Hazard::about)
}
