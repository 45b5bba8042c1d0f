//! The fidelity tags: what the sources say of how they mirror the kernel, and docs/fidelity.md.
//!
//! The document is written by hand but for the parts between `<!-- computed: ... -->` and
//! `<!-- end -->`, which `INSTA_UPDATE=always cargo test --test it fidelity` writes anew.

use std::fmt::Write;
use std::path::Path;

use emu_arch::{Arch, Kernel};

use crate::support::{files, read, relative, root};

/// The folders whose tags the document lists.
const LISTED: [&str; 2] = ["lazy-mmu/src", "emu-arch/src"];

const BEGIN: &str = "<!-- computed: ";
const END: &str = "<!-- end -->";

/// One `Fidelity:` tag of a source file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    /// The number of the line on which it begins.
    pub(crate) line: usize,
    /// The item that it speaks of; empty for the file as a whole.
    pub(crate) item: String,
    /// What stands behind `Fidelity:`, in one line.
    pub(crate) text: String,
}

impl Tag {
    /// `same as`, `changed:` or `stub:`, in a word, and the rest; none if it says nothing of these.
    pub(crate) fn split(&self) -> Option<(&'static str, &str)> {
        let kinds = [("same as ", "same"), ("changed: ", "changed"), ("stub: ", "stub")];
        let rest = |(word, kind)| self.text.strip_prefix(word).map(|rest| (kind, rest));
        kinds.into_iter().find_map(rest)
    }

    /// Whether the tag says of which version or commit of the kernel it speaks.
    pub(crate) fn names_a_version(&self) -> bool {
        let is_commit =
            |word: &str| word.len() >= 8 && word.chars().take(8).all(|c| c.is_ascii_hexdigit());
        let is_version = |word: &str| {
            word.strip_prefix('v').is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()))
        };
        let words = || self.text.split(|c: char| !c.is_alphanumeric());
        words().any(|word| is_commit(word) || is_version(word))
    }
}

/// Every tag of a source file, in order.
pub(crate) fn tags(source: &str) -> Vec<Tag> {
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let doc = |line: &&&str| line.starts_with("///") || line.starts_with("//!");
    let tag = |at: usize| {
        let (marker, first) = lines[at].split_once(" Fidelity: ")?;
        let more = lines[at + 1..].iter().take_while(doc).map(|line| line[3..].trim());
        let more = more.take_while(|line| !line.is_empty());
        let text = std::iter::once(first).chain(more).collect::<Vec<_>>().join(" ");
        let item = match marker {
            "///" => lines[at..].iter().find(|line| !doc(line) && !line.starts_with("#["))?,
            "//!" => "",
            _ => return None,
        };
        Some(Tag { line: at + 1, item: item_name(item), text })
    };
    (0..lines.len()).filter_map(tag).collect()
}

/// The name of the item that begins with `line`.
fn item_name(line: &str) -> String {
    let mut words =
        line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
    let before = ["pub", "crate", "super", "const", "fn", "struct", "enum", "type"];
    words.find(|word| !before.contains(word)).unwrap_or("").to_owned()
}

/// What stands between the marker `what` and the end.
fn computed(what: &str) -> String {
    if what == "eras" { eras() } else { tables(what) }
}

/// Which code each architecture has in each era.
fn eras() -> String {
    let mut text = String::from("| kernel |");
    let archs: String = Arch::all().map(|arch| format!(" {arch} |")).collect();
    let _ = writeln!(text, "{archs}\n|---|{}", "---|".repeat(Arch::all().count()));
    for kernel in Kernel::ALL {
        let _ = write!(text, "| {} |", kernel.id());
        for arch in Arch::all() {
            let code =
                arch.version(kernel).map_or_else(|| "-".to_owned(), |code| format!("`{code}`"));
            let _ = write!(text, " {code} |");
        }
        text.push('\n');
    }
    text
}

/// The tags of all files below `folder`, which may be a file.
fn tables(folder: &str) -> String {
    let mut text = String::new();
    for (name, source) in listed().iter().filter(|(name, _)| name.starts_with(folder)) {
        let file = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
        let head = source.lines().next().unwrap_or("").trim_start_matches("//! ");
        let _ = writeln!(text, "[`{file}`](../{name}): {head}\n\n| item | | of the kernel |");
        text.push_str("|---|---|---|\n");
        for tag in tags(source) {
            let (kind, rest) = tag.split().unwrap_or(("?", &tag.text));
            let item = &tag.item;
            let item = if item.is_empty() { "all".to_owned() } else { format!("`{item}`") };
            let rest = rest.trim_end_matches('.').replace("[`", "`").replace("`]", "`");
            let _ = writeln!(text, "| {item} | {kind} | {rest} |");
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

/// Every file that has tags and whose tags the document lists, with its text.
fn listed() -> Vec<(String, String)> {
    let paths = LISTED.iter().flat_map(|folder| files(folder, ".rs"));
    let named = paths.map(|path| (relative(&path), read(&path)));
    named.filter(|(_, text)| !tags(text).is_empty()).collect()
}

/// The document with all computed parts as they are to be, and what was computed.
fn renew(kept: &str) -> (String, Vec<&str>) {
    let (mut text, mut markers) = (String::new(), Vec::new());
    let mut rest = kept;
    while let Some(at) = rest.find(BEGIN) {
        let end_of_marker = at + rest[at..].find(" -->").expect("a marker ends");
        let what = &rest[at + BEGIN.len()..end_of_marker];
        let _ = write!(text, "{} -->\n\n{}\n{END}", &rest[..end_of_marker], computed(what));
        let end = rest.find(END).expect("a computed part ends");
        rest = &rest[end + END.len()..];
        markers.push(what);
    }
    (text + rest, markers)
}

#[test]
fn the_document_is_up_to_date() {
    let path = root().join("docs/fidelity.md");
    let kept = read(&path);
    let (renewed, _) = renew(&kept);
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &renewed).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        return;
    }
    let differs = kept.lines().zip(renewed.lines()).position(|(a, b)| a != b);
    assert!(
        kept == renewed,
        "docs/fidelity.md is out of date from line {} on: `INSTA_UPDATE=always cargo test --test it \
         fidelity` writes it",
        differs.unwrap_or(kept.lines().count().min(renewed.lines().count())) + 1
    );
}

#[test]
fn every_tag_is_in_one_table() {
    let kept = read(&root().join("docs/fidelity.md"));
    let (_, markers) = renew(&kept);
    for (name, _) in listed() {
        let tables = markers.iter().filter(|folder| name.starts_with(**folder)).count();
        assert_eq!(tables, 1, "tables of docs/fidelity.md with the tags of {name}");
    }
}

#[test]
fn a_tag_ends_where_its_paragraph_does() {
    let source = "//! A file.\n//!\n//! Fidelity: stub: a/b.c v7.0\n\n/// One.\n///\n\
                  /// Fidelity: same as `f()` of a/b.c v7.0 with\n    /// two lines.\n    ///\n\
                  /// More.\n#[inline]\npub(super) const fn f() {}\n";
    let tag = |line, item: &str, text: &str| Tag { line, item: item.into(), text: text.into() };
    let expected = [
        tag(3, "", "stub: a/b.c v7.0"),
        tag(7, "f", "same as `f()` of a/b.c v7.0 with two lines."),
    ];
    assert_eq!(tags(source), expected);
    assert!(tags(source).iter().all(Tag::names_a_version));
    assert!(!tag(1, "", "changed: the bits are ours").names_a_version());
}
