//! What each architecture says of its traces.

use emu_arch::{Arch, ArchEffect, Kernel};
use emu_input::InputError;

use crate::moves::{Effect, Reduced};
use crate::probes::{Recording, Symbols};
use crate::trace::{Event, Operation, Trace};

/// The words of one architecture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    /// The architecture.
    pub(crate) arch: Arch,
    /// Whether only its traces have such an event.
    pub(crate) tells: fn(&Event<'_>) -> bool,
    /// Another architecture whose traces may have no other events than these.
    pub(crate) also: Option<Arch>,
    /// Some of these events, for a person.
    pub(crate) events: &'static str,
    /// The oldest and the newest kernel that can have written the trace, and why.
    pub(crate) kernels: fn(&Trace<'_>) -> (Kernel, Kernel, &'static str),
    /// The moves of an operation of the trace.
    pub(crate) reduce: fn(&Trace<'_>, &Operation<'_, '_>) -> Result<Reduced, InputError>,
    /// The effects that are compared, as traces name them.
    pub(crate) effect: fn(&ArchEffect) -> Option<Effect>,
    /// What to record, of a kernel whose binary is known so far.
    pub(crate) recording: fn(Kernel, &Symbols<'_>) -> Recording,
    /// What the reader decides where a trace does not say it.
    pub(crate) assumes: &'static [&'static str],
}

/// The newest kernel that the project knows of.
pub(crate) fn newest() -> Kernel {
    let eras = Kernel::ALL.into_iter().filter(|kernel| kernel.id().starts_with('v'));
    eras.max().unwrap_or_default()
}

/// What is missing where the counters cannot be found.
pub(crate) const NO_OFFSET: &str =
    "without the offset of lazy_mmu_state and a disassembly the stores to the
counters cannot be probed: --symbols, see docs/truth.md";
