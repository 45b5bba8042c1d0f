//! The rules of the project as tests. STYLE.md has them by name, under **rules-are-tests**.
//!
//! Every rule collects all that break it before it fails. An exception is an entry in a table with
//! its reason, and one that is no longer needed fails too.

mod archs;
mod closed;
mod imports;
mod layers;
mod module;
mod text;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::support::{files, read, relative};

/// Every source file of the repository: its name and its text.
fn sources() -> &'static [(String, String)] {
    static SOURCES: OnceLock<Vec<(String, String)>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        files("", ".rs").into_iter().map(|path| (relative(&path), read(&path))).collect()
    })
}

/// The text of a source file.
fn source(file: &str) -> Option<&'static str> {
    sources().iter().find(|(name, _)| name == file).map(|(_, text)| text.as_str())
}

/// Tells whether a file is one of tests or of benches.
fn is_test(file: &str) -> bool {
    file.starts_with("tests/") || file.ends_with("/tests.rs") || file.starts_with("benches/")
}

/// The architectures: the folder or file of each, and the types there that are a `Backend`.
fn archs() -> &'static BTreeMap<String, Vec<String>> {
    static ARCHS: OnceLock<BTreeMap<String, Vec<String>>> = OnceLock::new();
    ARCHS.get_or_init(|| {
        let mut archs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (file, text) in sources() {
            let Some(inside) = file.strip_prefix("emu-arch/src/") else { continue };
            let room = inside.split_inclusive('/').next().unwrap_or(inside);
            for name in text.lines().filter_map(|line| line.strip_prefix("impl Backend for ")) {
                let name = name.trim_end_matches(" {").to_owned();
                archs.entry(format!("emu-arch/src/{room}")).or_default().push(name);
            }
        }
        archs
    })
}

#[track_caller]
fn check_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}
