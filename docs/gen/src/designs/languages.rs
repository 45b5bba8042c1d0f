//! The matrix of designs and languages of call sequences, by running the sequences.
//!
//! A column has the sequences of one [`Language`] that no smaller one has.

use std::fmt::Write;

use lazy_mmu::design::{Call, CallInfo, Design, Effect, StateBits, Value};

use super::states::fields;
use super::task::{Task, is_bug};
use crate::words::table;
use emu_check::language::{Bracket, Language, Open};

/// The longest sequence, in calls.
const CALLS_MAX: usize = 10;

/// The languages of the columns, each without the sequences of those before it.
const COLUMNS: [(Language, &str); 5] = [
    (Language::A, "A: pause in a section"),
    (Language::B, "B: pause outside"),
    (Language::C, "C: section in a pause"),
    (Language::D, "D: pause in a pause"),
    (Language::Crossing, "crossing"),
];

/// The languages that the calls of a sequence need, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Needs(u8);

impl Needs {
    const fn and(self, language: Language) -> Self {
        Self(self.0 | 1 << language as u8)
    }

    /// The largest of them.
    fn language(self) -> Language {
        let needs = |language: &&Language| self.0 & 1 << **language as u8 != 0;
        Language::ALL.iter().rev().find(needs).copied().unwrap_or(Language::A)
    }

    /// Whether it needs its language and none between A and that, or brackets cross.
    fn alone(self) -> bool {
        let language = self.language();
        let allowed = Self::default().and(Language::A).and(language);
        language == Language::Crossing || self.0 & !allowed.0 == 0
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
    let first = COLUMNS.map(|(language, _)| {
        sequences.iter().filter(|(_, needs)| needs.language() == language).count()
    });
    let header: Vec<_> = ["design"].into_iter().chain(COLUMNS.map(|(_, name)| name)).collect();
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
  counter; distinguished in language C.
* *wrong*: no check fires, and the mode is active where it has to be inactive.
* *warns*, *BUG*: a check fires.
";

/// A row for each design: its verdicts by language, as `show` puts them.
fn rows(
    sequences: &[(Vec<Call>, Needs)],
    alone: bool,
    show: &dyn Fn(&[Verdict]) -> String,
) -> Vec<Vec<String>> {
    let row = |design: &Design| {
        let cells =
            COLUMNS.map(|(language, _)| show(&verdicts(*design, sequences, language, alone)));
        [format!("`{}`", design.id())].into_iter().chain(cells).collect()
    };
    Design::LAB.iter().map(row).collect()
}

fn verdicts(
    design: Design,
    sequences: &[(Vec<Call>, Needs)],
    language: Language,
    alone: bool,
) -> Vec<Verdict> {
    let of = |needs: Needs| needs.language() == language && (!alone || needs.alone());
    let of = sequences.iter().filter(|(_, needs)| of(*needs));
    of.map(|(calls, _)| verdict(design, calls, language)).collect()
}

/// Runs a sequence as a fresh task.
fn verdict(design: Design, calls: &[Call], language: Language) -> Verdict {
    let mut task = Task::new(design);
    let mut open = Open::default();
    let mut worst = Verdict::Legal;
    let (mut untouched, mut counted) = (true, false);
    for call in calls {
        let of_section = Bracket::of(design.role(*call)) == Some(Bracket::Section);
        let inside = of_section && open.count(Bracket::Pause) > 0;
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
        open.took(design.role(*call), ());
        let must_be_inactive = open.innermost() != Some(Bracket::Section);
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

/// Every well-balanced sequence, with what it needs.
fn sequences() -> Vec<(Vec<Call>, Needs)> {
    fn extend(
        calls: &mut Vec<Call>,
        open: &Open<()>,
        needs: Needs,
        found: &mut Vec<(Vec<Call>, Needs)>,
    ) {
        if open.is_empty() && !calls.is_empty() {
            found.push((calls.clone(), needs));
        }
        for CallInfo { call, role, .. } in CallInfo::KERNEL {
            let needs = match Language::smallest(role, open) {
                None | Some(Language::Any) => continue,
                Some(language) => needs.and(language),
            };
            let mut open = open.clone();
            open.took(role, ());
            if calls.len() + 1 + open.len() <= CALLS_MAX {
                calls.push(call);
                extend(calls, &open, needs, found);
                calls.pop();
            }
        }
    }
    let mut found = Vec::new();
    extend(&mut Vec::new(), &Open::default(), Needs::default(), &mut found);
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
            COLUMNS.map(|(language, _)| {
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
