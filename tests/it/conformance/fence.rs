//! A backend that defers a fence after stores, right and with one mistake each.

use emu_arch::{
    ArchEffect, At, Backend, Batch, Deferred, Facts, Hw, Kernel, Level, Pte, write_ptes,
};

mistakes! {
    NONE = 0;
    FORGETS_DEFER = 1;
    NEVER_COMPLETES = 2;
    COMPLETES_EARLY = 3;
    COMPLETES_WITHOUT_EFFECT = 4;
    DEFERS_IN_INTERRUPT = 5;
    DEFERS_IN_PAUSE = 6;
    OVERRIDES_SET_PTE_ONLY = 7;
    FORGETS_TLB_INVALIDATE = 8;
    FORGETS_PREEMPT_DISABLE = 9;
    LOSES_THE_BATCH = 10;
    WRITES_LATE = 11;
    SAYS_NOTHING = 12;
    LISTS_NO_EFFECT = 13;
    WRITES_ONE = 14;
    RETURNS_THE_NEW_ENTRY = 15;
    LEAVES_PREEMPTION_OFF = 16;
    COUNTS_FLUSHES = 17;
    BUG_WHEN_NESTED = 18;
    DECLARES_NOTHING = 19;
    NEVER_DEFERS = 20;
    NO_FENCE_IN_SECTIONS = 21;
    REMEMBERS_A_MODE = 22;
}

/// The fence, and a stronger one that no section defers.
const SFENCE: ArchEffect = ArchEffect::delayable("sfence.vma");
const SFENCE_ALL: ArchEffect = ArchEffect::other("sfence.vma all");
const OWED: ArchEffect = ArchEffect::deferral("sfence_pending=").of(1);

/// A backend in which a CPU owes a fence, with mistake `M`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fence<const M: u8>;

/// What a CPU keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Owes {
    fence: bool,
    entered: bool,
    flushes: u8,
}

impl<const M: u8> Fence<M> {
    fn active(hw: &mut impl Hw<PerCpu = Owes>) -> bool {
        match M {
            DEFERS_IN_INTERRUPT => hw.task_lazy_mmu_mode_active(),
            DEFERS_IN_PAUSE => !hw.in_interrupt() && hw.per_cpu(|cpu| cpu.entered),
            NEVER_DEFERS => false,
            _ => hw.is_lazy_mmu_mode_active(),
        }
    }

    fn queue(hw: &mut impl Hw<PerCpu = Owes>, at: At, nr: u16) {
        if !Self::active(hw) {
            hw.effect(SFENCE);
            return;
        }
        if M == NO_FENCE_IN_SECTIONS {
            return;
        }
        hw.per_cpu(|cpu| cpu.fence = true);
        hw.effect(OWED);
        if M != FORGETS_DEFER {
            hw.defer(at, nr);
        }
    }
}

impl<const M: u8> Backend for Fence<M> {
    type PerCpu = Owes;

    const FACTS: Facts = Facts {
        defers: if M == DECLARES_NOTHING { None } else { Some(Deferred::Barriers) },
        batch: if M == LOSES_THE_BATCH { Batch::PerTask } else { Batch::PerCpu },
        effects: if M == LISTS_NO_EFFECT { &[] } else { &[SFENCE] },
        ..Facts::new("fence", "delays a fence")
    };

    fn in_kernel(_: Kernel) -> Self {
        Self
    }

    fn is_in(kernel: Kernel) -> Result<(), &'static str> {
        if kernel == Kernel::V7_1 { Ok(()) } else { Err("in one kernel, to be quick") }
    }

    fn enter(self, hw: &mut impl Hw<PerCpu = Owes>) {
        let nested = hw.per_cpu(|cpu| cpu.entered);
        if M == BUG_WHEN_NESTED && !hw.bug_on(nested, "cpu->entered") {
            return;
        }
        if ![FORGETS_PREEMPT_DISABLE, LOSES_THE_BATCH].contains(&M) {
            hw.preempt_disable();
        }
        hw.per_cpu(|cpu| cpu.entered = true);
    }

    fn leave(self, hw: &mut impl Hw<PerCpu = Owes>) {
        if M != NEVER_COMPLETES {
            self.flush(hw);
        }
        if ![FORGETS_PREEMPT_DISABLE, LOSES_THE_BATCH, LEAVES_PREEMPTION_OFF].contains(&M) {
            hw.preempt_enable();
        }
        if ![DEFERS_IN_PAUSE, BUG_WHEN_NESTED].contains(&M) {
            hw.per_cpu(|cpu| cpu.entered = false);
        }
    }

    fn flush(self, hw: &mut impl Hw<PerCpu = Owes>) {
        if M == COUNTS_FLUSHES {
            hw.per_cpu(|cpu| cpu.flushes = cpu.flushes.wrapping_add(1));
        }
        if hw.per_cpu(|cpu| std::mem::take(&mut cpu.fence)) {
            if M == COMPLETES_EARLY {
                hw.complete();
            }
            if M != COMPLETES_WITHOUT_EFFECT {
                hw.effect(SFENCE);
            }
            hw.complete();
        }
    }

    fn set_pte<H: Hw<PerCpu = Owes>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte) {
        if M == OVERRIDES_SET_PTE_ONLY {
            hw.write(ptep, pte);
            Self::queue(hw, at, 1);
        } else {
            self.set_ptes(hw, at, ptep, pte, 1);
        }
    }

    fn set_ptes<H: Hw<PerCpu = Owes>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte, nr: u16) {
        match M {
            OVERRIDES_SET_PTE_ONLY => return write_ptes(hw, ptep, pte, nr),
            WRITES_LATE => Self::queue(hw, at, nr),
            _ => {}
        }
        write_ptes(hw, ptep, pte, if M == WRITES_ONE { 1 } else { nr });
        if M != WRITES_LATE {
            Self::queue(hw, at, nr);
        }
    }

    fn pte_update<H: Hw<PerCpu = Owes>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
        new: impl FnOnce(Pte) -> Pte,
    ) -> Pte {
        let old = hw.read(ptep);
        let new = new(old);
        hw.write(ptep, new);
        if M == RETURNS_THE_NEW_ENTRY { new } else { old }
    }

    fn set_table(self, hw: &mut impl Hw<PerCpu = Owes>, at: At, _: Level, valid: bool) {
        if valid {
            Self::queue(hw, at, 1);
        }
    }

    fn flush_tlb_range(self, hw: &mut impl Hw<PerCpu = Owes>, at: At, pages: u32) {
        hw.effect(SFENCE_ALL);
        if M != FORGETS_TLB_INVALIDATE {
            hw.tlb_invalidate(at, pages);
        }
    }

    fn lazy_mode(self, _: &mut impl Hw<PerCpu = Owes>) -> Option<bool> {
        (M == REMEMBERS_A_MODE).then_some(false)
    }

    fn pending(self, hw: &mut impl Hw<PerCpu = Owes>) -> Option<(u32, &'static str)> {
        let owes = M != SAYS_NOTHING && hw.per_cpu(|cpu| cpu.fence);
        owes.then_some((1, "sfence_pending"))
    }
}
