//! A review as a value: the two sides, and what came of them.

use std::path::PathBuf;

use emu_arch::Arch;
use emu_check::prove::{Answer, Verdict};

use super::files::FileChange;
use super::runs::{Counted, PropertyChange, ScenarioChange};
use crate::design::TreeDesign;
use crate::tree::Tree;

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
