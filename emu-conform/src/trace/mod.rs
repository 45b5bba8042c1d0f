//! A trace as text: its events with the lines they stand on, and its operations.

mod hits;
mod line;
mod operations;
mod value;
mod version;

pub use hits::{Hits, with_hits};
pub use line::parse;
pub(crate) use operations::is_mark;
pub use operations::{Operation, operations, outside};
pub(crate) use value::MISMATCH;
pub use value::{BUG_EVENT, Event, Said, Task, Trace};
