//! What is probed.

use super::symbols::Insn;

/// A kprobe on the entry of a function, or on an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// The name of its event.
    pub(crate) event: String,
    /// The function, with an offset where it is not the entry.
    pub(crate) at: String,
    /// What it reads.
    pub(crate) reads: String,
    /// It fires as the function returns.
    pub(crate) returns: bool,
}

impl Probe {
    /// A probe on the entry of `function`.
    pub(crate) fn entry(event: &str, function: &str, reads: &str) -> Self {
        let [event, at, reads] = [event, function, reads].map(str::to_owned);
        Self { event, at, reads, returns: false }
    }

    /// A probe on a store to a counter: the `n`-th of all, at an instruction.
    pub(crate) fn store(counter: &str, n: usize, insn: &Insn<'_>, reads: String) -> Self {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let function: String = insn.function.chars().map(plain).take(38).collect();
        let at = format!("{}+{}", insn.function, insn.offset);
        Self { event: format!("{counter}{n}_{function}"), at, reads, returns: false }
    }
}

/// What the commands of an architecture are made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    /// Probes on functions.
    pub(crate) functions: Vec<Probe>,
    /// Probes on stores to counters.
    pub(crate) stores: Vec<Probe>,
    /// Events of the kernel's own, as folders below `events`.
    pub(crate) events: &'static [&'static str],
    /// Lines of the list that the TCG plugin reads, in place of probes.
    pub(crate) watched: Vec<String>,
    /// What is still missing, and how to get it.
    pub(crate) missing: Option<&'static str>,
}
