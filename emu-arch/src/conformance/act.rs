//! What a client does next, and which acts the contract of the API leaves it.

use std::fmt::{self, Display, Formatter};

use lazy_mmu::design::{CallInfo, Design, Role, Takes};
use lazy_mmu::trace::PteOp;

use crate::Kernel;
use crate::backend::At;
use crate::hw::addr::VirtAddr;
use crate::hw::pte::Pte;
use crate::kernel::{ContextOp, Prot, PteArgs, Step, TaskOp};

/// What a client does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// A step of its task, or of an interrupt.
    Step(Step),
    /// Its task is preempted and continues on the other CPU.
    Migrate,
}

impl Display for Act {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => step.fmt(f),
            Self::Migrate => f.write_str("run"),
        }
    }
}

impl Act {
    /// The primitive and its arguments, where it is one.
    pub(super) const fn pte(&self) -> Option<(PteOp, &PteArgs)> {
        match self {
            Self::Step(Step::Pte(op, args)) => Some((*op, args)),
            Self::Step(_) | Self::Migrate => None,
        }
    }

    /// The primitive, where it changes entries.
    pub(super) fn update(&self) -> Option<PteOp> {
        let (op, _) = self.pte()?;
        let rest = READS.contains(&op) || FLUSHES.contains(&op);
        (!rest).then_some(op)
    }

    /// What it does to brackets, where it is a call.
    pub(super) const fn role(&self) -> Option<Role> {
        match self {
            Self::Step(Step::Call(info, _)) => Some(info.role),
            Self::Step(_) | Self::Migrate => None,
        }
    }
}

/// Primitives and accesses after which software takes an entry for what it was.
const READS: [PteOp; 4] = [PteOp::ptep_get, PteOp::raw_read, PteOp::read, PteOp::write];
const FLUSHES: [PteOp; 2] = [PteOp::flush_tlb_range, PteOp::tlb_flush];
/// A client does not change an entry twice before the first change is done; the commit is the
/// second half of one change.
const INSTALLS: [(PteOp, Option<Prot>); 3] =
    [(PteOp::set_pte_at, None), (PteOp::set_ptes, None), (PteOp::set_pte, Some(Prot::ReadOnly))];
const CHANGES: [(PteOp, Option<Prot>); 6] = [
    (PteOp::ptep_get_and_clear, None),
    (PteOp::ptep_set_wrprotect, None),
    (PteOp::wrprotect_ptes, None),
    (PteOp::ptep_test_and_clear_young, None),
    (PteOp::ptep_modify_prot_start, None),
    (PteOp::ptep_set_access_flags, Some(Prot::ReadWrite)),
];

/// A page of the client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub(super) at: At,
    /// The page is mapped and was used before the client begins.
    pub(super) mapped: bool,
    /// Interrupts alone work on the page.
    pub(super) interrupt: bool,
}

impl Page {
    pub(super) const fn args(&self, nr: u16, prot: Option<Prot>) -> PteArgs {
        PteArgs { addr: self.at.addr, nr, mm: self.at.mm, prot, pfn: None, psize: None }
    }
}

/// Four pages of the kernel, or of the process with address space `mm`: the second is mapped, the
/// last belongs to interrupts.
pub(super) fn pages(mm: u8) -> impl Iterator<Item = Page> {
    let first: u64 = if mm == 0 { 0xffff_8000_0800_0000 } else { 0x7f00_0000_0000 };
    (0..4).filter_map(move |n| {
        let at = At { mm, addr: VirtAddr::page(first + n * 0x1000).ok()? };
        Some(Page { at, mapped: n == 1, interrupt: n == 3 })
    })
}

/// Where a client is.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    /// The brackets that are open, the innermost last.
    pub(super) open: Vec<Role>,
    pub(super) in_interrupt: bool,
    /// The pages between `ptep_modify_prot_start()` and its commit.
    pub(super) started: Vec<At>,
}

/// What decides on the acts of a client beside its own place.
pub(super) struct Offer<'o> {
    pub(super) kernel: Kernel,
    pub(super) design: Design,
    pub(super) pages: &'o [Page],
    /// How many brackets are open at most.
    pub(super) nesting: usize,
    /// The entry that naive has for a page.
    pub(super) entry: &'o dyn Fn(At) -> Pte,
    /// Whether work for a page is deferred.
    pub(super) pending: &'o dyn Fn(At) -> bool,
    /// Anything is outstanding: deferred work, or a flush in a queue.
    pub(super) outstanding: bool,
    pub(super) preemptible: bool,
}

impl Client {
    /// Whether the mode is active for arch code.
    pub(super) fn is_active(&self) -> bool {
        !self.in_interrupt && !self.open.is_empty() && !self.open.contains(&Role::OpensPause)
    }

