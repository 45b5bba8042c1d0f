//! Single mistakes in the kernel's code: the checker notices all that matter.

use std::collections::BTreeSet;

use emu_arch::replay::Fault;
use emu_arch::{Arch, Kernel};
use emu_check::check::{Language, Options, Property, check, nobody};

use crate::support::check_snapshot;

const WHERE: [(Arch, Kernel); 6] = [
    (Arch::ARM64, Kernel::V7_1),
    (Arch::POWERPC_HASH, Kernel::V7_1),
    (Arch::SPARC64, Kernel::V7_1),
    (Arch::XEN_PV, Kernel::V7_1),
    (Arch::XEN_PV, Kernel::V7_2),
    (Arch::S390, Kernel::S390V6),
];

/// Mistakes that are none: the fault, where, and why.
const EQUIVALENT: &[(Fault, &[Arch], &str)] = &[
    (
        Fault::HookBeforeStore,
        &[Arch::ARM64, Arch::POWERPC_HASH, Arch::SPARC64, Arch::S390],
        "the hooks ask nothing of the state, and no switch looks at it",
    ),
    (
        Fault::NeverActive,
        &[Arch::ARM64, Arch::POWERPC_HASH, Arch::SPARC64],
        "all updates are immediate: slow, and right",
    ),
    (Fault::NeverActive, &[Arch::XEN_PV, Arch::S390], "it asks its own state"),
    (Fault::AlwaysActive, &[Arch::XEN_PV, Arch::S390], "it asks its own state"),
    (Fault::ActiveInInterrupt, &[Arch::S390], "it asks its own state"),
    (Fault::NoPreemptDisableInEnter, &[Arch::ARM64], "it does not turn preemption off"),
    (
        Fault::NoPreemptDisableInLeave,
        &[Arch::ARM64, Arch::POWERPC_HASH, Arch::SPARC64, Arch::S390],
        "leave does not turn preemption off",
    ),
    (
        Fault::NoPreemptDisableInFlush,
        &[Arch::ARM64, Arch::POWERPC_HASH, Arch::SPARC64],
        "flush does not turn preemption off",
    ),
    (
        Fault::NoPreemptEnableInEnter,
        &[Arch::ARM64, Arch::POWERPC_HASH, Arch::SPARC64, Arch::S390],
        "enter does not turn preemption on",
    ),
    (Fault::NoPreemptEnableInLeave, &[Arch::ARM64], "it does not turn preemption off"),
    (
        Fault::NoPreemptEnableInFlush,
        &[Arch::ARM64, Arch::POWERPC_HASH, Arch::SPARC64],
        "flush does not turn preemption on",
    ),
    (
        Fault::NoSwitchOut,
        &[Arch::ARM64, Arch::POWERPC_HASH, Arch::SPARC64, Arch::S390],
        "a switch finds nothing to do; what arm64's dsb there publishes is not modelled",
    ),
    (
        Fault::NoSwitchIn,
        &[Arch::ARM64, Arch::POWERPC_HASH, Arch::SPARC64, Arch::S390],
        "a switch finds nothing that it has to do",
    ),
    (
        Fault::NoTaskPause,
        &[Arch::ARM64, Arch::POWERPC_HASH, Arch::SPARC64, Arch::XEN_PV, Arch::S390],
        "Xen alone does it, in v7.2",
    ),
    (
        Fault::NoTaskResume,
        &[Arch::ARM64, Arch::POWERPC_HASH, Arch::SPARC64, Arch::XEN_PV, Arch::S390],
        "Xen alone does it, in v7.2",
    ),
    (
        Fault::FlagNotSet,
        &[Arch::POWERPC_HASH, Arch::SPARC64, Arch::XEN_PV, Arch::S390],
        "it has no flag since v7.0",
    ),
    (Fault::FlagNotCleared, &[Arch::ARM64], "barriers too often: slow, and right"),
    (
        Fault::FlagNotCleared,
        &[Arch::POWERPC_HASH, Arch::SPARC64, Arch::XEN_PV, Arch::S390],
        "it has no flag since v7.0",
    ),
    (
        Fault::NoGetCpu,
        &[Arch::ARM64, Arch::POWERPC_HASH, Arch::SPARC64, Arch::XEN_PV, Arch::S390],
        "the mode or interrupts off keep the task on its CPU wherever a batch is touched",
    ),
    (
        Fault::NoInvalidate,
        &[Arch::ARM64, Arch::XEN_PV, Arch::S390],
        "the client of calls flushes nothing that an access would miss",
    ),
    (
        Fault::IrqsOn,
        &[Arch::ARM64, Arch::POWERPC_HASH, Arch::SPARC64, Arch::XEN_PV, Arch::S390],
        "nothing that the lab models depends on it; a slot that is half built is not",
    ),
];

