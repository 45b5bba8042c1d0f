//! Rules about text: words, sizes, heads, comments, fidelity tags, and the documents beside the
//! code.

use super::{archs, check_none, is_test, sources};
use crate::support::{read, root};
use lazymmu_docs::fidelity;

/// Words that files under the folder must not contain, and why.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("lazy-mmu/src/design/", "thread_local", "a design knows of no thread"),
    ("lazy-mmu/src/design/", "Vec<", "a design allocates nothing"),
    ("lazy-mmu/src/", "emu_arch", "the generic layer knows of no machine"),
    ("emu-check/src/check/", "sched::current", "the checker knows of no thread"),
    ("emu-arch/src/replay/", "sched::current", "the replaying host knows of no thread"),
    ("emu-check/src/explore/", "lazy_mmu", "the explorer knows of no model"),
    ("emu-check/src/prove/", "sched::", "a proof is about designs alone"),
    ("emu-check/src/prove/", "emu_arch", "a proof is about designs alone"),
    ("", "HashMap", "its order is random: use BTreeMap"),
    ("", "HashSet", "its order is random: use BTreeSet"),
    ("", "SystemTime", "results never depend on the clock"),
];

/// The longest file and the longest function, in lines.
const FILE_LINES_MAX: usize = 400;
const FN_LINES_MAX: usize = 60;

/// Files that may be longer, and why.
const LONG_FILES: &[(&str, &str)] = &[];

/// Functions that may be longer: file, name, reason.
const LONG_FNS: &[(&str, &str, &str)] = &[];

#[test]
fn forbidden_words() {
    let backend = |arch| (arch, "lazy_mmu::", "a backend reaches the task through Hw alone");
    let archs = archs().keys().map(|arch| backend(arch.as_str()));
    let forbidden: Vec<_> = FORBIDDEN.iter().copied().chain(archs).collect();
    let mut broken = Vec::new();
    for (name, text) in sources().iter().filter(|(name, _)| !name.starts_with("tests/it/tidy/")) {
        for (folder, word, why) in &forbidden {
            if !name.starts_with(folder) {
                continue;
            }
            let lines = text.lines().enumerate();
            for (number, line) in lines.filter(|(_, l)| !l.trim_start().starts_with("//")) {
                if line.contains(word) {
                    broken.push(format!("{name}:{}: {word}: {why}", number + 1));
                }
            }
        }
    }
    check_none(&broken);
}

/// The widest comment line, in columns; tables cannot be broken.
const COMMENT_MAX: usize = 100;

#[test]
fn comments_fit_the_page() {
    let mut broken = Vec::new();
    for (name, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            let width = line.chars().count();
            let is_table = line.contains("// |") || line.contains("//! |");
            if line.trim_start().starts_with("//") && !is_table && width > COMMENT_MAX {
                broken.push(format!("{name}:{}: a comment of {width} columns", number + 1));
            }
        }
    }
    check_none(&broken);
}

#[test]
fn every_file_says_what_it_is() {
    let headless = |(name, text): &(String, String)| {
        let first = text.lines().next().unwrap_or("");
        (!first.starts_with("//! ")).then(|| format!("{name}:1: expected `//! ` and a sentence"))
    };
    check_none(&sources().iter().filter_map(headless).collect::<Vec<_>>());
}

#[test]
fn files_are_short() {
    let mut broken = Vec::new();
    for (name, text) in sources() {
        let lines = text.lines().count();
        let excepted = LONG_FILES.iter().any(|(file, _)| *file == name);
        if lines > FILE_LINES_MAX && !excepted {
            broken.push(format!("{name}: {lines} lines, at most {FILE_LINES_MAX}"));
        }
        if lines <= FILE_LINES_MAX && excepted {
            broken.push(format!("{name}: no longer needs its exception"));
        }
    }
    check_none(&broken);
}

#[test]
fn functions_are_short() {
    let mut broken = Vec::new();
    for (name, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let Some(fn_name) = fn_name(line) else { continue };
            let indent = line.len() - line.trim_start().len();
            let end = format!("{}}}", " ".repeat(indent));
            // As rustfmt leaves it, a function ends at the first brace of its own indent.
            let length = lines[start..].iter().position(|line| **line == end).unwrap_or(0) + 1;
            let excepted = LONG_FNS.iter().any(|(file, f, _)| *file == name && *f == fn_name);
            if length > FN_LINES_MAX && !excepted {
                broken.push(format!("{name}:{}: {fn_name} has {length} lines", start + 1));
            }
        }
    }
    check_none(&broken);
}

/// The name of the function that begins on `line`, if one with a body over several lines does.
fn fn_name(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let at = code.find("fn ")?;
    let before = &code[..at];
    let qualifiers = ["pub", "pub(crate)", "pub(super)", "const", "unsafe", "async", ""];
    let plain = before.split(' ').all(|word| qualifiers.contains(&word));
    let name = code[at + 3..].split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (plain && !name.is_empty() && !code.ends_with(['}', ';'])).then_some(name)
}

#[test]
fn one_thread_local() {
    let ours = sources().iter().filter(|(name, _)| !is_test(name));
    let found: usize = ours.map(|(_, text)| text.matches("thread_local! {").count()).sum();
    assert_eq!(found, 1, "the current task has one door: lazy-mmu/src/sched/current.rs");
}

#[test]
fn mirrored_code_says_how() {
    // A hook or a primitive of a backend mirrors kernel code; its doc says how faithfully.
    let mut broken = Vec::new();
    for (name, text) in sources() {
        let mirrors = archs().keys().any(|arch| name.starts_with(arch.as_str()));
        let mirrors = mirrors || name == "lazy-mmu/src/design/counts.rs";
        if !mirrors || is_test(name) {
            continue;
        }
        if !text.contains("Fidelity: ") && text.contains("fn ") {
            broken.push(format!("{name}: no fidelity tag"));
        }
    }
    check_none(&broken);
}

#[test]
fn fidelity_tags_say_what_they_must() {
    let mut broken = Vec::new();
    for (name, text) in sources().iter().filter(|(name, _)| name != "tests/it/fidelity.rs") {
        for tag in fidelity::tags(text) {
            if tag.split().is_none() || !tag.names_a_version() {
                broken.push(format!(
                    "{name}:{}: {:?} names no kind or no version",
                    tag.line, tag.text
                ));
            }
        }
    }
    check_none(&broken);
}

#[test]
fn the_changelog_has_the_sections_of_keep_a_changelog() {
    let text = read(&root().join("CHANGELOG.md"));
    assert!(text.starts_with("# Changelog\n") && text.contains("\n## [Unreleased]\n"));
    let known = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
    for line in text.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(known.contains(&line), "unknown section {line:?}");
    }
}

#[test]
fn every_dependency_has_a_paragraph() {
    let manifest = read(&root().join("Cargo.toml"));
    let section = manifest.split("[workspace.dependencies]").nth(1).expect("the section");
    let section = section.split("\n[").next().expect("its text");
    let architecture = read(&root().join("ARCHITECTURE.md"));
    let names = section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let missing = names.filter(|name| {
        !name.starts_with('#')
            && !name.starts_with("lazy-")
            && !name.starts_with("emu-")
            && !architecture.contains(&format!("**{name}**"))
    });
    check_none(
        &missing
            .map(|name| format!("ARCHITECTURE.md: no paragraph **{name}**"))
            .collect::<Vec<_>>(),
    );
}
