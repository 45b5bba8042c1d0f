//! s390 on plain values: what no scenario can set up, and interrupts inside of a leave.

use super::{ENTER_WITH_PTES, IpteRange, S390};
use crate::backend::{At, Backend, Hw, RangeHint, Slot};
use crate::hw::addr::{Pfn, VirtAddr};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;

/// One table of valid entries, one CPU; what was done is a list of words.
struct Values {
    memory: [Pte; 512],
    cpu: IpteRange,
    preempt_count: i32,
    done: Vec<String>,
    /// What falls in before the next effect that is no move into the cache.
    interrupt: Option<fn(&mut Self)>,
}

const ADDR: u64 = 0x7f00_0000_0000;

impl Values {
    fn new() -> Self {
        let memory = std::array::from_fn(|n| Pte::user(Pfn(n as u64), true, false));
        let cpu = IpteRange::default();
        Self { memory, cpu, preempt_count: 0, done: Vec::new(), interrupt: None }
    }

    fn clear(&mut self, s390: S390, index: usize) -> Pte {
        s390.pte_update(self, at(index), index, |_| Pte::NONE)
    }

    /// The work done, and nothing else.
    fn take_done(&mut self) -> Vec<String> {
        std::mem::take(&mut self.done)
    }
}

fn at(index: usize) -> At {
    At { mm: 1, addr: VirtAddr::page(ADDR).unwrap().add_pages(index as u64) }
}

fn range(first: usize, nr: u16) -> RangeHint {
    RangeHint { at: at(first), nr, slot: Slot(first as u64) }
}

impl Hw for Values {
    type Ptep = usize;
    type PerCpu = IpteRange;

    fn read(&mut self, ptep: usize) -> Pte {
        self.memory[ptep]
    }
    fn write(&mut self, ptep: usize, pte: Pte) {
        self.memory[ptep] = pte;
    }
    fn ptep_add(&self, ptep: usize, n: u16) -> usize {
        ptep + usize::from(n)
    }
    fn slot(&self, ptep: usize) -> Slot {
        Slot(ptep as u64)
    }
    fn read_slot(&mut self, slot: Slot) -> Pte {
        self.memory[slot.0 as usize]
    }
    fn write_slot(&mut self, slot: Slot, pte: Pte) {
        self.memory[slot.0 as usize] = pte;
    }
    fn is_lazy_mmu_mode_active(&mut self) -> bool {
        unreachable!("s390 asks for its own count only")
    }
    fn task_lazy_mmu_mode_active(&mut self) -> bool {
        unreachable!("s390 has no part in a context switch")
    }
    fn per_cpu<R>(&mut self, step: impl FnOnce(&mut IpteRange) -> R) -> R {
        step(&mut self.cpu)
    }
    fn in_interrupt(&mut self) -> bool {
        unreachable!("s390 asks for its own count only")
    }
    fn get_cpu(&mut self) {
        self.preempt_count += 1;
    }
    fn put_cpu(&mut self) {
        self.preempt_count -= 1;
    }
    fn preempt_disable(&mut self) {
        self.preempt_count += 1;
    }
    fn preempt_enable(&mut self) {
        self.preempt_count -= 1;
        self.done.push(format!("preempt_count={}", self.preempt_count));
    }
    fn effect(&mut self, effect: ArchEffect) {
        if !effect.costs() {
            return;
        }
        if let Some(interrupt) = self.interrupt.take() {
            interrupt(self);
        }
        let n = effect.n.map(|n| format!("({n})")).unwrap_or_default();
        self.done.push(format!("{}{n}", effect.name));
    }
    fn bug_on(&mut self, cond: bool, text: &'static str) -> bool {
        assert!(!cond, "{text}");
        true
    }
}

#[test]
fn without_facility_13_the_hooks_do_nothing() {
    let (s390, mut hw) = (S390 { facility_13: false, ..S390::default() }, Values::new());
    assert!(s390.own_hook(&mut hw, ENTER_WITH_PTES, Some(range(0, 512))));
    hw.clear(s390, 3);
    s390.flush(&mut hw);
    s390.leave(&mut hw);
    assert_eq!(hw.take_done(), ["ipte()"]);
    assert_eq!((hw.memory[3], hw.preempt_count), (Pte::NONE, 0));
    assert_eq!(hw.cpu, IpteRange::default());
}

#[test]
fn the_range_of_a_protected_guest_is_not_latched() {
    let (s390, mut hw) = (S390 { protected: 1 << 1, ..S390::default() }, Values::new());
    assert!(s390.own_hook(&mut hw, ENTER_WITH_PTES, Some(range(0, 512))));
    assert_eq!((hw.preempt_count, hw.cpu.lazy_mmu_count), (1, 1));
    hw.clear(s390, 3);
    s390.leave(&mut hw);
    assert_eq!(hw.take_done(), ["ipte()", "preempt_count=0"]);
}

