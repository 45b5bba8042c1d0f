//! Scenarios and other input from files, and what is printed.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use anstyle::AnsiColor;
use emu_input::InputError;
use emu_lab::scenario::Scenario;
use emu_lab::{input, scenario};
use emu_view::terminal::Report;

use crate::report::{self, Failure};

/// A scenario and where it comes from.
pub(crate) struct Source {
    /// The name that messages use.
    pub(crate) name: String,
    /// The text; none of a built-in one.
    bytes: Vec<u8>,
    pub(crate) scenario: Scenario,
}

impl Source {
    /// Reads the scenario in a file, or takes the built-in one called `@NAME`.
    pub(crate) fn open(file: &Path) -> Result<Self, Failure> {
        if let Some(name) = file.to_str().and_then(|file| file.strip_prefix('@')) {
            let scenario = builtin(name)?.clone();
            return Ok(Self { name: file.display().to_string(), bytes: Vec::new(), scenario });
        }
        let (name, bytes) = read(file)?;
        let parsed = input::text(&bytes).and_then(scenario::parse);
        let scenario = parsed.map_err(|error| Failure::input(&name, &bytes, error))?;
        scenario.notes.iter().for_each(|note| report::note(&format!("{name}: {note}")));
        Ok(Self { name, bytes, scenario })
    }

    /// A failure at line `number`, as a whole.
    pub(crate) fn wrong_line(&self, number: u32, message: &str) -> Failure {
        let text = String::from_utf8_lossy(&self.bytes);
        let index = (number as usize).saturating_sub(1);
        let line = text.lines().nth(index).unwrap_or("");
        self.wrong(InputError::at(number as usize, line, line.trim(), message))
    }

    /// A failure at a place of the text.
    pub(crate) fn wrong(&self, error: InputError) -> Failure {
        Failure::input(&self.name, &self.bytes, error)
    }
}

/// The scenario that comes with the lab under `name`, with its folder or, where that is enough,
/// without.
pub(crate) fn builtin(name: &str) -> Result<&'static Scenario, Failure> {
    let wrong = |error| Failure::about(format!("@{name}"), error);
    let found = scenario::find_builtin(name).map_err(wrong)?;
    let all = scenario::builtin().map_err(wrong)?;
    found.ok_or_else(|| {
        let names = all.iter().flat_map(|(full, _)| scenario::builtin_names(full));
        let near = input::nearest(name, names).map_or(String::new(), |n| format!(", such as @{n}"));
        Failure::Usage(format!(
            "expected the name of a scenario{near}, found @{name}; `lazymmu list` has them all"
        ))
    })
}

/// Reads a file, or standard input for `-`; returns the name that messages use.
pub(crate) fn read(file: &Path) -> Result<(String, Vec<u8>), Failure> {
    let (name, read) = if file == Path::new("-") {
        let mut bytes = Vec::new();
        (
            "<stdin>".to_owned(),
            io::Read::read_to_end(&mut io::stdin().lock(), &mut bytes).map(|_| bytes),
        )
    } else {
        (file.display().to_string(), std::fs::read(file))
    };
    let bytes = read.map_err(|e| Failure::about(&name, reason(&e)))?;
    Ok((name, bytes))
}

/// The error of the system in words, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    let known = [
        (io::ErrorKind::NotFound, "no such file"),
        (io::ErrorKind::IsADirectory, "is a directory, expected a file"),
        (io::ErrorKind::PermissionDenied, "permission denied"),
    ];
    let words = known.iter().find(|(kind, _)| *kind == error.kind());
    words.map_or_else(|| error.to_string(), |(_, words)| (*words).to_owned())
}

/// Tells whether standard output takes colours and the user wants them.
pub(crate) fn colours() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// A line of a tree in the colour of what it reports.
pub(crate) fn paint(report: Report, line: &str) -> String {
    let style = match report {
        Report::Bug => AnsiColor::Red.on_default().bold(),
        Report::Hazard => AnsiColor::Red.on_default(),
        Report::Warning => AnsiColor::Yellow.on_default(),
    };
    if colours() { format!("{style}{line}{style:#}") } else { line.to_owned() }
}

/// Prints to standard output; a reader that has seen enough is no failure.
pub(crate) fn print(body: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    if let Some(failed) = emu_tree::failure() {
        return Err(Failure::Usage(failed.to_string()));
    }
    let mut to = BufWriter::new(io::stdout().lock());
    match body(&mut to).and_then(|()| to.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::about("standard output", e))
        }
        _ => Ok(()),
    }
}
