//! The words of each architecture's traces: which events say what a task did, and which what the
//! kernel did then.

mod arm64;
mod powerpc;
mod word;
mod xen;

pub(crate) use word::Words;

/// The architectures whose traces can be read, one row each; the first whose events are found is
/// taken.
pub(crate) const ALL: [&Words; 4] = [&xen::WORDS, &arm64::WORDS, &powerpc::HASH, &powerpc::RADIX];
