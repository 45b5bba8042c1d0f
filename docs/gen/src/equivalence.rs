//! docs/equivalence.md: which designs are equivalent, in which languages.

use std::fmt::Write;

use emu_check::prove::{
    Compare, DEPTH, LEGEND, Language, Matrix, Question, all_matrices, matrices, prove, text,
};
use lazy_mmu::design::Design;

use crate::words::{code, table};

/// The document.
#[must_use]
pub fn markdown() -> String {
    let question = Question::new(Design::LAB[0], Design::LAB[0]);
    let matrices = all_matrices(Design::LAB, &question);
    let mut chapter = String::from(INTRODUCTION);
    for language in Language::ALL {
        let _ = writeln!(chapter, "* **{}**: {}", language.name(), language.about());
    }
    chapter.push_str(COMPARED);
    for compare in Compare::ALL {
        let _ = writeln!(chapter, "* **{}**: {}", compare.name(), compare.about());
    }
    chapter.push_str(LEGEND_HEAD);
    let _ = writeln!(chapter, "```text\n{LEGEND}\n```\n");
    belief(&mut chapter, &matrices);
    ignored(&mut chapter, &matrices);
    classes(&mut chapter, &matrices);
    chapter.push_str(ALL_PAIRS);
    for matrix in &matrices {
        pairs(&mut chapter, matrix);
    }
    chapter
}

const INTRODUCTION: &str = "\
# Which designs are equivalent

Every pair of API designs of the lab in lockstep, under every call sequence of a language. This file is
generated: `cargo run -- prove --all --markdown > docs/equivalence.md` writes it, and a test compares
it.

Counters have eight bits, so two designs have finitely many states together, and a search that ends is
a proof for sequences of *any* length. Where a pair differs, a shortest sequence is known;
`lazymmu prove --design X --against Y --language L --compare C` shows it, with both records.

The languages, each with those before it (a sequence may end anywhere):

";

const COMPARED: &str = "
What is compared of each call, each with what stands before it:

";

const LEGEND_HEAD: &str = "
A program of unlimited depth can open 256 brackets, and then an eight-bit counter is where it began.
Whether that matters is distinguished from what holds for programs that keep to 255. The words of a cell:

";

const ALL_PAIRS: &str = "
# All pairs
";

/// The proposal of 12 September 2025 and its variant.
fn belief(chapter: &mut String, matrices: &[Matrix]) {
    chapter.push_str(BELIEF);
    let ids = ["count-enabled-rfc", "count-paused-rfc"];
    by_language(chapter, matrices, ids);
    chapter.push_str(BELIEF_HOOKS);
    ask(chapter, ids, Language::Any, Compare::Hooks, None);
    chapter.push_str(BELIEF_DEEP);
    ask(chapter, ids, Language::A, Compare::Active, Some(DEPTH));
    chapter.push_str(BELIEF_BIT);
    ask(chapter, ids, Language::B, Compare::Active, None);
}

const BELIEF: &str = "\
# \"I believe this is equivalent\"

The proposal of 12 September 2025 keeps a count and a flag `enabled`; it names a flag `paused` as a
variant that is believed to be equivalent, to be confirmed in practice. Here it is, by what is compared:

";

const BELIEF_HOOKS: &str = "
The hooks are the same in every sequence: neither design asks its flag before it calls one.
";

const BELIEF_DEEP: &str = "
What arch code is told when it asks is the same where the variant was meant to be used: in nested
sections with pauses inside. A 256th enable is the first exception, since `enabled` outlives the
count.
";

const BELIEF_BIT: &str = "
It is not the same where a pause stands outside of a section: a resume sets `enabled`, section or not,
while the variant still has a count of 0. With the flag `enabled` the mode then stays on.
";

/// The proposal of 11 November 2025 and what was merged.
fn ignored(chapter: &mut String, matrices: &[Matrix]) {
    chapter.push_str(IGNORED);
    let ids = ["independent", "counts"];
    by_language(chapter, matrices, ids);
    chapter.push_str(IGNORED_NESTS);
    ask(chapter, ids, Language::D, Compare::Active, Some(DEPTH));
    chapter.push_str(IGNORED_CROSSES);
    ask(chapter, ids, Language::Crossing, Compare::Active, None);
    chapter.push_str(IGNORED_DEEP);
    ask(chapter, ids, Language::D, Compare::Active, None);
}

const IGNORED: &str = "
# Ignored or counted

In the proposal of 11 November 2025 an enable inside a pause is counted; in the merged design it is
ignored, and so is its disable.

";

const IGNORED_NESTS: &str = "
As long as brackets nest it makes no difference: what is opened in a pause is closed in it.
";

