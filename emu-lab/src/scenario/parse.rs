//! The parser of scenarios: a header, then lines and blocks. The grammar stands in [`super`].

use super::blocks::{Blocks, Code};
use super::header;
use super::line::strip;
use super::paste;
use super::value::{MENDED, Scenario};
use emu_input::InputError;

/// The longest scenario, in lines.
const LINES_MAX: usize = 100_000_000;

/// Parses a scenario.
///
/// # Errors
/// The first line that is none of the grammar's, with its place, what was expected, and the nearest
/// valid word; or there is no step at all.
pub fn parse(text: &str) -> Result<Scenario, InputError> {
    let pasted = paste::pasted(text.strip_prefix('\u{feff}').unwrap_or(text));
    let text = &*pasted.text;
    let (mut scenario, two) = parse_code(text, Code::Bug)?;
    scenario.notes.extend(pasted.notes);
    if two {
        scenario.mended = Some(Box::new(parse_code(text, Code::Mended)?.0));
    } else if scenario.good.iter().any(|run| run.mended) {
        let mended = |(_, line): &(usize, &str)| line.contains(MENDED);
        let (index, line) = text.lines().enumerate().find(mended).unwrap_or((0, ""));
        let message = "expected a block `bug {` or `mended {` for this run, found none";
        return Err(InputError::at(index + 1, line, header::mended(line), message));
    }
    Ok(scenario)
}

/// Parses one of the two codes of a scenario; tells whether there are two.
fn parse_code(text: &str, code: Code) -> Result<(Scenario, bool), InputError> {
    let mut scenario = Scenario::default();
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line)).peekable();
    let first = text.lines().map(strip).find(|line| !line.is_empty());
    if first.is_some_and(header::begins) {
        for (number, line) in lines.by_ref() {
            if strip(line) == header::END {
                break;
            }
            header::line(&mut scenario, number, line)?;
        }
    }
    let mut blocks = Blocks::new(&mut scenario, code);
    let mut last = 1;
    for (number, line) in lines {
        last = number;
        if number > LINES_MAX {
            return Err(InputError::at(number, line, line, "scenario longer than 100000000 lines"));
        }
        blocks.line(number, line)?;
    }
    let two = blocks.end()?;
    if scenario.steps.is_empty() {
        let message = "expected a call, found the end: the scenario has no step";
        return Err(InputError::at(last, "", "", message));
    }
    Ok((scenario, two))
}
