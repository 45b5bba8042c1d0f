//! `--format`: the same words on every command, of which each has those that it can print.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
    Markdown,
    Html,
    Perfetto,
    FunctionGraph,
    Ktap,
    Mermaid,
    Dot,
}

use Format::*;

/// What a record can be printed as.
pub(crate) const RUN: &[Format] = &[Text, Json, Html, Perfetto, FunctionGraph, Ktap, Mermaid, Dot];
/// What a search can be printed as.
pub(crate) const CHECK: &[Format] = &[Text, Json, Markdown, Html, Ktap];
/// What a table can be printed as.
pub(crate) const TABLE: &[Format] = &[Text, Json, Markdown, Html];
/// What the comparison with a trace can be printed as.
pub(crate) const CONFORM: &[Format] = &[Text, Json, Html, Ktap];
/// What a list can be printed as.
pub(crate) const LIST: &[Format] = &[Text, Json];
/// What a workload can be printed as.
pub(crate) const WORKLOAD: &[Format] = &[Text, Json, Html];
/// What the replay of a log can be printed as.
pub(crate) const REPLAY: &[Format] = &[Text, Json];

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Text => "text",
            Json => "json",
            Markdown => "markdown",
            Html => "html",
            Perfetto => "perfetto",
            FunctionGraph => "function-graph",
            Ktap => "ktap",
            Mermaid => "mermaid",
            Dot => "dot",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Text => "For a terminal: a tree of calls, or a table",
            Json => "For programs: one JSON object, or one on each line",
            Markdown => "A table or a chapter in Markdown",
            Html => "A page that needs nothing but a browser",
            Perfetto => "A trace for ui.perfetto.dev, in protocol buffers",
            FunctionGraph => "The notation of ftrace's function_graph tracer",
            Ktap => "Test results as the kernel's runners read them, KTAP version 1",
            Mermaid => "A sequence diagram for Mermaid",
            Dot => "A graph for Graphviz",
        }
    }

    /// The value of the command line; `tree` and `table` are what `text` was called.
    fn value(self) -> PossibleValue {
        let value = PossibleValue::new(self.name()).help(self.about());
        if self == Text { value.aliases(["tree", "table"]) } else { value }
    }
}

/// A parser of the formats `known`.
pub(crate) fn parser(known: &'static [Format]) -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(known.iter().map(|format| format.value())).map(move |name| {
        let named = known.iter().find(|format| format.name() == name);
        named.copied().unwrap_or(Text)
    })
}
