//! F(255) in the explorer and in stateright: the same states, the same steps, and the time of each.
//!
//! The numbers must agree before anything is timed, those of the prover too. Stateright compares
//! the hooks by a flag in the state, since its properties see no transitions; the flag is never
//! set, so that it adds no state.

#[path = "../../ratio/mod.rs"]
mod ratio;

use std::time::Instant;

use emu_arch::{Arch, Kernel};
use emu_check::check::{Options, Report, check, nobody};
use emu_check::explore::{self, End, Limits, Next, Transition, Violation, Words};
use emu_check::prove::{Effort, Language, Question, Verdict, prove};
use lazy_mmu::design::{Call, Context, Effect, Effects, Hook, LazyMmuDesign};
use oracle::toy::{Enabled, F255, Paused};
use ratio::{compare, contender, items};
use stateright::{Checker, Model, Property};

/// The hooks among the effects.
fn hooks<S: Copy>(effects: &Effects<S>) -> impl Iterator<Item = Hook> {
    effects.iter().filter_map(|effect| match effect {
        Effect::Hook(hook) => Some(hook),
        Effect::Store(_) | Effect::Warn(_) => None,
    })
}

struct TwoTasks;

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct State {
    tasks: [(Enabled, Paused); 2],
    running: u8,
    irq: bool,
    differs: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Call(Call),
    IrqEnter,
    IrqExit,
    Switch,
}

impl Model for TwoTasks {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State { tasks: Default::default(), running: 0, irq: false, differs: false }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(Call::KERNEL.map(Action::Call));
        match state.irq {
            true => actions.push(Action::IrqExit),
            false => actions.extend([Action::IrqEnter, Action::Switch]),
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        match action {
            Action::IrqEnter => next.irq = true,
            Action::IrqExit => next.irq = false,
            Action::Switch => next.running = 1 - next.running,
            Action::Call(call) => {
                let cx = Context { in_interrupt: last.irq, ..Context::default() };
                let (x, y) = &mut next.tasks[usize::from(last.running)];
                let (seen_x, seen_y) = (x.step(cx, call), y.step(cx, call));
                next.differs |= !hooks(&seen_x).eq(hooks(&seen_y));
                *x = seen_x.stored().unwrap_or(*x);
                *y = seen_y.stored().unwrap_or(*y);
                next.differs |= x.is_active(cx) != y.is_active(cx);
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("both look alike", |_, state: &State| !state.differs)]
    }
}

/// States and steps in stateright, which counts the start as a step.
fn stateright() -> (u64, u64) {
    let checker = TwoTasks.checker().threads(1).spawn_bfs().join();
    checker.assert_properties();
    (checker.unique_state_count() as u64, checker.state_count() as u64 - 1)
}

/// States and steps of the product, as the prover counts them.
fn prover(tasks: u8) -> (u64, u64) {
    let question = Question::of::<Enabled, Paused>();
    let question = Question { language: Language::Any, irq: true, tasks, ..question };
    let answer = prove(&question);
    assert_eq!(answer.verdict, Verdict::Equivalent);
    let Some(Effort { states, transitions }) = answer.product else {
        panic!("the product is counted")
    };
    (states, transitions)
}

/// A state in two words: each task has eight bits and a flag in either design.
fn pack(state: &State) -> [u32; 2] {
    let task = |(x, y): (Enabled, Paused)| {
        u32::from(x.count)
            | u32::from(x.enabled) << 8
            | u32::from(y.count) << 9
            | u32::from(y.paused) << 17
    };
    let [one, other] = state.tasks.map(task);
    [one | u32::from(state.running) << 18 | u32::from(state.irq) << 19, other]
}

fn unpack([one, other]: [u32; 2]) -> State {
    let task = |word: u32| {
        let x = Enabled { count: word as u8, enabled: word >> 8 & 1 != 0 };
        let y = Paused { count: (word >> 9) as u8, paused: word >> 17 & 1 != 0 };
        (x, y)
    };
    let (running, irq) = ((one >> 18 & 1) as u8, one >> 19 & 1 != 0);
    State { tasks: [task(one), task(other)], running, irq, differs: false }
}

impl explore::Model for TwoTasks {
    type State = Words<2>;
    type Move = Action;
    /// Whether the designs differ.
    type Verdict = bool;
    type Property = ();

    fn init(&self) -> Words<2> {
        Words([0, 0])
    }

    fn expand(&mut self, state: &Words<2>, _: u32, see: &mut impl FnMut(Transition<Self>)) {
        let state = unpack(state.0);
        let step = |action| {
            let after = self.next_state(&state, action).expect("every action has a step");
            let next = Next::State(Words(pack(&after)));
            Transition { mv: action, next, verdict: after.differs, cost: 0, marks: 0 }
        };
        Call::KERNEL.into_iter().for_each(|call| see(step(Action::Call(call))));
        match state.irq {
            true => see(step(Action::IrqExit)),
            false => [Action::IrqEnter, Action::Switch].into_iter().for_each(|a| see(step(a))),
        }
    }

    fn violations(&self, differs: bool) -> impl Iterator<Item = Violation<Self>> {
        differs.then(|| Violation::of(())).into_iter()
    }
}

/// States and steps in the explorer, and the bytes that a state takes.
fn explorer() -> (u64, u64, f64) {
    let explored = explore::explore(&mut TwoTasks, Limits::NONE, &mut nobody());
    assert_eq!((explored.end, explored.paths.len()), (End::Complete, 0));
    let states = explored.store.len() as u64;
    (states, explored.transitions, explored.store.bytes() as f64 / states as f64)
}

/// The machine: three tasks on Xen PV, every interleaving.
fn machine() -> Report {
    let options = Options {
        tasks: 3,
        nesting: 1,
        interrupts: false,
        ..Options::new(Arch::XEN_PV, Kernel::V7_1)
    };
    check(&options, &mut nobody())
}

fn main() {
    assert_eq!(prover(2), F255, "the prover");
    let (states, steps, bytes) = explorer();
    assert_eq!((states, steps), F255, "the explorer");
    assert_eq!(stateright(), F255, "stateright");
    compare(
        "F(255): two designs, two tasks, interrupts; per transition",
        items(F255.1),
        &mut [
            contender("lazymmu", |_| explorer().1),
            contender("stateright, breadth first, one thread", |_| stateright().1),
        ],
    );
    println!("lazymmu: {bytes:.0} bytes per state");
    let start = Instant::now();
    let report = machine();
    let took = start.elapsed().as_secs_f64();
    println!(
        "\nlazymmu check, three tasks on Xen PV: {} states, {:.1} M/s, {:.0} bytes per state",
        report.states,
        report.states as f64 / took / 1e6,
        report.bytes as f64 / report.states as f64
    );
    assert_eq!(prover(3), (800_596_986, 4_803_581_916), "as the product was once walked");
}
