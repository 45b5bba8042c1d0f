//! Explicit-state search: every state that a model reaches, and the shortest path to each
//! violation.
//!
//! A [`Model`] has states, moves between them, and properties that a move may violate. [`explore`]
//! visits every reachable state once, breadth first and in a fixed order, so that two searches of
//! one model give the same result. States are compared exactly, not by a fingerprint; a search that
//! ends by itself is a proof. Of the shortest paths to a violation it keeps one of the lowest cost,
//! as the model counts it: switches and interrupts, say, which make a path harder to read.
//!
//! A bracket that must not be closed twice: from outside it can be opened and closed, and the
//! second is a violation; from inside it can be closed. A third state is dead, as after a `BUG()`.
//!
//! ```
//! use emu_check::explore::{End, Limits, Model, Next, Transition, Violation, explore, nobody};
//!
//! #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
//! enum Bracket { Outside, Inside, Dead }
//!
//! struct Brackets;
//!
//! impl Model for Brackets {
//!     type State = Bracket;
//!     type Move = &'static str;
//!     type Verdict = bool;
//!     type Property = &'static str;
//!
//!     fn init(&self) -> Bracket {
//!         Bracket::Outside
//!     }
//!     fn expand(&mut self, state: &Bracket, _: u32, see: &mut impl FnMut(Transition<Self>)) {
//!         match state {
//!             Bracket::Outside => {
//!                 see(Transition::to("open", Bracket::Inside));
//!                 see(Transition { verdict: true, ..Transition::to("close", Bracket::Dead) });
//!             }
//!             Bracket::Inside => see(Transition::to("close", Bracket::Outside)),
//!             Bracket::Dead => {}
//!         }
//!     }
//!     fn violations(&self, closed: bool) -> impl Iterator<Item = Violation<Self>> {
//!         closed.then(|| Violation::of("closes what is open")).into_iter()
//!     }
//!     fn ends_search(&self, _: &'static str) -> bool {
//!         false
//!     }
//! }
//!
//! let explored = explore(&mut Brackets, Limits::NONE, &mut nobody());
//! assert_eq!(explored.end, End::Complete);
//! assert_eq!((explored.store.len(), explored.transitions), (3, 3));
//! assert_eq!(explored.paths["closes what is open"].moves, ["close"]);
//! ```

mod search;
mod state_store;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

pub use search::explore;
pub use state_store::StateStore;

/// A state space with properties.
pub trait Model {
    /// A state, as the store keeps it; equal states are one state.
    type State: Copy + Eq + Hash;
    /// What leads from one state to the next.
    type Move: Copy;
    /// What a transition says of the properties; the default is that it violates none.
    type Verdict: Copy + Default + PartialEq;
    /// What a transition may violate.
    type Property: Copy + Ord;

    /// The state that every path begins in.
    fn init(&self) -> Self::State;

    /// Calls `see` with each transition from `state`, in a fixed order. The shortest path to
    /// `state` has `depth` moves.
    fn expand(&mut self, state: &Self::State, depth: u32, see: &mut impl FnMut(Transition<Self>));

    /// What `verdict` violates.
    fn violations(&self, verdict: Self::Verdict) -> impl Iterator<Item = Violation<Self>>;

    /// Whether a violation of `property` ends the search, once all paths of its length were seen.
    fn ends_search(&self, property: Self::Property) -> bool {
        let _ = property;
        true
    }

    /// The memory that the model itself holds, roughly, in bytes.
    fn bytes(&self) -> usize {
        0
    }
}

/// A move from a state, and what follows.
#[derive(Debug)]
pub struct Transition<M: Model + ?Sized> {
    /// The move.
    pub mv: M::Move,
    /// What follows it.
    pub next: Next<M::State>,
    /// What it says of the properties.
    pub verdict: M::Verdict,
    /// What it adds to the cost of a path; costs add up to 65535 at most.
    pub cost: u16,
    /// What happened, a bit each: the search collects the bits of all transitions.
    pub marks: u32,
}

impl<M: Model + ?Sized> Transition<M> {
    /// A move to `state` that violates nothing and costs nothing.
    pub fn to(mv: M::Move, state: M::State) -> Self {
        Self { mv, next: Next::State(state), verdict: M::Verdict::default(), cost: 0, marks: 0 }
    }
}

/// What follows a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<S> {
    /// A state.
    State(S),
    /// Nothing: the path ends here.
    Nothing,
    /// A state that the model does not have since there are too many: the search is no proof.
    OutOfBounds,
}

/// A property that a transition violates.
#[derive(Debug)]
pub struct Violation<M: Model + ?Sized> {
    /// The property.
    pub property: M::Property,
    /// The move that violates it, where it is not the transition's own but one right after it.
    pub then: Option<M::Move>,
}

impl<M: Model + ?Sized> Violation<M> {
    /// The transition itself violates `property`.
    pub fn of(property: M::Property) -> Self {
        Self { property, then: None }
    }
}

/// A path through a model, from its first state to a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path<S, V> {
    /// The states on the path; the moves lead from each to the next.
    pub states: Vec<S>,
    /// The moves, the last of which violates the property.
    pub moves: Vec<V>,
    /// The cost of all moves.
    pub cost: u16,
}

/// What a search found.
#[derive(Debug)]
pub struct Explored<M: Model> {
    /// Why it ended.
    pub end: End,
    /// The states.
    pub store: StateStore<M::State>,
    /// The number of transitions seen.
    pub transitions: u64,
    /// Every path of at most so many moves was seen, and with [`End::Complete`] there are no states
    /// farther away. With [`End::First`] those of one move more were seen.
    pub depth: u32,
    /// The bits of all transitions.
    pub marks: u32,
    /// A shortest path to a violation of each property that is violated.
    pub paths: BTreeMap<M::Property, Path<M::State, M::Move>>,
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// There is no state left to visit: what was found is all there is.
    Complete,
    /// A property is violated, and the search was for the first one only.
    First,
    /// There were too many states.
    States,
    /// There was too little memory.
    Memory,
    /// The watcher ended it.
    Interrupted,
}

/// Where a search gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most states.
    pub states: usize,
    /// The most memory, in bytes.
    pub memory: usize,
    /// Complete a layer of states first, so that the number of states it gave up at depends on the
    /// model alone.
    pub whole_layers: bool,
}

impl Limits {
    /// The search never gives up.
    pub const NONE: Self = Self { states: usize::MAX, memory: usize::MAX, whole_layers: true };
}

/// Observes a search and may end it.
pub trait Watch {
    /// Called now and then with the number of states and the depth; false ends the search.
    fn go_on(&mut self, states: usize, depth: u32) -> bool;

    /// Of several searches, that of `what` begins.
    fn begins(&mut self, what: &str) {
        let _ = what;
    }
}

/// Observes a search and never ends it.
#[must_use]
pub fn nobody() -> impl Watch {
    struct Nobody;
    impl Watch for Nobody {
        fn go_on(&mut self, _: usize, _: u32) -> bool {
            true
        }
    }
    Nobody
}

/// A state of `W` words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Words<const W: usize>(pub [u32; W]);

impl<const W: usize> Default for Words<W> {
    fn default() -> Self {
        Self([0; W])
    }
}

impl<const W: usize> Hash for Words<W> {
    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        for pair in self.0.chunks(2) {
            let high = pair.get(1).map_or(0, |word| u64::from(*word) << 32);
            hasher.write_u64(u64::from(pair[0]) | high);
        }
    }
}
