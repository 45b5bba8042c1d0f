//! The command `lazymmu`, with the architectures and the designs of the lab.

#![warn(clippy::wildcard_enum_match_arm)]

use std::process::ExitCode;

fn main() -> ExitCode {
    lazymmu::cli(lazymmu::Registry::new())
}
