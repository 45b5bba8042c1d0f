//! The model: the states of a machine with its clients, and the moves between them.
//!
//! A state is a few words: the numbers of what its tasks, CPUs and memory are, in the order in
//! which the search came across them. What a task can do depends on the task, its CPU and memory
//! alone, so that each such triple is worked out once, by the kernel's code on the machine as a
//! value, and looked up from then on.

use emu_arch::kernel::{Step, idle as idle_task};
use indexmap::{IndexMap, IndexSet};
use lazy_mmu::Record;
use lazy_mmu::sched::TaskStruct;
use rustc_hash::FxBuildHasher;

use super::client::{Level, Op};
use super::moves::{Found, LocalMove, Move, Verdicts};
use super::options::Options;
use crate::explore;
use emu_arch::hazard::{Trigger, Triggers};
use emu_arch::replay::{self, Code, Local, Memory};

/// The most words that a state has: three tasks, two idle tasks, two CPUs, memory.
pub(super) const WORDS_MAX: usize = 8;

/// A state: the numbers of its parts.
pub(super) type Words = explore::Words<WORDS_MAX>;

/// A task with its clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Task {
    pub(super) task: TaskStruct,
    /// The contexts, the innermost last; none for a task that is not born or has exited.
    pub(super) levels: Vec<Level>,
    /// Its last hook was an enter.
    pub(super) entered: bool,
    /// Whether an interrupt handler that runs once has run.
    pub(super) interrupted: bool,
    /// It is to be forked yet.
    pub(super) unborn: bool,
}

/// The number of a set's entry, as states have it.
type Set<T> = IndexSet<T, FxBuildHasher>;

/// A triple of task, CPU and memory: the number of the CPU is above that of its state.
pub(super) type Triple = (u32, u32, u32);

pub(super) struct MachineModel {
    pub(super) options: Options,
    pub(super) ops: Vec<Op>,
    /// One program for each task and one for the handler, where the client is a program.
    pub(super) programs: bool,
    pub(super) code: Box<dyn Code>,
    /// The record that is written while a path is rendered.
    pub(super) record: Option<Record>,
    tasks: Set<Task>,
    memories: Set<Memory>,
    verdicts: Set<Verdicts>,
    /// What the task of a triple can do: a range of `pool`.
    moves: IndexMap<Triple, (u32, u32), FxBuildHasher>,
    pool: Vec<LocalMove>,
    /// The steps of interrupt handlers, from beginning to end.
    pub(super) handlers: Set<Vec<u16>>,
    /// What the task of a triple does when it is switched in.
    arrivals: IndexMap<Triple, LocalMove, FxBuildHasher>,
    /// How many different steps had each trigger.
    pub(super) exercised: [u64; Trigger::ALL.len()],
}

/// The layout of a state's words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) tasks: usize,
    /// Tasks with the idle ones.
    pub(super) all: usize,
    pub(super) cpus: usize,
}

impl Layout {
    pub(super) fn of(options: &Options) -> Self {
        let (tasks, cpus) = (usize::from(options.tasks), usize::from(options.cpus));
        // A single CPU always has a task.
        let idle = if cpus > 1 { cpus } else { 0 };
        Self { tasks, all: tasks + idle, cpus }
    }

    pub(super) fn words(self) -> usize {
        self.all + self.cpus + 1
    }

    fn memory(self) -> usize {
        self.all + self.cpus
    }
}

/// The state of a CPU and who runs on it, in one word.
const RUNNING_SHIFT: u32 = 24;

fn running(word: u32) -> usize {
    (word >> RUNNING_SHIFT) as usize
}

fn per_cpu(word: u32) -> u32 {
    word & ((1 << RUNNING_SHIFT) - 1)
}

impl MachineModel {
    pub(super) fn new(
        options: Options,
        ops: Vec<Op>,
        memory: Memory,
        programs: bool,
    ) -> (Self, Words) {
        let mut model = Self {
            code: options.arch.replay(
                options.kernel,
                options.design,
                replay::Setup {
                    fault: options.fault,
                    fix: options.fix,
                    batch_max: options.batch_max,
                    ..replay::Setup::default()
                },
            ),
            options,
            ops,
            programs,
            record: None,
            tasks: Set::default(),
            memories: Set::default(),
            verdicts: Set::default(),
            moves: IndexMap::default(),
            pool: Vec::new(),
            handlers: Set::default(),
            arrivals: IndexMap::default(),
            exercised: [0; Trigger::ALL.len()],
        };
        model.verdicts.insert(Verdicts::default());
        let start = model.start(memory);
        (model, start)
    }

