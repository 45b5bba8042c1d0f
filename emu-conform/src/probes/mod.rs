//! The commands that record what [`conform`](crate::conform) reads, to paste on a test machine.

mod probe;
mod script;
mod symbols;

pub(crate) use probe::{Probe, Recording};
pub use script::script;
pub(crate) use symbols::Insn;
pub use symbols::Symbols;
