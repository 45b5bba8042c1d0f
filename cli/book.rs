//! `lazymmu book`: what each design does, as Markdown; docs/designs.md is its output.

use std::process::ExitCode;

use emu_check::book;

use crate::report::Failure;
use crate::run::{builtin, print};

/// Prints the book.
pub(crate) fn book() -> Result<ExitCode, Failure> {
    let kunit = builtin("kunit")?;
    print(|to| to.write_all(book::render(kunit).as_bytes()))?;
    Ok(ExitCode::SUCCESS)
}
