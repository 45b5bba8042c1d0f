//! docs/findings.md: what the checker finds.

use std::fmt::Write;

use emu_arch::hazard::Hazard;
use emu_arch::{Arch, Kernel};
use emu_view::diagram::mermaid;
use emu_view::view::View;
use lazy_mmu::design::{Design, sketch};

use emu_check::check::{Accesses, Counterexample, Options, Property, Report, Watch, check};
use emu_lab::render::markdown::Table;

use crate::words::{breaks, code, states};
use crate::{forked, open_questions};

/// Where a search gives up: all but those of sparc64 in its worst times end by themselves.
const STATES_MAX: usize = 1_600_000;

/// A bug of the corpus, and a client that finds it.
struct Hunt {
    bug: &'static str,
    what: &'static str,
    arch: Arch,
    kernel: Kernel,
    /// What is searched beyond the usual.
    set: fn(&mut Options),
    property: Property,
}

/// Bugs that a client finds without their scenario.
const HUNTS: &[Hunt] = &[
    Hunt {
        bug: "v7.0 on Xen PV",
        what: "a preemption between the counter and the hook",
        arch: Arch::XEN_PV,
        kernel: Kernel::V7_0,
        set: |_| {},
        property: Property::No(Hazard::ArchBug),
    },
    Hunt {
        bug: "BC-02",
        what: "an entry is read while its update is queued; there in an interrupt, here by the task",
        arch: Arch::XEN_PV,
        kernel: Kernel::V6_0,
        set: |options| options.accesses = Accesses::Any,
        property: Property::No(Hazard::StaleRead),
    },
    Hunt {
        bug: "BC-05",
        what: "an interrupt enters the mode that the task is in",
        arch: Arch::XEN_PV,
        kernel: Kernel::V6_19,
        set: |options| (options.nesting, options.interrupt_calls) = (1, true),
        property: Property::No(Hazard::ArchBug),
    },
    Hunt {
        bug: "BC-07",
        what: "sections nest where that is a BUG; there since every set_ptes() was one",
        arch: Arch::XEN_PV,
        kernel: Kernel::V6_19,
        set: |options| options.interrupts = false,
        property: Property::No(Hazard::ArchBug),
    },
    Hunt {
        bug: "BC-09",
        what: "powerpc touches its batch with preemption on",
        arch: Arch::POWERPC_HASH,
        kernel: Kernel::V6_0,
        set: |_| {},
        property: Property::No(Hazard::BatchPreemptible),
    },
    Hunt {
        bug: "BC-10",
        what: "sparc64 leaves its batch behind at a switch",
        arch: Arch::SPARC64,
        kernel: Kernel::V6_14,
        set: |options| options.nesting = 1,
        property: Property::No(Hazard::ForeignBatch),
    },
    Hunt {
        bug: "BC-11",
        what: "a section sleeps where the mode turns preemption off",
        arch: Arch::POWERPC_HASH,
        kernel: Kernel::V6_19,
        set: |options| (options.accesses, options.nesting) = (Accesses::Any, 1),
        property: Property::No(Hazard::SleepInAtomic),
    },
    Hunt {
        bug: "BC-15",
        what: "an update made in an interrupt is put off; there on arm64",
        arch: Arch::SPARC64,
        kernel: Kernel::V6_19,
        set: |_| {},
        property: Property::No(Hazard::IrqDeferred),
    },
    Hunt {
        bug: "BC-16",
        what: "an inner section ends the batching of the outer one",
        arch: Arch::ARM64,
        kernel: Kernel::V6_16,
        set: |options| options.interrupts = false,
        property: Property::BatchesAfterNested,
    },
    Hunt {
        bug: "BC-17",
        what: "a nested disable that does not flush",
        arch: Arch::ARM64,
        kernel: Kernel::V7_0,
        set: |options| {
            options.interrupts = false;
            options.design = Design::of::<sketch::State>();
        },
        property: Property::SettledAtNestedDisable,
    },
    Hunt {
        bug: "BC-18",
        what: "code without a section of its own counts on its update inside one",
        arch: Arch::ARM64,
        kernel: Kernel::V7_0,
        set: |options| (options.accesses, options.nesting) = (Accesses::Any, 1),
        property: Property::No(Hazard::AccessPendingBarriers),
    },
];

/// The rest of the corpus, and why a client of the API does not find it.
const REST: &[[&str; 2]] = &[
    [
        "BC-01, BC-20 to BC-22",
        "They are about the lock of a page table, which no general client takes.",
    ],
    ["BC-03, BC-08, BC-12, BC-19, BC-27", "The corpus has no such numbers."],
    ["BC-04", "A cross-call to all CPUs is one step of the machine."],
    ["BC-06", "The workaround is in a caller that looks at the mode before it enters."],
    [
        "BC-13, BC-24",
        "They are about what a caller does with a pointer or a value that it has read.",
    ],
    ["BC-14, BC-28", "A compile error, and a matter of speed of the proposal for s390."],
    ["BC-23", "Flushes that reclaim owes are no part of the client."],
    ["BC-25", "A mutex in a softirq; handlers of the client take none."],
    ["BC-26", "No bug: it must not be reported, and is not."],
    ["BC-29", "A design of one's own; a test of the corpus has it."],
];

