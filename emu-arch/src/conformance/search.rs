//! Which sequences are tried: all short ones, random longer ones, and the shortest that breaks a
//! duty.

use lazy_mmu::design::{CallInfo, Design};
use lazy_mmu::trace::PteOp;

use super::act::{Act, Client, Offer, Page, mapped, pages};
use super::judge::Seen;
use super::point::{Batch, Point};
use super::report::Found;
use super::side::{Done, Side, State};
use super::tally::{Breach, Tally};
use crate::Kernel;
use crate::backend::{Backend, Facts};
use crate::hw::pte::Pte;
use crate::kernel::{PteArgs, Step};
use crate::naive::Naive;
use crate::replay::Setup;

/// How long the sequences are of which all are tried, behind each beginning.
const DEPTH: usize = 2;
/// How many random sequences are tried, and how long they are.
const RANDOM: usize = 300;
const RANDOM_STEPS: usize = 24;
/// How many brackets are open at most.
const NESTING: [usize; 2] = [2, 3];

/// The search of one version of a backend's code.
pub(super) struct Search {
    kernel: Kernel,
    design: Design,
    facts: &'static Facts,
    /// [`Backend::PTEP_GET_IS_READ`]
    get_is_read: bool,
    own: Side,
    naive: Side,
    pages: Vec<Page>,
    nesting: usize,
    pub(super) tally: Tally,
    pub(super) found: Vec<Found>,
    pub(super) sequences: u64,
}

impl Search {
    pub(super) fn new<B: Backend>(kernel: Kernel, design: Design) -> Self {
        let (own, naive) = sides::<B>(kernel, design, None);
        let (tally, found, pages) = (Tally::default(), Vec::new(), Vec::new());
        let facts = crate::Arch::of::<B>().facts();
        let get_is_read = B::PTEP_GET_IS_READ;
        Self {
            kernel,
            design,
            facts,
            get_is_read,
            own,
            naive,
            pages,
            nesting: 0,
            tally,
            found,
            sequences: 0,
        }
    }

    /// Tries everything.
    pub(super) fn run<B: Backend>(&mut self) {
        for mm in [0, 1] {
            (self.pages, self.nesting) = (pages(mm).collect(), NESTING[0]);
            self.exhaust();
        }
        self.pages = [0, 1, 2].into_iter().flat_map(pages).collect();
        self.nesting = NESTING[1];
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for batch_max in [None, Some(2)] {
            (self.own, self.naive) = sides::<B>(self.kernel, self.design, batch_max);
            (0..RANDOM / 2).for_each(|_| self.walk(&mut random));
        }
        (self.own, self.naive) = sides::<B>(self.kernel, self.design, None);
    }

    /// Tries all short sequences, behind nothing, behind an enable, and behind the use of a page.
    fn exhaust(&mut self) {
        let used = self.pages.iter().find(|page| page.mapped).map(|page| page.args(1, None));
        let used = used.map(|args| Act::Step(Step::Pte(PteOp::read, args)));
        let enable = Act::Step(Step::Call(&CallInfo::ENABLE, None));
        let beginnings: [&[Option<Act>]; 3] = [&[], &[Some(enable)], &[used, Some(enable)]];
        for acts in beginnings {
            let mut acts: Vec<Act> = acts.iter().copied().flatten().collect();
            match self.replay(&acts) {
                Ok(point) => self.explore(&point, &mut acts, DEPTH),
                Err(broken) => self.note(acts, broken),
            }
        }
    }

    fn explore(&mut self, point: &Point, acts: &mut Vec<Act>, depth: usize) {
        for act in self.offered(point) {
            acts.push(act);
            match self.step(point, &act) {
                Err(broken) => self.note(acts.clone(), broken),
                Ok(next) if depth > 1 => self.explore(&next, acts, depth - 1),
                Ok(_) => self.sequences += 1,
            }
            acts.pop();
        }
    }

    /// Tries a random sequence.
    fn walk(&mut self, random: &mut Random) {
        let (mut point, mut acts) = (self.start(), Vec::new());
        self.sequences += 1;
        for _ in 0..RANDOM_STEPS {
            let offered = self.offered(&point);
            let Some(act) = random.pick(&offered) else { return };
            acts.push(*act);
            match self.step(&point, act) {
                Ok(next) => point = next,
                Err(broken) => return self.note(acts, broken),
            }
        }
    }

    /// Keeps the first sequence that breaks a duty, without the acts that it does not need.
    fn note(&mut self, mut acts: Vec<Act>, broken: Breach) {
        let (duty, ..) = broken;
        if self.found.iter().any(|found| found.duty == duty) {
            return;
        }
        let mut broken = broken;
        let mut n = acts.len();
        while n > 0 {
            n -= 1;
            let mut fewer = acts.clone();
            fewer.remove(n);
            if let Err(again) = self.replay(&fewer)
                && again.0 == duty
            {
                (acts, broken) = (fewer, again);
                n = acts.len();
            }
        }
        self.push(&acts, broken);
    }

