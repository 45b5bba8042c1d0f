//! The page table primitives as steps: which function of the backend, and what the tracker is told.

use emu_arch::Pte;
use emu_arch::backend::{Access, At, Backend, Hw, Level, Slot};
use lazy_mmu::trace::{Event, PteEvent, PteOp};

use super::exec::Exec;
use super::memory::slot_of;
use crate::scenario::{Prot, PteArgs, entry, with_prot};

/// What a primitive works on.
#[derive(Clone, Copy)]
struct Entries {
    at: At,
    ptep: Slot,
    nr: u16,
}

impl<B: Backend> Exec<'_, B> {
    /// Does the primitive `op` as a scenario has it.
    pub(super) fn pte(&mut self, op: PteOp, args: PteArgs) {
        let at = At { mm: args.mm, addr: args.addr };
        let one = Entries { at, ptep: slot_of(at), nr: 1 };
        let all = Entries { nr: args.nr, ..one };
        match op {
            PteOp::set_pte | PteOp::set_pte_at => self.set(op, one, args),
            PteOp::set_ptes => self.set(op, all, args),
            PteOp::ptep_modify_prot_commit => self.prot_commit(one, args),
            PteOp::ptep_set_access_flags => self.set_access_flags(one, args),
            PteOp::ptep_get | PteOp::raw_read | PteOp::ptep_get_lockless => self.get(op, one),
            PteOp::ptep_get_and_clear | PteOp::pte_clear => self.clear(op, one),
            PteOp::ptep_set_wrprotect | PteOp::wrprotect_ptes => {
                let entries = if op == PteOp::wrprotect_ptes { all } else { one };
                self.wrprotect(op, entries);
            }
            PteOp::ptep_test_and_clear_young => self.clear_young(one),
            PteOp::ptep_modify_prot_start => self.prot_start(one),
            PteOp::read => self.access(op, one, Access::Read),
            PteOp::write => self.access(op, one, Access::Write),
            PteOp::set_pmd => self.set_table(op, Level::Pmd, args),
            PteOp::set_pud => self.set_table(op, Level::Pud, args),
            PteOp::set_p4d => self.set_table(op, Level::P4d, args),
            PteOp::set_pgd => self.set_table(op, Level::Pgd, args),
            PteOp::flush_tlb_range | PteOp::tlb_flush => self.flush(op, all),
            PteOp::tlb_remove_tlb_entries | PteOp::set_tlb_ubc_flush_pending => self.own(op, all),
            PteOp::flush_tlb_batched_pending => self.flush_batched(op, one),
        }
    }

    fn note_pte(&mut self, op: PteOp, at: At, pte: Pte, nr: u16) {
        self.note(Event::Pte(PteEvent { op, mm: at.mm, addr: at.addr.get(), pte: pte.0, nr }));
    }

    /// The entry that `args` describe: read and write unless said otherwise.
    fn entry(&mut self, args: PteArgs) -> Pte {
        let pfn =
            args.pfn.unwrap_or_else(|| self.ask_mut(|exec| exec.local.memory.take_pfns(args.nr)));
        entry(args, pfn)
    }

    /// Does `work`, which changes entries; `latest` tells what software then believes each to be, and
    /// `reads` whether the primitive depends on what they were.
    fn changing(
        &mut self,
        entries: Entries,
        reads: bool,
        latest: impl Fn(u16, Pte) -> Pte,
        work: impl FnOnce(&mut Self),
    ) {
        let Entries { at, ptep, nr } = entries;
        let page = |n: u16| At { addr: at.addr.add_pages(u64::from(n)), ..at };
        let slot = |n: u16| Slot(ptep.0 + u64::from(n));
        let before: Vec<Pte> = (0..nr).map(|n| self.read(slot(n))).collect();
        if reads {
            self.track(|tracker, _| {
                (0..nr).zip(&before).for_each(|(n, was)| tracker.read_to_change(page(n), *was));
            });
        }
        work(self);
        let after: Vec<Pte> = (0..nr).map(|n| self.local.memory.read(slot(n))).collect();
        self.track(|tracker, now| {
            for n in (0..nr).rev() {
                let (was, is) = (before[usize::from(n)], after[usize::from(n)]);
                tracker.changed(now, page(n), was, is, |was| latest(n, was));
            }
        });
    }

    fn writing(&mut self, entries: Entries, pte: Pte, work: impl FnOnce(&mut Self)) {
        self.changing(entries, false, |n, _| pte.advance_pfn(u64::from(n)), work);
    }

    fn set(&mut self, op: PteOp, entries: Entries, args: PteArgs) {
        let Entries { at, ptep, nr } = entries;
        let pte = self.entry(args);
        self.note_pte(op, at, pte, nr);
        let backend = self.world.backend;
        self.writing(entries, pte, |exec| match op {
            PteOp::set_pte => backend.set_pte(exec, at, ptep, pte),
            _ => backend.set_ptes(exec, at, ptep, pte, nr),
        });
    }

    fn prot_start(&mut self, entries: Entries) {
        let Entries { at, ptep, .. } = entries;
        let before = self.read(ptep);
        self.note_pte(PteOp::ptep_modify_prot_start, at, before, 1);
        let (backend, reads) = (self.world.backend, self.world.arch.prot_start_reads());
        self.changing(
            entries,
            true,
            |_, was| if reads { was } else { Pte::NONE },
            |exec| {
                let old = backend.ptep_modify_prot_start(exec, at, ptep);
                if exec.live() {
                    exec.local.memory.started.insert((at.mm, at.addr), old);
                }
            },
        );
    }

    fn prot_commit(&mut self, entries: Entries, args: PteArgs) {
        let Entries { at, ptep, .. } = entries;
        let key = (at.mm, at.addr);
        let started = self
            .ask_mut(|exec| exec.local.memory.started.remove(&key).map_or(u64::MAX, |pte| pte.0));
        let pte = match started {
            u64::MAX => self.entry(args),
            started => with_prot(Pte(started), args.prot),
        };
        self.note_pte(PteOp::ptep_modify_prot_commit, at, pte, 1);
        let backend = self.world.backend;
        self.writing(entries, pte, |exec| backend.ptep_modify_prot_commit(exec, at, ptep, pte));
    }

    fn set_access_flags(&mut self, entries: Entries, args: PteArgs) {
        let Entries { at, ptep, .. } = entries;
        let pte = with_prot(self.read(ptep).with(Pte::YOUNG), args.prot);
        self.note_pte(PteOp::ptep_set_access_flags, at, pte, 1);
        let backend = self.world.backend;
        self.writing(entries, pte, |exec| {
            backend.ptep_set_access_flags(exec, at, ptep, pte);
        });
    }

    fn get(&mut self, op: PteOp, Entries { at, ptep, .. }: Entries) {
        let backend = self.world.backend;
        let pte = match op {
            PteOp::ptep_get => backend.ptep_get(self, at, ptep),
            _ => self.read(ptep),
        };
        self.note_pte(op, at, pte, 1);
        if op != PteOp::ptep_get_lockless {
            self.track(|tracker, _| tracker.read(at, pte));
        }
    }

    fn clear(&mut self, op: PteOp, entries: Entries) {
        let Entries { at, ptep, .. } = entries;
        let before = self.read(ptep);
        self.note_pte(op, at, before, 1);
        let backend = self.world.backend;
        let reads = op == PteOp::ptep_get_and_clear;
        self.changing(
            entries,
            reads,
            |_, _| Pte::NONE,
            |exec| {
                if reads {
                    backend.pte_update(exec, at, ptep, |_| Pte::NONE);
                } else {
                    backend.pte_clear(exec, at, ptep);
                }
            },
        );
    }

    fn wrprotect(&mut self, op: PteOp, entries: Entries) {
        let Entries { at, ptep, nr } = entries;
        let before = self.read(ptep);
        self.note_pte(op, at, before, nr);
        let backend = self.world.backend;
        self.changing(
            entries,
            true,
            |_, was| was.without(Pte::WRITE),
            |exec| {
                for n in 0..nr {
                    let at = At { addr: at.addr.add_pages(u64::from(n)), ..at };
                    backend.ptep_set_wrprotect(exec, at, Slot(ptep.0 + u64::from(n)));
                }
            },
        );
    }

    fn clear_young(&mut self, entries: Entries) {
        let Entries { at, ptep, .. } = entries;
        let before = self.read(ptep);
        self.note_pte(PteOp::ptep_test_and_clear_young, at, before, 1);
        let backend = self.world.backend;
        self.changing(
            entries,
            true,
            |_, was| was.without(Pte::YOUNG),
            |exec| {
                backend.ptep_test_and_clear_young(exec, at, ptep);
            },
        );
    }

    fn access(&mut self, op: PteOp, Entries { at, ptep, .. }: Entries, access: Access) {
        let before = self.read(ptep);
        self.note_pte(op, at, before, 1);
        let backend = self.world.backend;
        backend.access(self, at, ptep, access);
        let after = self.local.memory.read(ptep);
        self.track(|tracker, now| tracker.access(now, at, before, after));
    }

    fn set_table(&mut self, op: PteOp, level: Level, args: PteArgs) {
        let valid = args.prot != Some(Prot::None);
        let at = At { mm: args.mm, addr: args.addr.align_down() };
        self.note_pte(op, at, Pte(u64::from(valid)), 1);
        let backend = self.world.backend;
        backend.set_table(self, at, level, valid);
    }

    fn flush(&mut self, op: PteOp, Entries { at, nr, .. }: Entries) {
        self.note_pte(op, at, Pte::NONE, nr);
        let (backend, pages) = (self.world.backend, u32::from(nr));
        match op {
            PteOp::tlb_flush => backend.tlb_flush(self, at, pages),
            _ => backend.flush_tlb_range(self, at, pages),
        }
        self.track(|tracker, _| tracker.flushed(at, u64::from(nr)));
    }

    fn own(&mut self, op: PteOp, Entries { at, nr, .. }: Entries) {
        self.note_pte(op, at, Pte::NONE, nr);
        if op == PteOp::set_tlb_ubc_flush_pending && self.live() {
            self.local.memory.batched.push((at.mm, at.addr, nr));
        }
        self.track(|tracker, _| tracker.owned(at, nr.into()));
    }

    fn flush_batched(&mut self, op: PteOp, Entries { at, .. }: Entries) {
        self.note_pte(op, at, Pte::NONE, 1);
        let backend = self.world.backend;
        // Forgotten when done, so that a run from the start finds them again.
        for (mm, addr, nr) in self.local.memory.batched.clone() {
            if mm == at.mm {
                let at = At { mm, addr };
                backend.flush_tlb_range(self, at, nr.into());
                self.track(|tracker, _| tracker.flushed(at, nr.into()));
            }
        }
        if self.live() {
            self.local.memory.batched.retain(|(mm, ..)| *mm != at.mm);
        }
    }
}