/// The document. `watch` receives progress; where it ends a search, the text is incomplete and must
/// be discarded.
pub fn markdown(watch: &mut dyn Watch) -> String {
    let mut text = HEAD.to_owned();
    let reports = reports(watch);
    text += "\n## What holds where\n\n";
    let header = ["architecture", "kernels", "states", "what breaks (moves)"];
    let mut table = Table::new(header).numbers(2);
    for (kernels, report) in &reports {
        let arch = report.options.arch.id();
        table.row([arch.to_owned(), kernels.clone(), states(report), breaks(report)]);
    }
    let _ = write!(text, "{table}");
    counterexamples(&mut text, &reports);
    hunts(&mut text, watch);
    forked::write(&mut text, watch);
    open_questions::write(&mut text, watch);
    text
}

const HEAD: &str = "\
# Findings

What the checker finds, computed by `lazymmu check --all --format markdown`; a test holds it true.

Two tasks on one CPU follow the contract of the API, with sections and pauses two deep. Hard interrupts
and preemption fall wherever a real machine lets them; softirqs, NMIs and interrupts in interrupts are
left out. Each task changes one page of its own, so that a batch has one update of each: limits of
batches and changes of address space are for the scenarios. Each search looks at every state, and is a proof for
call sequences of any length; on sparc64 up to v6.14, where states multiply, one deep. *Moves* are steps from point to point; an interrupt is one move.
";

/// A report for each code, with the kernels that have it.
fn reports(watch: &mut dyn Watch) -> Vec<(String, Report)> {
    let mut reports: Vec<(String, String, Report)> = Vec::new();
    for arch in Arch::all() {
        for kernel in arch.kernels() {
            let code = arch.version(kernel).unwrap_or_default();
            let code = format!("{} {code} {}", arch.id(), kernel.design().id());
            if let Some((_, kernels, _)) = reports.iter_mut().find(|(known, ..)| *known == code) {
                let _ = write!(kernels, ", {}", kernel.id());
                continue;
            }
            watch.begins(&format!("{} {}", arch.id(), kernel.id()));
            let options = Options { max_states: STATES_MAX, ..Options::new(arch, kernel) };
            let report = check(&options, watch);
            reports.push((code, kernel.id().to_owned(), report));
        }
    }
    reports.into_iter().map(|(_, kernels, report)| (kernels, report)).collect()
}

/// A shortest path for each property and condition, with all places where it breaks.
fn counterexamples(text: &mut String, reports: &[(String, Report)]) {
    *text += "\n## The shortest ways\n\nEach property that breaks somewhere, with the shortest way of all.\n";
    let mut all: Vec<(&Counterexample, &Report)> = Vec::new();
    for (_, report) in reports {
        all.extend(report.broken.iter().map(|found| (found, report)));
    }
    all.sort_by_key(|(found, _)| (found.property, found.detail, found.moves, found.cost));
    for same in all.chunk_by(|(a, _), (b, _)| (a.property, a.detail) == (b.property, b.detail)) {
        let Some((found, report)) = same.first() else { continue };
        let _ = writeln!(text, "\n### {}\n", found.property.id());
        let about = found.property.about();
        let detail = if found.detail.is_empty() { about } else { found.detail };
        let mut archs: Vec<&str> = Vec::new();
        for arch in same.iter().map(|(_, of)| of.options.arch.id()) {
            if !archs.contains(&arch) {
                archs.push(arch);
            }
        }
        let _ = writeln!(
            text,
            "{detail}. Breaks on {}; here {} {}:\n",
            archs.join(", "),
            report.options.arch.id(),
            report.options.kernel.id()
        );
        let _ = writeln!(text, "```text\n{}```\n", found.record);
        let view = View::of(&found.record, report.options.arch, &|_| None);
        let view = View { numbered: false, ..view };
        view.story(about).for_each(|said| *text += &format!("{said} "));
        *text = text.trim_end().to_owned();
        let _ = writeln!(text, "\n\n```mermaid\n{}```", mermaid(&view));
    }
}

fn hunts(text: &mut String, watch: &mut dyn Watch) {
    *text += "\n## Bugs found without their scenario\n\n";
    *text += "Each with the command that finds it, to which `--first --property` and the property belong.\n\n";
    let mut table = Table::new(["bug", "what", "command", "property", "moves"]).numbers(4);
    for hunt in HUNTS {
        watch.begins(hunt.bug);
        let mut options = Options { first: true, ..Options::new(hunt.arch, hunt.kernel) };
        options.properties = Some(vec![hunt.property]);
        (hunt.set)(&mut options);
        let report = check(&options, watch);
        let found = report.broken.first();
        let moves = found.map_or("not found".to_owned(), |found| found.moves.to_string());
        let (Hunt { bug, what, .. }, command) = (hunt, code(&options.command()));
        table.row([*bug, *what, &command, hunt.property.id(), &moves]);
    }
    let mut rest = Table::new(["bug", "why not"]);
    REST.iter().for_each(|row| rest.row(*row));
    let _ = write!(text, "{table}\nThose that it does not find:\n\n{rest}");
}
