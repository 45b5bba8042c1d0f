//! What a log said, in numbers.

use std::collections::BTreeMap;

use super::snapshot::Checkpoint;
use crate::space::Differs;
use crate::strace::{Call, Returned};

/// How many calls that differ are kept; all are counted.
const DIFFERING_MAX: usize = 20;

/// A call that succeeded on a real kernel and would not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// The line of the log.
    pub line: usize,
    /// The call.
    pub call: &'static str,
    /// Why it would not.
    pub why: &'static str,
}

/// What became of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that succeeded.
    pub done: u64,
    /// Those that returned an error.
    pub failed: u64,
    /// Those that the log has no result of: `?`.
    pub unknown: u64,
}

/// What a log said.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The calls that matter, by name.
    pub calls: BTreeMap<&'static str, Tally>,
    /// Other calls, signals and messages.
    pub other: u64,
    /// Processes and threads.
    pub tasks: u64,
    /// Address spaces.
    pub mms: u64,
    /// Programs of which it is not known what `execve()` mapped.
    pub unknown_images: u64,
    /// Segments of shared memory whose size the log does not tell: one page each.
    pub unknown_segments: u64,
    /// Ranges of which only [`TOUCHED_MAX`](super::TOUCHED_MAX) pages count as touched.
    pub cut: u64,
    /// How many calls differ, and the first ones.
    pub differing: (u64, Vec<Differing>),
    /// What the snapshots say.
    pub checkpoints: Vec<Checkpoint>,
}

impl Told {
    pub(super) fn differs(&mut self, line: usize, call: &'static str, differs: Differs) {
        let (count, first) = &mut self.differing;
        *count += 1;
        if first.len() < DIFFERING_MAX {
            first.push(Differing { line, call, why: differs.why });
        }
    }

    pub(super) fn tally(&mut self, call: &Call, returned: Returned) {
        let tally = self.calls.entry(call.name()).or_default();
        match returned {
            Returned::Value(_) => tally.done += 1,
            Returned::Error => tally.failed += 1,
            Returned::Unknown => tally.unknown += 1,
        }
    }
}
