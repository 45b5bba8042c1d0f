//! All tests that go through public items, in one binary.

mod api;
mod book;
mod bugs;
mod check;
mod cli;
mod compare;
mod designs;
mod macros;
mod macros_diff;
mod macros_messages;
mod macros_rustc;
mod maps;
mod mm;
mod models;
mod my_design;
mod s390;
mod scenarios;
mod silent;
mod sparc64;
mod support;
mod tables;
mod tidy;
mod value;
mod workload;
mod xen;
