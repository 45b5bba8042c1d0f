//! The command `lazymmu`, with the architectures and the designs of the lab.

use std::process::ExitCode;

fn main() -> ExitCode {
    lazymmu::cli(lazymmu::Registry::new())
}
