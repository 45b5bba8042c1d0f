//! The lines of a scenario with the blocks that are open: what falls into a call, interrupts, and
//! the lines that only the code with the bug or only the mended one has.

use super::line::{one_line, one_line_of, strip};
use super::tasks;
use super::value::{Inside, Line, MENDED, Scenario};
use emu_input::InputError;

/// How many blocks may be open at once: each that falls into a call runs on the stack of the one
/// around it.
const NESTED_MAX: usize = 64;

/// Which of the two codes of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// `bug {`: as it was.
    Bug,
    /// `mended {`: as it is now.
    Mended,
}

impl Code {
    const WORDS: [&'static str; 2] = ["bug", MENDED];

    fn by_word(word: &str) -> Option<Self> {
        match word {
            "bug" => Some(Self::Bug),
            MENDED => Some(Self::Mended),
            _ => None,
        }
    }
}

/// A block that is open.
struct Open<'t> {
    number: usize,
    line: &'t str,
    /// What closes it: the end of an interrupt, or a call and the point into which the block falls.
    closes: Closes,
    steps: Vec<Line>,
}

enum Closes {
    Interrupt(Line),
    Inside(Line, String, u32),
    /// Lines of one of the two codes, and how many insides there were before them.
    Variant(Code, usize),
}

/// The lines of a scenario with the blocks that are open.
pub(super) struct Blocks<'s, 't> {
    scenario: &'s mut Scenario,
    open: Vec<Open<'t>>,
    /// Which code is read, and whether the other one was come across.
    code: Code,
    other: bool,
}

impl<'s, 't> Blocks<'s, 't> {
    pub(super) fn new(scenario: &'s mut Scenario, code: Code) -> Self {
        Self { scenario, open: Vec::new(), code, other: false }
    }

    /// Where steps go at the moment.
    fn steps(&mut self) -> &mut Vec<Line> {
        match self.open.last_mut() {
            Some(open) => &mut open.steps,
            None => &mut self.scenario.steps,
        }
    }

    pub(super) fn line(&mut self, number: usize, line: &'t str) -> Result<(), InputError> {
        let code = strip(line).trim_end_matches(';').trim_end();
        if let Some(rest) = code.strip_prefix('}') {
            return self.close(number, line, rest.trim());
        }
        if code.ends_with('{') {
            return self.open(number, line, code);
        }
        if let Some(step) = one_line(number, line, code)? {
            self.steps().push(step);
        }
        Ok(())
    }

    fn open(&mut self, number: usize, line: &'t str, code: &'t str) -> Result<(), InputError> {
        let error = |(part, message): (&str, String)| InputError::at(number, line, part, message);
        if self.open.len() == NESTED_MAX {
            let message =
                format!("expected at most {NESTED_MAX} blocks in one another, found more");
            return Err(error((&code[code.len() - 1..], message)));
        }
        let (_, rest) = tasks::split_who(code).map_err(error)?;
        let word = rest.trim_end_matches('{').trim_end();
        if let Some(variant) = Code::by_word(word) {
            if rest.len() < code.len() {
                let message = format!("expected {word} alone: its lines name their tasks");
                return Err(error((&code[..code.len() - rest.len()], message)));
            }
            self.other = true;
            let closes = Closes::Variant(variant, self.scenario.insides.len());
            self.open.push(Open { number, line, closes, steps: Vec::new() });
            return Ok(());
        }
        let names = tasks::INTERRUPTS.iter().map(|(name, ..)| *name);
        let interrupt = tasks::INTERRUPTS.iter().find(|(name, ..)| *name == word);
        let closes = if let Some((name, enter, exit)) = interrupt {
            let at = code.find(name).unwrap_or(0);
            let who = &code[..at];
            let enter = one_line_of(number, line, who, enter)?;
            self.steps().push(enter);
            Closes::Interrupt(Line { task: 0, cpu: None, ..one_line_of(number, line, who, exit)? })
        } else {
            let split = tasks::split_point(code).map_err(|found| match word {
                // One word is no call with a point in it, but the name of a block.
                word if word.contains(char::is_whitespace) || word.is_empty() => error(found),
                word => error((word, found.1)).nearest(word, Code::WORDS.into_iter().chain(names)),
            })?;
            let (call, point, nth) = split.unwrap_or((code, "", 1));
            let Some(call) = one_line(number, line, call)? else {
                return Err(error((code, "expected a call before `before`".to_owned())));
            };
            Closes::Inside(call, point.to_owned(), nth)
        };
        self.open.push(Open { number, line, closes, steps: Vec::new() });
        Ok(())
    }

    fn close(&mut self, number: usize, line: &str, rest: &str) -> Result<(), InputError> {
        let error = |part: &str, message: String| InputError::at(number, line, part, message);
        let Some(Open { closes, steps, .. }) = self.open.pop() else {
            return Err(error(
                line.trim(),
                "expected a call, found `}` without a block".to_owned(),
            ));
        };
        let back_on = match rest.strip_prefix('@') {
            Some(cpu) => Some(tasks::cpu(cpu).map_err(|message| error(cpu, message))?),
            None if rest.is_empty() => None,
            None => {
                return Err(error(rest, format!("expected `@cpuN` after `}}`, found {rest:?}")));
            }
        };
        match closes {
            Closes::Variant(..) if back_on.is_some() => {
                let message = format!("expected nothing after `}}`, found {rest:?}");
                return Err(error(rest, message));
            }
            Closes::Interrupt(exit) => {
                self.steps().extend(steps);
                self.steps().push(exit);
            }
            Closes::Variant(code, _) if code == self.code => self.steps().extend(steps),
            Closes::Variant(_, insides) => self.scenario.insides.truncate(insides),
            Closes::Inside(call, point, nth) => {
                let inside = Some(self.scenario.insides.len() as u32);
                self.scenario.insides.push(Inside { point, nth, steps, back_on });
                self.steps().push(Line { inside, ..call });
            }
        }
        Ok(())
    }

    /// The text ends; tells whether it has lines that only one of the two codes has.
    pub(super) fn end(&mut self) -> Result<bool, InputError> {
        match self.open.pop() {
            None => Ok(self.other),
            Some(Open { number, line, .. }) => {
                let brace = line.rfind('{').map_or(line, |at| &line[at..=at]);
                Err(InputError::at(
                    number,
                    line,
                    brace,
                    "expected `}` for this block, found the end",
                ))
            }
        }
    }
}
