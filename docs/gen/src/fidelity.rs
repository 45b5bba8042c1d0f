//! docs/fidelity.md: what the sources say of how they mirror the kernel.
//!
//! The document is written by hand but for the parts between `<!-- computed: ... -->` and
//! `<!-- end -->`.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use emu_arch::{Arch, Kernel};

use crate::words::{code, table};

/// The folders whose tags the document lists.
const LISTED: [&str; 2] = ["lazy-mmu/src", "emu-arch/src"];

const BEGIN: &str = "<!-- computed: ";
const END: &str = "<!-- end -->";

/// One `Fidelity:` tag of a source file.
#[derive(Debug, PartialEq, Eq)]
pub struct Tag {
    /// The number of the line on which it begins.
    pub line: usize,
    /// The item that it speaks of; empty for the file as a whole.
    pub item: String,
    /// What stands behind `Fidelity:`, in one line.
    pub text: String,
}

impl Tag {
    /// `same as`, `changed:` or `stub:`, in a word, and the rest; none if it says nothing of these.
    #[must_use]
    pub fn split(&self) -> Option<(&'static str, &str)> {
        let kinds = [("same as ", "same"), ("changed: ", "changed"), ("stub: ", "stub")];
        let rest = |(word, kind)| self.text.strip_prefix(word).map(|rest| (kind, rest));
        kinds.into_iter().find_map(rest)
    }

    /// Whether the tag says of which version or commit of the kernel it speaks.
    #[must_use]
    pub fn names_a_version(&self) -> bool {
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
#[must_use]
pub fn tags(source: &str) -> Vec<Tag> {
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
fn computed(what: &str, listed: &[Source]) -> String {
    if what == "eras" { eras() } else { tables(what, listed) }
}

/// Which code each architecture has in each era.
fn eras() -> String {
    let header: Vec<_> = ["kernel"].into_iter().chain(Arch::all().map(Arch::id)).collect();
    let row = |kernel: Kernel| {
        let cells =
            Arch::all().map(|arch| arch.version(kernel).map_or_else(|| "-".to_owned(), code));
        [kernel.id().to_owned()].into_iter().chain(cells).collect()
    };
    let mut text = String::new();
    table(&mut text, &header, &Kernel::ALL.map(row));
    text
}

/// The tags of all files below `folder`, which may be a file.
fn tables(folder: &str, listed: &[Source]) -> String {
    let mut text = String::new();
    for (name, source) in listed.iter().filter(|(name, _)| name.starts_with(folder)) {
        let file = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
        let head = source.lines().next().unwrap_or("").trim_start_matches("//! ");
        let _ = writeln!(text, "[`{file}`](../{name}): {head}\n");
        let row = |tag: Tag| {
            let (kind, rest) = tag.split().unwrap_or(("?", &tag.text));
            let item = if tag.item.is_empty() { "all".to_owned() } else { code(&tag.item) };
            let rest = rest.trim_end_matches('.').replace("[`", "`").replace("`]", "`");
            vec![item, kind.to_owned(), rest]
        };
        let rows: Vec<_> = tags(source).into_iter().map(row).collect();
        table(&mut text, &["item", "how", "of the kernel"], &rows);
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

/// A source file: its path from the root of the project, and its text.
pub type Source = (String, String);

/// Every file that has tags and whose tags the document lists, by name.
///
/// # Errors
/// A file or a folder below `root` that cannot be read.
pub fn listed(root: &Path) -> io::Result<Vec<Source>> {
    let mut paths = Vec::new();
    for folder in LISTED {
        files(&root.join(folder), &mut paths)?;
    }
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let text = fs::read_to_string(&path)?;
        if !tags(&text).is_empty() {
            sources.push((name, text));
        }
    }
    Ok(sources)
}

/// Every Rust file below `folder`.
fn files(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// The document with all computed parts as they are to be: `kept` is the one that there is, `root`
/// the folder of the project.
///
/// # Errors
/// A source file that cannot be read.
///
/// # Panics
/// If a computed part of `kept` has no end.
pub fn renew(kept: &str, root: &Path) -> io::Result<String> {
    let listed = listed(root)?;
    let mut text = String::new();
    let mut rest = kept;
    while let Some((before, part)) = rest.split_once(BEGIN) {
        let (what, part) = part.split_once(" -->").expect("a marker ends");
        let (_, after) = part.split_once(END).expect("a computed part ends");
        let _ = write!(text, "{before}{BEGIN}{what} -->\n\n{}\n{END}", computed(what, &listed));
        rest = after;
    }
    Ok(text + rest)
}

/// What the computed parts of the document show: the folders of its tables.
pub fn parts(document: &str) -> impl Iterator<Item = &str> {
    document.split(BEGIN).skip(1).filter_map(|part| part.split_once(" -->")).map(|(what, _)| what)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
