//! The rules: which duty an act breaks, given what it did on three machines.
//!
//! The backend runs the client as it is; a second time without calls of the API, so that every
//! update takes effect at once; and `naive` runs it, whose memory is what software believes.

use lazy_mmu::design::Role;
use lazy_mmu::preempt::PreemptCount;
use lazy_mmu::trace::PteOp;

use super::act::{Act, Page};
use super::duty::Duty;
use super::point::Point;
use super::side::{Done, State};
use super::tally::{Breach, Tally};
use crate::Kernel;
use crate::backend::Facts;
use crate::hazard::Hazard;
use crate::hw::pte::Pte;
use crate::replay::{Request, slot_of};

/// The bits of an entry that architectures keep for themselves.
const PRIVATE: u64 = Pte::HASHPTE | Pte::INVALID;

/// One act and what it did.
pub(super) struct Seen<'s> {
    pub(super) kernel: Kernel,
    pub(super) facts: &'static Facts,
    pub(super) pages: &'s [Page],
    pub(super) act: &'s Act,
    pub(super) before: &'s Point,
    pub(super) after: &'s Point,
    pub(super) own: &'s Done,
    pub(super) bare: &'s Done,
    pub(super) naive: &'s Done,
    /// The machine after one flush hook more, and after two; where work is outstanding or a call
    /// returns, and not in an interrupt.
    pub(super) flushed: Option<[State; 2]>,
    /// What `ptep_get()` then returns for a page whose work is pending, where it must read memory.
    pub(super) got: Option<(Page, Pte)>,
}

