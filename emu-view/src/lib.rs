//! Views of what the lab found: the same record as a page, a trace for another tool, a diagram.
//!
//! | module | what |
//! |---|---|
//! | [`diagram`] | Mermaid and dot |
//! | [`function_graph`] | the notation of ftrace, written and read back |
//! | [`html`] | pages, each a file that needs nothing else |
//! | [`ktap`] | results as the kernel's test runners read them |
//! | [`perfetto`] | a trace for ui.perfetto.dev |
//! | [`terminal`] | the tree with colours, in 80 columns |
//! | [`view`] | the view model, of which the formats are renderers |

#![warn(clippy::wildcard_enum_match_arm)]

pub mod diagram;
pub mod function_graph;
pub mod html;
pub mod ktap;
pub mod perfetto;
pub mod terminal;
pub mod view;
