//! The header of a scenario: what it shows, where it comes from, and which runs it speaks of.

use emu_arch::{Arch, Kernel, NoEra};
use lazy_mmu::design::Design;

use super::line::unquote;
use super::value::{MENDED, Scenario, Where};
use emu_input::InputError;

/// What ends a header.
pub(super) const END: &str = "---";

const KEYS: [&str; 4] = ["what", "from", "bad", "good"];

/// Tells whether a text whose first line that says something is `first` has a header.
pub(super) fn begins(first: &str) -> bool {
    first == END
        || KEYS.iter().any(|key| first.strip_prefix(key).is_some_and(|r| r.starts_with(':')))
}

/// Reads one line of a header.
pub(super) fn line(scenario: &mut Scenario, number: usize, line: &str) -> Result<(), InputError> {
    let text = unquote(line).trim_end();
    let (key, value) = text.split_once(':').unwrap_or((text, ""));
    match key {
        "what" => scenario.what = value.trim().to_owned(),
        "from" => scenario.from = value.trim().to_owned(),
        "bad" => {
            let runs = runs(scenario, number, line, value)?;
            if runs.iter().any(|run| run.mended) {
                let message = "expected a run with the bug, found one of the fixed code";
                return Err(InputError::at(number, line, mended(line), message));
            }
            scenario.bad.extend(runs);
        }
        "good" => {
            let runs = runs(scenario, number, line, value)?;
            scenario.good.extend(runs);
        }
        _ if text.is_empty() || text.starts_with('#') => {}
        _ => {
            let message = format!(
                "expected `what:`, `from:`, `bad:`, `good:` or `---` in the header, found {key:?}"
            );
            return Err(InputError::at(number, line, key, message).nearest(key, KEYS));
        }
    }
    Ok(())
}

/// Where the line speaks of mended code.
pub(super) fn mended(line: &str) -> &str {
    line.find(MENDED).map_or(line, |at| &line[at..at + MENDED.len()])
}

/// Reads a list of runs: an architecture, a kernel, perhaps a design and perhaps `mended` each.
fn runs(
    scenario: &mut Scenario,
    number: usize,
    line: &str,
    list: &str,
) -> Result<Vec<Where>, InputError> {
    list.split(',').map(|run| one_run(scenario, number, line, run)).collect()
}

fn one_run(
    scenario: &mut Scenario,
    number: usize,
    line: &str,
    run: &str,
) -> Result<Where, InputError> {
    let error = |part: &str, what: &str| {
        InputError::at(number, line, part, format!("expected {what}, found {part:?}"))
    };
    let mut words = run.split_whitespace();
    let arch = words.next().unwrap_or(run);
    let archs = || Arch::all().map(Arch::id);
    let arch = arch.parse().map_err(|_| error(arch, "an architecture").one_of(arch, archs()))?;
    let kernel = words.next().unwrap_or(&run[run.len()..]);
    let kernels = Kernel::ALL.map(Kernel::id);
    let (kernel, note) = Kernel::of_version(kernel).map_err(|why| match why {
        NoEra::Unknown(_) => error(kernel, "a kernel").one_of(kernel, kernels),
        NoEra::TooOld(_) => InputError::at(number, line, kernel, why.to_string()),
    })?;
    scenario.notes.extend(note);
    let designs = || Design::all().map(Design::id);
    let mut word = words.next();
    let design = match word {
        None | Some(MENDED) => None,
        Some(id) => {
            word = words.next();
            let design = Design::by_id(id);
            Some(design.ok_or_else(|| error(id, "a design").one_of(id, designs()))?)
        }
    };
    let mended = word == Some(MENDED);
    match if mended { words.next() } else { word } {
        None => Ok(Where { arch, kernel, design, mended }),
        Some(more) => Err(error(more, "`mended`, `,` or the end of the line")),
    }
}
