//! The words of each architecture's traces: which events say what a task did, and which what the
//! kernel did then.

mod word;
mod xen;

pub use word::Words;

/// The architectures whose traces can be read, one row each.
pub(crate) const ALL: [&Words; 1] = [&xen::WORDS];
