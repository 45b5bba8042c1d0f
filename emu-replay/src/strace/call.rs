//! The calls that change an address space or who has one, with their arguments.

use std::collections::BTreeMap;

use super::args::Args;
use super::cursor::Wrong;
use super::flags::{self, clone, map};

/// A call of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `execve()`, `execveat()`: another program.
    Exec,
    /// `mmap()`, `mmap2()`.
    Mmap(Mmap),
    /// `munmap()`.
    Munmap(Range),
    /// `mprotect()`, `pkey_mprotect()`.
    Mprotect(Range, Prot),
    /// `mremap()`.
    Mremap(Mremap),
    /// `madvise()`.
    Madvise(Range, Advice),
    /// `brk()`: the new end of the heap.
    Brk(u64),
    /// `fork()`, `vfork()`, `clone()`, `clone3()`: the flags of `clone()`.
    Clone(u64),
    /// `exit()` of a thread, `exit_group()` of all.
    Exit,
    /// `shmat()`.
    Shmat {
        /// Bytes of the segment, where a `shmget()` of the log tells.
        size: Option<u64>,
        /// The flags `SHM_*`.
        flags: u64,
    },
    /// `shmdt()`.
    Shmdt(u64),
    /// `mlock()`, `mlock2()`: whether only pages that are touched stay in memory.
    Mlock(Range, bool),
    /// `munlock()`.
    Munlock(Range),
    /// `mlockall()`: the flags `MCL_*`; none is `munlockall()`.
    Mlockall(u64),
    /// `mbind()`: a policy, by the text of its arguments.
    Mbind(Range, u32),
    /// `ioctl()` of a userfaultfd: `UFFDIO_REGISTER` with the text of its mode, and by which
    /// descriptor; none is `UFFDIO_UNREGISTER`.
    Userfault(Range, Option<u32>, bool),
    /// `prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME)`: the name of a mapping of no file.
    SetName(Range, u32),
}

impl Call {
    /// The name of the call: one for all that do the same.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Exec => "execve",
            Self::Mmap(_) => "mmap",
            Self::Munmap(_) => "munmap",
            Self::Mprotect(..) => "mprotect",
            Self::Mremap(_) => "mremap",
            Self::Madvise(..) => "madvise",
            Self::Brk(_) => "brk",
            Self::Clone(_) => "clone",
            Self::Exit => "exit",
            Self::Shmat { .. } => "shmat",
            Self::Shmdt(_) => "shmdt",
            Self::Mlock(..) => "mlock",
            Self::Munlock(_) => "munlock",
            Self::Mlockall(_) => "mlockall",
            Self::Mbind(..) => "mbind",
            Self::Userfault(..) => "userfaultfd",
            Self::SetName(..) => "prctl",
        }
    }
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First address.
    pub addr: u64,
    /// Bytes.
    pub len: u64,
}

/// The arguments of `mmap()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mmap {
    /// Where; a wish without `MAP_FIXED`.
    pub range: Range,
    /// The bits of [`prot`](flags::prot).
    pub prot: u64,
    /// The bits of [`map`].
    pub flags: u64,
    /// A name of the file, 0 without one.
    pub file: u32,
    /// Offset into the file, in bytes.
    pub offset: u64,
}

/// What `mprotect()` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prot {
    /// The bits of [`prot`](flags::prot).
    pub bits: u64,
    /// The protection key.
    pub pkey: Option<u8>,
}

/// The arguments of `mremap()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mremap {
    /// What is there.
    pub old: Range,
    /// How long it is to be.
    pub new_len: u64,
    /// The bits of [`remap`](flags::remap).
    pub flags: u64,
}

macro_rules! advice {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// What `madvise()` says of a range.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Advice {
            $($(#[$doc])* $name,)*
            /// One that the lab does not know.
            Other,
        }

        impl Advice {
            const NAMES: &[(&str, u64)] = &[$(($text, $code)),*];

            fn of(code: u64) -> Self {
                match code {
                    $($code => Self::$name,)*
                    _ => Self::Other,
                }
            }
        }
    };
}

