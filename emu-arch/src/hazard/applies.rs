//! Why a hazard cannot appear on an architecture.

use crate::backend::{Deferred, Facts};

pub(super) const fn always(_: &Facts) -> Result<(), &'static str> {
    Ok(())
}

pub(super) const fn defers(facts: &Facts) -> Result<(), &'static str> {
    if facts.defers.is_some() { Ok(()) } else { Err("the architecture defers nothing") }
}

pub(super) const fn defers_barriers(facts: &Facts) -> Result<(), &'static str> {
    let barriers = matches!(facts.defers, Some(Deferred::Barriers));
    if barriers { Ok(()) } else { Err("the architecture defers no barriers") }
}

pub(super) const fn defers_stores(facts: &Facts) -> Result<(), &'static str> {
    if facts.defers_stores() { Ok(()) } else { Err("the architecture defers no stores") }
}

pub(super) const fn defers_invalidations(facts: &Facts) -> Result<(), &'static str> {
    let invalidations = matches!(facts.defers, Some(Deferred::Invalidation));
    if invalidations { Ok(()) } else { Err("the architecture defers no invalidations") }
}

pub(super) const fn defers_per_cpu(facts: &Facts) -> Result<(), &'static str> {
    let per_cpu = facts.defers.is_some() && facts.defers_per_cpu();
    if per_cpu { Ok(()) } else { Err("the architecture has no batch per CPU") }
}

pub(super) const fn pins_task(facts: &Facts) -> Result<(), &'static str> {
    if facts.pins_task() { Ok(()) } else { Err("a task with work deferred may leave its CPU") }
}

pub(super) const fn has_hash_table(facts: &Facts) -> Result<(), &'static str> {
    if facts.hash_table { Ok(()) } else { Err("the architecture has no hash page table") }
}

pub(super) const fn walks_tables(facts: &Facts) -> Result<(), &'static str> {
    if facts.tlb_walks_tables { Ok(()) } else { Err("no translation goes through the page tables") }
}

pub(super) const fn breaks_before_make(facts: &Facts) -> Result<(), &'static str> {
    if facts.break_before_make { Ok(()) } else { Err("the architecture needs no break") }
}

pub(super) const fn has_bug_on(facts: &Facts) -> Result<(), &'static str> {
    if facts.bug_on { Ok(()) } else { Err("the architecture's code has no BUG_ON()") }
}

pub(super) const fn flush_passes_stores(facts: &Facts) -> Result<(), &'static str> {
    let passes = facts.flush_passes_stores;
    if passes { Ok(()) } else { Err("a flush waits for the deferred stores, if there are any") }
}
