//! What was exercised and what was found broken, by duty.

use std::collections::BTreeSet;

use lazy_mmu::trace::PteOp;

use super::duty::Duty;

/// A duty that is broken: what was found, and what was expected.
pub(super) type Breach = (Duty, String, String);

/// How often each duty was exercised, and which primitives ever deferred.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) exercised: [u64; Duty::ALL.len()],
    /// The primitives that were used while the mode was active.
    pub(super) active: BTreeSet<PteOp>,
    /// Those of them that deferred.
    pub(super) deferred: BTreeSet<PteOp>,
}

impl Tally {
    /// A duty is exercised, and holds or does not.
    pub(super) fn must(
        &mut self,
        duty: Duty,
        holds: bool,
        said: impl FnOnce() -> (String, String),
    ) -> Option<Breach> {
        self.exercised[duty as usize] += 1;
        (!holds).then(|| {
            let (found, expected) = said();
            (duty, found, expected)
        })
    }

    /// A primitive changed an entry, while the mode was active or not, and deferred or not.
    pub(super) fn updated(&mut self, op: PteOp, active: bool, defers: bool) {
        if active {
            self.active.insert(op);
            if defers {
                self.deferred.insert(op);
            }
        }
    }
}
