//! A test of a backend against its contract, which a user runs on a backend of his own.
//!
//! ```
//! use emu_arch::{conformance, naive::Naive};
//!
//! let report = conformance::check::<Naive>();
//! assert!(report.holds(), "{report}");
//! ```
//!
//! A client that keeps the contract of the API makes every short sequence of calls, page table
//! primitives, accesses, interrupts and migrations, and many random longer ones, on the code of
//! each kernel that has the mode. Each sequence runs three times: on the backend, on the backend
//! without calls of the API, so that every update takes effect at once, and on
//! [`naive`](crate::naive). The [duties](Duty) say what must agree. The report shows for each duty
//! that is broken the shortest sequence found, as a scenario, with what was found and what was
//! expected.
//!
//! # What it sees
//!
//! Memory that differs from `naive`'s where nothing is pending; work that is deferred and never
//! done, done twice or at the wrong time; updates in a section that neither defer nor act; a TLB
//! entry that outlives its flush; a batch that is left behind on another CPU; an override of the
//! wrong method.
//!
//! # What it cannot see
//!
//! * Whether the effects are those that the hardware needs. A backend that needs a fence and never
//!   names one, in a section or outside, conforms: it is as good as `naive`.
//! * Whether an effect does what its name says. [`Hw::complete`](crate::Hw::complete) and
//!   [`Hw::tlb_invalidate`](crate::Hw::tlb_invalidate) are believed where an effect comes before.
//! * What arrives inside of a call: an interrupt between two steps of a hook, two tasks on one
//!   batch. `emu_check::check` searches these, and finds nothing that this test should have found
//!   first.
//! * Whether the code is the kernel's.

mod act;
mod declared;
mod duty;
mod judge;
mod point;
mod report;
mod search;
mod side;
mod tally;

use lazy_mmu::design::Design;

use crate::backend::Backend;
use crate::{Arch, Kernel};

pub use duty::Duty;
pub use report::{Report, Verdict};

/// Tests the backend `B`, as of every kernel in which it has the mode, under the kernel's design.
pub fn check<B: Backend>() -> Report {
    test::<B>(None)
}

/// Tests the backend `B` under `design`, whose calls and hooks may be its own, as of every kernel
/// from v7.0 on.
pub fn check_under<B: Backend>(design: Design) -> Report {
    test::<B>(Some(design))
}

fn test<B: Backend>(under: Option<Design>) -> Report {
    let arch = Arch::of::<B>();
    let mut report = Report {
        arch,
        kernels: Vec::new(),
        sequences: 0,
        exercised: [0; Duty::ALL.len()],
        found: Vec::new(),
    };
    let mut tested: Vec<(Option<&str>, bool, usize)> = Vec::new();
    for kernel in arch.kernels() {
        let design = under.unwrap_or_else(|| kernel.design());
        // What decides on the code and on what a client may do.
        let code = (arch.version(kernel), kernel >= Kernel::V7_0, design.hooks().len());
        if tested.contains(&code) || under.is_some() && kernel < Kernel::V7_0 {
            continue;
        }
        tested.push(code);
        report.kernels.push(kernel);
        let mut search = search::Search::new::<B>(kernel, design);
        search.run::<B>();
        search.whole();
        report.sequences += search.sequences;
        for (sum, n) in report.exercised.iter_mut().zip(search.tally.exercised) {
            *sum += n;
        }
        search.found.sort_by_key(|found| found.duty);
        report.found.append(&mut search.found);
    }
    report
}
