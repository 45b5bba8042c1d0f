//! Progress of a search on a terminal, and the key that ends it.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use emu_check::explore::Watch;
use indicatif::{HumanCount, ProgressBar};
use once_cell::sync::OnceCell;

use crate::report::Failure;

/// Set when the user has asked for the end.
static ENDED: OnceCell<Arc<AtomicBool>> = OnceCell::new();

/// Watches a search for its user.
pub(crate) struct Progress {
    bar: ProgressBar,
    what: String,
    begun: Instant,
    ended: Arc<AtomicBool>,
}

impl Progress {
    /// Begins to watch the search of `what`.
    pub(crate) fn new(what: &str) -> Result<Self, Failure> {
        let ended = ENDED.get_or_try_init(|| {
            let ended = Arc::new(AtomicBool::new(false));
            let set = Arc::clone(&ended);
            ctrlc::set_handler(move || set.store(true, Ordering::Relaxed))
                .map_err(|error| Failure::about("Ctrl-C", error))?;
            Ok::<_, Failure>(ended)
        })?;
        let terminal = io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.enable_steady_tick(Duration::from_millis(200));
        let (what, ended) = (what.to_owned(), Arc::clone(ended));
        Ok(Self { bar, what, begun: Instant::now(), ended })
    }

    /// The search is done; returns how long it took.
    pub(crate) fn done(self) -> Duration {
        self.bar.finish_and_clear();
        self.begun.elapsed()
    }

    /// Whether the user has asked for the end.
    pub(crate) fn was_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }
}

impl Watch for Progress {
    fn go_on(&mut self, states: usize, depth: u32) -> bool {
        let states = HumanCount(states as u64);
        self.bar.set_message(format!("{} {states} states, {depth} moves deep", self.what));
        // What follows a guest that went wrong is not looked at.
        !self.was_ended() && emu_tree::failure().is_none()
    }

    fn begins(&mut self, what: &str) {
        what.clone_into(&mut self.what);
    }
}
