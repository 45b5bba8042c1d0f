//! What a change of a tree does: the files and definitions that differ, and what follows from the
//! generic layer's C for scenarios, for all call sequences, for the properties and for workloads.
//!
//! The backends are those of the lab: what differs in the C of an architecture is listed, not run.

mod files;
mod json;
mod patch;
mod runs;
mod text;

use std::path::PathBuf;

use emu_arch::Arch;
use emu_check::explore::Watch;
use emu_check::prove::{self, Answer, Compare, Question, Verdict};

use crate::design::{TreeDesign, failure, of_tree};
use crate::error::Error;
use crate::tree::Tree;
pub use files::{Change, Changed, FileChange};
pub use json::json;
pub use patch::{Patched, apply};
pub use runs::{Counted, PropertyChange, ScenarioChange};
pub use text::{markdown, text};

/// The two sides of a review.
#[derive(Clone, Debug)]
pub struct Sides {
    /// The tree as it was.
    pub old: Tree,
    /// The tree as it would be.
    pub new: Tree,
    /// What the user calls the change: a folder or a patch.
    pub change: String,
    /// Files that a patch touches beside those that are looked at.
    pub elsewhere: Vec<PathBuf>,
}

/// What a change does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Review {
    /// The tree as it was.
    pub old: String,
    /// What the user calls the change.
    pub change: String,
    /// The designs of both sides.
    pub designs: [TreeDesign; 2],
    /// The architectures that were run.
    pub archs: Vec<Arch>,
    /// The files that differ, among those that are looked at.
    pub files: Vec<FileChange>,
    /// Files that a patch touches beside them.
    pub elsewhere: Vec<PathBuf>,
    /// Whether any call sequence distinguishes the designs.
    pub proof: Answer,
    /// The scenarios in which something differs, and how many were run.
    pub scenarios: (Vec<ScenarioChange>, usize),
    /// The properties that break now, or no longer, and how many were looked at.
    pub properties: (Vec<PropertyChange>, usize),
    /// What workloads count differently, and how many numbers were compared.
    pub counts: (Vec<Counted>, usize),
}

impl Review {
    /// Whether anything that the emulated kernel does differs.
    #[must_use]
    pub fn changes_something(&self) -> bool {
        self.proof.verdict != Verdict::Equivalent
            || !self.scenarios.0.is_empty()
            || !self.properties.0.is_empty()
            || !self.counts.0.is_empty()
    }

    /// The definitions of architectures that differ: they are not run.
    pub fn not_run(&self) -> impl Iterator<Item = &FileChange> {
        self.files.iter().filter(|file| !file.is_run && !file.definitions.is_empty())
    }
}

/// Reviews the change from `sides.old` to `sides.new` on the architectures of `archs`.
///
/// # Errors
/// A tree has no design that can be run, or its code goes wrong.
pub fn review(sides: &Sides, archs: &[Arch], watch: &mut dyn Watch) -> Result<Review, Error> {
    let files = files::changes(&sides.old, &sides.new)?;
    let designs = [of_tree(&sides.old, "old")?, of_tree(&sides.new, "new")?];
    let [old, new] = designs.map(TreeDesign::design);
    watch.begins("all call sequences");
    let question = Question { compare: Compare::Effects, irq: true, ..Question::new(old, new) };
    let proof = prove::prove_with(&question, watch);
    let scenarios = runs::scenarios([old, new], archs)?;
    let properties = runs::properties([old, new], archs, watch);
    let counts = runs::workloads([old, new], archs)?;
    if let Some(failed) = failure() {
        return Err(failed.clone());
    }
    Ok(Review {
        old: sides.old.name(),
        change: sides.change.clone(),
        designs,
        archs: archs.to_vec(),
        files,
        elsewhere: sides.elsewhere.clone(),
        proof,
        scenarios,
        properties,
        counts,
    })
}
