//! What a change of a tree does: the files and definitions that differ, and what follows from the
//! generic layer's C for scenarios, for all call sequences, for the properties and for workloads.
//!
//! The backends are those of the lab: what differs in the C of an architecture is listed, not run.

mod files;
mod json;
mod patch;
mod runs;
mod text;
mod value;

use emu_arch::Arch;
use emu_check::explore::Watch;
use emu_check::prove::{self, Compare, Question};

use crate::design::{TreeDesign, of_tree};
use crate::error::Error;
use crate::failure::failure;
pub use files::{Change, Changed, FileChange};
pub use json::json;
pub use patch::{Patched, apply};
pub use runs::{Counted, PropertyChange, ScenarioChange};
pub use text::{markdown, text};
pub use value::{Review, Sides};

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
