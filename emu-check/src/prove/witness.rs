//! A sequence that distinguishes two designs, executed again for people to read.

use lazy_mmu::call::evaluate;
use lazy_mmu::design::{CallInfo, Context, Design, Effect, HookInfo, StateBits, Token, Warn};

use super::search::Step;

/// A shortest sequence whose last step looks different, with the records of both designs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The steps; none where fresh tasks differ.
    pub rows: Vec<Row>,
}

/// One step of both designs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The step.
    pub step: Step,
    /// How many brackets and interrupts are open around it.
    pub depth: usize,
    /// What each design made of it.
    pub sides: [Side; 2],
}

/// What one design made of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// What the call did, in order, without the stores.
    pub did: Vec<Did>,
    /// The state after it.
    pub state: StateBits,
    /// Whether the mode is active after it, where the step left the task: in interrupt or not.
    pub active: bool,
}

/// An effect that is seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// The architecture was called while the mode was, or was not, active.
    Hook(&'static HookInfo, bool),
    /// A check fired.
    Warn(Warn),
}

impl Witness {
    /// Runs `steps` under both designs.
    pub(super) fn new(designs: [Design; 2], steps: &[Step]) -> Self {
        let mut states = [StateBits::default(); 2];
        let mut irq = false;
        let mut depth = 0usize;
        let mut rows = Vec::new();
        for step in steps {
            let opens = match step {
                Step::Call(info, _) => info.role.opens(),
                Step::IrqEnter => true,
                Step::IrqExit => false,
            };
            let closes = match step {
                Step::Call(info, _) => info.role.closes(),
                Step::IrqEnter => false,
                Step::IrqExit => true,
            };
            if closes {
                depth = depth.saturating_sub(1);
            }
            let in_call = irq;
            match step {
                Step::Call(..) => {}
                Step::IrqEnter => irq = true,
                Step::IrqExit => irq = false,
            }
            let side = |which: usize| {
                let (design, state) = (designs[which], states[which]);
                let (state, did) = match step {
                    Step::Call(info, tokens) => run(design, state, in_call, info, tokens[which]),
                    Step::IrqEnter | Step::IrqExit => (state, Vec::new()),
                };
                Side { did, state, active: design.is_active(state)[usize::from(irq)] }
            };
            let sides = [side(0), side(1)];
            states = [sides[0].state, sides[1].state];
            rows.push(Row { step: *step, depth, sides });
            if opens {
                depth += 1;
            }
        }
        Self { rows }
    }

    /// How many steps the sequence has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether fresh tasks differ already.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// One call, up to a BUG.
fn run(
    design: Design,
    state: StateBits,
    in_interrupt: bool,
    info: &CallInfo,
    token: Token,
) -> (StateBits, Vec<Did>) {
    let own = design.has_call(info.call).then_some(info.call);
    let Some(call) = own.or(info.or) else { return (state, Vec::new()) };
    let cx = Context { in_interrupt, token, ..Context::default() };
    let mut did = Vec::new();
    let (after, _) = evaluate(design, state, cx, call, |effect, state| match *effect {
        Effect::Store(_) => {}
        Effect::Hook(hook) => {
            let Some(hook) = design.hook_info(hook) else { return };
            did.push(Did::Hook(hook, design.is_active(state)[usize::from(in_interrupt)]));
        }
        Effect::Warn(warn) => did.push(Did::Warn(warn)),
    });
    (after, did)
}