impl Seen<'_> {
    /// Looks for the first duty that the act breaks.
    pub(super) fn judge(&self, tally: &mut Tally) -> Option<Breach> {
        let rules: [fn(&Self, &mut Tally) -> Option<Breach>; 16] = [
            Self::bugs,
            Self::completions,
            Self::writes,
            Self::brackets,
            Self::preemption,
            Self::flushes,
            Self::pending,
            Self::gets,
            Self::places,
            Self::declares,
            Self::modes,
            Self::acts,
            Self::effects,
            Self::memory,
            Self::results,
            Self::hazards,
        ];
        rules.into_iter().find_map(|rule| rule(self, tally))
    }

    fn bugs(&self, tally: &mut Tally) -> Option<Breach> {
        let found = self.own.bug.filter(|_| self.naive.bug.is_none());
        let said = |text: &str| (text.to_owned(), "no BUG and no warning".to_owned());
        tally.must(Duty::NoBug, found.is_none(), || said(found.unwrap_or_default()))
    }

    /// Each completion has an effect since the first deferral.
    fn completions(&self, tally: &mut Tally) -> Option<Breach> {
        let mut batch = self.before.batch.clone();
        self.own.requests.iter().find_map(|request| {
            let completes = *request == Request::Complete && batch.any;
            let found = completes.then(|| {
                tally.must(Duty::EffectPerCompletion, batch.effect, || {
                    let found = "complete() before any effect of the deferred work";
                    (found.to_owned(), "an effect, then complete()".to_owned())
                })
            });
            batch.request(request, self.facts);
            found.flatten()
        })
    }

    /// Entries are written before the work that follows them is deferred or done.
    fn writes(&self, tally: &mut Tally) -> Option<Breach> {
        let stores = self.facts.defers_stores();
        let (mut batch, mut late) = (self.before.batch.clone(), Vec::new());
        let mut any = false;
        for request in &self.own.requests {
            match request {
                Request::Defer(at, nr) if !stores => {
                    late.extend((0..*nr).map(|n| slot_of(at.add_pages(n))));
                }
                Request::Complete if stores => late.append(&mut batch.slots),
                Request::Write(slot, _) if late.contains(slot) => {
                    let what = if stores { "complete()" } else { "defer()" };
                    let said =
                        || (format!("an entry is written after {what}"), format!("before {what}"));
                    return tally.must(Duty::WritesFirst, false, said);
                }
                Request::Write(..)
                | Request::Defer(..)
                | Request::DeferTable(..)
                | Request::Complete
                | Request::Invalidate(..)
                | Request::Effect(_)
                | Request::Return(_) => {}
            }
            any |= !late.is_empty();
            batch.request(request, self.facts);
        }
        any.then(|| tally.must(Duty::WritesFirst, true, Default::default)).flatten()
    }

    /// What the end of a section or a pause promises.
    fn brackets(&self, tally: &mut Tally) -> Option<Breach> {
        let ends = match self.act.role()? {
            Role::ClosesSection => self.kernel >= Kernel::V7_0 || self.after.client.open.is_empty(),
            Role::OpensPause => true,
            Role::OpensSection | Role::ClosesPause | Role::Neither => false,
        };
        let pending = |point: &Point| point.own.local.memory.has_pending();
        (ends && pending(self.before)).then_some(())?;
        let said = || (self.account(), "nothing is pending".to_owned());
        tally.must(Duty::Completes, !pending(self.after), said)
    }

    /// The preempt count after an update, and outside of all brackets.
    fn preemption(&self, tally: &mut Tally) -> Option<Breach> {
        let client = &self.after.client;
        let count = |point: &Point| point.own.local.task.preempt_count;
        let expected = match self.act.update() {
            Some(_) => count(self.before),
            None if client.open.is_empty() && !client.in_interrupt => PreemptCount::default(),
            None => return None,
        };
        let found = count(self.after);
        let text = |count: PreemptCount| format!("preempt_count={}", count.0);
        let said = || (text(found), text(expected));
        tally.must(Duty::PreemptBalanced, found == expected, said)
    }

    /// A flush hook may be called at any time.
    fn flushes(&self, tally: &mut Tally) -> Option<Breach> {
        let [once, twice] = self.flushed.as_ref()?;
        tally.must(Duty::FlushTwice, once == twice, || {
            let found = "after a second arch_flush_lazy_mmu_mode() the machine is another one";
            (found.to_owned(), "the machine as after the first".to_owned())
        })
    }

    /// The backend's own account of deferred work.
    fn pending(&self, tally: &mut Tally) -> Option<Breach> {
        let pending = self.after.own.local.memory.has_pending();
        let silent = pending && self.after.says.is_none();
        let update = self.act.update().is_some() && self.before.says.is_none();
        let untold = !pending && self.after.says.is_some() && update;
        if !pending && !untold {
            return None;
        }
        tally.must(Duty::PendingAgrees, !silent && !untold, || {
            let expected = if silent { "pending() says how much" } else { "defer() for each page" };
            (self.account(), expected.to_owned())
        })
    }

    /// The accessor reads memory.
    fn gets(&self, tally: &mut Tally) -> Option<Breach> {
        let (page, got) = self.got?;
        let is = self.after.own.local.memory.entry(page.at);
        let said = || (format!("returns {}", entry(got)), format!("returns {}", entry(is)));
        tally.must(Duty::GetIsRead, got == is, said)
    }

    /// An update leaves work pending in a section only.
    fn places(&self, tally: &mut Tally) -> Option<Breach> {
        let op = self.act.update()?;
        let active = self.before.client.is_active();
        tally.updated(op, active, self.own.defers());
        if active {
            return None;
        }
        let left = self.own.defers() && self.after.own.local.memory.has_pending();
        let said = || (self.account(), "the update is done".to_owned());
        tally.must(Duty::DefersInSections, !left, said)
    }

    /// Where the facts say that nothing is deferred, nothing is.
    fn declares(&self, tally: &mut Tally) -> Option<Breach> {
        (self.facts.defers.is_none() && self.own.defers()).then_some(())?;
        let said = || ("defer() is called".to_owned(), "Facts::defers says nothing".to_owned());
        tally.must(Duty::DefersAsDeclared, false, said)
    }

    /// Where the facts say that the architecture remembers no mode, it remembers none.
    fn modes(&self, tally: &mut Tally) -> Option<Breach> {
        let mode = self.after.mode?;
        tally.must(Duty::ModeAsDeclared, self.facts.own_mode, || {
            (format!("lazy_mode() says {mode}"), "Facts::own_mode is true".to_owned())
        })
    }

    /// An update that does not defer its work does it.
    fn acts(&self, tally: &mut Tally) -> Option<Breach> {
        let op = self.act.update().filter(|_| !self.own.defers())?;
        let (does, outside) = (self.own.acts(), self.bare.acts());
        if outside.is_empty() {
            return None;
        }
        let missing: Vec<_> = outside.into_iter().filter(|act| !does.contains(act)).collect();
        tally.must(Duty::ActsOrDefers, missing.is_empty(), || {
            let list = if does.is_empty() { "nothing".to_owned() } else { does.join(", ") };
            (format!("{} does {list}", op.name()), format!("{}, or defer()", missing.join(", ")))
        })
    }

    /// What scenarios can count.
    fn effects(&self, tally: &mut Tally) -> Option<Breach> {
        self.own.delayable().find_map(|effect| {
            let listed = self.facts.effects.iter().any(|known| known.name == effect.name);
            tally.must(Duty::EffectsListed, listed, || {
                (format!("the effect {}", effect.name), "one of Facts::effects".to_owned())
            })
        })
    }

    /// Every entry without deferred work.
    fn memory(&self, tally: &mut Tally) -> Option<Breach> {
        let Point { own, naive, client, .. } = self.after;
        self.pages.iter().map(|page| page.at).find_map(|at| {
            if own.local.memory.is_pending(at) || client.started.contains(&at) {
                return None;
            }
            let [own, naive] = [own, naive].map(|state| state.local.memory.entry(at));
            tally.must(Duty::SameMemory, own.without(PRIVATE) == naive.without(PRIVATE), || {
                let text = |pte: Pte| format!("{:#x}: {}", at.addr, entry(pte));
                (text(own), text(naive))
            })
        })
    }

    /// What a primitive returns, and whether an access faults.
    fn results(&self, tally: &mut Tally) -> Option<Breach> {
        let (op, args) = self.act.pte()?;
        if matches!(op, PteOp::read | PteOp::write) {
            let (own, naive) = (self.own.faults(), self.naive.faults());
            let text = |faults| if faults { "page fault" } else { "no fault" };
            return tally.must(Duty::SameResults, own == naive, || {
                (text(own).to_owned(), text(naive).to_owned())
            });
        }
        // What is deferred is read from wherever it waits, or not.
        if self.before.own.local.memory.is_pending(args.at()) {
            return None;
        }
        let (own, naive) = (self.own.returned()?, self.naive.returned()?);
        tally.must(Duty::SameResults, own & !PRIVATE == naive & !PRIVATE, || {
            let yes = op == PteOp::ptep_test_and_clear_young || op == PteOp::ptep_set_access_flags;
            let text = |bits| if yes { (bits != 0).to_string() } else { entry(Pte(bits)) };
            (format!("returns {}", text(own)), format!("returns {}", text(naive)))
        })
    }

    /// Hazards of the backend alone.
    fn hazards(&self, tally: &mut Tally) -> Option<Breach> {
        let more = self
            .own
            .hazards
            .iter()
            .find(|hazard| !hazard.is_callers() && !self.naive.hazards.contains(hazard));
        let stale = more == Some(&Hazard::StaleTranslation);
        let said = || {
            let about = more.map_or("", |hazard| hazard.about());
            (about.to_owned(), "no hazard".to_owned())
        };
        let translates = self.naive.used_cached || stale;
        let found = translates.then(|| tally.must(Duty::Invalidates, !stale, said)).flatten();
        found.or_else(|| tally.must(Duty::NoHazard, more.is_none(), said))
    }

    /// What is pending by the calls of `defer()`, and by the backend's own account.
    fn account(&self) -> String {
        let memory = &self.after.own.local.memory;
        let pages = self.pages.iter().filter(|page| memory.is_pending(page.at));
        let mut text: String =
            pages.map(|page| format!("{:#x} is pending, ", page.at.addr)).collect();
        text += &match self.after.says {
            Some((n, what)) => format!("pending() says {n} in {what}"),
            None => "pending() says nothing".to_owned(),
        };
        text
    }
}

fn entry(pte: Pte) -> String {
    if pte.is_none() {
        return "empty".to_owned();
    }
    format!("pfn {:#x} {}", pte.pfn().0, pte.flags_text())
}
