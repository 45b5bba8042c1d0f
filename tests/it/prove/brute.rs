//! Every short call sequence, run under every design: what the engines must agree with.
//!
//! Nothing of the engines is used here. Sequences are listed with the languages that have them;
//! each design runs each sequence once; two designs are distinguished by the shortest sequence of a
//! language whose last step they answer differently.

use emu_check::prove::{Compare, Language, Outcome, Question, Verdict, matrices, prove};
use lazy_mmu::design::{Call, Context, Design, Effect, Field, Hook, StateBits, Token, Value};

/// A step of a sequence; a disable outside of every section is given a token out of nowhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Call(Call),
    DisableGiven(Token),
    IrqEnter,
    IrqExit,
}

/// A sequence: its last step, the number of the sequence before it, and the languages that have it.
struct Sequence {
    before: usize,
    last: Step,
    len: u32,
    languages: [bool; 5],
}

/// The open brackets of a task and of its interrupt handler, if one runs.
#[derive(Clone, Default)]
struct Open {
    stacks: [Vec<Call>; 2],
    irq: bool,
}

impl Open {
    fn stack(&mut self) -> &mut Vec<Call> {
        &mut self.stacks[usize::from(self.irq)]
    }

    /// Takes a step; tells which of A, B, C, D and crossing still have the sequence.
    fn step(&mut self, step: Step) -> [bool; 5] {
        let stack = self.stack();
        let paused = stack.contains(&Call::PAUSE);
        match step {
            Step::DisableGiven(_) => [false; 5],
            Step::IrqEnter => {
                self.irq = true;
                self.stacks[1].clear();
                [true; 5]
            }
            Step::IrqExit => {
                let balanced = stack.is_empty();
                self.irq = false;
                [balanced; 5]
            }
            Step::Call(Call::PAUSE) => {
                let in_section = stack.contains(&Call::ENABLE);
                stack.push(Call::PAUSE);
                [in_section && !paused, !paused, !paused, true, true]
            }
            Step::Call(Call::ENABLE) => {
                stack.push(Call::ENABLE);
                [!paused, !paused, true, true, true]
            }
            Step::Call(call) => {
                let opener = if call == Call::RESUME { Call::PAUSE } else { Call::ENABLE };
                let Some(at) = stack.iter().rposition(|open| *open == opener) else {
                    return [false; 5];
                };
                let nests = at + 1 == stack.len();
                stack.remove(at);
                [nests, nests, nests, nests, true]
            }
        }
    }
}

/// Every sequence of at most `len` steps: those of a language with brackets, or of any.
fn sequences(len: u32, irq: bool, any: bool) -> Vec<Sequence> {
    let none = Sequence { before: 0, last: Step::IrqExit, len: 0, languages: [true; 5] };
    let mut all = vec![none];
    let mut open = vec![Open::default()];
    let mut steps: Vec<Step> = Call::KERNEL.map(Step::Call).to_vec();
    if any {
        steps.retain(|step| *step != Step::Call(Call::DISABLE));
        steps.extend([Token::DEFAULT, Token::NESTED].map(Step::DisableGiven));
    }
    let mut at = 0;
    while at < all.len() && all[at].len < len {
        let toggle = if open[at].irq { Step::IrqExit } else { Step::IrqEnter };
        for last in steps.iter().copied().chain(irq.then_some(toggle)) {
            let mut after = open[at].clone();
            let allowed = after.step(last);
            let mut languages = all[at].languages;
            languages.iter_mut().zip(allowed).for_each(|(has, allowed)| *has &= allowed);
            if any || languages != [false; 5] {
                all.push(Sequence { before: at, last, len: all[at].len + 1, languages });
                open.push(after);
            }
        }
        at += 1;
    }
    all
}

/// What a design answers to the last step of each sequence, by hooks, active bit and effects.
fn answers(design: Design, sequences: &[Sequence], warnings: &mut Vec<String>) -> Vec<[u64; 3]> {
    struct Task {
        state: StateBits,
        tokens: [Vec<Token>; 2],
        irq: bool,
    }
    let fresh = || Task { state: StateBits::default(), tokens: Default::default(), irq: false };
    let mut tasks: Vec<Task> = vec![fresh()];
    let mut all = vec![[0; 3]];
    for sequence in &sequences[1..] {
        let before = &tasks[sequence.before];
        let mut task = Task { tokens: before.tokens.clone(), ..*before };
        let seen = match sequence.last {
            Step::IrqEnter | Step::IrqExit => {
                task.irq = !task.irq;
                task.tokens[1].clear();
                seen(design, &mut task.state, task.irq, None, warnings)
            }
            Step::Call(call) => {
                let tokens = &mut task.tokens[usize::from(task.irq)];
                let given = if call == Call::DISABLE { tokens.pop() } else { None };
                let mut cx = Context { in_interrupt: task.irq, ..Context::default() };
                cx.token = given.unwrap_or_default();
                let seen = seen(design, &mut task.state, task.irq, Some((cx, call)), warnings);
                if call == Call::ENABLE {
                    tokens.push(seen.1);
                }
                seen
            }
            Step::DisableGiven(token) => {
                let cx = Context { in_interrupt: task.irq, token, ..Context::default() };
                seen(design, &mut task.state, task.irq, Some((cx, Call::DISABLE)), warnings)
            }
        };
        all.push(seen.0);
        tasks.push(task);
    }
    all
}

/// A list of small numbers, the last one in the last digit.
fn digits(list: &[usize]) -> u64 {
    list.iter().fold(0, |number, digit| number * 64 + *digit as u64)
}

