//! KTAP, version 1: results as the kernel's test runners print and read them.
//!
//! ```
//! use emu_view::ktap::{Case, Outcome, document};
//! let failed = Case::new("stale-read", Outcome::Failed).say("line 8: raw_read(0x7f0000001000)");
//! let skipped = Case::new("duplicate-hpte", Outcome::Skipped("no hash table".to_owned()));
//! assert_eq!(
//!     document(&[failed, skipped]),
//!     "KTAP version 1\n1..2\n# line 8: raw_read(0x7f0000001000)\nnot ok 1 stale-read\n\
//!      ok 2 duplicate-hpte # SKIP no hash table\n"
//! );
//! ```
//!
//! The rules are those of Documentation/dev-tools/ktap.rst.

mod report;

use std::fmt::Write;

pub use report::{check, conform};

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It did not apply: why.
    Skipped(String),
    /// It gave up: why.
    GaveUp(String),
}

impl Outcome {
    /// Passed where `passed`.
    #[must_use]
    pub const fn of(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }

    const fn is_ok(&self) -> bool {
        matches!(self, Self::Passed | Self::Skipped(_))
    }
}

/// A test, or several as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    name: String,
    outcome: Outcome,
    /// What is worth knowing, in lines.
    said: Vec<String>,
    /// The tests in it.
    parts: Vec<Self>,
}

impl Case {
    /// A test called `name`.
    #[must_use]
    pub fn new(name: impl Into<String>, outcome: Outcome) -> Self {
        Self { name: name.into(), outcome, said: Vec::new(), parts: Vec::new() }
    }

    /// A test that passes where all of its parts do.
    #[must_use]
    pub fn of(name: impl Into<String>, parts: Vec<Self>) -> Self {
        let passed = parts.iter().all(|part| part.outcome.is_ok());
        Self { parts, ..Self::new(name, Outcome::of(passed)) }
    }

    /// Adds lines of diagnosis.
    #[must_use]
    pub fn say(mut self, text: impl AsRef<str>) -> Self {
        self.said.extend(text.as_ref().lines().map(|line| line.trim_end().to_owned()));
        self
    }

    /// Tells whether the test failed or gave up.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        !self.outcome.is_ok()
    }
}

/// A whole document.
#[must_use]
pub fn document(cases: &[Case]) -> String {
    let mut text = String::new();
    level(&mut text, cases, "", None);
    text
}

/// Writes the tests of one level, which is that of the test called `of` where there is one.
fn level(to: &mut String, cases: &[Case], indent: &str, of: Option<&str>) {
    let _ = writeln!(to, "{indent}KTAP version 1");
    if let Some(of) = of {
        let _ = writeln!(to, "{indent}# Subtest: {of}");
    }
    let _ = writeln!(to, "{indent}1..{}", cases.len());
    for (index, case) in cases.iter().enumerate() {
        let name = description(&case.name);
        if !case.parts.is_empty() {
            level(to, &case.parts, &format!("{indent}  "), Some(&name));
        }
        for line in &case.said {
            let _ = writeln!(to, "{}", format!("{indent}# {line}").trim_end());
        }
        let not = if case.outcome.is_ok() { "" } else { "not " };
        let directive = match &case.outcome {
            Outcome::Passed | Outcome::Failed => String::new(),
            Outcome::Skipped(why) => format!(" # SKIP {why}"),
            Outcome::GaveUp(why) => format!(" # TIMEOUT {why}"),
        };
        let _ = writeln!(to, "{indent}{not}ok {} {name}{directive}", index + 1);
    }
}

/// A name without what would end it.
fn description(name: &str) -> String {
    name.replace(['#', '\n'], "_")
}
