//! Where the mappings come from: a file, standard input, or a live process.

use std::path::{Path, PathBuf};

use emu_mm::proc::{self, Maps};

use super::args::{PopulateArg, WorkloadArgs};
use crate::io;
use crate::report::Failure;

/// Reads the mappings and the name of the file that they come from.
pub(super) fn read(args: &WorkloadArgs) -> Result<(String, Maps), Failure> {
    let path = match (&args.maps, args.pid) {
        (Some(path), _) => path.clone(),
        (None, pid) => {
            let pid = pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
            Path::new("/proc").join(pid).join("maps")
        }
    };
    let (name, text) = read_either(&path, args.populate).map_err(|failure| match args.pid {
        Some(pid) if !path.exists() => Failure::Usage(format!("no process {pid}")),
        _ => failure,
    })?;
    let maps = proc::read(&text).map_err(|error| Failure::input(&name, &text, error))?;
    Ok((name, maps))
}

/// Reads `path`, or the smaps of the same process where the resident set is asked for and `path`
/// cannot tell it.
fn read_either(path: &Path, populate: PopulateArg) -> Result<(String, Vec<u8>), Failure> {
    if populate == PopulateArg::Rss
        && let Some(smaps) = smaps_beside(path)
        && let Ok(read) = io::read(&smaps)
    {
        return Ok(read);
    }
    io::read(path)
}

/// The smaps of the process whose maps `path` is.
fn smaps_beside(path: &Path) -> Option<PathBuf> {
    let maps = path.starts_with("/proc") && path.file_name().is_some_and(|name| name == "maps");
    maps.then(|| path.with_file_name("smaps"))
}
