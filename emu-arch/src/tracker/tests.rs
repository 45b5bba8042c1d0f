//! What no scenario shows: five levels, an NMI inside a primitive, an access that hashes nothing.

use lazy_mmu::preempt::{Counted, Layout, PreemptCount};

use super::*;
use crate::backend::{Batch, Deferred};
use crate::hw::addr::Pfn;

/// Stores wait in a queue of the CPU.
static QUEUE: Facts = Facts {
    defers: Some(Deferred::Store),
    batch: Batch::PerCpuSwitched,
    ..Facts::new("queue", "delays the stores")
};

fn at(addr: u64) -> At {
    At { mm: u8::from(addr >> 63 == 0), addr: VirtAddr::page(addr).unwrap() }
}

fn now(preempt_count: u32) -> Now {
    Now { cpu: 0, task: 0, preempt_count: PreemptCount(preempt_count), seq: 0 }
}

#[test]
fn a_page_that_no_access_reached_is_not_hashed() {
    let (at, now) = (at(0x7f00_0000_0000), now(0));
    let pte = Pte::user(Pfn(1), false, false);
    static HASH: Facts = Facts { hash_table: true, ..Facts::new("hash", "has a hash page table") };
    let mut tracker = Tracker::new(&HASH);
    tracker.access(now, at, pte, pte);
    tracker.access(now, at, pte, pte.with(Pte::HASHPTE));
    assert_eq!(tracker.take_found(), []);
    tracker.access(now, at, pte, pte.with(Pte::HASHPTE));
    assert_eq!(tracker.take_found(), [(Hazard::DuplicateHpte, None)]);
}

/// Review F16: which names are of one entry is a fact of the architecture.
#[test]
fn with_five_levels_a_pgd_entry_covers_more_than_a_p4d_entry() {
    static FIVE: Facts = Facts { pgtable_levels: 5, ..QUEUE };
    let (first, far) = (at(0x7f00_0000_0000), at(0x7f00_0000_0000 - (1 << 39)));
    let pending = |facts, level, page| {
        let mut tracker = Tracker::new(facts);
        tracker.defer_table(now(0), first, level);
        tracker.is_pending(page)
    };
    for (facts, pgd_covers) in [(&QUEUE, false), (&FIVE, true)] {
        assert!(pending(facts, Level::P4d, first) && !pending(facts, Level::P4d, far));
        assert_eq!(pending(facts, Level::Pgd, far), pgd_covers);
    }
}

/// Review F2: an NMI arrives between the deferral of a primitive and its end.
#[test]
fn each_context_is_judged_where_its_own_primitive_returns() {
    let [hardirq, nmi] = [Counted::Hardirq, Counted::Nmi].map(|what| Layout::V7_2.offset(what));
    let mut tracker = Tracker::new(&QUEUE);
    tracker.defer(now(0), at(0x1000), 1);
    tracker.defer(now(hardirq), at(0x2000), 1);
    tracker.defer(now(hardirq + nmi), at(0x3000), 1);
    tracker.primitive_returned(now(hardirq + nmi));
    assert_eq!(tracker.take_found(), [(Hazard::IrqDeferred, None)], "the NMI's own");
    tracker.primitive_returned(now(hardirq + nmi));
    assert_eq!(tracker.take_found(), [], "once");
    tracker.complete(now(hardirq));
    tracker.primitive_returned(now(hardirq));
    assert_eq!(tracker.take_found(), [], "issued before it returns");
    tracker.defer(now(0), at(0x1000), 1);
    tracker.primitive_returned(now(0));
    assert_eq!(tracker.take_found(), [], "no interrupt");
}
