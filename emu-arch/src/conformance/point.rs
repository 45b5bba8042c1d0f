//! Where a sequence has come to: the three machines, the client, and the batch as it was seen.

use super::act::Client;
use super::side::State;
use crate::backend::{Facts, Slot};
use crate::hw::effect::Kind;
use crate::replay::{Request, slot_of};

/// The three machines, and the client on them.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) own: State,
    /// The backend, without calls of the API.
    pub(super) bare: State,
    pub(super) naive: State,
    pub(super) client: Client,
    /// What `pending()` of the backend says.
    pub(super) says: Option<(u32, &'static str)>,
    /// What `lazy_mode()` of the backend says.
    pub(super) mode: Option<bool>,
    pub(super) batch: Batch,
}

/// What the requests of arch code say of its batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    /// The entries of the pages that were deferred since the last completion.
    pub(super) slots: Vec<Slot>,
    /// Anything was, of pages or of entries above.
    pub(super) any: bool,
    /// An effect came since the first of them was.
    pub(super) effect: bool,
}

impl Batch {
    /// Goes on by `request`.
    pub(super) fn request(&mut self, request: &Request, facts: &Facts) {
        match request {
            Request::Defer(at, nr) => {
                self.slots.extend((0..*nr).map(|n| slot_of(at.add_pages(n))));
                self.any = true;
            }
            Request::DeferTable(..) => self.any = true,
            Request::Effect(effect) if effect.kind == Kind::Delayable => {
                self.effect |= self.any;
            }
            // A deferred store is an effect of its own.
            Request::Write(slot, _) if facts.defers_stores() => {
                self.effect |= self.slots.contains(slot);
            }
            Request::Complete => *self = Self::default(),
            Request::Write(..)
            | Request::Effect(_)
            | Request::Invalidate(..)
            | Request::Return(_) => {}
        }
    }
}
