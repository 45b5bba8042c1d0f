//! The matrix of designs and languages of call sequences, by running the sequences.
//!
//! The languages are those of the taxonomy of 11 November 2025 (Kevin Brodsky): A, nested sections
//! with pauses inside; B, pauses outside too; C, sections inside pauses too; D, pauses inside pauses
//! too. Beside them stand the sequences whose brackets cross.

use std::fmt::Write;

use lazy_mmu::design::{Call, Design, Effect, StateBits, Value};

use super::states::fields;
use super::table::table;
use super::task::{Task, is_bug};

/// The longest sequence, in calls.
const CALLS_MAX: usize = 10;

/// A language of call sequences, without the sequences of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Language {
    A,
    B,
    C,
    D,
    Crossing,
}

impl Language {
    const ALL: [Self; 5] = [Self::A, Self::B, Self::C, Self::D, Self::Crossing];

    const fn name(self) -> &'static str {
        match self {
            Self::A => "A: pause in a section",
            Self::B => "B: pause outside",
            Self::C => "C: section in a pause",
            Self::D => "D: pause in a pause",
            Self::Crossing => "crossing",
        }
    }
}

/// What a sequence needs beyond language A.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Features {
    pause_outside: bool,
    section_in_pause: bool,
    pause_in_pause: bool,
    crossing: bool,
}

impl Features {
    const fn language(self) -> Language {
        if self.crossing {
            Language::Crossing
        } else if self.pause_in_pause {
            Language::D
        } else if self.section_in_pause {
            Language::C
        } else if self.pause_outside {
            Language::B
        } else {
            Language::A
        }
    }

    /// Tells whether the sequence has the feature of its language and none of a smaller one's.
    fn alone(self) -> bool {
        match self.language() {
            Language::A | Language::B | Language::Crossing => true,
            Language::C => !self.pause_outside,
            Language::D => !self.pause_outside && !self.section_in_pause,
        }
    }
}

/// What a design makes of a sequence, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Legal,
    Ignored,
    Counted,
    Wrong,
    Warns,
    Bug,
}

impl Verdict {
    const ALL: [Self; 6] =
        [Self::Bug, Self::Warns, Self::Wrong, Self::Counted, Self::Ignored, Self::Legal];

    const fn name(self) -> &'static str {
        match self {
            Self::Legal => "legal",
            Self::Ignored => "ignored",
            Self::Counted => "counted",
            Self::Wrong => "wrong",
            Self::Warns => "warns",
            Self::Bug => "BUG",
        }
    }
}

/// Writes the matrix.
pub(super) fn write(text: &mut String) {
    let sequences = sequences();
    text.push_str(HEAD);
    let first: Vec<_> = Language::ALL
        .iter()
        .map(|language| {
            let of = |(_, features): &&(Vec<Call>, Features)| features.language() == *language;
            sequences.iter().filter(of).count()
        })
        .collect();
    let header: Vec<_> = ["design"].into_iter().chain(Language::ALL.map(Language::name)).collect();
    text.push_str("\nEach feature alone, the worst that a sequence meets:\n\n");
    let worst = |verdicts: &[Verdict]| {
        verdicts.iter().max().map_or("-", |verdict| verdict.name()).to_owned()
    };
    table(text, &header, &rows(&sequences, true, &worst));
    let _ = writeln!(
        text,
        "\nAll sequences of each language ({}), how many meet what:\n",
        first.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
    );
    let counts = |verdicts: &[Verdict]| {
        let count = |verdict: Verdict| {
            let times = verdicts.iter().filter(|found| **found == verdict).count();
            (times > 0).then(|| format!("{} {times}", verdict.name()))
        };
        Verdict::ALL.into_iter().filter_map(count).collect::<Vec<_>>().join(", ")
    };
    table(text, &header, &rows(&sequences, false, &counts));
}

const HEAD: &str = "
# Which sequences are legal

Every well-balanced sequence of at most ten calls, under every design. A language is meant without the
smaller ones: language C is the sequences that have a section inside a pause and no pause inside a
pause. The first table has, for C, no pause outside of a section, and for D no section inside a
pause either. In a *crossing* sequence every bracket is closed, but some not in the reverse order.

* *legal*: no check fires, and the mode is inactive where it has to be: outside of every bracket, and
  where the innermost bracket is a pause.
* *ignored*, *counted*: legal, and what is called inside a pause leaves the state as it is, or moves a
  counter; told apart in language C.
* *wrong*: no check fires, and the mode is active where it has to be inactive.
* *warns*, *BUG*: a check fires.
";

/// A row for each design: its verdicts by language, as `show` puts them.
fn rows(
    sequences: &[(Vec<Call>, Features)],
    alone: bool,
    show: &dyn Fn(&[Verdict]) -> String,
) -> Vec<Vec<String>> {
    let row = |design: &Design| {
        let cell = |language: Language| show(&verdicts(*design, sequences, language, alone));
        let cells = Language::ALL.into_iter().map(cell);
        [format!("`{}`", design.id())].into_iter().chain(cells).collect()
    };
    Design::LAB.iter().map(row).collect()
}

