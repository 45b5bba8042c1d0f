//! The two designs of a review, run: scenarios, properties, workloads.

use std::collections::BTreeSet;

use emu_arch::Arch;
use emu_check::check::{Options, check_portfolio};
use emu_check::explore::Watch;
use emu_lab::compare::{self, text};
use emu_lab::scenario::{self, Setup};
use emu_mm::proc::{Mapping, parse};
use emu_mm::workload::{self, Workload};
use lazy_mmu::Record;
use lazy_mmu::design::Design;
use lazy_mmu::trace::Event;

use crate::error::Error;

/// A scenario of which something differs.
#[derive(Clone, Debug)]
pub struct ScenarioChange {
    /// Its name.
    pub name: &'static str,
    /// The architecture.
    pub arch: Arch,
    /// Both sides, call by call, in 78 columns.
    pub table: String,
}

/// A property whose verdict differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyChange {
    /// The id of the property.
    pub property: &'static str,
    /// The condition of the check that finds it, or nothing.
    pub detail: &'static str,
    /// The architecture.
    pub arch: Arch,
    /// Whether it breaks now; else it breaks no longer.
    pub breaks_now: bool,
}

/// A number of a workload that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The workload.
    pub workload: &'static str,
    /// The architecture.
    pub arch: Arch,
    /// What is counted.
    pub what: String,
    /// How often it happens in the old tree and in the new one.
    pub times: [u64; 2],
}

/// What workloads run over: code, data and a heap, 1,280 pages.
const MAPS: &[u8] = b"00400000-00600000 r-xp 00000000 08:01 7 /bin/x\n\
    00800000-00a00000 rw-p 00000000 00:00 0 [heap]\n\
    10000000-10100000 rw-p 00000000 00:00 0\n";

/// The built-in scenarios in which the designs differ, and how many were run.
pub(super) fn scenarios(
    designs: [Design; 2],
    archs: &[Arch],
) -> Result<(Vec<ScenarioChange>, usize), Error> {
    let all = scenario::builtin().map_err(|why| Error::new(why.to_string()))?;
    let (mut changes, mut runs) = (Vec::new(), 0);
    for (name, scenario) in all {
        for &arch in archs {
            let setups = designs.map(|design| Setup {
                arch,
                kernel: arch.default_kernel(),
                design,
                ..Setup::default()
            });
            runs += 1;
            let [old, new] = setups.map(|setup| seen(&scenario::run(scenario, setup).record));
            if old != new {
                let table = text::plain(&compare::compare(scenario, &setups));
                changes.push(ScenarioChange { name, arch, table });
            }
        }
    }
    Ok((changes, runs))
}

/// What a record shows, without the states: fields have names of their own.
fn seen(record: &Record) -> Vec<String> {
    let line = |event: Event<'_>| {
        if let Event::Return { call, active, .. } = event {
            return Some(format!("{call} {active}"));
        }
        // The proof compares conditions, whatever the pointer to the state is called.
        if let Event::Warn { check, again, .. } = event {
            return Some(format!("{check} {again}"));
        }
        (!matches!(event, Event::Store(_))).then(|| format!("{event:?}"))
    };
    record.events().filter_map(|seen| line(seen.event)).collect()
}

/// The properties that break under one of the designs alone, and how many were looked at.
pub(super) fn properties(
    designs: [Design; 2],
    archs: &[Arch],
    watch: &mut dyn Watch,
) -> (Vec<PropertyChange>, usize) {
    let (mut changes, mut looked_at) = (Vec::new(), 0);
    for &arch in archs {
        let broken = designs.map(|design| {
            let searches = Options::portfolio(arch, arch.default_kernel());
            let searches: Vec<_> =
                searches.into_iter().map(|search| Options { design, ..search }).collect();
            let portfolio = check_portfolio(&searches, watch);
            looked_at = looked_at.max(portfolio.verdicts().count());
            let broken = portfolio.broken();
            broken
                .iter()
                .map(|(_, found)| (found.property.id(), found.detail))
                .collect::<BTreeSet<_>>()
        });
        let [old, new] = &broken;
        for (property, detail) in old.symmetric_difference(new) {
            let breaks_now = new.contains(&(*property, *detail));
            changes.push(PropertyChange { property, detail, arch, breaks_now });
        }
    }
    (changes, looked_at)
}

/// The numbers that workloads count differently, and how many were compared.
pub(super) fn workloads(
    designs: [Design; 2],
    archs: &[Arch],
) -> Result<(Vec<Counted>, usize), Error> {
    let mappings = parse(MAPS).map_err(|why| Error::new(why.to_string()))?;
    let (mut changes, mut numbers) = (Vec::new(), 0);
    for &arch in archs {
        for workload in Workload::ALL {
            let [old, new] = designs.map(|design| counts(workload, arch, design, &mappings));
            // Not every architecture has every workload.
            let (Some(old), Some(new)) = (old, new) else { continue };
            let names: BTreeSet<&String> = old.iter().chain(&new).map(|(name, _)| name).collect();
            for name in names {
                let times = [&old, &new].map(|counts| {
                    counts.iter().find(|(known, _)| known == name).map_or(0, |(_, times)| *times)
                });
                numbers += 1;
                if times[0] != times[1] {
                    let (workload, what) = (workload.id(), name.clone());
                    changes.push(Counted { workload, arch, what, times });
                }
            }
        }
    }
    Ok((changes, numbers))
}

/// How often each hook was called and each effect happened; none where the architecture does not
/// have the workload.
fn counts(
    workload: Workload,
    arch: Arch,
    design: Design,
    mappings: &[Mapping],
) -> Option<Vec<(String, u64)>> {
    let kernel = arch.default_kernel();
    let options = workload::Options { kernel, design, ..workload::Options::default() };
    let report = workload::run(workload, arch, mappings, &options, &mut |_, _| {}).ok()?;
    let lazy = &report.total.lazy;
    let hooks = lazy.hooks().map(|(hook, times)| (hook.short.to_owned(), times));
    let effects = arch.facts().effects.iter();
    let effects = effects.map(|effect| (effect.name.to_owned(), lazy.times(effect.name)));
    Some(hooks.chain(effects).collect())
}
