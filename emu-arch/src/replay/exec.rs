//! One step under way: re-executed from its start along the log of its answers, then live.

use indexmap::IndexSet;
use lazy_mmu::arch::Point;
use lazy_mmu::design::{Design, Hook, StateBits};
use lazy_mmu::preempt::PreemptCount;
use rustc_hash::FxBuildHasher;

use super::memory::Memory;
use super::state::{Local, Progress, Seen, Setup, Stop};
use crate::backend::{Backend, Slot};
use crate::hw::addr::VirtAddr;
use crate::hw::pte::Pte;
use crate::kernel::{Fault, point_name};

/// The code of one architecture, version and design, and every per-CPU state it has come across.
pub(super) struct World<B: Backend> {
    pub(super) backend: B,
    pub(super) design: Design,
    pub(super) setup: Setup,
    pub(super) per_cpus: IndexSet<B::PerCpu, FxBuildHasher>,
}

impl<B: Backend> World<B> {
    pub(super) fn new(backend: B, design: Design, setup: Setup) -> Self {
        let mut per_cpus = IndexSet::default();
        per_cpus.insert(B::PerCpu::default());
        Self { backend, design, setup, per_cpus }
    }

    /// Does `work` from where it stopped to its next point, or to its end.
    pub(super) fn resume(
        &mut self,
        local: &mut Local,
        from: &Progress,
        seen: &mut Seen,
        work: impl FnOnce(&mut Exec<'_, B>),
    ) -> Option<Stop> {
        let mode = if from.points == 0 { Mode::Live } else { Mode::Replaying };
        let log = Log { answers: from.answers.clone(), next: 0 };
        let mut exec = Exec::new(Reach { world: self, local, seen }, from.points, log, mode);
        work(&mut exec);
        let (stop, at_stop, seen_until) = exec.stop.take()?;
        *exec.reach.local = at_stop;
        *exec.reach.seen = seen_until;
        Some(stop)
    }

    /// Does `work` as one, whatever points are in it.
    pub(super) fn whole<R>(
        &mut self,
        local: &mut Local,
        seen: &mut Seen,
        work: impl FnOnce(&mut Exec<'_, B>) -> R,
    ) -> R {
        let reach = Reach { world: self, local, seen };
        work(&mut Exec::new(reach, 0, Log::default(), Mode::Whole))
    }
}

/// The answers that the machine has given in this step, and how many were replayed.
#[derive(Debug, Default)]
struct Log {
    answers: Vec<u64>,
    next: usize,
}

/// What a step's request returns: nothing, or a value that the log can hold.
pub(super) trait Answer {
    /// Appends the answer to a log.
    fn log(&self, answers: &mut Vec<u64>);
    /// The answer that `next` takes from a log.
    fn replay(next: &mut dyn FnMut() -> u64) -> Self;
}

impl Answer for () {
    fn log(&self, _: &mut Vec<u64>) {}
    fn replay(_: &mut dyn FnMut() -> u64) -> Self {}
}

macro_rules! answers {
    ($($type:ty: |$value:ident| $bits:expr, |$from:ident| $back:expr;)*) => {
        $(impl Answer for $type {
            fn log(&self, answers: &mut Vec<u64>) {
                let $value = self;
                answers.push($bits);
            }
            fn replay(next: &mut dyn FnMut() -> u64) -> Self {
                let $from = next();
                $back
            }
        })*
    };
}

answers! {
    u64: |value| *value, |bits| bits;
    bool: |value| u64::from(*value), |bits| bits != 0;
    Pte: |value| value.0, |bits| Pte(bits);
    StateBits: |value| value.0, |bits| StateBits(bits);
    PreemptCount: |value| u64::from(value.0), |bits| PreemptCount(bits as u32);
    Option<u8>: |value| value.map_or(u64::MAX, u64::from), |bits| u8::try_from(bits).ok();
    Option<Pte>: |value| value.map_or(u64::MAX, |pte| pte.0),
        |bits| (bits != u64::MAX).then_some(Pte(bits));
}

impl Answer for Vec<(VirtAddr, u16)> {
    fn log(&self, answers: &mut Vec<u64>) {
        answers.push(self.len() as u64);
        self.iter().for_each(|(addr, nr)| answers.extend([addr.get(), u64::from(*nr)]));
    }

    fn replay(next: &mut dyn FnMut() -> u64) -> Self {
        let len = next();
        let page = |next: &mut dyn FnMut() -> u64| {
            let (addr, nr) = (VirtAddr::page(next()), next());
            addr.ok().map(|addr| (addr, nr as u16))
        };
        (0..len).filter_map(|_| page(next)).collect()
    }
}

/// Which part of an execution it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Before the point where the step was left: everything has happened already.
    Replaying,
    /// From there to the next point.
    Live,
    /// Behind that point: the rest of the code has to end, on a machine that is thrown away.
    Stopped,
    /// An execution without points.
    Whole,
}

/// What a request can reach of the machine.
pub(super) struct Reach<'w, B: Backend> {
    pub(super) world: &'w mut World<B>,
    pub(super) local: &'w mut Local,
    pub(super) seen: &'w mut Seen,
}

