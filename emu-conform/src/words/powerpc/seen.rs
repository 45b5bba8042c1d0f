//! What the flushes of a powerpc trace say that calls have done.

use emu_arch::powerpc::PPC64_TLB_BATCH_NR;
use emu_input::InputError;
use lazy_mmu::design::Call;

use super::effects::{BATCHED, PAGE, RANGE};
use super::reduce::{INSIDE, Reducer, from};
use crate::moves::{Effect, Seen};
use crate::sites;
use crate::trace::Event;

/// How many entries fill a batch.
const BATCH_MAX: u64 = PPC64_TLB_BATCH_NR as u64;

impl<'t> Reducer<'t> {
    /// `__flush_tlb_pending()` flushes before anything else happens on the CPU.
    pub(super) fn pending(&mut self, e: &Event<'t>) {
        let inside = INSIDE.contains(&e.name);
        let pending = self.pending.get(&e.cpu).copied();
        let Some((task, _, line)) = pending.filter(|_| !e.in_interrupt()) else { return };
        if task != e.task() || !inside {
            self.pending.remove(&e.cpu);
            self.out.breaks(line, || "no flush follows __flush_tlb_pending".to_owned());
        }
    }

    /// A store to `ppc64_tlb_batch.active`: the whole hook but for its flush, which came before.
    pub(super) fn active(&mut self, e: &Event<'t>) -> Result<(), InputError> {
        if e.name.ends_with("__switch_to") {
            return Ok(());
        }
        let on = e.needs("new")? != 0;
        let index = self.step(e, sites::call(if on { Call::ENABLE } else { Call::DISABLE }));
        let state = self.tasks.entry(e.task()).or_default();
        state.active = on;
        if let Some(flushed) = state.leaving.take().filter(|_| !on) {
            self.out.moves[index].seen = flushed;
        }
        Ok(())
    }

    pub(super) fn flush_pending(&mut self, e: &Event<'t>) -> Result<(), InputError> {
        let n = e.number_of("n")?;
        let by_leave = self.has_active && !matches!(from(e), "hpte_need_flush" | "hash__tlb_flush");
        let state = self.tasks.entry(e.task()).or_default();
        if by_leave {
            state.leaving = Some(Vec::new());
        }
        let Some(n) = n else { return Ok(()) };
        if self.pending.insert(e.cpu, (e.task(), n, e.line)).is_some() {
            let what = || "__flush_tlb_pending twice, and no flush between".to_owned();
            self.out.breaks(e.line, what);
        }
        // A batch that is not full goes first where the entry does not go with those in it; the
        // event of hpte_need_flush() stands before both.
        let last = self.tasks.entry(e.task()).or_default().last;
        if let Some(last) = last.filter(|_| from(e) == "hpte_need_flush" && n < BATCH_MAX) {
            let seen = &mut self.out.moves[last].seen;
            let joined = seen.pop_if(|seen| seen.effect == BATCHED);
            self.tasks.entry(e.task()).or_default().joins = joined;
        }
        Ok(())
    }

    pub(super) fn flush(&mut self, e: &Event<'t>) -> Result<(), InputError> {
        if from(e) == "flush_hash_range" {
            return Ok(());
        }
        let (effect, n) = match e.name {
            "flush_hash_range" => (RANGE.of(e.needs("n")?), e.needs("n")?),
            _ => (PAGE, 1),
        };
        let batch = e.name == "flush_hash_range" || from(e) == "__flush_tlb_pending";
        let pending = self.pending.remove(&e.cpu).map(|(_, pending, _)| pending);
        let known = self.tasks.get(&e.task()).is_some_and(|state| state.last.is_some());
        if batch && pending.is_none() && known && self.has_pending {
            let what = || "a flush of the batch, and no __flush_tlb_pending before it".to_owned();
            self.out.breaks(e.line, what);
        }
        if let Some(pending) = pending.filter(|pending| batch && *pending != n) {
            self.out.breaks(e.line, || {
                format!("{n} pages are flushed where __flush_tlb_pending has {pending}")
            });
        }
        self.note(e, effect);
        let state = self.tasks.entry(e.task()).or_default();
        if let (Some(joined), Some(last)) = (state.joins.take(), state.last) {
            self.out.moves[last].seen.push(joined);
        }
        Ok(())
    }

    /// The kernel did `effect` at the last call of a task.
    pub(super) fn note(&mut self, e: &Event<'t>, effect: Effect) {
        let state = self.tasks.entry(e.task()).or_default();
        match (&mut state.leaving, state.last) {
            (Some(leaving), _) if effect != BATCHED => leaving.push(Seen { effect, line: e.line }),
            (_, Some(last)) => self.out.see(last, e.line, effect),
            _ => self.out.leave_out("flushes before any call"),
        }
    }

    /// The trace ends: calls that are not done are beginnings.
    pub(super) fn end(&mut self) {
        self.pairs.end(&mut self.out);
        for state in self.tasks.values() {
            if let Some(last) = state.last.filter(|_| state.open) {
                self.out.moves[last].cut();
            }
            if state.started.is_some() {
                self.out.leave_out("calls at the end of the trace");
            }
        }
    }
}
