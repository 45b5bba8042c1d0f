//! What a design that is made at run time consists of.
//!
//! A design of one's own is a type, [`LazyMmuDesign`](super::LazyMmuDesign). A program that reads a
//! design, from the C of a kernel tree for one, has no type for it: it implements [`Transitions`]
//! on what it has read, and [`Design::made`](super::Design::made) makes the value that goes
//! wherever a design does.

use super::contract::StateBits;
use super::{Call, CallInfo, Context, Effects, Fields, HookInfo};

/// The transitions of a design over packed states, of which the first is 0.
///
/// They must be pure and total, as those of [`LazyMmuDesign`](super::LazyMmuDesign).
pub trait Transitions: Send + Sync {
    /// The transition of `call`, one of the design's, from `state`.
    fn step(&self, state: StateBits, cx: Context, call: Call) -> Effects<StateBits>;
    /// What arch code is told when it asks whether to batch: in task context, and in interrupt.
    fn is_active(&self, state: StateBits) -> [bool; 2];
    /// The fields of `state`, in the order of the kernel's structure.
    fn fields(&self, state: StateBits) -> Fields;
}

/// What a design that is made at run time says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// The id that the command line and records use.
    pub id: &'static str,
    /// One line on what the design is and where it comes from.
    pub about: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// The calls: the four of the kernel, in its order, then those of the design itself.
    pub calls: &'static [CallInfo],
    /// The hooks: the three of the kernel, then those of the design itself.
    pub hooks: &'static [HookInfo],
}
