//! Several tasks on one CPU: the product of what one task reaches, walked state by state.
//!
//! A state is the pair of design states of each task, which task runs, and whether an interrupt
//! runs. The running task makes calls; an interrupt begins and ends; outside of it another task may
//! be switched to. Equality is checked once for each transition of a task, before; here all that is
//! left is to close over the product, for which a bit per state is enough.
//!
//! The running task's states are one row of bits, so that its calls stay in a few words, and the
//! beginnings and ends of interrupts are done word by word. A row is worked on until it has nothing
//! new; only switches leave it. Rows with new bits wait on a stack, and a second bit per state tells
//! which bits those are. A call that changes nothing is counted and not followed.

use super::search::Effort;

/// What the calls of one task lead to.
pub(super) struct Component {
    /// For each state outside of an interrupt, the states after each call.
    pub(super) task: Vec<Vec<u32>>,
    /// The same inside; nothing where there are no interrupts.
    pub(super) irq: Vec<Vec<u32>>,
}

/// Walks the product of `tasks` tasks, each of which starts in state 0. Returns nothing where its bits
/// would take more than `bytes`. `progress` is told now and then how many states were done.
pub(super) fn walk(
    component: &Component,
    tasks: u32,
    bytes: u64,
    progress: &mut dyn FnMut(u64),
) -> Option<Effort> {
    let mut walk = Walk::new(component, tasks, bytes)?;
    walk.reach(0, 0);
    let mut told = 0;
    while let Some(row) = walk.rows.pop() {
        walk.queued[row as usize] = false;
        walk.row(row as usize);
        if walk.effort.states >= told + PROGRESS_EVERY {
            told = walk.effort.states;
            progress(told);
        }
    }
    Some(walk.effort)
}

/// How often progress is told, in states.
const PROGRESS_EVERY: u64 = 1 << 24;

struct Walk {
    /// States of one task, and the words that a bit for each takes.
    n: usize,
    words: usize,
    tasks: usize,
    /// 2 where there are interrupts.
    planes: usize,
    calls: usize,
    next: [Successors; 2],
    seen: Vec<u64>,
    todo: Vec<u64>,
    queued: Vec<bool>,
    rows: Vec<u32>,
    effort: Effort,
    /// The bits of the row at hand that were worked on outside of interrupts.
    done: Vec<u64>,
}

/// For each state, the other states that its calls lead to.
struct Successors {
    from: Vec<u32>,
    to: Vec<u32>,
}

impl Successors {
    fn new(calls: &[Vec<u32>]) -> Self {
        let (mut from, mut to) = (vec![0], Vec::new());
        for (state, after) in (0..).zip(calls) {
            let first = to.len();
            for next in after {
                if *next != state && !to[first..].contains(next) {
                    to.push(*next);
                }
            }
            from.push(to.len() as u32);
        }
        Self { from, to }
    }

    #[inline]
    fn of(&self, state: usize) -> &[u32] {
        &self.to[self.from[state] as usize..self.from[state + 1] as usize]
    }
}

impl Walk {
    fn new(component: &Component, tasks: u32, bytes: u64) -> Option<Self> {
        let n = component.task.len();
        let words = n.div_ceil(64);
        let planes = if component.irq.is_empty() { 1 } else { 2 };
        let others = (n as u64).checked_pow(tasks - 1)?;
        let rows = others.checked_mul(tasks.into())?;
        let all_words = rows.checked_mul(words as u64)?.checked_mul(planes)?;
        // Two bits for each state.
        if all_words.checked_mul(16)? > bytes || rows >= u32::MAX.into() {
            return None;
        }
        let all_words = all_words as usize;
        Some(Self {
            n,
            words,
            tasks: tasks as usize,
            planes: planes as usize,
            calls: component.task.first().map_or(0, Vec::len),
            next: [Successors::new(&component.task), Successors::new(&component.irq)],
            seen: vec![0; all_words],
            todo: vec![0; all_words],
            queued: vec![false; rows as usize],
            rows: Vec::new(),
            effort: Effort::default(),
            done: vec![0; words],
        })
    }

    /// Notes that the state with bit `bit` of a row is reached outside of an interrupt.
    #[inline]
    fn reach(&mut self, row: usize, bit: usize) {
        let word = row * self.planes * self.words + bit / 64;
        let mask = 1 << (bit % 64);
        if self.seen[word] & mask == 0 {
            self.seen[word] |= mask;
            self.todo[word] |= mask;
            if !self.queued[row] {
                self.queued[row] = true;
                self.rows.push(row as u32);
            }
        }
    }

    /// Works on the new bits of a row until there are none, then switches from each.
    fn row(&mut self, row: usize) {
        self.done.fill(0);
        while (0..self.planes).fold(false, |found, plane| self.plane(row, plane) | found) {}
        for Switch { base, stride, bit } in self.switches(row) {
            for word in 0..self.words {
                let mut bits = self.done[word];
                while bits != 0 {
                    let state = word * 64 + bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    self.reach(base + state * stride, bit);
                }
            }
        }
    }

    /// Makes the calls from the new bits of a row, in interrupt or not, and begins or ends an
    /// interrupt; tells whether there were any.
    fn plane(&mut self, row: usize, plane: usize) -> bool {
        let size = self.words;
        let first = row * self.planes * size;
        let row = first..first + self.planes * size;
        let (seen, todo) = (&mut self.seen[row.clone()], &mut self.todo[row]);
        let mut states = 0;
        for word in 0..size {
            let at = plane * size + word;
            let mut bits = std::mem::take(&mut todo[at]);
            if bits == 0 {
                continue;
            }
            states += u64::from(bits.count_ones());
            if plane == 0 {
                self.done[word] |= bits;
            }
            if self.planes == 2 {
                let other = (1 - plane) * size + word;
                let new = bits & !seen[other];
                seen[other] |= new;
                todo[other] |= new;
            }
            while bits != 0 {
                let state = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                for next in self.next[plane].of(state) {
                    let at = plane * size + *next as usize / 64;
                    let new = (1 << (next % 64)) & !seen[at];
                    seen[at] |= new;
                    todo[at] |= new;
                }
            }
        }
        let switches = if plane == 0 { self.tasks - 1 } else { 0 };
        let steps = self.calls + self.planes - 1 + switches;
        self.effort.states += states;
        self.effort.transitions += states * steps as u64;
        states > 0
    }

    /// Where the switches of a row lead: a row names the running task and the states of the others,
    /// in the order of the tasks.
    fn switches(&self, row: usize) -> Vec<Switch> {
        let others = self.n.pow(self.tasks as u32 - 1);
        let (running, mut rest) = (row / others, row % others);
        let mut states = vec![0; self.tasks];
        for (task, state) in states.iter_mut().enumerate() {
            if task != running {
                *state = rest % self.n;
                rest /= self.n;
            }
        }
        let to = |next: usize| {
            let mut switch = Switch { base: next * others, stride: 0, bit: states[next] };
            let waiting = (0..self.tasks).filter(|task| *task != next);
            for (place, task) in waiting.enumerate() {
                let stride = self.n.pow(place as u32);
                if task == running {
                    switch.stride = stride;
                } else {
                    switch.base += states[task] * stride;
                }
            }
            switch
        };
        (0..self.tasks).filter(|next| *next != running).map(to).collect()
    }
}

/// A switch from any state of a row: to the row `base` plus `stride` times the state that the running
/// task is left in, and there to the bit of the next task's own state.
struct Switch {
    base: usize,
    stride: usize,
    bit: usize,
}
