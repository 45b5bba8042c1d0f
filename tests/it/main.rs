//! All tests of the workspace that go through public items.

mod maps;
mod mm;
mod workload;