const IGNORED_CROSSES: &str = "
It does where they cross, as when a callback returns with a pause held:
";

const IGNORED_DEEP: &str = "
And it does where the pauses are so many that their counter is 0 again:
";

/// Writes the verdicts on a pair: a row for each language, a column for each comparison.
fn by_language(chapter: &mut String, matrices: &[Matrix], ids: [&str; 2]) {
    let header: Vec<_> = ["language"].into_iter().chain(Compare::ALL.map(Compare::name)).collect();
    let row = |language: Language| {
        let of = matrices.iter().filter(|matrix| matrix.language == language);
        let cells = of.map(|matrix| {
            let place = |id| matrix.designs.iter().position(|design| design.id() == id);
            let [x, y] = ids.map(|id| place(id).unwrap_or(0));
            matrix.cell(x, y).to_string()
        });
        [language.name().to_owned()].into_iter().chain(cells).collect()
    };
    table(chapter, &header, &Language::ALL.map(row));
}

/// Writes a command and its answer.
fn ask(
    chapter: &mut String,
    ids: [&str; 2],
    language: Language,
    compare: Compare,
    nesting: Option<u16>,
) {
    let [x, y] = ids.map(|id| Design::by_id(id).unwrap_or_default());
    let question = Question { language, compare, nesting, ..Question::new(x, y) };
    let options = match nesting {
        Some(nesting) => format!("--compare {} --nesting {nesting}", compare.name()),
        None => format!("--compare {}", compare.name()),
    };
    let _ = writeln!(
        chapter,
        "\n```console\n$ lazymmu prove --design {} --against {} --language {} {options}\n{}```",
        x.id(),
        y.id(),
        language.name(),
        text(&prove(&question))
    );
}

/// Writes which designs are equivalent to each other, by language.
fn classes(chapter: &mut String, matrices: &[Matrix]) {
    chapter.push_str(CLASSES);
    for compare in Compare::ALL {
        let _ = writeln!(chapter, "\nCompared: {}.\n", compare.about());
        class_table(chapter, matrices.iter().filter(|matrix| matrix.compare == compare));
    }
    chapter.push_str(INTERRUPTS);
    let question = Question { irq: true, ..Question::new(Design::LAB[0], Design::LAB[0]) };
    let languages = [Language::A, Language::B, Language::C, Language::D, Language::Any];
    class_table(chapter, self::matrices(Design::LAB, &languages, &question).iter());
}

fn class_table<'m>(chapter: &mut String, matrices: impl Iterator<Item = &'m Matrix>) {
    let row = |matrix: &Matrix| {
        let classes = [true, false].map(|shallow| {
            let classes = matrix.classes(shallow);
            let classes = classes.iter().filter(|class| class.len() > 1);
            let named = classes.map(|class| {
                class.iter().map(|design| code(design.id())).collect::<Vec<_>>().join(" = ")
            });
            named.collect::<Vec<_>>().join("<br>")
        });
        let [shallow, any_depth] = classes;
        let same = shallow == any_depth;
        let unsure = if matrix.gave_up() { " (some searches gave up)" } else { "" };
        let name = format!("{}{unsure}", matrix.language.name());
        vec![name, shallow, if same { "the same".to_owned() } else { any_depth }]
    };
    let shallow = format!("up to {DEPTH} brackets deep");
    table(chapter, &["language", &shallow, "at any depth"], &matrices.map(row).collect::<Vec<_>>());
}

const CLASSES: &str = "
# Classes

Designs that no sequence of the language tells apart. Those that are alone in their class are left out.
";

const INTERRUPTS: &str = "
With interrupts after any call (`--irq`), whose handlers make calls of the same language; compared:
hooks, and whether the mode is active where the step led to. Since v3 calls in interrupt are ignored
and the mode is inactive there; in the designs before and beside it they count. (Left out: brackets
that cross in a task and in its handlers are too many states.)

";

fn pairs(chapter: &mut String, matrix: &Matrix) {
    let Matrix { language, compare, designs, .. } = matrix;
    let _ = writeln!(chapter, "\n## {}, {}\n", language.name(), compare.name());
    let columns = &designs[..designs.len() - 1];
    let ids = columns.iter().map(|design| code(design.id()));
    let header: Vec<_> = ["design".to_owned()].into_iter().chain(ids).collect();
    let row = |(at, design): (usize, &Design)| {
        let cell = |to| if to < at { matrix.cell(at, to).to_string() } else { String::new() };
        [code(design.id())].into_iter().chain((0..columns.len()).map(cell)).collect()
    };
    table(chapter, &header, &designs.iter().enumerate().skip(1).map(row).collect::<Vec<_>>());
}
