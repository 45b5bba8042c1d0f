//! The questions that the discussion left open, each with the searches that answer it.

use std::fmt::Write;

use emu_arch::hazard::Hazard;
use emu_arch::{Arch, Kernel};
use lazy_mmu::design::Design;

use emu_arch::replay::Fault;
use emu_check::check::{Accesses, Language, Options, Property, Watch, check};
use emu_lab::render::markdown::Table;

use crate::words::{breaks, code, states};

/// A question, what there is to say, and the searches behind it.
struct Question {
    title: &'static str,
    answer: &'static str,
    runs: &'static [Run],
}

/// A search: architecture, kernel, and what is searched beyond the usual.
type Run = (Arch, Kernel, fn(&mut Options));

/// A search gives up where the answer is known by then.
const STATES_MAX: usize = 250_000;

const QUESTIONS: &[Question] = &[
    Question {
        title: "Are a count with `enabled` and a count with `paused` equivalent?",
        answer: "The hooks are, in every sequence. The active bit is in nested sections with pauses \
            inside, up to 255 deep, and is not where a pause stands outside: see docs/equivalence.md, \
            `lazymmu prove --design count-enabled-rfc --against count-paused-rfc`.",
        runs: &[],
    },
    Question {
        title: "The hook before the state, or the state before the hook?",
        answer: "On arm64, powerpc, sparc64 and s390 it does not matter: nobody looks in between. On \
            Xen PV it does in v7.0 and v7.1, where a switch goes by the state and finds a mode that the \
            state does not know of. Before, a switch goes by the architecture's own mode, and in v7.2 \
            by the state alone: there nothing breaks that does not break without the fault. \
            v3 of the series (`count-enabled`) enters before it stores: `lazymmu check --arch \
            xen-pv --kernel v7.1 --design count-enabled --language A --nesting 1 \
            --no-interrupts` finds a task that is switched out and in between the two, so that \
            the state says active and the mode is not entered.",
        runs: &[
            (Arch::POWERPC_HASH, Kernel::V7_1, hook_first),
            (Arch::SPARC64, Kernel::V7_1, hook_first),
            (Arch::ARM64, Kernel::V7_1, |options| {
                hook_first(options);
                options.interrupts = false;
            }),
            (Arch::XEN_PV, Kernel::V7_1, |options| {
                hook_first(options);
                options.interrupts = false;
            }),
            (Arch::XEN_PV, Kernel::V7_2, |options| {
                hook_first(options);
                options.interrupts = false;
            }),
        ],
    },
    Question {
        title: "Is a section in a pause ignored or counted?",
        answer: "It makes no difference as long as brackets nest, up to 255 deep, and does where they \
            cross: \
            `lazymmu prove --design independent --against counts --language crossing`.",
        runs: &[],
    },
    Question {
        title: "Wrap or saturate: what does misuse do?",
        answer: "A disable too many wraps the count to 255. The mode is then on without an enter, work \
            stays pending after what looks like the outermost disable, and on powerpc and sparc64 the \
            preempt count is no longer balanced. The check at 0 warns at the first of it. \
            From then on the sense is the opposite for good: an enable turns 255 to 0 and the \
            mode is off in the section, and the disable turns it back and the mode is on \
            outside, as `lazymmu run` of enable, disable, disable, enable, disable shows.",
        runs: &[(Arch::ARM64, Kernel::V7_1, misuse), (Arch::POWERPC_HASH, Kernel::V7_1, misuse)],
    },
    Question {
        title: "Is a pause needed?",
        answer: "Open. Whether a disable and an enable around the lock would do for KASAN is a question \
            about its callers. What a pause promises does hold: nothing is pending at one and nothing \
            is put off in it, on every architecture since v7.1 (see the table above).",
        runs: &[],
    },
    Question {
        title: "Does a disable that is ignored in a pause lose a flush?",
        answer: "No. The pause has flushed, and what is written in it takes effect at once; nothing is \
            pending after any disable of language C and D, on every architecture since v7.1.",
        runs: &[(Arch::POWERPC_HASH, Kernel::V7_1, |options| {
            options.properties = Some(vec![Property::SettledAtNestedDisable]);
        })],
    },
    Question {
        title: "Does v4 leave a window for interrupts?",
        answer: "With patch 12, which ignores calls in interrupt, no, in its own language: nested sections \
            with pauses inside. Without it, as after patch 7 alone, an interrupt between the two \
            stores of an enable finds a level and no `active`: it warns, and its disable flushes a mode \
            that was not entered. (The architectures' hooks are those of v7.1, and arch code still \
            asks for interrupts; on Xen PV an interrupt that enters is a BUG at any place.)",
        runs: &[
            (Arch::SPARC64, Kernel::V7_1, v4),
            (Arch::POWERPC_HASH, Kernel::V7_1, v4),
            (Arch::ARM64, Kernel::V7_1, patch_7),
            (Arch::XEN_PV, Kernel::V7_1, patch_7),
        ],
    },
    Question {
        title: "v7.2 on Xen PV: a preemption after the count reached 0 and before the flush?",
        answer: "It does no harm: with the count at 0 the switch calls no hook, and flushes the queue at its \
            end. Nor does it where the task goes on on another CPU. Only hooks-alternate breaks, since \
            a switch in an enable leaves before the enter is called.",
        runs: &[
            (Arch::XEN_PV, Kernel::V7_2, |options| {
                without_alternate(options);
            }),
            (Arch::XEN_PV, Kernel::V7_2, |options| {
                (options.cpus, options.interrupts) = (2, false);
                without_alternate(options);
            }),
        ],
    },
    Question {
        title: "Where is a direct x86 flush still needed?",
        answer: "Open: it is about callers, in __kernel_map_pages() and kmap_local, that are not part of \
            the client.",
        runs: &[],
    },
    Question {
        title: "Which reads see an old entry?",
        answer: "Under Xen PV any read of an entry whose update is queued, at once. On s390 the accessor \
            looks into the cache, and a raw read does not.",
        runs: &[(Arch::XEN_PV, Kernel::V7_1, stale), (Arch::S390, Kernel::S390V6, stale)],
    },
    Question {
        title: "Is a TLB flush inside the section right everywhere?",
        answer: "Not on s390, where it comes before the stores: scenarios/bugs/flush-in-section.scn. The \
            client has no flush of its own. \
            PAGEMAP_SCAN has one in the kernel: `pagemap_scan_pmd_entry()` calls \
            `flush_tlb_range()` before its disable (7.3), which is behind the updates under Xen \
            PV, and does nothing on powerpc with the hash MMU and on sparc64, where the disable \
            flushes.",
        runs: &[],
    },
    Question {
        title: "The range hint, nested, mixed with plain sections, paused, interrupted?",
        answer: "All properties hold for one range per task and two tasks, interrupts included. Two ranges \
            in one section, and two address spaces, are open.",
        runs: &[(Arch::S390, Kernel::S390V6, |_| {})],
    },
];

