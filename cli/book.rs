//! `lazymmu book`: what each design does, as Markdown; docs/designs.md is its output.

use std::process::ExitCode;

use emu_lab::{book, scenario};

use crate::report::Failure;
use crate::run::print;

/// The KUnit test of the mode.
const KUNIT: &str = include_str!("../scenarios/kunit/lazy-mmu-mode-active.scn");

/// Prints the book.
pub(crate) fn book() -> Result<ExitCode, Failure> {
    let kunit = scenario::parse(KUNIT)
        .map_err(|error| Failure::input("lazy-mmu-mode-active.scn", KUNIT.as_bytes(), error))?;
    print(|to| to.write_all(book::render(&kunit).as_bytes()))?;
    Ok(ExitCode::SUCCESS)
}
