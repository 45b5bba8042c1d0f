//! All tests that go through public items, in one binary.

mod api;
mod cli;
mod designs;
mod macros;
mod macros_diff;
mod macros_rustc;
mod scenarios;
mod support;
mod tidy;
