//! Processes and threads, who has which address space, and what their calls do to it.
//!
//! A call that changes mappings is done where the log says that it returned, with two exceptions: a
//! child exists from its own first line on, and an unmapping that has begun is done before another
//! thread maps something there.

mod lives;
mod mm;
mod snapshot;
mod steps;
mod task;
mod told;
mod touch;

pub use lives::Life;
pub use snapshot::{Checkpoint, Snapshots};
pub use told::{Differing, Tally, Told};
pub use touch::{Faults, TOUCHED_MAX, Touch};
