//! What is done about a warning: it is recorded, the architecture hears of it, and the policy
//! decides.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::current::{Current, OnWarn, current};
use crate::design::{Check, Warn};
use crate::trace::Event;

/// Reports what a sanity check outside of the generic layer found, by the caller's policy. A BUG is
/// the architecture's own, which knows of it.
pub fn warn(found: Warn) {
    current(|cur| report(cur, &found, found.check != Check::BugOn));
}

/// Reports what a sanity check found, by the caller's policy.
#[cold]
pub(crate) fn warn_current(cur: &Current, found: &Warn) {
    report(cur, found, true);
}

/// Reports what a sanity check found; the architecture hears of it where `tell`.
fn report(cur: &Current, found: &Warn, tell: bool) {
    /// The checks that have printed: each condition prints once.
    static PRINTED: Mutex<BTreeSet<Warn>> = Mutex::new(BTreeSet::new());

    cur.note(Event::from(found));
    if let Some(arch) = cur.arch().filter(|_| tell) {
        arch.warned(found);
    }
    match cur.on_warn() {
        OnWarn::Panic if !std::thread::panicking() => panic!("WARNING: {found}"),
        OnWarn::PrintOnce if !cur.recording.get() => {
            if PRINTED.lock().unwrap_or_else(PoisonError::into_inner).insert(*found) {
                print(found);
            }
        }
        OnWarn::Record | OnWarn::PrintOnce | OnWarn::Panic => {}
    }
}

#[expect(clippy::print_stderr, reason = "the policy that the caller chose")]
fn print(found: &Warn) {
    eprintln!("WARNING: {found}");
}