    /// Goes on by `act`.
    pub(super) fn after(&mut self, act: &Act) {
        match act {
            Act::Step(Step::Context(op)) => self.in_interrupt = op.add,
            Act::Step(Step::Pte(PteOp::ptep_modify_prot_start, args)) => {
                self.started.push(args.at());
            }
            Act::Step(Step::Pte(PteOp::ptep_modify_prot_commit, args)) => {
                self.started.retain(|at| *at != args.at());
            }
            Act::Step(_) | Act::Migrate => match act.role() {
                Some(role) if role.opens() => self.open.push(role),
                Some(role) if role.closes() => drop(self.open.pop()),
                _ => {}
            },
        }
    }

    /// What the client may do.
    pub(super) fn offered(&self, offer: &Offer<'_>) -> Vec<Act> {
        let mut acts = Vec::new();
        if self.in_interrupt {
            acts.extend(ContextOp::by_name("hardirq_exit").map(Step::Context));
        } else {
            self.calls(offer, &mut acts);
        }
        for (n, page) in offer.pages.iter().enumerate() {
            if page.interrupt == self.in_interrupt {
                self.primitives(offer, n, &mut acts);
            }
        }
        let mut acts: Vec<Act> = acts.into_iter().map(Act::Step).collect();
        if !self.in_interrupt && offer.preemptible {
            acts.push(Act::Migrate);
        }
        acts
    }

    /// Calls of the API and what a task does to itself. Up to v6.19 sections did not nest, there
    /// was no pause, and interrupts did not update what tasks batch.
    fn calls(&self, offer: &Offer<'_>, acts: &mut Vec<Step>) {
        let nests = offer.kernel >= Kernel::V7_0;
        let room = self.open.len() < if nests { offer.nesting } else { 1 };
        let fits = |info: &&CallInfo| match (info.role, self.open.last()) {
            (Role::OpensSection, _) => room,
            (Role::OpensPause, _) => room && nests,
            (Role::ClosesSection, last) => last == Some(&Role::OpensSection),
            (Role::ClosesPause, last) => last == Some(&Role::OpensPause),
            (Role::Neither, _) => true,
        };
        let own = offer.pages.iter().filter(|page| !page.interrupt);
        let first = own.clone().next();
        let nr = own.filter(|page| first.is_some_and(|first| first.at.mm == page.at.mm)).count();
        for info in offer.design.calls().iter().filter(|info| !info.by_arch).filter(fits) {
            let range = first.filter(|_| info.takes.takes_pages());
            let nr = if info.takes == Takes::PteRange { nr as u16 } else { 1 };
            acts.push(Step::Call(info, range.map(|page| page.args(nr, None))));
        }
        acts.push(Step::Task(TaskOp::ArchFlush));
        if nests {
            acts.extend(ContextOp::by_name("hardirq_enter").map(Step::Context));
        }
    }

    /// The primitives on page number `n`, and on those that follow it.
    fn primitives(&self, offer: &Offer<'_>, n: usize, acts: &mut Vec<Step>) {
        let page = &offer.pages[n];
        let mut push = |op: PteOp, nr, prot| acts.push(Step::Pte(op, page.args(nr, prot)));
        if self.started.contains(&page.at) {
            push(PteOp::ptep_modify_prot_commit, 1, Some(Prot::ReadOnly));
            return;
        }
        if (offer.pending)(page.at) {
            return;
        }
        let present = (offer.entry)(page.at).is_present();
        let alike = |next: &&Page| {
            next.at.mm == page.at.mm
                && next.interrupt == page.interrupt
                && !(offer.pending)(next.at)
                && !self.started.contains(&next.at)
                && (offer.entry)(next.at).is_present() == present
        };
        let run = offer.pages[n..].iter().take_while(alike).count() as u16;
        let list = if present { &CHANGES[..] } else { &INSTALLS[..] };
        for (op, prot) in list {
            push(*op, if op.takes_nr() { run } else { 1 }, *prot);
        }
        if present && page.at.is_init_mm() {
            push(PteOp::pte_clear, 1, None);
        }
        if self.in_interrupt {
            return;
        }
        push(PteOp::ptep_get, 1, None);
        push(PteOp::raw_read, 1, None);
        if !offer.outstanding {
            push(PteOp::read, 1, None);
            push(PteOp::write, 1, None);
            push(PteOp::flush_tlb_range, 1, None);
            // What a gather does at its end, over pages of a process.
            if !page.at.is_init_mm() {
                push(PteOp::tlb_flush, 1, None);
            }
        }
        if n == 0 {
            push(PteOp::set_pmd, 1, None);
            push(PteOp::set_p4d, 1, Some(Prot::None));
        }
    }
}

/// The pages in `pages` that are mapped at the beginning and that `acts` work on.
pub(super) fn mapped<'p>(pages: &'p [Page], acts: &'p [Act]) -> impl Iterator<Item = &'p Page> {
    let touches = |act: &Act, at: At| {
        act.pte().is_some_and(|(_, args)| {
            let first = args.at();
            let n = at.addr.get().wrapping_sub(first.addr.get()) >> 12;
            first.mm == at.mm && n < args.nr.into()
        })
    };
    pages.iter().filter(move |page| page.mapped && acts.iter().any(|act| touches(act, page.at)))
}
