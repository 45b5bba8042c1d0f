//! Every property can break: on each architecture that it applies to, a fault, a kernel, a design
//! or a client that keeps no contract does so.

use std::collections::{BTreeMap, BTreeSet};

use emu_arch::replay::Fault;
use emu_arch::{Arch, Kernel};
use emu_check::check::{Accesses, Client, Options, Pages, Property, check, nobody};
use lazy_mmu::design::{Design, counts};

use crate::support::check_snapshot;

/// Why no search here breaks a property whose hazard is the caller's alone.
const CALLERS: &str = "only a caller can replace or free what somebody still reaches, and the \
                       clients do not; scenarios/bugs/ has one for each";

/// A property that nothing here breaks, on these architectures, and why.
const NEVER: [(&str, &[Arch], &str); 2] = [
    (
        "no-foreign-batch",
        &[Arch::XEN_PV],
        "both halves of a switch flush the queue, so that one mistake leaves nothing in it",
    ),
    (
        "no-irq-deferred",
        &[Arch::S390],
        "the ranges of the clients are their own page; scenarios/bugs/update-in-interrupt.scn does",
    ),
];

/// What is searched on an architecture, as of a kernel: mistakes of the code, and clients that keep
/// no contract.
const SEARCHES: [(Client, &[Option<Fault>]); 4] = [
    (
        Client::Calls,
        &[
            None,
            Some(Fault::HookBeforeStore),
            Some(Fault::NoEnter),
            Some(Fault::NoLeave),
            Some(Fault::NoFlush),
            Some(Fault::EnableStoresNothing),
            Some(Fault::PauseStoresNothing),
            Some(Fault::CallsInInterrupt),
            Some(Fault::ActiveInInterrupt),
            Some(Fault::NoPreemptDisableInEnter),
            Some(Fault::NoInvalidate),
            Some(Fault::NoSwitchIn),
            Some(Fault::LeaveLeaksPreempt),
        ],
    ),
    (Client::Locks, &[Some(Fault::NoEnter), Some(Fault::NoLeave), Some(Fault::NoInvalidate)]),
    (
        Client::Tasks,
        &[
            Some(Fault::NoLeave),
            Some(Fault::EnableStoresNothing),
            Some(Fault::DisableStoresNothing),
            Some(Fault::LeaveLeaksPreempt),
        ],
    ),
    (Client::Batches, &[None, Some(Fault::NoLeave)]),
];

/// The kernel whose code is broken; Xen PV's of v7.2 alone asks the state of the generic layer.
fn kernels(arch: Arch) -> Vec<Kernel> {
    if arch == Arch::XEN_PV {
        vec![Kernel::V7_1, Kernel::V7_3]
    } else if arch == Arch::S390 {
        vec![Kernel::S390V6]
    } else {
        vec![Kernel::V7_1]
    }
}

fn searches(arch: Arch) -> Vec<Options> {
    let mut all = Vec::new();
    for kernel in kernels(arch) {
        for (client, faults) in SEARCHES {
            for fault in faults {
                let any = fault.is_none() || matches!(client, Client::Locks | Client::Batches);
                let accesses = if any { Accesses::Any } else { Accesses::Contract };
                let usual = Options::of(client, arch, kernel);
                let locks_of_kernel = client == Client::Locks && !arch.facts().defers_user;
                let pages = if locks_of_kernel { Pages::Kernel } else { usual.pages };
                all.push(Options { fault: *fault, accesses, pages, ..usual.clone() });
                if pages != usual.pages {
                    all.push(Options { fault: *fault, accesses, ..usual });
                }
            }
        }
    }
    if arch.facts().own_mode {
        // Its own mode beside the generic one: a pair that never was, but on Xen PV.
        let counts = Design::of::<counts::State>();
        let before = Options::of(Client::Calls, arch, Kernel::V6_16);
        all.push(Options { design: counts, fault: Some(Fault::NoEnter), ..before });
        // Interrupts joined batches.
        all.push(Options::of(Client::Joins, arch, Kernel::V6_19));
    }
    all.into_iter().map(|options| Options { max_states: 25_000, ..options }).collect()
}

fn is_callers(property: Property) -> bool {
    matches!(property, Property::No(hazard) if hazard.is_callers())
}

#[test]
fn every_property_breaks_where_it_applies() {
    let mut text = String::new();
    let mut never = BTreeSet::new();
    for arch in Arch::all() {
        let mut found = BTreeMap::new();
        for options in searches(arch) {
            for one in check(&options, &mut nobody()).broken {
                let by = (one.moves, options.command());
                let best = found.entry(one.property).or_insert_with(|| by.clone());
                *best = by.min(best.clone());
            }
        }
        for property in Property::all().filter(|one| one.applies_to(arch.facts()).is_ok()) {
            match found.get(&property) {
                Some((moves, command)) => {
                    text += &format!("{:<31} {moves:>2} moves  {command}\n", property.id());
                }
                None if is_callers(property) => {
                    text += &format!("{:<31} no client does it\n", property.id());
                }
                None => drop(never.insert((property.id(), arch.id()))),
            }
        }
        text.push('\n');
    }
    text += &format!("no client does it: {CALLERS}\n");
    let known = NEVER.iter().flat_map(|(property, archs, why)| {
        let ids: Vec<_> = archs.iter().map(|arch| arch.id()).collect();
        text += &format!("{property} never breaks on {}: {why}\n", ids.join(", "));
        archs.iter().map(move |arch| (*property, arch.id()))
    });
    let known: BTreeSet<_> = known.collect();
    assert_eq!(never, known);
    check_snapshot!("check", "broken", "what breaks each property", &text);
}
