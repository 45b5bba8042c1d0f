//! Where the mappings come from: a file, standard input, or a live process.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use emu_arch::hw::addr::PAGE_SIZE;
use emu_mm::proc::{self, Maps, pagemap};

use super::args::{PopulateArg, WorkloadArgs};
use crate::io as text;
use crate::report::Failure;

/// The mappings and where they come from.
pub(super) struct Input {
    /// The name of the file.
    pub(super) name: String,
    pub(super) maps: Maps,
    /// Whether pagemap was read: which pages are there is known.
    pub(super) pagemap: bool,
}

/// Reads the mappings and the name of the file that they come from.
pub(super) fn read(args: &WorkloadArgs) -> Result<Input, Failure> {
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
    let mut maps = proc::read(&text).map_err(|error| Failure::input(&name, &text, error))?;
    let live = path.starts_with("/proc") && args.populate == PopulateArg::Rss;
    let pagemap = live.then(|| read_pagemap(&path.with_file_name("pagemap"), &mut maps));
    Ok(Input { name, maps, pagemap: pagemap.is_some_and(|read| read.is_ok()) })
}

/// Reads which pages of each mapping are there, where smaps says that they are of the lab's size
/// and none of them huge. Special pages, as those of `[vvar]`, are not counted by smaps.
fn read_pagemap(path: &Path, maps: &mut Maps) -> io::Result<()> {
    /// A mapping of more pages is not looked at: 128 MiB of entries.
    const LOOKED_AT_MAX: u64 = 1 << 24;
    /// One of more pages, none of which smaps counts, is not either.
    const EMPTY_MAX: u64 = 1 << 16;
    let mut file = File::open(path)?;
    for mapping in &mut maps.mappings {
        let Some(memory) = mapping.memory.filter(|_| mapping.pages() <= LOOKED_AT_MAX) else {
            continue;
        };
        let empty = memory.rss == 0 && mapping.pages() > EMPTY_MAX;
        if empty || memory.kernel_page_size != 4 || memory.has_huge_pages() {
            continue;
        }
        file.seek(SeekFrom::Start(mapping.va / PAGE_SIZE * 8))?;
        let mut bytes = vec![0; mapping.pages() as usize * 8];
        file.read_exact(&mut bytes)?;
        let (entries, _) = bytes.as_chunks::<8>();
        let runs = mapping.runs.insert(Vec::new());
        for (page, entry) in (0..).zip(entries) {
            pagemap::push(runs, page, u64::from_ne_bytes(*entry));
        }
    }
    Ok(())
}

/// Reads `path`, or the smaps of the same process where the resident set is asked for and `path`
/// cannot tell it.
fn read_either(path: &Path, populate: PopulateArg) -> Result<(String, Vec<u8>), Failure> {
    if populate == PopulateArg::Rss
        && let Some(smaps) = smaps_beside(path)
        && let Ok(read) = text::read(&smaps)
    {
        return Ok(read);
    }
    text::read(path)
}

/// The smaps of the process whose maps `path` is.
fn smaps_beside(path: &Path) -> Option<PathBuf> {
    let maps = path.starts_with("/proc") && path.file_name().is_some_and(|name| name == "maps");
    maps.then(|| path.with_file_name("smaps"))
}
