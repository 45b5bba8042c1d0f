//! The error of reading a name.

use std::fmt::{self, Display, Formatter};

/// A name that stands for nothing of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    kind: &'static str,
    name: String,
}

impl UnknownName {
    /// `name` is not the name of a `kind`, such as `a call`.
    #[must_use]
    pub fn new(kind: &'static str, name: &str) -> Self {
        Self { kind, name: name.to_owned() }
    }
}

impl Display for UnknownName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {:?}", self.kind, self.name)
    }
}

impl std::error::Error for UnknownName {}
