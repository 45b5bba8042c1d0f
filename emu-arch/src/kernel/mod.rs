//! The kernel around the backends, written once: page table primitives, locks, fork, exit, sleep,
//! context switches, and what hazard tracking is shown of them.
//!
//! All code here is generic over a [`Host`]. Two hosts exist: the machine of a thread
//! ([`crate::machine`]), which executes for real, and the machine as a value ([`crate::replay`]),
//! on which a step can be left at any of its points. Whatever is added here is in both.
//!
//! Key types: [`Host`], [`Step`] (one thing that a task does), [`PteArgs`].

mod calls;
mod context;
mod fault;
mod fix;
mod hint;
mod host;
mod locks;
mod point;
pub mod ptes;
mod step;
mod switch;
mod task;
mod text;

pub use calls::{hook, returned};
pub use context::ContextOp;
pub use fault::Fault;
pub use fix::Fix;
pub(crate) use hint::hinted_range;
pub use host::Host;
pub use locks::{Lock, LockOp};
pub(crate) use locks::{lock, unlock};
pub use point::point_name;
pub use step::{Prot, PteArgs, Step, execute, execute_pte};
pub use switch::{Cpus, context_switch};
pub use task::{TaskOp, fork, idle, is_idle, switch_in, switch_out, switched_out};