fn verdicts(
    design: Design,
    sequences: &[(Vec<Call>, Features)],
    language: Language,
    alone: bool,
) -> Vec<Verdict> {
    let of = |features: Features| features.language() == language && (!alone || features.alone());
    let of = sequences.iter().filter(|(_, features)| of(*features));
    of.map(|(calls, _)| verdict(design, calls, language)).collect()
}

/// Runs a sequence as a fresh task.
fn verdict(design: Design, calls: &[Call], language: Language) -> Verdict {
    let mut task = Task::new(design);
    let mut open: Vec<Call> = Vec::new();
    let mut worst = Verdict::Legal;
    let (mut untouched, mut counted) = (true, false);
    for call in calls {
        let inside = matches!(*call, Call::ENABLE | Call::DISABLE) && open.contains(&Call::PAUSE);
        let before = task.state;
        let effects = task.call(*call);
        if effects.iter().any(is_bug) {
            return Verdict::Bug;
        }
        if effects.iter().any(|effect| matches!(effect, Effect::Warn(_))) {
            worst = worst.max(Verdict::Warns);
        }
        if inside {
            untouched &= before == task.state;
            counted |= moved_counter(design, before, task.state);
        }
        follow(&mut open, *call);
        let must_be_inactive = open.last().is_none_or(|last| *last == Call::PAUSE);
        if must_be_inactive && task.is_active() {
            worst = worst.max(Verdict::Wrong);
        }
    }
    match (worst, language) {
        (Verdict::Legal, Language::C) if untouched => Verdict::Ignored,
        (Verdict::Legal, Language::C) if counted => Verdict::Counted,
        _ => worst,
    }
}

fn moved_counter(design: Design, before: StateBits, after: StateBits) -> bool {
    let counters = |state| {
        let fields = fields(design, state);
        fields
            .into_iter()
            .filter(|field| matches!(field.value, Value::Count(_)))
            .collect::<Vec<_>>()
    };
    counters(before) != counters(after)
}

/// What `call` does to the open brackets: a closing one takes the innermost of its kind.
fn follow(open: &mut Vec<Call>, call: Call) {
    let opener = match call {
        Call::DISABLE => Call::ENABLE,
        Call::RESUME => Call::PAUSE,
        _ => return open.push(call),
    };
    if let Some(at) = open.iter().rposition(|known| *known == opener) {
        open.remove(at);
    }
}

/// Every well-balanced sequence, with what it needs.
fn sequences() -> Vec<(Vec<Call>, Features)> {
    fn extend(
        calls: &mut Vec<Call>,
        open: &[Call],
        features: Features,
        found: &mut Vec<(Vec<Call>, Features)>,
    ) {
        if open.is_empty() && !calls.is_empty() {
            found.push((calls.clone(), features));
        }
        for call in Call::KERNEL {
            let mut features = features;
            match call {
                Call::ENABLE => features.section_in_pause |= open.contains(&Call::PAUSE),
                Call::PAUSE => {
                    features.pause_in_pause |= open.contains(&Call::PAUSE);
                    features.pause_outside |= !open.contains(&Call::ENABLE);
                }
                _ => {
                    let opener = if call == Call::DISABLE { Call::ENABLE } else { Call::PAUSE };
                    if !open.contains(&opener) {
                        continue;
                    }
                    features.crossing |= open.last() != Some(&opener);
                }
            }
            let mut open = open.to_vec();
            follow(&mut open, call);
            if calls.len() + 1 + open.len() <= CALLS_MAX {
                calls.push(call);
                extend(calls, &open, features, found);
                calls.pop();
            }
        }
    }
    let mut found = Vec::new();
    extend(&mut Vec::new(), &[], Features::default(), &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_comparison_of_the_discussion() {
        let sequences = sequences();
        let row = |id| {
            let design = Design::by_id(id).expect("a design of the lab");
            Language::ALL.map(|language| {
                let verdicts = verdicts(design, &sequences, language, true);
                verdicts.into_iter().max().expect("a sequence of each language")
            })
        };
        use Verdict::{Counted, Ignored, Legal, Warns, Wrong};
        for id in ["counts", "counts-task", "with-ptes"] {
            assert_eq!(row(id), [Legal, Legal, Ignored, Legal, Warns], "{id}");
        }
        assert_eq!(row("independent"), [Legal, Legal, Counted, Legal, Legal]);
        assert_eq!(row("nesting-active")[..4], [Legal, Warns, Warns, Warns]);
        assert_eq!(row("count-enabled-rfc")[..4], [Legal, Wrong, Counted, Wrong]);
        assert_eq!(row("token")[..4], [Legal, Wrong, Legal, Wrong]);
    }
}