    fn start(&mut self, memory: Memory) -> Words {
        let layout = self.layout();
        let unborn = |n: usize| self.options.fork && n > 0 && n + 1 == layout.tasks;
        // Each CPU has a task as long as there are any, then its idle task.
        let runs: Vec<usize> = (0..layout.cpus)
            .map(|cpu| if cpu < layout.tasks && !unborn(cpu) { cpu } else { layout.tasks + cpu })
            .collect();
        let mut words = Words::default();
        for (n, word) in words.0.iter_mut().enumerate().take(layout.all) {
            let idle = n >= layout.tasks;
            let pid = if idle { idle_task((n - layout.tasks) as u8) } else { n as u8 + 1 };
            let fresh = TaskStruct { pid, ..TaskStruct::default() };
            let task = if runs.contains(&n) { fresh } else { self.code.switched_out(fresh) };
            let unborn = unborn(n);
            let levels = if idle || unborn { Vec::new() } else { vec![Level::default()] };
            let task = Task { task, levels, entered: false, interrupted: false, unborn };
            *word = self.tasks.insert_full(task).0 as u32;
        }
        for (cpu, runs) in runs.iter().enumerate() {
            words.0[layout.all + cpu] = (*runs as u32) << RUNNING_SHIFT;
        }
        words.0[layout.memory()] = self.memories.insert_full(memory).0 as u32;
        words
    }

    pub(super) fn layout(&self) -> Layout {
        Layout::of(&self.options)
    }

    pub(super) fn task(&self, number: u32) -> &Task {
        &self.tasks[number as usize]
    }

    pub(super) fn memory(&self, number: u32) -> &Memory {
        &self.memories[number as usize]
    }

    pub(super) fn verdicts(&self, number: u32) -> &Verdicts {
        &self.verdicts[number as usize]
    }

    pub(super) fn intern_verdicts(&mut self, verdicts: Verdicts) -> u32 {
        self.verdicts.insert_full(verdicts).0 as u32
    }

    /// Counts what a step has exercised.
    pub(super) fn exercise(&mut self, triggers: Triggers) {
        for (trigger, times) in Trigger::ALL.into_iter().zip(&mut self.exercised) {
            *times += u64::from(triggers.contains(trigger));
        }
    }

    /// The numbers of what a move leaves behind.
    pub(super) fn intern(&mut self, task: Task, local: Local) -> Triple {
        let Local { per_cpu, memory, .. } = local;
        let task = self.tasks.insert_full(task).0 as u32;
        (task, per_cpu, self.memories.insert_full(memory).0 as u32)
    }

    /// What the task of a triple reaches.
    pub(super) fn local(&self, (task, cpu, memory): Triple) -> (Task, Local) {
        let task = self.task(task).clone();
        let memory = self.memory(memory).clone();
        let (cpu, per_cpu) = ((cpu >> RUNNING_SHIFT) as u8, per_cpu(cpu));
        let local = Local { task: task.task, cpu, per_cpu, memory };
        (task, local)
    }

    /// Who runs on `cpu` in `state`, and its triple.
    pub(super) fn triple(&self, state: &Words, cpu: usize) -> (usize, Triple) {
        let layout = self.layout();
        let word = state.0[layout.all + cpu];
        let runs = running(word);
        let at = per_cpu(word) | (cpu as u32) << RUNNING_SHIFT;
        (runs, (state.0[runs], at, state.0[layout.memory()]))
    }

    /// The CPU that runs task `number` or, where it waits, one on which it could, and its triple.
    pub(super) fn where_is(&self, state: &Words, number: usize) -> (u8, Triple) {
        let layout = self.layout();
        let cpu = (0..layout.cpus).find(|cpu| running(state.0[layout.all + cpu]) == number);
        let cpu = cpu.unwrap_or(0);
        let (_, (_, at, memory)) = self.triple(state, cpu);
        (cpu as u8, (state.0[number], at, memory))
    }

    /// Makes `state` the one after `mv`, by which task `runs` has `cpu`.
    pub(super) fn apply(&self, state: &mut Words, cpu: usize, runs: usize, mv: LocalMove) {
        let layout = self.layout();
        state.0[runs] = mv.task;
        state.0[layout.all + cpu] = mv.per_cpu | (runs as u32) << RUNNING_SHIFT;
        state.0[layout.memory()] = mv.memory;
    }

    /// Has the task that is forked be in `state` as it is in `next`.
    pub(super) fn take_child(&self, state: &mut Words, next: &Words) {
        let child = self.layout().tasks - 1;
        state.0[child] = next.0[child];
    }

    /// The triple of the task numbered `task`, which `cpu` goes to after `left`.
    pub(super) fn at(&self, task: u32, cpu: u8, left: LocalMove) -> Triple {
        (task, left.per_cpu | u32::from(cpu) << RUNNING_SHIFT, left.memory)
    }

    /// The number in records of the task that is forked.
    pub(super) fn last_task(&self, state: &Words) -> u8 {
        self.task(state.0[self.layout().tasks - 1]).task.pid
    }

