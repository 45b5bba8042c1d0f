//! Which files of two trees differ, among those that matter to the mode, and in which definitions.

use std::collections::{BTreeMap, BTreeSet};

use crate::cut::File;
use crate::design::{FILES, parts};
use crate::error::Error;
use crate::tree::Tree;

/// Files of architectures that batch, with what they are to the lab: listed, not run.
const ARCH_FILES: [&str; 17] = [
    "arch/arm64/include/asm/pgtable.h",
    "arch/arm64/mm/mmu.c",
    "arch/powerpc/include/asm/book3s/64/hash.h",
    "arch/powerpc/include/asm/book3s/64/pgtable.h",
    "arch/powerpc/include/asm/book3s/64/tlbflush-hash.h",
    "arch/powerpc/mm/book3s64/hash_tlb.c",
    "arch/s390/include/asm/pgtable.h",
    "arch/sparc/include/asm/pgtable_64.h",
    "arch/sparc/include/asm/tlbflush_64.h",
    "arch/sparc/mm/tlb.c",
    "arch/x86/include/asm/paravirt.h",
    "arch/x86/include/asm/pgtable.h",
    "arch/x86/xen/enlighten_pv.c",
    "arch/x86/xen/mmu_pv.c",
    "arch/x86/xen/multicalls.c",
    "arch/x86/xen/xen-ops.h",
    "mm/tests/lazy_mmu_mode_kunit.c",
];

/// A file in which two trees differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Its path in the tree.
    pub path: &'static str,
    /// Whether the review runs what is in it.
    pub is_run: bool,
    /// The definitions that differ, in a file that is run those that the design uses.
    pub definitions: Vec<Changed>,
    /// How many others differ.
    pub others: usize,
}

/// A definition in which two trees differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// Its line: in the new tree, or in the old one where it is gone.
    pub line: usize,
    /// What became of it.
    pub change: Change,
}

/// What became of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It has another text.
    Edited,
    /// It is gone.
    Removed,
}

impl Change {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Edited => "edited",
            Self::Removed => "removed",
        }
    }
}

/// Whether the review looks at a file.
pub(super) fn is_looked_at(path: &str) -> bool {
    FILES.contains(&path) || ARCH_FILES.contains(&path)
}

/// Every file that the review looks at.
pub(super) fn looked_at() -> impl Iterator<Item = &'static str> {
    FILES.into_iter().chain(ARCH_FILES)
}

/// The files in which `old` and `new` differ.
pub(super) fn changes(old: &Tree, new: &Tree) -> Result<Vec<FileChange>, Error> {
    let parts: BTreeSet<String> = parts(old)?.into_iter().chain(parts(new)?).collect();
    let mut changes = Vec::new();
    for path in looked_at() {
        let texts = [old.read(path)?, new.read(path)?];
        if texts[0] == texts[1] {
            continue;
        }
        let [old, new] = [File::open(old, path)?, File::open(new, path)?];
        let [old, new] =
            [old.as_ref(), new.as_ref()].map(|file| file.map(plain).unwrap_or_default());
        let mut definitions = Vec::new();
        for (key, (line, text)) in &new {
            let change = match old.get(key) {
                None => Change::Added,
                Some((_, before)) if before != text => Change::Edited,
                Some(_) => continue,
            };
            definitions.push(Changed { name: key.0.clone(), line: *line, change });
        }
        for (key, (line, _)) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
            definitions.push(Changed { name: key.0.clone(), line: *line, change: Change::Removed });
        }
        definitions.sort_by_key(|changed| changed.line);
        let is_run = FILES.contains(&path);
        let all = definitions.len();
        // A header of the generic layer has much that the mode has nothing to do with.
        definitions.retain(|changed| !is_run || parts.contains(&changed.name));
        let others = all - definitions.len();
        changes.push(FileChange { path, is_run, definitions, others });
    }
    Ok(changes)
}

/// The definitions of a file by name and number, each with its line and its text without comments
/// and layout.
fn plain(file: &File) -> BTreeMap<(String, usize), (usize, String)> {
    let mut found: BTreeMap<(String, usize), (usize, String)> = BTreeMap::new();
    for definition in &file.definitions {
        let Some(name) = definition.names.first() else { continue };
        let number = found.keys().filter(|(known, _)| known == name).count();
        let line = file.text[..definition.bytes.start].matches('\n').count() + 1;
        // Guards of the whole file are no condition of a definition: `#ifndef __ASSEMBLY__`.
        let conditions = definition.conditions.iter().filter(|line| !line.contains("def _"));
        let conditions: Vec<&str> = conditions.map(String::as_str).collect();
        let text = conditions.join("\n") + &file.text[definition.bytes.clone()];
        found.insert((name.clone(), number), (line, without_layout(&text)));
    }
    found
}

/// The text without comments, each run of blanks as one.
fn without_layout(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['/', '"']) {
        plain += &rest[..at];
        rest = &rest[at..];
        let end = if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else {
            let string = rest.starts_with('"').then(|| rest[1..].find('"')).flatten();
            let end = string.map_or(1, |end| end + 2);
            plain += &rest[..end];
            rest = &rest[end..];
            continue;
        };
        plain.push(' ');
        rest = &rest[end..];
    }
    plain += rest;
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::without_layout;

    #[test]
    fn comments_and_layout_are_no_difference() {
        let one = "int f(void)\n{\n\treturn 1 / 2; /* a \"half\" */ // or so\n}";
        assert_eq!(without_layout(one), "int f(void) { return 1 / 2; }");
        assert_eq!(without_layout("\"/* no comment */\"  x"), "\"/* no comment */\" x");
    }
}
