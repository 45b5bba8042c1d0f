//! The words of x86 Xen PV: the tracepoints `xen:*`, kprobes at the stores of the counters and on
//! the hooks.

mod born;
mod effects;
mod queue;
mod probes;
mod reduce;
mod seen;
mod switch;

use emu_arch::{Arch, Kernel};

use super::word::{Words, newest};
use crate::trace::Trace;

/// The words of Xen PV.
pub(super) const WORDS: Words = Words {
    arch: Arch::XEN_PV,
    tells: |event| {
        ["xen_mc_entry", "xen_mc_issue", "xen_mc_flush", "xen_mmu_set_pte"].contains(&event.name)
    },
    also: None,
    events: "xen_mc_entry",
    kernels,
    reduce: reduce::reduce,
    effect: effects::effect,
    recording: probes::recording,
    assumes: &[
        "each xen_mmu_set_pte has an address of its own: the trace has the hash of a pointer",
        "an entry that no xen_mc_entry or xen_mc_extend_args follows is written at once",
        "pages that change protection were mapped and used before",
    ],
};

/// Fidelity: stub: the text of `xen_mc_issue` in include/trace/events/xen.h v7.1 and v7.2 alone.
fn kernels(trace: &Trace<'_>) -> (Kernel, Kernel, &'static str) {
    let issue = trace.events.iter().find(|event| event.name == "xen_mc_issue");
    let counters = trace.events.iter().any(|event| crate::sites::kind(event.name).is_some());
    match issue {
        Some(issue) if issue.args.starts_with("flush:") => {
            (Kernel::V7_2, newest(), "xen_mc_issue says `flush:`, as from v7.2 on")
        }
        _ if counters => (
            Kernel::V7_0,
            Kernel::V7_1,
            "stores of counters, and xen_mc_issue has the text of up to v7.1",
        ),
        _ => (Kernel::V6_0, Kernel::V6_19, "no store of a counter is probed: up to v6.19"),
    }
}
