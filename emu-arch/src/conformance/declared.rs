//! The duties that no single sequence shows.

use lazy_mmu::design::CallInfo;
use lazy_mmu::trace::PteOp;

use super::act::Act;
use super::duty::Duty;
use super::search::Search;
use crate::backend::Deferred;
use crate::kernel::Step;

/// The primitives that reach memory by [`Backend::set_ptes`](crate::backend::Backend::set_ptes),
/// the last one unless the backend says otherwise.
const INSTALLS: [PteOp; 3] = [PteOp::set_pte_at, PteOp::set_ptes, PteOp::set_pte];
const REMOVALS: [PteOp; 2] = [PteOp::ptep_get_and_clear, PteOp::ptep_set_wrprotect];

impl Search {
    /// `set_pte_at()` and its like, outside of a section and in one.
    pub(super) fn installs(&mut self) {
        let Some(page) = self.pages().iter().find(|page| !page.mapped).copied() else { return };
        let enable = Act::Step(Step::Call(&CallInfo::ENABLE, None));
        for before in [&[][..], &[enable]] {
            let [first, rest @ ..] = INSTALLS.map(|op| {
                let act = Act::Step(Step::Pte(op, page.args(1, None)));
                (act, self.does(before, &act))
            });
            for (act, does) in rest {
                let said = || (format!("{act}: {does}"), format!("as {}: {}", first.0, first.1));
                let broken = self.tally.must(Duty::InstallsAlike, does == first.1, said);
                if let Some(broken) = broken {
                    let acts: Vec<Act> = before.iter().copied().chain([act]).collect();
                    self.push_first(&acts, broken);
                }
            }
        }
    }

    /// Something of what the facts declare is deferred somewhere.
    pub(super) fn declared(&mut self) {
        let (ops, what): (&[PteOp], &str) = match self.facts().defers {
            Some(Deferred::Barriers) => (&INSTALLS, "Barriers"),
            Some(Deferred::Store) => (&INSTALLS, "Store"),
            Some(Deferred::Invalidation) => (&REMOVALS, "Invalidation"),
            None => return,
        };
        let used = |op: &&PteOp| self.tally.active.contains(op);
        let never = ops.iter().filter(used).find(|op| !self.tally.deferred.contains(op)).copied();
        let said = || {
            let name = never.map_or("", PteOp::name);
            (format!("{name} never defers in a section"), format!("Facts::defers says {what}"))
        };
        if let Some(broken) = self.tally.must(Duty::DefersAsDeclared, never.is_none(), said) {
            self.push_first(&[], broken);
        }
    }
}
