//! Counterexamples as files: each whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use emu_check::check::{Client, Counterexample, Report};

use crate::report::Failure;

/// The name of the file of a counterexample: the property, and which of it.
pub(super) fn file_name(report: &Report, found: &Counterexample) -> String {
    let nth = report.of(found.property).position(|other| std::ptr::eq(other, found));
    let client = report.options.client;
    let usual = client == Client::Calls;
    let client = if usual { String::new() } else { format!("-{}", client.name()) };
    format!("{}{client}-{}.scn", found.property.id(), nth.map_or(1, |nth| nth + 1))
}

/// Makes `folder` be there, so that a search is not made for nothing.
///
/// # Errors
/// It cannot be made.
pub(super) fn prepare(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| {
        let taken = error.kind() == std::io::ErrorKind::AlreadyExists;
        let why = if taken { "is a file, expected a folder".to_owned() } else { error.to_string() };
        Failure::about(folder.display(), why)
    })
}

/// Writes each scenario that `report` has to a file in `folder`; returns their paths.
///
/// # Errors
/// The folder or a file cannot be written; what is there by then is whole.
pub(super) fn save(folder: &Path, report: &Report) -> Result<Vec<PathBuf>, Failure> {
    let failed = |path: &Path, error| Failure::about(path.display(), error);
    let mut saved = Vec::new();
    for found in &report.broken {
        let Some(scenario) = &found.scenario else { continue };
        let path = folder.join(file_name(report, found));
        let half = path.with_extension("scn.tmp");
        let written = fs::write(&half, scenario).and_then(|()| fs::rename(&half, &path));
        if let Err(error) = written {
            // Nothing half-written stays; that it cannot be removed would be the same trouble.
            let _ = fs::remove_file(&half);
            return Err(failed(&path, error));
        }
        saved.push(path);
    }
    Ok(saved)
}
