//! API designs as pure transition functions from a task's state and a call to effects.
//!
//! A design answers each call of the lazy MMU mode with an ordered, bounded list of [`Effect`]s. It
//! executes nothing: [`crate::call`] stores, calls the hooks and reports the warnings, in that
//! order. Order is observable: arch code asks inside a hook whether the mode is active, and a task
//! may be preempted between any two effects.
//!
//! A design has the four calls and the three hooks of the kernel, and may declare calls and hooks
//! of its own, each in one row: [`CallInfo`], [`HookInfo`].
//!
//! Key types: [`Call`], [`Hook`], [`Warn`], [`Effects`], the trait [`LazyMmuDesign`] that a design
//! implements on its state, and [`Design`], the same as a value chosen at run time.

pub mod direct;
pub mod token;
pub mod sketch;
pub mod count_enabled_rfc;
pub mod count_paused_rfc;
pub mod count_enabled;
pub mod nesting_active;
pub mod independent;
pub mod counts;
pub mod counts_task;
pub mod with_ptes;

mod any;
mod call;
mod check;
mod context;
mod contract;
mod effects;
mod hook;
mod id;
mod made;
mod names;
mod registry;
mod rows;
mod unknown;

pub use any::Design;
pub use call::{Call, CallInfo, Role, Takes};
pub use check::{Check, Warn};
pub use context::{Context, Token};
pub use contract::{Field, Fields, LazyMmuDesign, LazyMmuState, StateBits, Value};
pub use effects::{EFFECTS_MAX, Effect, Effects, hook_if, store, store_if, warn_if};
pub use hook::{Hook, HookInfo};
pub use made::{Description, Transitions};
pub use registry::{RegisterError, calls, hooks, register};
pub use unknown::UnknownName;
