//! Names of flags, and the numbers that they stand for.
//!
//! Where a log has numbers alone (`-X raw`), they are those of most architectures,
//! include/uapi/asm-generic of v7.3; alpha, mips, parisc, powerpc, sparc and xtensa have others for
//! some of them.

use super::args::number;
use super::cursor::Wrong;

/// The bits of `prot`.
pub mod prot {
    /// Pages may be read.
    pub const READ: u64 = 1;
    /// Pages may be written.
    pub const WRITE: u64 = 2;
    /// Pages may be executed.
    pub const EXEC: u64 = 4;
    /// From the beginning of the mapping on, which grows down.
    pub const GROWSDOWN: u64 = 0x0100_0000;
}

/// The bits of the flags of `mmap()`.
pub mod map {
    /// Writes are seen by all.
    pub const SHARED: u64 = 1;
    /// Writes are seen by nobody else.
    pub const PRIVATE: u64 = 2;
    /// The type: shared, private, or shared and checked.
    pub const TYPE: u64 = 0xf;
    /// The kernel may drop the pages.
    pub const DROPPABLE: u64 = 8;
    /// At this address, whatever is there.
    pub const FIXED: u64 = 0x10;
    /// Of no file.
    pub const ANONYMOUS: u64 = 0x20;
    /// A stack.
    pub const GROWSDOWN: u64 = 0x100;
    /// Pages stay in memory.
    pub const LOCKED: u64 = 0x2000;
    /// Not accounted.
    pub const NORESERVE: u64 = 0x4000;
    /// All pages are made at once.
    pub const POPULATE: u64 = 0x8000;
    /// A stack of a thread: without huge pages.
    pub const STACK: u64 = 0x2_0000;
    /// Huge pages.
    pub const HUGETLB: u64 = 0x4_0000;
    /// At this address, if nothing is there.
    pub const FIXED_NOREPLACE: u64 = 0x10_0000;
    /// The size of huge pages stands from this bit on.
    pub const HUGE_SHIFT: u32 = 26;
}

/// The bits of the flags of `mremap()`.
pub mod remap {
    /// The mapping may go elsewhere.
    pub const MAYMOVE: u64 = 1;
    /// It goes to a given address.
    pub const FIXED: u64 = 2;
    /// What was there stays, empty.
    pub const DONTUNMAP: u64 = 4;
}

/// The bits of the flags of `clone()`.
pub mod clone {
    /// The address space is shared.
    pub const VM: u64 = 0x100;
    /// The parent waits.
    pub const VFORK: u64 = 0x4000;
    /// A thread of the same process.
    pub const THREAD: u64 = 0x1_0000;
}

pub(super) const PROT: &[(&str, u64)] = &[
    ("PROT_NONE", 0),
    ("PROT_READ", prot::READ),
    ("PROT_WRITE", prot::WRITE),
    ("PROT_EXEC", prot::EXEC),
    ("PROT_SEM", 8),
    ("PROT_BTI", 0x10),
    ("PROT_MTE", 0x20),
    ("PROT_SAO", 0x10),
    ("PROT_ADI", 0x10),
    ("PROT_GROWSDOWN", prot::GROWSDOWN),
    ("PROT_GROWSUP", 0x0200_0000),
];

pub(super) const MAP: &[(&str, u64)] = &[
    ("MAP_FILE", 0),
    ("MAP_SHARED", map::SHARED),
    ("MAP_PRIVATE", map::PRIVATE),
    ("MAP_SHARED_VALIDATE", 3),
    ("MAP_DROPPABLE", map::DROPPABLE),
    ("MAP_FIXED", map::FIXED),
    ("MAP_ANONYMOUS", map::ANONYMOUS),
    ("MAP_ANON", map::ANONYMOUS),
    ("MAP_32BIT", 0x40),
    ("MAP_ABOVE4G", 0x80),
    ("MAP_GROWSDOWN", map::GROWSDOWN),
    ("MAP_DENYWRITE", 0x800),
    ("MAP_EXECUTABLE", 0x1000),
    ("MAP_LOCKED", map::LOCKED),
    ("MAP_NORESERVE", map::NORESERVE),
    ("MAP_POPULATE", map::POPULATE),
    ("MAP_NONBLOCK", 0x1_0000),
    ("MAP_STACK", map::STACK),
    ("MAP_HUGETLB", map::HUGETLB),
    ("MAP_HUGE_2MB", 21 << map::HUGE_SHIFT),
    ("MAP_HUGE_1GB", 30 << map::HUGE_SHIFT),
    ("MAP_SYNC", 0x8_0000),
    ("MAP_FIXED_NOREPLACE", map::FIXED_NOREPLACE),
    ("MAP_UNINITIALIZED", 0x400_0000),
];

pub(super) const REMAP: &[(&str, u64)] = &[
    ("MREMAP_MAYMOVE", remap::MAYMOVE),
    ("MREMAP_FIXED", remap::FIXED),
    ("MREMAP_DONTUNMAP", remap::DONTUNMAP),
];

/// Those that matter; any other name of a flag or a signal is taken as nothing.
pub(super) const CLONE: &[(&str, u64)] =
    &[("CLONE_VM", clone::VM), ("CLONE_VFORK", clone::VFORK), ("CLONE_THREAD", clone::THREAD)];

pub(super) const MCL: &[(&str, u64)] = &[("MCL_CURRENT", 1), ("MCL_FUTURE", 2), ("MCL_ONFAULT", 4)];

pub(super) const MLOCK: &[(&str, u64)] = &[("MLOCK_ONFAULT", 1)];

pub(super) const SHM: &[(&str, u64)] = &[
    ("SHM_RDONLY", 0o10000),
    ("SHM_RND", 0o20000),
    ("SHM_REMAP", 0o40000),
    ("SHM_EXEC", 0o100_000),
];

/// The flags that `arg`, a part of `text`, names; `what` they are.
pub(super) fn flags(
    text: &str,
    arg: &str,
    names: &[(&'static str, u64)],
    what: &str,
) -> Result<u64, Wrong> {
    if arg.is_empty() {
        return Err(Wrong::new(text, arg, what));
    }
    let mut bits = 0;
    for part in arg.split('|') {
        let word = part.trim();
        bits |= match flag(word, names) {
            Some(flag) => flag,
            None => return Err(Wrong::new(text, word, what).nearest(word, names)),
        };
        // In a comment stand the names of the number before.
        if word.contains("/*") {
            break;
        }
    }
    Ok(bits)
}

fn flag(word: &str, names: &[(&'static str, u64)]) -> Option<u64> {
    if let Some((_, bits)) = names.iter().find(|(name, _)| *name == word) {
        return Some(*bits);
    }
    if let Some((count, shift)) = word.split_once("<<") {
        let shift = if shift == "MAP_HUGE_SHIFT" { map::HUGE_SHIFT } else { shift.parse().ok()? };
        return number(count)?.checked_shl(shift);
    }
    number(word)
}

/// The flags of `clone()` in `arg`: names that do not matter are taken as nothing.
pub(super) fn clone_flags(arg: &str) -> u64 {
    let known = clone::VM | clone::VFORK | clone::THREAD;
    let words = arg.split('|').filter_map(|word| flag(word.trim(), CLONE));
    words.fold(0, |all, flag| all | flag & known)
}
