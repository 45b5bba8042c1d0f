//! What `/proc/PID/maps` said at moments of a log, and whether the model agrees.
//!
//! The text of `tests/fixtures/replay/record.sh`: `@ PID`, and the maps of that process at the next
//! line of the log that says that it was stopped by a signal.

use std::collections::{BTreeMap, VecDeque};

use emu_input::InputError;
use emu_mm::mm::vma::VmFlags;
use emu_mm::proc::{self, Mapping};

use crate::space::{Flags, Space, Vma};
use crate::strace::Names;

/// The maps of each process, in the order of its stops.
#[derive(Clone, Debug, Default)]
pub struct Snapshots(BTreeMap<u32, VecDeque<Vec<Mapping>>>);

/// A moment at which the mappings of the model were held against a real process's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The line of the log.
    pub line: usize,
    /// The process.
    pub pid: u32,
    /// How many mappings it had.
    pub mappings: usize,
    /// The first difference; none where all are equal.
    pub differs: Option<String>,
}

impl Snapshots {
    /// Reads snapshots.
    ///
    /// # Errors
    /// The first place that is neither `@ PID` nor a line of maps.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        let mut all = Self::default();
        let mut lines = text.lines().enumerate().peekable();
        while let Some((at, head)) = lines.next() {
            let pid = head.strip_prefix("@ ").and_then(|pid| pid.trim().parse::<u32>().ok());
            let pid = pid.ok_or_else(|| {
                InputError::at(at + 1, head, head, "expected `@ ` and the number of a process")
            })?;
            let mut maps = String::new();
            while let Some((_, line)) = lines.next_if(|(_, line)| !line.starts_with('@')) {
                maps.push_str(line);
                maps.push('\n');
            }
            let read = proc::parse(maps.as_bytes()).map_err(|mut error| {
                error.line += at + 1;
                error
            })?;
            all.0.entry(pid).or_default().push_back(read);
        }
        Ok(all)
    }

    /// The next snapshot of `pid`.
    pub(super) fn next(&mut self, pid: u32) -> Option<Vec<Mapping>> {
        self.0.get_mut(&pid)?.pop_front()
    }

    /// How many have not been asked for.
    #[must_use]
    pub fn left(&self) -> usize {
        self.0.values().map(VecDeque::len).sum()
    }
}

/// The first difference between the mappings of `space` and those of the real process.
pub(super) fn difference(space: &mut Space, real: &[Mapping], names: &Names) -> Option<String> {
    for mapping in real {
        space.grow_stack(mapping.start.get(), mapping.end.get());
    }
    let mut model = space.vmas();
    for mapping in real {
        let Some(vma) = model.next() else {
            return Some(format!("only the real process has {}", shown(mapping)));
        };
        if !equal(vma, mapping, names) {
            let (model, real) = (shown_vma(vma, names), shown(mapping));
            return Some(format!("expected {real}, the model has {model}"));
        }
    }
    model.next().map(|vma| format!("only the model has {}", shown_vma(vma, names)))
}

fn equal(vma: &Vma, mapping: &Mapping, names: &Names) -> bool {
    let pairs = [
        (VmFlags::VM_READ, Flags::READ),
        (VmFlags::VM_WRITE, Flags::WRITE),
        (VmFlags::VM_EXEC, Flags::EXEC),
        (VmFlags::VM_SHARED, Flags::SHARED),
    ];
    let flags =
        pairs.iter().all(|(real, own)| mapping.vm_flags.has(*real) == vma.flags().has(*own));
    let range = vma.start == mapping.start.get() && vma.end == mapping.end.get();
    let named = path(names.text(vma.attrs.file));
    let file = match (vma.attrs.file, named) {
        (0, _) => mapping.inode == 0,
        (_, "") => true,
        (_, path) => vma.pgoff << 12 == mapping.offset && mapping.path.starts_with(path),
    };
    range && flags && file
}

/// The path in a name such as `3</usr/lib/libc.so.6>`, empty where it has none.
fn path(name: &str) -> &str {
    let path = name.split_once('<').and_then(|(_, path)| path.strip_suffix('>'));
    path.filter(|path| path.starts_with('/')).unwrap_or_default()
}

fn shown(mapping: &Mapping) -> String {
    let perms = perms(mapping.vm_flags);
    let (start, end, offset) = (mapping.start, mapping.end, mapping.offset);
    format!("{start:x}-{end:x} {perms} {offset:08x} {}", mapping.path).trim_end().to_owned()
}

fn shown_vma(vma: &Vma, names: &Names) -> String {
    let perms = perms(vma.flags().vm_flags());
    let offset = if vma.attrs.file == 0 { 0 } else { vma.pgoff << 12 };
    let (start, end) = (vma.start, vma.end);
    let path = path(names.text(vma.attrs.file));
    let line = vma.line;
    format!("{start:x}-{end:x} {perms} {offset:08x} {path} (line {line})")
}

fn perms(flags: VmFlags) -> String {
    let bit = |flag, on, off| if flags.has(flag) { on } else { off };
    [
        bit(VmFlags::VM_READ, 'r', '-'),
        bit(VmFlags::VM_WRITE, 'w', '-'),
        bit(VmFlags::VM_EXEC, 'x', '-'),
        bit(VmFlags::VM_SHARED, 's', 'p'),
    ]
    .iter()
    .collect()
}
