//! The words of arm64: what the TCG plugin saw executed, as kprobes do not reach the functions that
//! the compiler left out of line.

mod effects;
mod probes;
mod reduce;

use emu_arch::{Arch, Kernel};

use super::word::{Words, newest};
use crate::trace::{Event, Trace};

/// The words of arm64.
pub(super) const WORDS: Words = Words {
    arch: Arch::ARM64,
    tells,
    also: None,
    events: "dsb(ishst) among the hits of the plugin (--hits)",
    kernels,
    reduce: reduce::reduce,
    effect: effects::effect,
    recording: probes::recording,
    assumes: &[
        "stores have no address: each has one of its own, of the kernel or of a user by the \
         function that began the section (a table)",
        "a kernel entry whose store sets no TIF_LAZY_MMU_PENDING where none is set is not valid",
        "the n-th __switch_to of a CPU among the hits is its n-th sched_switch",
    ],
};

fn tells(event: &Event<'_>) -> bool {
    let probe = event.name.strip_prefix("dsb").or_else(|| event.name.strip_prefix("isb"));
    let probe = probe.and_then(|rest| rest.split_once('_'));
    probe.is_some_and(|(n, _)| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
        || matches!(event.name, "dsb(ishst)" | "set_PENDING")
}

fn kernels(_: &Trace<'_>) -> (Kernel, Kernel, &'static str) {
    (Kernel::V7_0, newest(), "any kernel from v7.0 on")
}