/// One deep, and all properties but the one that breaks in v7.2 anyway.
fn without_alternate(options: &mut Options) {
    options.nesting = 1;
    let others = Property::all().filter(|one| *one != Property::HooksAlternate);
    options.properties = Some(others.collect());
}

fn hook_first(options: &mut Options) {
    options.fault = Some(Fault::HookBeforeStore);
}

fn misuse(options: &mut Options) {
    (options.language, options.tasks, options.interrupts) = (Language::Any, 1, false);
}

fn v4(options: &mut Options) {
    options.language = Language::A;
    options.design = Design::by_id("nesting-active").unwrap_or(options.design);
}

fn patch_7(options: &mut Options) {
    v4(options);
    (options.nesting, options.fault) = (1, Some(Fault::CallsInInterrupt));
}

fn stale(options: &mut Options) {
    options.accesses = Accesses::Any;
    options.properties = Some(vec![Property::No(Hazard::StaleRead)]);
    options.first = true;
}

/// Writes the questions with their answers, which are searched for now.
pub(super) fn write(text: &mut String, watch: &mut dyn Watch) {
    *text += "\n## Open questions\n\nThose that the discussion left open.\n";
    for Question { title, answer, runs } in QUESTIONS {
        watch.begins(title);
        let _ = writeln!(text, "\n### {title}\n\n{answer}");
        let mut table = Table::new(["command", "states", "what breaks (moves)"]).numbers(1);
        for (arch, kernel, set) in *runs {
            let mut options = Options { max_states: STATES_MAX, ..Options::new(*arch, *kernel) };
            set(&mut options);
            let report = check(&options, watch);
            table.row([code(&options.command()), states(&report), breaks(&report)]);
        }
        if !runs.is_empty() {
            let _ = write!(text, "\n{table}");
        }
    }
}
