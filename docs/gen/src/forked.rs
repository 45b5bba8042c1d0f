//! The part of docs/findings.md on the fork under Xen PV v7.2 and v7.3: what was measured on a
//! booted kernel, what the lab computes, and what three fixes would do.

use std::fmt::Write;

use emu_arch::replay::Fix;
use emu_arch::x86_xen::MMU_UPDATE_CALL;
use emu_arch::{Arch, Kernel};
use emu_check::check::{Client, Options, Watch, check};
use emu_lab::render::markdown::Table;
use emu_mm::proc;
use emu_mm::workload::{self, Workload};

use crate::words::{breaks, code, states};

const KERNEL: Kernel = Kernel::V7_2;

/// Hypercalls of an mprotect of 100 pages on a booted 7.3.4, by generation of the process, which
/// its test program counted from itself; that was of generation 2.
const MEASURED: [(u32, u64); 10] = [
    (3, 100),
    (4, 100),
    (5, 100),
    (253, 100),
    (254, 100),
    (255, 100),
    (256, 4),
    (257, 100),
    (258, 100),
    (259, 100),
];

/// 100 pages in one table.
const MAPS: &[u8] = b"200000000000-200000064000 rw-p 00000000 00:00 0\n";

const STORY: &str = "
## The fork under Xen PV in v7.2 and v7.3

`xen_start_context_switch()` pauses the outgoing task, and `xen_end_context_switch()` resumes the incoming
one. A forked task is a copy of its parent, which runs and is not paused. Its first switch resumes it all
the same: `pause_count` goes from 0 to 255, and every section of the task is ignored. Its own children go
from 255 to 254, and so on, so that the count is 0 again in generation 256, counted from the first task
of the kernel. Nothing is damaged: each update is a hypercall of its own. Only a kernel with
`CONFIG_DEBUG_VM` warns. `scenarios/bugs/xen-fork-resumes-unpaused.scn` is the shortest way there.

The number of `HYPERVISOR_mmu_update` that an mprotect of 100 pages makes, measured on a booted 7.3.4
with a chain of forks, and computed by `lazymmu workload mprotect --arch xen-pv --kernel v7.2 --generation N`:

";

const FIXES: &str = "
Three fixes, each put into the code of v7.2 and searched with tasks that fork, sleep and exit:

";

const VERDICT: &str = "
To clear the state in the fork changes nothing, since the parent's is clear already where it matters. To
pause the child once at its birth restores every property; it belongs to the architecture, since no
other one resumes, and it must leave out the idle tasks of the other CPUs, whose first run is no switch
(`fork_idle()`; idle tasks are no part of the search). To have the switch remember by a
flag of the task whom it has paused, as it did up to v6.19, restores every property too and asks nothing of the fork:
the parent runs, so that its flag is clear. hooks-alternate breaks in v7.2 without a fork, too, and does no harm.
";

/// Appends the part.
pub(crate) fn write(text: &mut String, watch: &mut dyn Watch) {
    *text += STORY;
    let mut table = Table::new(["generation", "measured", "computed"]).numbers(0);
    for (generation, measured) in MEASURED {
        let row = [u64::from(generation), measured, hypercalls(generation)];
        table.row(row.map(|n| n.to_string()));
    }
    let _ = write!(text, "{table}{FIXES}");
    let mut table = Table::new(["fix", "command", "states", "what breaks (moves)"]).numbers(2);
    for fix in [None].into_iter().chain(Fix::ALL.into_iter().map(Some)) {
        let what = fix.map_or("none", Fix::about);
        watch.begins(what);
        for cpus in [1, 2] {
            let options = Options { fix, cpus, ..Options::of(Client::Tasks, Arch::XEN_PV, KERNEL) };
            let report = check(&options, watch);
            table.row([what, &code(&options.command()), &states(&report), &breaks(&report)]);
        }
    }
    let _ = write!(text, "{table}{VERDICT}");
}

/// How many `HYPERVISOR_mmu_update` the mprotect makes.
fn hypercalls(generation: u32) -> u64 {
    let (design, kernel) = (KERNEL.design(), KERNEL);
    let options = workload::Options { kernel, design, generation, ..Default::default() };
    let mappings = proc::parse(MAPS).unwrap_or_default();
    let report =
        workload::run(Workload::Mprotect, Arch::XEN_PV, &mappings, &options, &mut |_, _| {});
    report.map_or(0, |report| report.total.lazy.of(MMU_UPDATE_CALL))
}
