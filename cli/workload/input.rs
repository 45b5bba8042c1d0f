//! Where the mappings come from: a file, standard input, or a live process.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use emu_lab::proc::{Mapping, parse};

use super::{PopulateArg, WorkloadArgs, WorkloadError};

/// Reads the mappings and the name of the file that they come from.
pub(super) fn read(args: &WorkloadArgs) -> Result<(String, Vec<Mapping>), WorkloadError> {
    let (name, text) = match (&args.maps, args.pid) {
        (Some(path), _) if path == Path::new("-") => {
            let mut text = Vec::new();
            let read = io::stdin().read_to_end(&mut text).map(|_| text);
            ("standard input".to_owned(), read)
        }
        (Some(path), _) => read_either(path, args.populate),
        (None, pid) => {
            let pid = pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
            read_either(&Path::new("/proc").join(pid).join("maps"), args.populate)
        }
    };
    let text = text.map_err(|error| WorkloadError::Io { name: name.clone(), error })?;
    let mappings =
        parse(&text).map_err(|error| WorkloadError::Maps { name: name.clone(), error })?;
    Ok((name, mappings))
}

/// Reads `path`, or the smaps of the same process where the resident set is asked for and `path`
/// cannot tell it.
fn read_either(path: &Path, populate: PopulateArg) -> (String, io::Result<Vec<u8>>) {
    if populate == PopulateArg::Rss
        && let Some(smaps) = smaps_beside(path)
        && let Ok(text) = std::fs::read(&smaps)
    {
        return (smaps.display().to_string(), Ok(text));
    }
    (path.display().to_string(), std::fs::read(path))
}

/// The smaps of the process whose maps `path` is.
fn smaps_beside(path: &Path) -> Option<PathBuf> {
    let maps = path.starts_with("/proc") && path.file_name().is_some_and(|name| name == "maps");
    maps.then(|| path.with_file_name("smaps"))
}
