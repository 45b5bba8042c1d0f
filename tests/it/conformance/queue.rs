//! A backend that defers the stores themselves, right and with one mistake each.

use emu_arch::{ArchEffect, At, Backend, Batch, Deferred, Facts, Hw, Kernel, Pte, Slot};

mistakes! {
    NONE = 0;
    FORGETS_DEFER = 1;
    COMPLETES_BEFORE_IT_WRITES = 2;
    DROPS_THE_LAST = 3;
    KEEPS_THE_QUEUE = 4;
    FORGETS_THE_QUEUE = 5;
    READS_THE_QUEUE = 6;
}

const HYPERCALL: ArchEffect = ArchEffect::delayable("hypercall");
const QUEUED: ArchEffect = ArchEffect::deferral("queue.len=");

/// A backend with a queue of stores per CPU, with mistake `M`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue<const M: u8>;

impl<const M: u8> Queue<M> {
    fn store<H: Hw<PerCpu = Vec<(Slot, Pte)>>>(hw: &mut H, at: At, ptep: H::Ptep, pte: Pte) {
        if !hw.is_lazy_mmu_mode_active() {
            hw.effect(HYPERCALL.of(1));
            hw.write(ptep, pte);
            return;
        }
        let slot = hw.slot(ptep);
        let len = hw.per_cpu(|queue| {
            queue.push((slot, pte));
            queue.len()
        });
        hw.effect(QUEUED.of(len as u32));
        if M != FORGETS_DEFER {
            hw.defer(at, 1);
        }
    }

    fn drain(hw: &mut impl Hw<PerCpu = Vec<(Slot, Pte)>>) {
        let mut queue = hw.per_cpu(std::mem::take);
        if queue.is_empty() {
            return;
        }
        if M == DROPS_THE_LAST {
            queue.pop();
        }
        hw.effect(HYPERCALL.of(queue.len() as u32));
        if M == COMPLETES_BEFORE_IT_WRITES {
            hw.complete();
        }
        if M != FORGETS_THE_QUEUE {
            queue.iter().for_each(|(slot, pte)| hw.write_slot(*slot, *pte));
        }
        hw.complete();
    }
}

impl<const M: u8> Backend for Queue<M> {
    type PerCpu = Vec<(Slot, Pte)>;

    const FACTS: Facts = Facts {
        defers: Some(Deferred::Store),
        batch: Batch::PerCpu,
        effects: &[HYPERCALL],
        ..Facts::new("queue", "delays the stores")
    };

    fn in_kernel(_: Kernel) -> Self {
        Self
    }

    fn is_in(kernel: Kernel) -> Result<(), &'static str> {
        if kernel == Kernel::V7_1 { Ok(()) } else { Err("in one kernel, to be quick") }
    }

    fn enter(self, hw: &mut impl Hw<PerCpu = Self::PerCpu>) {
        hw.preempt_disable();
    }

    fn leave(self, hw: &mut impl Hw<PerCpu = Self::PerCpu>) {
        if M != KEEPS_THE_QUEUE {
            self.flush(hw);
        }
        hw.preempt_enable();
    }

    fn flush(self, hw: &mut impl Hw<PerCpu = Self::PerCpu>) {
        Self::drain(hw);
    }

    fn set_ptes<H: Hw<PerCpu = Self::PerCpu>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
        pte: Pte,
        nr: u16,
    ) {
        for n in 0..nr {
            let (next, pte) = (hw.ptep_add(ptep, n), pte.advance_pfn(n.into()));
            Self::store(hw, at.add_pages(n), next, pte);
        }
    }

    fn ptep_get<H: Hw<PerCpu = Self::PerCpu>>(self, hw: &mut H, _: At, ptep: H::Ptep) -> Pte {
        let slot = hw.slot(ptep);
        let queued = hw.per_cpu(|queue| queue.iter().rfind(|(of, _)| *of == slot).copied());
        let queued = queued.filter(|_| M == READS_THE_QUEUE);
        queued.map_or_else(|| hw.read(ptep), |(_, pte)| pte)
    }

    fn pte_update<H: Hw<PerCpu = Self::PerCpu>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
        new: impl FnOnce(Pte) -> Pte,
    ) -> Pte {
        let old = hw.read(ptep);
        Self::store(hw, at, ptep, new(old));
        old
    }

    fn ptep_modify_prot_start<H: Hw<PerCpu = Self::PerCpu>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
    ) -> Pte {
        hw.read(ptep)
    }

    fn flush_tlb_range(self, hw: &mut impl Hw<PerCpu = Self::PerCpu>, at: At, pages: u32) {
        hw.tlb_invalidate(at, pages);
    }

    fn pending(self, hw: &mut impl Hw<PerCpu = Self::PerCpu>) -> Option<(u32, &'static str)> {
        let len = hw.per_cpu(|queue| queue.len());
        (len > 0).then_some((len as u32, "queue"))
    }
}
