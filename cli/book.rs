//! `lazymmu book`: what each design does, as Markdown; docs/designs.md is its output.

use std::process::ExitCode;

use lazymmu_docs::designs;

use crate::io::{builtin, print};
use crate::report::Failure;

/// Prints the book.
pub(crate) fn book() -> Result<ExitCode, Failure> {
    let kunit = builtin("kunit")?;
    print(|to| to.write_all(designs::markdown(kunit).as_bytes()))?;
    Ok(ExitCode::SUCCESS)
}
