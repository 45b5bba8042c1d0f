//! All tests that go through public items, in one binary.

mod api;
mod cli;
mod compare;
mod designs;
mod maps;
mod mm;
mod scenarios;
mod support;
mod tidy;
mod workload;