#[test]
fn an_instruction_takes_256_entries() {
    let (s390, mut hw) = (S390::default(), Values::new());
    assert!(s390.own_hook(&mut hw, ENTER_WITH_PTES, Some(range(0, 512))));
    // From the last to the first: the order does not matter.
    (0..512).rev().for_each(|index| _ = hw.clear(s390, index));
    assert_eq!(s390.pending(&mut hw), Some((512, "ipte_range")));
    s390.leave(&mut hw);
    assert_eq!(hw.take_done(), ["ipte_range(256)", "ipte_range(256)", "preempt_count=0"]);
    assert_eq!(hw.memory, [Pte::NONE; 512]);
    assert_eq!(hw.cpu, IpteRange::default(), "as after boot");
}

#[test]
fn a_flush_keeps_the_cpu_and_the_range() {
    let (s390, mut hw) = (S390::default(), Values::new());
    assert!(s390.own_hook(&mut hw, ENTER_WITH_PTES, Some(range(8, 8))));
    for index in [7, 8, 15, 16] {
        hw.clear(s390, index);
    }
    s390.flush(&mut hw);
    hw.clear(s390, 9);
    s390.leave(&mut hw);
    // 7 and 16 lie outside of the range, 8 and 15 are two runs.
    let expected = ["ipte()", "ipte()", "ipte_range(1)", "ipte_range(1)", "preempt_count=1"];
    assert_eq!(hw.take_done()[..5], expected);
    assert_eq!((hw.memory[9], hw.preempt_count), (Pte::NONE, 0));
}

#[test]
fn an_entry_between_start_and_commit_is_empty_in_the_cache_and_invalid_in_memory() {
    let (s390, mut hw) = (S390::default(), Values::new());
    let valid = hw.memory[0];
    assert!(s390.own_hook(&mut hw, ENTER_WITH_PTES, Some(range(0, 1))));
    assert_eq!(s390.ptep_modify_prot_start(&mut hw, at(0), 0), valid);
    assert_eq!((s390.ptep_get(&mut hw, at(0), 0), hw.memory[0]), (Pte::NONE, valid));
    s390.leave(&mut hw);
    let valid = hw.memory[1];
    assert_eq!(s390.ptep_modify_prot_start(&mut hw, at(1), 1), valid);
    assert_eq!(hw.memory[1], valid.without(Pte::PRESENT).with(Pte::INVALID));
    s390.ptep_modify_prot_commit(&mut hw, at(1), 1, valid);
    assert_eq!(hw.memory[1], valid);
}

/// Clears entries 0, 1 and 3 in a section whose leave is interrupted before its first invalidation,
/// where entries 0 and 1 are still to be written.
fn interrupted(interrupt: fn(&mut Values)) -> (S390, Values) {
    let (s390, mut hw) = (S390::default(), Values::new());
    assert!(s390.own_hook(&mut hw, ENTER_WITH_PTES, Some(range(0, 8))));
    for index in [0, 1, 3] {
        hw.clear(s390, index);
    }
    hw.interrupt = Some(interrupt);
    s390.leave(&mut hw);
    (s390, hw)
}

#[test]
fn what_an_interrupt_puts_ahead_of_the_writing_is_written() {
    let (s390, mut hw) = interrupted(|hw| {
        _ = hw.clear(S390::default(), 1);
        _ = hw.clear(S390::default(), 5);
    });
    let expected = ["ipte_range(2)", "ipte_range(1)", "ipte_range(1)", "preempt_count=0"];
    assert_eq!(hw.take_done(), expected);
    assert_eq!((hw.memory[5], s390.pending(&mut hw)), (Pte::NONE, None));
}

#[test]
fn what_an_interrupt_puts_behind_the_writing_leaks_into_the_next_section() {
    // At the invalidation of entry 3, entries 0 and 1 are written already.
    let (s390, mut hw) = interrupted(|hw| {
        hw.interrupt = Some(|hw| S390::default().set_pte(hw, at(0), 0, Pte::kernel(Pfn(77))));
    });
    assert_eq!((hw.memory[0], s390.pending(&mut hw)), (Pte::NONE, Some((1, "ipte_range"))));
    // The slots of another range stand at the same places of the cache: the entry goes to the first
    // of them, and only if the touched ones reach it.
    assert!(s390.own_hook(&mut hw, ENTER_WITH_PTES, Some(range(64, 8))));
    hw.clear(s390, 65);
    s390.leave(&mut hw);
    assert_eq!(s390.pending(&mut hw), Some((1, "ipte_range")));
    assert!(s390.own_hook(&mut hw, ENTER_WITH_PTES, Some(range(64, 8))));
    assert_eq!(s390.ptep_get(&mut hw, at(64), 64), Pte::kernel(Pfn(77)), "another's entry");
    hw.clear(s390, 65);
    s390.leave(&mut hw);
    assert_eq!(hw.memory[64], Pte::user(Pfn(64), true, false));
}