advice! {
    /// No particular order.
    Normal = 0, "MADV_NORMAL";
    /// In no order.
    Random = 1, "MADV_RANDOM";
    /// One after the other.
    Sequential = 2, "MADV_SEQUENTIAL";
    /// Soon.
    Willneed = 3, "MADV_WILLNEED";
    /// The pages go away.
    Dontneed = 4, "MADV_DONTNEED";
    /// The pages may go away.
    Free = 8, "MADV_FREE";
    /// The pages and their file's go away.
    Remove = 9, "MADV_REMOVE";
    /// No copy for a child.
    Dontfork = 10, "MADV_DONTFORK";
    /// A copy for a child.
    Dofork = 11, "MADV_DOFORK";
    /// Equal pages become one.
    Mergeable = 12, "MADV_MERGEABLE";
    /// Equal pages stay apart.
    Unmergeable = 13, "MADV_UNMERGEABLE";
    /// Huge pages.
    Hugepage = 14, "MADV_HUGEPAGE";
    /// No huge pages.
    Nohugepage = 15, "MADV_NOHUGEPAGE";
    /// Not in a core dump.
    Dontdump = 16, "MADV_DONTDUMP";
    /// In a core dump.
    Dodump = 17, "MADV_DODUMP";
    /// Empty for a child.
    Wipeonfork = 18, "MADV_WIPEONFORK";
    /// Not empty for a child.
    Keeponfork = 19, "MADV_KEEPONFORK";
    /// Not soon.
    Cold = 20, "MADV_COLD";
    /// Out of memory.
    Pageout = 21, "MADV_PAGEOUT";
    /// All pages are made, to be read.
    PopulateRead = 22, "MADV_POPULATE_READ";
    /// All pages are made, to be written.
    PopulateWrite = 23, "MADV_POPULATE_WRITE";
    /// The pages go away, though they are locked.
    DontneedLocked = 24, "MADV_DONTNEED_LOCKED";
    /// Huge pages at once.
    Collapse = 25, "MADV_COLLAPSE";
    /// Entries that guard.
    GuardInstall = 102, "MADV_GUARD_INSTALL";
    /// No entries that guard.
    GuardRemove = 103, "MADV_GUARD_REMOVE";
}

/// How many texts have numbers of their own; all others have one together.
const NAMES_MAX: usize = 1 << 20;

/// Texts and the numbers that stand for them, from 1 on.
#[derive(Clone, Debug, Default)]
pub struct Names {
    texts: Vec<String>,
    numbers: BTreeMap<String, u32>,
    /// The bytes of segments of shared memory, which have numbers of their own.
    segments: BTreeMap<u64, u64>,
}

impl Names {
    /// The number of `text`.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        if self.texts.len() == NAMES_MAX {
            return NAMES_MAX as u32 + 1;
        }
        self.texts.push(text.to_owned());
        let number = self.texts.len() as u32;
        self.numbers.insert(text.to_owned(), number);
        number
    }

    /// The size of segment `id`, where it is known.
    fn segment(&self, id: u64) -> Option<u64> {
        self.segments.get(&id).copied()
    }

    /// `shmget()` returned segment `id` of `size` bytes.
    pub(super) fn add_segment(&mut self, id: u64, size: u64) {
        self.segments.insert(id, size);
    }

    /// The text of `number`.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        let index = (number as usize).wrapping_sub(1);
        self.texts.get(index).map_or("", String::as_str)
    }
}

/// Whether [`read`] knows a call.
pub(super) fn is_known(name: &str) -> bool {
    matches!(
        name,
        "execve"
            | "execveat"
            | "mmap"
            | "mmap2"
            | "old_mmap"
            | "munmap"
            | "mprotect"
            | "pkey_mprotect"
            | "mremap"
            | "madvise"
            | "brk"
            | "fork"
            | "vfork"
            | "clone"
            | "clone3"
            | "clone2"
            | "exit"
            | "exit_group"
            | "_exit"
            | "shmat"
            | "shmdt"
            | "mlock"
            | "mlock2"
            | "munlock"
            | "mlockall"
            | "munlockall"
            | "mbind"
            | "ioctl"
            | "prctl"
            | "shmget"
    )
}

