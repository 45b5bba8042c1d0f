//! The error of looking something up by its id.

use std::fmt::{self, Display, Formatter};

/// Nothing of a kind has this id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownId {
    kind: &'static str,
    id: String,
}

impl UnknownId {
    /// Nothing that is a `kind` is called `id`.
    #[must_use]
    pub fn new(kind: &'static str, id: &str) -> Self {
        Self { kind, id: id.to_owned() }
    }
}

impl Display for UnknownId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "no {} {:?}", self.kind, self.id)
    }
}

impl std::error::Error for UnknownId {}
