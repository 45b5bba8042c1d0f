//! What an emulated machine needs of the current task beyond the public API.
//!
//! For the crates of this workspace that run a machine. Nothing here is part of the stable API.

pub use crate::sched::context::{CONTEXT_CHANGES, change_context, change_preempt_count};
pub use crate::sched::machine::{point, set_cpu, set_points, swap_current, took_bracket, watched};
pub use crate::sched::recording::{
    next_seq, note_away, note_back, note_context, note_event, note_hazard, note_switch,
    pid_count_and_seq,
};