/// The call `name` with `args`, parts of `text`; none where it has nothing to do with addresses.
pub(super) fn read(
    text: &str,
    name: &str,
    args: &Args<'_>,
    names: &mut Names,
) -> Result<Option<Call>, Wrong> {
    let range = || {
        let addr = args.number(0, "an address")?;
        Ok(Range { addr, len: args.number(1, "a number of bytes")? })
    };
    let flags = |n, of, what| flags::flags(text, args.get(n), of, what);
    Ok(Some(match name {
        "execve" | "execveat" => Call::Exec,
        "mmap" | "mmap2" | "old_mmap" => Call::Mmap(Mmap {
            range: range()?,
            prot: flags(2, flags::PROT, "protections such as `PROT_READ`")?,
            flags: flags(3, flags::MAP, "flags such as `MAP_PRIVATE`")?,
            file: file(args, names),
            offset: args.number(5, "an offset")?,
        }),
        "munmap" => Call::Munmap(range()?),
        "mprotect" | "pkey_mprotect" => {
            let bits = flags(2, flags::PROT, "protections such as `PROT_READ`")?;
            let pkey = args.get(3).parse().ok().filter(|_| name == "pkey_mprotect");
            Call::Mprotect(range()?, Prot { bits, pkey })
        }
        "mremap" => Call::Mremap(Mremap {
            old: range()?,
            new_len: args.number(2, "a number of bytes")?,
            flags: flags(3, flags::REMAP, "flags such as `MREMAP_MAYMOVE`")?,
        }),
        "madvise" => Call::Madvise(range()?, Advice::of(flags(2, Advice::NAMES, "an advice")?)),
        "brk" => Call::Brk(args.number(0, "an address")?),
        "fork" => Call::Clone(0),
        "vfork" => Call::Clone(clone::VM | clone::VFORK),
        "clone" | "clone2" | "clone3" => Call::Clone(clone_flags(args)),
        "exit" | "exit_group" | "_exit" => Call::Exit,
        "shmat" => {
            let flags = flags(2, flags::SHM, "flags such as `SHM_RDONLY`")?;
            let size = args.number(0, "a segment").map(|id| names.segment(id))?;
            Call::Shmat { size, flags }
        }
        "shmdt" => Call::Shmdt(args.number(0, "an address")?),
        "mlock" => Call::Mlock(range()?, false),
        "mlock2" => Call::Mlock(range()?, flags(2, flags::MLOCK, "`MLOCK_ONFAULT` or 0")? != 0),
        "munlock" => Call::Munlock(range()?),
        "mlockall" => Call::Mlockall(flags(0, flags::MCL, "flags such as `MCL_CURRENT`")?),
        "munlockall" => Call::Mlockall(0),
        "mbind" => {
            let policy = args.all().get(2..5).unwrap_or_default().join(", ");
            let default = policy.starts_with("MPOL_DEFAULT");
            let policy = if default { 0 } else { names.number(&format!("policy {policy}")) };
            Call::Mbind(range()?, policy)
        }
        "ioctl" => return Ok(userfault(args, names)),
        "prctl" => return Ok(set_name(args, names)),
        _ => return Ok(None),
    }))
}

/// The flags of `clone(child_stack=..., flags=...)` or `clone3({flags=...}, SIZE)`.
fn clone_flags(args: &Args<'_>) -> u64 {
    let inside = args.all().iter().flat_map(|arg| arg.split(['{', ',', '}']));
    let flags = inside.map(str::trim).find_map(|part| part.strip_prefix("flags="));
    flags.map_or(0, flags::clone_flags)
}

/// The file of `mmap()`: its path where the log has it, its descriptor else.
///
/// The kernel merges mappings of one open file, and a path may be open twice: a path at another
/// descriptor counts as another file.
fn file(args: &Args<'_>, names: &mut Names) -> u32 {
    let fd = args.get(4);
    let number = fd.split('<').next().unwrap_or(fd);
    let anonymous = flags::flags(fd, args.get(3), flags::MAP, "")
        .is_ok_and(|flags| flags & map::ANONYMOUS != 0 && flags & map::HUGETLB == 0);
    if anonymous || number.starts_with('-') || number.starts_with("0xffffffff") {
        return 0;
    }
    names.number(fd)
}

/// The range of `UFFDIO_REGISTER` and `UFFDIO_UNREGISTER`.
fn userfault(args: &Args<'_>, names: &mut Names) -> Option<Call> {
    let (register, what) = (args.get(1) == "UFFDIO_REGISTER", args.get(2));
    if !register && args.get(1) != "UFFDIO_UNREGISTER" {
        return None;
    }
    let range = Range { addr: field(what, "start=")?, len: field(what, "len=")? };
    let by = register.then(|| names.number(&format!("userfaultfd {}", args.get(0))));
    Some(Call::Userfault(range, by, what.contains("_WP")))
}

/// The number behind `name` in a structure.
fn field(text: &str, name: &str) -> Option<u64> {
    let (_, rest) = text.split_once(name)?;
    super::args::number(rest.split([',', '}', ' ']).next()?)
}

fn set_name(args: &Args<'_>, names: &mut Names) -> Option<Call> {
    if args.get(0) != "PR_SET_VMA" || args.get(1) != "PR_SET_VMA_ANON_NAME" {
        return None;
    }
    let range =
        Range { addr: super::args::number(args.get(2))?, len: super::args::number(args.get(3))? };
    let name = args.get(4);
    let name = if name == "NULL" { 0 } else { names.number(&format!("name {name}")) };
    Some(Call::SetName(range, name))
}
