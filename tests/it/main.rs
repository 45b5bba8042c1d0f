//! All tests that go through public items, in one binary.

mod api;
mod cli;
mod designs;
mod macros;
mod macros_diff;
mod macros_messages;
mod macros_rustc;
mod maps;
mod mm;
mod scenarios;
mod support;
mod tidy;
mod workload;