    /// The point at which the step of a task's context is.
    pub(super) fn stop_of(&self, task: &Task, level: usize) -> Option<(&'static str, u32)> {
        task.levels.get(level)?.doing.as_ref().and_then(|doing| doing.at)
    }

    /// How much the model itself holds, roughly, in bytes.
    pub(super) fn bytes(&self) -> usize {
        // A task, a memory: with what they point to, measured on Xen PV and rounded up.
        const TASK: usize = 400;
        const MEMORY: usize = 1200;
        self.tasks.len() * TASK
            + self.memories.len() * MEMORY
            + self.moves.len() * 40
            + self.pool.len() * size_of::<LocalMove>()
            + self.arrivals.len() * (32 + size_of::<LocalMove>())
    }

    /// Calls `see` with each move from `state` in a fixed order: the move, what it finds and costs,
    /// and the state after it.
    pub(super) fn expand(&mut self, state: &Words, see: &mut impl FnMut(Move, Found, &Words)) {
        let layout = self.layout();
        for cpu in 0..layout.cpus {
            let (runs, triple) = self.triple(state, cpu);
            let (from, to) = self.moves_of(triple);
            for n in from..to {
                let local = self.pool[n as usize];
                let mut next = *state;
                self.apply(&mut next, cpu, runs, local);
                if local.mv == Move::Leave {
                    self.arrive(cpu, &next, local, see);
                } else if matches!(local.mv, Move::Fork { .. }) {
                    self.fork(cpu, runs, &next, local, see);
                } else {
                    see(local.mv.on(cpu), local.found(), &next);
                }
            }
        }
    }

    /// A task has left `cpu`: whoever waits can come.
    fn arrive(
        &mut self,
        cpu: usize,
        left: &Words,
        leave: LocalMove,
        see: &mut impl FnMut(Move, Found, &Words),
    ) {
        let layout = self.layout();
        let fatal = self.verdicts(leave.verdicts).fatal;
        for to in 0..layout.all {
            let elsewhere = (0..layout.cpus).any(|cpu| running(left.0[layout.all + cpu]) == to);
            let others_idle = to >= layout.tasks && to != layout.tasks + cpu;
            let nobody = to < layout.tasks && self.task(left.0[to]).levels.is_empty();
            if elsewhere || others_idle || nobody {
                continue;
            }
            if fatal {
                // It does not get there.
                see(Move::Switch { cpu: cpu as u8, to: to as u8 }, leave.found(), left);
                return;
            }
            let arrival = self.arrival(self.at(left.0[to], cpu as u8, leave));
            let mut next = *left;
            self.apply(&mut next, cpu, to, arrival);
            let mut found = leave.found();
            found.and(arrival.found());
            see(Move::Switch { cpu: cpu as u8, to: to as u8 }, found, &next);
        }
    }

    /// The task `runs` forks the last one, if that is not born yet.
    fn fork(
        &mut self,
        cpu: usize,
        runs: usize,
        state: &Words,
        fork: LocalMove,
        see: &mut impl FnMut(Move, Found, &Words),
    ) {
        let child = self.layout().tasks - 1;
        let unborn = self.task(state.0[child]);
        if !unborn.unborn {
            return;
        }
        let pid = unborn.task.pid;
        let (_, triple) = self.triple(state, cpu);
        let (parent, mut local) = self.local(triple);
        let mut seen = self.seen();
        self.code.whole_step(&mut local, &Step::Fork(pid), &mut seen);
        self.keep(&mut seen);
        let mut verdicts = Verdicts::default();
        self.broken(&seen.hazards, &parent, &seen, &mut verdicts);
        let Some(forked) = seen.forked else { return };
        let levels = vec![Level::default()];
        let entered = parent.entered;
        let child_task = Task { task: forked, levels, entered, interrupted: false, unborn: false };
        let parent = Task { task: local.task, ..parent };
        self.exercise(seen.exercised);
        let fork = self.done(fork.mv, parent, local, verdicts, 0);
        let mut next = *state;
        self.apply(&mut next, cpu, runs, fork);
        next.0[child] = self.tasks.insert_full(child_task).0 as u32;
        see(Move::Fork { cpu: cpu as u8 }, fork.found(), &next);
    }

    pub(super) fn pool_at(&self, number: u32) -> LocalMove {
        self.pool[number as usize]
    }

    pub(super) fn moves_of(&mut self, triple: Triple) -> (u32, u32) {
        if let Some(range) = self.moves.get(&triple) {
            return *range;
        }
        let moves = self.local_moves(triple);
        let from = self.pool.len() as u32;
        self.pool.extend(moves);
        let range = (from, self.pool.len() as u32);
        self.moves.insert(triple, range);
        range
    }

    fn arrival(&mut self, triple: Triple) -> LocalMove {
        if let Some(arrival) = self.arrivals.get(&triple) {
            return *arrival;
        }
        let arrival = self.switch_in(triple);
        self.arrivals.insert(triple, arrival);
        arrival
    }
}
