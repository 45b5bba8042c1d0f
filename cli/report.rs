//! Failures as a person reads them: one clear error, exit status 2.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use emu_input::InputError;

/// Why the command cannot do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An input that is wrong at a place.
    Input {
        /// The name of the input.
        name: String,
        /// Its text, where it has one, to show the line.
        text: String,
        /// What is wrong.
        error: InputError,
    },
    /// Anything else that is not our fault: a file that is not there, a closed pipe.
    Usage(String),
}

impl From<emu_tree::Error> for Failure {
    fn from(error: emu_tree::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

impl Failure {
    /// A failure about something with a name.
    pub(crate) fn about(name: impl Display, what: impl Display) -> Self {
        Self::Usage(format!("{name}: {what}"))
    }

    /// A failure at a place of the input `bytes`, of which only the beginning is kept.
    pub(crate) fn input(name: &str, bytes: &[u8], error: InputError) -> Self {
        let end = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
        let mut end = end.skip(error.line.saturating_sub(1));
        let end = end.next().map_or(bytes.len(), |at| at + 1);
        let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
        Self::Input { name: name.to_owned(), text, error }
    }

    /// Prints the failure to standard error and returns the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        let mut to = anstream::stderr();
        // Where even standard error is gone there is nobody left to tell.
        let _ = match self {
            Self::Input { name, text, error } => write!(to, "{}", show(name, text, error)),
            Self::Usage(message) => {
                let report = [Group::with_title(Level::ERROR.primary_title(message.as_str()))];
                writeln!(to, "{}", Renderer::styled().render(&report))
            }
        };
        ExitCode::from(2)
    }
}

/// Says on standard error what is worth knowing of a run.
pub(crate) fn note(what: &str) {
    // Where even standard error is gone there is nobody left to tell.
    let _ = writeln!(anstream::stderr(), "note: {what}");
}

/// Says on standard error, a line each, of very many the first only.
pub(crate) fn lines(said: &[String]) {
    let mut to = anstream::stderr();
    for line in said.iter().take(LINES_MAX) {
        let _ = writeln!(to, "{line}");
    }
    if said.len() > LINES_MAX {
        let _ = writeln!(to, "{} more like these", said.len() - LINES_MAX);
    }
}

/// The most lines of a kind on standard error.
const LINES_MAX: usize = 20;

/// The error with the line it is about.
fn show(name: &str, text: &str, error: &InputError) -> String {
    let line = text.lines().nth(error.line - 1).unwrap_or("");
    let title = Level::ERROR.primary_title(error.message.as_str());
    // A line that a terminal cannot show well is named, not shown.
    let showable = line.len() <= 200 && !line.chars().any(|c| c.is_control() && c != '\t');
    let mut report = if showable {
        let byte = |chars: usize| line.char_indices().nth(chars).map_or(line.len(), |(at, _)| at);
        let span = byte(error.column - 1)..byte(error.column - 1 + error.len);
        let snippet = Snippet::source(line)
            .line_start(error.line)
            .path(name)
            .annotation(AnnotationKind::Primary.span(span));
        title.element(snippet)
    } else {
        title.element(
            annotate_snippets::Origin::path(name).line(error.line).char_column(error.column),
        )
    };
    if let Some(help) = &error.help {
        report = report.element(Level::HELP.message(help.as_str()));
    }
    format!("{}\n", Renderer::styled().render(&[report]))
}