/// Mistakes that are none on Xen PV in v7.2.
const EQUIVALENT_V7_2: &[(Fault, &str)] = &[
    (Fault::HookBeforeStore, "a switch goes by the state alone"),
    (Fault::NoEnter, "the enter hook is empty"),
    (Fault::EnterTwice, "the enter hook is empty"),
    (Fault::NoPreemptDisableInEnter, "the enter hook is empty"),
    (Fault::NoPreemptEnableInEnter, "the enter hook is empty"),
    (Fault::FlushForLeave, "the leave hook is a flush"),
    (Fault::LeaveForFlush, "the leave hook is a flush"),
    (Fault::LeaveTwice, "the leave hook is a flush, and finds nothing the second time"),
    (Fault::CallsInInterrupt, "handlers close what they open; a flush too many does no harm"),
    (Fault::NeverActive, "all updates are immediate: slow, and right"),
    (Fault::FlagNotSet, "it has no flag"),
    (Fault::FlagNotCleared, "it has no flag"),
    (Fault::NoGetCpu, "interrupts are off wherever the queue is touched"),
    (Fault::NoInvalidate, "the client of calls flushes nothing that an access would miss"),
    (Fault::IrqsOn, "what an interrupt finds in a slot that is half built is not modelled"),
];

#[test]
fn every_mistake_that_matters_is_noticed() {
    let mut text = String::new();
    let mut survivors = BTreeSet::new();
    for (arch, kernel) in WHERE {
        for fault in Fault::ALL {
            let interrupts = matches!(
                fault,
                Fault::CallsInInterrupt
                    | Fault::ActiveInInterrupt
                    | Fault::AlwaysActive
                    | Fault::IrqsOn
            );
            let options = Options {
                interrupts,
                fault: Some(fault),
                language: Language::A,
                first: true,
                interrupt_steps: 2,
                ..Options::new(arch, kernel)
            };
            let mut options = options;
            if kernel == Kernel::V7_2 {
                // It breaks without a mistake.
                let others = Property::all().filter(|one| *one != Property::HooksAlternate);
                options.properties = Some(others.collect());
            }
            let report = check(&options, &mut nobody());
            let first = report.broken.iter().min_by_key(|found| (found.moves, found.property));
            let outcome = match first {
                Some(found) => format!("{} ({} moves)", found.property.id(), found.moves),
                None => {
                    assert!(report.is_exhaustive(), "{arch:?} {fault:?} {:?}", report.end);
                    survivors.insert((fault, arch, kernel));
                    "not noticed".to_owned()
                }
            };
            text += &format!("{:<13} {:<8} {:<28} {outcome}\n", arch.id(), kernel.id(), fault.id());
        }
    }
    let mut known = BTreeSet::new();
    text += "\nnot noticed, since they are no mistakes:\n";
    for (fault, archs, why) in EQUIVALENT {
        let ids: Vec<_> = archs.iter().map(|arch| arch.id()).collect();
        text += &format!("{} on {}: {why}\n", fault.id(), ids.join(", "));
        let kernel = |arch| if arch == Arch::S390 { Kernel::S390V6 } else { Kernel::V7_1 };
        known.extend(archs.iter().map(|arch| (*fault, *arch, kernel(*arch))));
    }
    for (fault, why) in EQUIVALENT_V7_2 {
        text += &format!("{} on xen-pv v7.2: {why}\n", fault.id());
        known.insert((*fault, Arch::XEN_PV, Kernel::V7_2));
    }
    assert_eq!(survivors, known);
    check_snapshot!("check", "mutants", "what notices each mistake", &text);
}
