//! A transition that panics, as a value that names design, state and call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::design::{Call, Context, Design, Effects, StateBits};
use crate::sched::current;

/// A transition that panicked: transitions must be total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitionPanic {
    /// The design.
    pub design: Design,
    /// The state in which the call was made.
    pub state: StateBits,
    /// The call.
    pub call: Call,
    /// The message of the panic.
    pub message: String,
}

impl std::fmt::Display for TransitionPanic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { design, state, call, message } = self;
        let (id, state) = (design.id(), design.show(*state));
        write!(f, "design {id} panics in {call}() from {state}: {message}")
    }
}

impl std::error::Error for TransitionPanic {}

impl Design {
    /// The transition of `call` from `state`, or its panic as a value. Nothing is printed.
    ///
    /// # Errors
    /// The transition panicked: it is not total.
    pub fn try_step(
        self,
        state: StateBits,
        cx: Context,
        call: Call,
    ) -> Result<Effects<StateBits>, TransitionPanic> {
        self.catch(state, call, || self.step(state, cx, call))
    }

    /// Runs `f`, which makes `call` from `state` under this design; its panic is a value, and
    /// nothing is printed.
    ///
    /// # Errors
    /// `f` panicked.
    pub fn catch<R>(
        self,
        state: StateBits,
        call: Call,
        f: impl FnOnce() -> R,
    ) -> Result<R, TransitionPanic> {
        let _quiet = Quiet::begin();
        catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
            let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
            let message = text.unwrap_or_else(|| "a panic without a message".to_owned());
            TransitionPanic { design: self, state, call, message }
        })
    }
}

/// While it lives, panics of this thread print nothing.
struct Quiet(bool);

impl Quiet {
    fn begin() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let print = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                if !current(|cur| cur.quiet.get()) {
                    print(info);
                }
            }));
        });
        Self(current(|cur| cur.quiet.replace(true)))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        current(|cur| cur.quiet.set(self.0));
    }
}