    /// Keeps a sequence that breaks a duty, if it is the first.
    pub(super) fn push_first(&mut self, acts: &[Act], broken: Breach) {
        if !self.found.iter().any(|found| found.duty == broken.0) {
            self.push(acts, broken);
        }
    }

    fn push(&mut self, acts: &[Act], (duty, found, expected): Breach) {
        let mapped = mapped(&self.pages, acts).map(|page| page.args(1, None)).collect();
        let kernel = self.kernel;
        self.found.push(Found { duty, kernel, mapped, acts: acts.to_vec(), found, expected });
    }

    /// Does `acts` from the start: a sequence that the contract forbids breaks nothing.
    fn replay(&mut self, acts: &[Act]) -> Result<Point, Breach> {
        let mut point = self.start();
        for act in acts {
            if !self.offered(&point).contains(act) {
                break;
            }
            point = self.step(&point, act)?;
        }
        Ok(point)
    }

    /// What `act` does behind `acts`, in words.
    pub(super) fn does(&mut self, acts: &[Act], act: &Act) -> String {
        let Ok(mut point) = self.replay(acts) else { return String::new() };
        let done = self.own.act(&mut point.own, act);
        let mut words = done.acts();
        if point.own.local.memory.has_pending() {
            words.push("deferred work");
        }
        if words.is_empty() { "has no effect".to_owned() } else { words.join(", ") }
    }

    pub(super) fn pages(&self) -> &[Page] {
        &self.pages
    }

    pub(super) fn facts(&self) -> &'static Facts {
        self.facts
    }

    fn start(&self) -> Point {
        let mapped: Vec<PteArgs> =
            self.pages.iter().filter(|page| page.mapped).map(|page| page.args(1, None)).collect();
        let own = self.own.start(&mapped);
        let (naive, bare) = (self.naive.start(&mapped), own.clone());
        let (client, batch) = (Client::default(), Batch::default());
        Point { own, bare, naive, client, says: None, mode: None, batch }
    }

    fn offered(&self, point: &Point) -> Vec<Act> {
        let (own, naive) = (&point.own.local, &point.naive.local);
        point.client.offered(&Offer {
            kernel: self.kernel,
            design: self.design,
            pages: &self.pages,
            nesting: self.nesting,
            entry: &|at| naive.memory.entry(at),
            pending: &|at| own.memory.is_pending(at),
            outstanding: point.says.is_some() || own.memory.has_pending(),
            preemptible: own.task.preempt_count.preemptible(),
        })
    }

    /// Does `act` on all machines.
    fn step(&mut self, before: &Point, act: &Act) -> Result<Point, Breach> {
        let mut after = before.clone();
        let own = self.own.act(&mut after.own, act);
        let naive = self.naive.act(&mut after.naive, act);
        let bare = match act {
            Act::Step(Step::Pte(..)) | Act::Migrate => self.own.act(&mut after.bare, act),
            Act::Step(_) => Done::default(),
        };
        after.client.after(act);
        after.says = self.own.code.pending(&mut after.own.local);
        after.mode = self.own.code.lazy_mode(&mut after.own.local);
        own.requests.iter().for_each(|request| after.batch.request(request, self.facts));
        let flushes = after.says.is_some() || act.role().is_some();
        let flushed = (flushes && !after.client.in_interrupt).then(|| {
            let once = self.own.flushed(&after.own);
            let twice = self.own.flushed(&once);
            [once, twice]
        });
        let got = self.get_is_read.then(|| self.got(&after.own)).flatten();
        let seen = Seen {
            kernel: self.kernel,
            facts: self.facts,
            pages: &self.pages,
            act,
            before,
            after: &after,
            own: &own,
            bare: &bare,
            naive: &naive,
            flushed,
            got,
        };
        match seen.judge(&mut self.tally) {
            Some(broken) => Err(broken),
            None => Ok(after),
        }
    }

    /// What `ptep_get()` returns for a page whose work is pending, with the page.
    fn got(&mut self, state: &State) -> Option<(Page, Pte)> {
        let memory = &state.local.memory;
        let page = *self.pages.iter().find(|page| memory.is_pending(page.at))?;
        let get = Act::Step(Step::Pte(PteOp::ptep_get, page.args(1, None)));
        let done = self.own.act(&mut state.clone(), &get);
        Some((page, Pte(done.returned()?)))
    }

    /// What can be said only when all is tried: `set_pte_at()` and its like do the same, and what
    /// is declared is deferred.
    pub(super) fn whole(&mut self) {
        for mm in [0, 1] {
            (self.pages, self.nesting) = (pages(mm).collect(), NESTING[0]);
            self.installs();
        }
        self.declared();
    }
}

fn sides<B: Backend>(kernel: Kernel, design: Design, batch_max: Option<u16>) -> (Side, Side) {
    let setup = Setup { batch_max, ..Setup::default() };
    let own = Side::new(B::in_kernel(kernel), design, setup);
    (own, Side::new(Naive, design, setup))
}

/// The numbers of a fixed sequence that looks random: xorshift64.
struct Random(u64);

impl Random {
    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        from.get((self.0 % from.len().max(1) as u64) as usize)
    }
}
