//! Nested programs of any designs: a pushdown system, solved with summaries.
//!
//! Between an opening call and the call that closes it a program runs in a *frame*. What happens in
//! a frame depends on the control that it begins in and on its bracket, not on what lies below, so
//! each frame is searched once: which controls are reached in it by sequences that are balanced. A
//! closing call leads from there to an *exit*, and every caller of the frame goes on behind the
//! exit. The counters are finite, so there are finitely many frames, whatever the depth of the
//! stack.
//!
//! Everything is done in the order of its cost from the start, as in Dijkstra's algorithm: a
//! control behind an exit costs more than the exit does, so what comes first is cheapest. The first
//! difference is therefore the shortest.
//!
//! By hand, for a flag that every pause clears and every resume sets, under language B. A control
//! is the flag, which is 0 at first, and a `P` where a pause is open:
//!
//! ```text
//! frame           reached in it       steps                     exits
//! the program, 0  0                   enable, pause
//!                 1, behind a pause   enable, pause
//! section, at 0   0                   enable, pause, disable    0
//!                 1, behind a pause   enable, pause, disable    1
//! section, at 1   1                   enable, pause, disable    1
//! pause, at 0P    0P                  resume                    1
//! ```
//!
//! Six places and fourteen steps, for programs of any depth. A test has the same.

use std::collections::BTreeMap;

use lazy_mmu::design::Token;

use super::control::{Control, Packed};
use super::search::{Cost, Effort, Found, Step};
use super::table::{Lockstep, OUT, Tokens};
use crate::language::{Bracket, Language, Phase};

/// What a frame is inside of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    /// Nothing: the program itself.
    Program,
    /// A bracket; a section with what its enable returned.
    Bracket(Bracket, Tokens),
    Irq,
}

/// What is on the stack: a bracket, and the phase that its end leads back to.
type Symbol = (Around, Phase);

struct Frame {
    symbol: Symbol,
    /// How many brackets of calls are open; 0 where there is no limit.
    open: u32,
    /// The cost of the first path to the frame.
    cost: Cost,
    /// The places that open the frame and the steps that do, the cheapest first.
    callers: Vec<(u32, Step)>,
    exits: Vec<Exit>,
}

/// The end of a frame.
#[derive(Clone, Copy)]
struct Exit {
    /// The place whose closing step ends the frame.
    end: u32,
    /// That step.
    step: Step,
    /// The control behind it.
    to: Packed,
}

/// The last part of the cheapest path to a place, from the beginning of its frame.
#[derive(Clone, Copy)]
enum Behind {
    /// The frame begins here.
    Nothing,
    /// A step from a place of the same frame.
    Step(u32, Step),
    /// Another frame: the place that opens it and the step, the place where it ends and the step.
    Frame([(u32, Step); 2]),
}

/// A control that is reached in a frame.
struct Place {
    frame: u32,
    control: Packed,
    /// The cost of the cheapest path from the beginning of the frame.
    cost: Cost,
    behind: Behind,
    done: bool,
}

/// The search.
struct Summaries<'a> {
    both: &'a Lockstep,
    language: Language,
    irq: bool,
    nesting: Option<u32>,
    symbols: Vec<Symbol>,
    frames: Vec<Frame>,
    frame_of: BTreeMap<(Packed, u32, u32), u32>,
    places: Vec<Place>,
    place_of: BTreeMap<(u32, Packed), u32>,
    /// Places by the cost from the start.
    queue: BTreeMap<Cost, Vec<u32>>,
    /// The cheapest difference: its cost, the place before it, the step.
    best: Option<(Cost, u32, Step)>,
    out: bool,
    transitions: u64,
}

/// Searches the programs of `language`, in which at most `nesting` brackets are open.
pub(super) fn search(
    both: &Lockstep,
    language: Language,
    irq: bool,
    nesting: Option<u32>,
    limit: u64,
) -> (Found, Effort) {
    let mut search = Summaries {
        both,
        language,
        irq,
        nesting,
        symbols: Vec::new(),
        frames: Vec::new(),
        frame_of: BTreeMap::new(),
        places: Vec::new(),
        place_of: BTreeMap::new(),
        queue: BTreeMap::new(),
        best: None,
        out: false,
        transitions: 0,
    };
    let start = Control::start(both.start()).pack(language);
    search.open(None, start, (Around::Program, Phase::NONE), 0);
    let found = search.run(limit);
    (found, Effort { states: search.places.len() as u64, transitions: search.transitions })
}