impl<B: Backend> Reach<'_, B> {
    pub(super) fn read(&mut self, slot: Slot) -> Pte {
        self.local.memory.read(slot)
    }
}

/// A step under way.
pub(super) struct Exec<'w, B: Backend> {
    /// The machine; reached through [`step`](Self::step) alone, but for what never changes.
    reach: Reach<'w, B>,
    from: u32,
    log: Log,
    points: u32,
    /// The names of the points passed so far.
    passed: Vec<&'static str>,
    mode: Mode,
    pub(super) irqs_off: u32,
    /// The hook that runs.
    pub(super) hook: Option<Hook>,
    /// Where it stopped, with the machine and what was seen until there.
    stop: Option<(Stop, Local, Seen)>,
}

impl<'w, B: Backend> Exec<'w, B> {
    fn new(reach: Reach<'w, B>, from: u32, log: Log, mode: Mode) -> Self {
        let (points, passed, irqs_off, hook, stop) = (0, Vec::new(), 0, None, None);
        Self { reach, from, log, points, passed, mode, irqs_off, hook, stop }
    }

    /// Does one request: the only place that knows whether the step is replayed.
    ///
    /// While it is, the request was done before: its answer comes from the log, and what it does
    /// does not happen again.
    pub(super) fn step<A: Answer>(&mut self, request: impl FnOnce(&mut Reach<'_, B>) -> A) -> A {
        let Reach { world, local, seen } = &mut self.reach;
        let reach = &mut Reach { world, local, seen };
        match self.mode {
            Mode::Replaying => {
                let Log { answers, next } = &mut self.log;
                A::replay(&mut || {
                    *next += 1;
                    answers[*next - 1]
                })
            }
            Mode::Live => {
                let answer = request(reach);
                answer.log(&mut self.log.answers);
                answer
            }
            Mode::Stopped | Mode::Whole => request(reach),
        }
    }

    /// The step is at a point: it stops here if it has come from another one.
    pub(super) fn at_point(&mut self, point: Point, mark: bool) {
        let point = point_name(point);
        match self.mode {
            Mode::Replaying => {
                self.passed.push(point);
                self.points += 1;
                if self.points == self.from {
                    self.mode = Mode::Live;
                }
            }
            Mode::Live => {
                self.passed.push(point);
                let answers = std::mem::take(&mut self.log.answers);
                let progress = Progress { points: self.from + 1, answers };
                let nth = self.passed.iter().filter(|passed| **passed == point).count() as u32;
                let stop = Stop { progress, point, nth, irqs_off: self.irqs_off > 0, mark };
                let seen = std::mem::take(self.reach.seen);
                self.stop = Some((stop, self.reach.local.clone(), seen));
                self.mode = Mode::Stopped;
            }
            Mode::Stopped | Mode::Whole => {}
        }
    }

    pub(super) fn backend(&self) -> B {
        self.reach.world.backend
    }

    pub(super) fn design(&self) -> Design {
        self.reach.world.design
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.reach.world.setup.fault
    }

    /// The most entries that a batch holds, where fewer than in the kernel.
    pub(super) fn batch_max(&self) -> Option<u16> {
        self.reach.world.setup.batch_max
    }

    /// The per-CPU state of that number: the code knows every number that it was ever answered.
    pub(super) fn per_cpu_state(&self, number: u64) -> B::PerCpu {
        self.reach.world.per_cpus[number as usize].clone()
    }

    /// The number of the task, which no one changes while it executes a step.
    pub(super) fn task_pid(&self) -> u8 {
        self.reach.local.task.pid
    }

    /// The page size of slices, which no step changes.
    pub(super) fn memory(&self) -> &Memory {
        &self.reach.local.memory
    }
}
