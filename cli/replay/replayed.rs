//! A log that was replayed: what is printed of it.

use emu_replay::life::Told;
use emu_replay::run::Report;

use super::args::ReplayArgs;

/// A whole log.
pub(super) struct Replayed<'r> {
    /// The name of the file.
    pub(super) name: &'r str,
    pub(super) args: &'r ReplayArgs,
    /// How many lines it has, and how many of them are bad.
    pub(super) lines: usize,
    pub(super) bad: u64,
    pub(super) told: &'r Told,
    /// Snapshots that no stop of the log asked for.
    pub(super) left: usize,
    pub(super) reports: Vec<Report>,
}