impl Summaries<'_> {
    fn run(&mut self, limit: u64) -> Found {
        let mut bound = None;
        while let Some((cost, places)) = self.queue.pop_first() {
            let next = Cost { steps: cost.steps + 1, ..cost };
            let dearer = |(best, ..): &(Cost, u32, Step)| next >= *best;
            if self.best.as_ref().is_some_and(dearer) || bound.is_some_and(|b| next.steps > b) {
                break;
            }
            for place in places {
                self.place(place, cost);
            }
            if self.out || self.places.len() as u64 > limit {
                bound = bound.or(Some(next.steps));
            }
        }
        match (&self.best, bound) {
            (Some((cost, at, step)), bound) if bound.is_none_or(|bound| cost.steps <= bound) => {
                let mut path = self.path(*at);
                path.push(*step);
                Found::Witness(path)
            }
            (_, Some(bound)) => Found::NothingWithin(bound),
            (_, None) => Found::Nothing,
        }
    }

    /// Makes every step from a place.
    fn place(&mut self, at: u32, total: Cost) {
        let Place { frame, control, done, .. } = self.places[at as usize];
        if done || self.total(at) != total {
            return;
        }
        self.places[at as usize].done = true;
        let from = Control::unpack(control, self.language);
        let open = self.frames[frame as usize].open;
        for call in self.both.letters_that(|role| !role.closes()) {
            let role = call.info.role;
            let Some(phase) = self.language.open(from.phase, role) else { continue };
            if role.opens() && self.nesting.is_some_and(|most| open == most) {
                continue;
            }
            let step = Step::call(call);
            let made = self.both.step(from.pair, from.irq, call, [Token::DEFAULT; 2]);
            self.look(at, step, made.same);
            if made.next.contains(&OUT) {
                self.out = true;
                continue;
            }
            let to = Control { pair: made.next, phase, ..from }.pack(self.language);
            let Some(bracket) = Bracket::of(role) else {
                let cost = self.places[at as usize].cost.and(step);
                self.reach(frame, to, cost, Behind::Step(at, step));
                continue;
            };
            let tokens =
                if bracket == Bracket::Section { made.tokens } else { [Token::DEFAULT; 2] };
            let open = if self.nesting.is_some() { open + 1 } else { 0 };
            self.open(Some((at, step)), to, (Around::Bracket(bracket, tokens), from.phase), open);
        }
        if self.irq && !from.irq {
            let step = Step::IrqEnter;
            self.look(at, step, self.both.same_mode(from.pair, true));
            let to = Control { phase: Phase::NONE, irq: true, ..from }.pack(self.language);
            self.open(Some((at, step)), to, (Around::Irq, from.phase), open);
        }
        self.close(at, frame, from);
    }

    /// Compares one step.
    fn look(&mut self, at: u32, step: Step, same: bool) {
        self.transitions += 1;
        let cost = self.total(at).and(step);
        if !same && self.best.as_ref().is_none_or(|(best, ..)| cost < *best) {
            self.best = Some((cost, at, step));
        }
    }

    /// What it costs to come to a place.
    fn total(&self, at: u32) -> Cost {
        let Place { frame, cost, .. } = self.places[at as usize];
        self.frames[frame as usize].cost.plus(cost)
    }

    /// Opens a bracket: its frame begins, if it has not before, and the caller goes on behind it.
    fn open(&mut self, caller: Option<(u32, Step)>, control: Packed, symbol: Symbol, open: u32) {
        let known = self.symbols.iter().position(|known| *known == symbol);
        let number = known.unwrap_or_else(|| {
            self.symbols.push(symbol);
            self.symbols.len() - 1
        });
        let next = self.frames.len() as u32;
        let frame = *self.frame_of.entry((control, number as u32, open)).or_insert(next);
        if frame == next {
            let cost = caller.map_or(Cost::default(), |(at, step)| self.total(at).and(step));
            let (callers, exits) = (Vec::new(), Vec::new());
            self.frames.push(Frame { symbol, open, cost, callers, exits });
            self.reach(frame, control, Cost::default(), Behind::Nothing);
        }
        let Some(caller) = caller else { return };
        self.frames[frame as usize].callers.push(caller);
        for exit in self.frames[frame as usize].exits.clone() {
            self.go_on(caller, exit);
        }
    }

    /// Closes the bracket of a frame, if it has one.
    fn close(&mut self, at: u32, frame: u32, from: Control) {
        let (bracket, phase) = self.frames[frame as usize].symbol;
        let (bracket, tokens) = match bracket {
            Around::Program => return,
            Around::Bracket(bracket, tokens) => (bracket, tokens),
            Around::Irq => {
                let same = self.both.same_mode(from.pair, false);
                self.look(at, Step::IrqExit, same);
                let to = Control { phase, irq: false, ..from }.pack(self.language);
                return self.exit(frame, Exit { end: at, step: Step::IrqExit, to });
            }
        };
        for call in self.both.closers(bracket) {
            let made = self.both.step(from.pair, from.irq, call, tokens);
            let step = Step::Call(call.info, tokens);
            self.look(at, step, made.same);
            if made.next.contains(&OUT) {
                self.out = true;
                continue;
            }
            let to = Control { pair: made.next, phase, irq: from.irq }.pack(self.language);
            self.exit(frame, Exit { end: at, step, to });
        }
    }

    /// Notes an end of a frame; the first with its control is the cheapest.
    fn exit(&mut self, frame: u32, exit: Exit) {
        if self.frames[frame as usize].exits.iter().any(|known| known.to == exit.to) {
            return;
        }
        self.frames[frame as usize].exits.push(exit);
        for caller in self.frames[frame as usize].callers.clone() {
            self.go_on(caller, exit);
        }
    }

    /// Goes on behind an exit of the frame that `caller` opened by `opens`.
    fn go_on(&mut self, (caller, opens): (u32, Step), Exit { end, step, to }: Exit) {
        let Place { frame: below, cost: before, .. } = self.places[caller as usize];
        let inside = self.places[end as usize].cost;
        let cost = before.and(opens).plus(inside).and(step);
        self.reach(below, to, cost, Behind::Frame([(caller, opens), (end, step)]));
    }

    /// Notes that a control is reached in a frame.
    fn reach(&mut self, frame: u32, control: Packed, cost: Cost, behind: Behind) {
        let next = self.places.len() as u32;
        let at = *self.place_of.entry((frame, control)).or_insert(next);
        let place = Place { frame, control, cost, behind, done: false };
        if at == next {
            self.places.push(place);
        } else if self.places[at as usize].cost > cost {
            self.places[at as usize] = place;
        } else {
            return;
        }
        self.queue.entry(self.total(at)).or_default().push(at);
    }

    /// The steps from the start to a place.
    fn path(&self, to: u32) -> Vec<Step> {
        enum Part {
            /// From the start.
            All(u32),
            /// From the beginning of the frame.
            Inside(u32),
            One(Step),
        }
        let mut steps = Vec::new();
        // The last part first: steps are found from the end to the start.
        let mut parts = vec![Part::All(to)];
        while let Some(part) = parts.pop() {
            match part {
                Part::One(step) => steps.push(step),
                Part::All(at) => {
                    let frame = &self.frames[self.places[at as usize].frame as usize];
                    if let Some((caller, opens)) = frame.callers.first() {
                        parts.push(Part::All(*caller));
                        parts.push(Part::One(*opens));
                    }
                    parts.push(Part::Inside(at));
                }
                Part::Inside(at) => match self.places[at as usize].behind {
                    Behind::Nothing => {}
                    Behind::Step(from, step) => parts.extend([Part::Inside(from), Part::One(step)]),
                    Behind::Frame([(caller, opens), (end, closes)]) => parts.extend([
                        Part::Inside(caller),
                        Part::One(opens),
                        Part::Inside(end),
                        Part::One(closes),
                    ]),
                },
            }
        }
        steps.reverse();
        steps
    }
}
