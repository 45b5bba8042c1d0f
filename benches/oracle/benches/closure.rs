//! F(255) in the prover and in stateright: the same states, the same steps, and the time of each.
//!
//! The numbers must agree before anything is timed. Stateright compares the hooks by a flag in the
//! state, since its properties see no transitions; the flag is never set, so that it adds no state.

#[path = "../../ratio/mod.rs"]
mod ratio;

use std::time::Instant;

use emu_lab::prove::{Effort, Language, Question, Verdict, prove};
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
        actions.extend(Call::ALL.map(Action::Call));
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

/// States and steps in the prover.
fn prover(tasks: u8) -> (u64, u64) {
    let question = Question::of::<Enabled, Paused>();
    let question = Question { language: Language::Any, irq: true, tasks, ..question };
    let answer = prove(&question);
    assert_eq!(answer.verdict, Verdict::Equivalent);
    let Some(Effort { states, transitions }) = answer.product else {
        panic!("the product is small enough")
    };
    (states, transitions)
}

fn main() {
    assert_eq!(prover(2), F255, "the prover");
    assert_eq!(stateright(), F255, "stateright");
    compare(
        "F(255): two designs, two tasks, interrupts; per transition",
        items(F255.1),
        &mut [
            contender("lazymmu prove, tables included", |_| prover(2).1),
            contender("stateright, breadth first, one thread", |_| stateright().1),
        ],
    );
    let start = Instant::now();
    let (states, transitions) = prover(3);
    let took = start.elapsed().as_secs_f64();
    println!("\nthree tasks: {states} states, {transitions} transitions, {took:.1} s");
    assert_eq!((states, transitions), (800_596_986, 4_803_581_916));
}