/// Makes a call, if there is one; what is seen of it in three ways, and what it returns.
fn seen(
    design: Design,
    state: &mut StateBits,
    irq: bool,
    call: Option<(Context, Call)>,
    warnings: &mut Vec<String>,
) -> ([u64; 3], Token) {
    let active = |state: StateBits| design.is_active(state)[usize::from(irq)];
    let (mut hooks, mut effects, mut token) = (Vec::new(), Vec::new(), Token::DEFAULT);
    if let Some((cx, call)) = call {
        let list = design.step(*state, cx, call);
        token = list.token();
        for effect in list.iter() {
            match effect {
                Effect::Store(next) => {
                    if active(next) != active(*state) {
                        effects.push(8 + usize::from(active(next)));
                    }
                    *state = next;
                }
                Effect::Hook(hook) => {
                    let at = Hook::KERNEL.iter().position(|known| *known == hook);
                    let number = 1 + at.expect("the four calls reach the kernel's hooks");
                    hooks.push(number);
                    effects.push(number);
                }
                Effect::Warn(warn) => {
                    let text = format!("{}({})", warn.check.name(), plain(design, warn.cond));
                    let at = warnings.iter().position(|known| *known == text);
                    effects.push(10 + at.unwrap_or(warnings.len()));
                    if at.is_none() {
                        warnings.push(text);
                    }
                    if warn.check.ends_call() {
                        break;
                    }
                }
            }
        }
    }
    assert!(warnings.len() < 54, "the numbers of warnings are digits");
    let only_hooks = digits(&hooks);
    let mode = 6 + usize::from(active(*state));
    hooks.push(mode);
    effects.push(mode);
    ([only_hooks, digits(&hooks), digits(&effects)], token)
}

/// A condition with a letter for each field: counters from `A` on, flags from `N` on.
fn plain(design: Design, cond: &str) -> String {
    let (mut counters, mut flags) = (b'A'..=b'M', b'N'..=b'Z');
    let mut text = cond.to_owned();
    for Field { name, value, .. } in design.fields(StateBits::default()) {
        let letters = if matches!(value, Value::Count(_)) { &mut counters } else { &mut flags };
        let letter = char::from(letters.next().expect("few fields"));
        text = text.replace(name, &letter.to_string());
    }
    text
}

/// Compares the lengths of the shortest sequences for all pairs of designs.
fn check_lengths(len: u32, irq: bool, languages: &[Language]) {
    let any = languages == [Language::Any];
    let sequences = sequences(len, irq, any);
    let mut warnings = Vec::new();
    let answers: Vec<_> =
        Design::LAB.iter().map(|design| answers(*design, &sequences, &mut warnings)).collect();
    for (level, compare) in Compare::ALL.into_iter().enumerate() {
        // Enough for the sequences here; what takes more is distinguished by longer ones, if any.
        let question = Question::new(Design::LAB[0], Design::LAB[0]);
        let question = Question { compare, irq, max_states: 2_000, ..question };
        for (at, matrix) in matrices(Design::LAB, languages, &question).iter().enumerate() {
            for x in 0..Design::LAB.len() {
                for y in 0..x {
                    let differs = |(number, sequence): &(usize, &Sequence)| {
                        (any || sequence.languages[at])
                            && answers[x][*number][level] != answers[y][*number][level]
                    };
                    let first = sequences.iter().enumerate().find(differs);
                    let shortest = first.map(|(_, sequence)| sequence.len);
                    let found = match matrix.cell(x, y).any_depth {
                        Outcome::Distinguished(steps) if steps <= len => Some(steps),
                        _ => None,
                    };
                    let pair = [x, y].map(|place| Design::LAB[place].id());
                    let language = matrix.language.name();
                    assert_eq!(found, shortest, "{pair:?}, {language}, {}", compare.name());
                    if irq && compare == Compare::Active && shortest.is_some() {
                        let language = matrix.language;
                        let designs = [x, y].map(|place| Design::LAB[place]);
                        let question = Question { designs, language, ..question };
                        let of = sequences.iter().enumerate().filter(differs);
                        let of = of.filter(|(_, sequence)| Some(sequence.len) == shortest);
                        let fewest = of.map(|(number, _)| irqs(&sequences, number)).min();
                        assert_eq!(Some(witness_irqs(&question)), fewest, "{question:?}");
                    }
                }
            }
        }
    }
}

/// How many steps of a sequence begin or end an interrupt.
fn irqs(sequences: &[Sequence], number: usize) -> usize {
    let Sequence { before, last, len, .. } = sequences[number];
    if len == 0 {
        return 0;
    }
    irqs(sequences, before) + usize::from(matches!(last, Step::IrqEnter | Step::IrqExit))
}

/// The same of the sequence that the prover shows.
fn witness_irqs(question: &Question) -> usize {
    match prove(question).verdict {
        Verdict::Distinguished(witness) => {
            witness.rows.iter().filter(|row| row.step.is_irq()).count()
        }
        verdict => panic!("{verdict:?}"),
    }
}

const WITH_BRACKETS: [Language; 5] =
    [Language::A, Language::B, Language::C, Language::D, Language::Crossing];

#[test]
fn nested_and_crossing_sequences_of_eight_calls() {
    check_lengths(8, false, &WITH_BRACKETS);
}

#[test]
fn all_sequences_of_seven_calls() {
    check_lengths(7, false, &[Language::Any]);
}

#[test]
fn sequences_with_interrupts() {
    check_lengths(6, true, &WITH_BRACKETS);
    check_lengths(5, true, &[Language::Any]);
}
