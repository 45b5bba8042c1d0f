//! A mapping: `struct vm_area_struct`, with all that decides whether two become one.

use std::ops::{BitOr, BitOrAssign};

use emu_mm::mm::vma::VmFlags;

/// Flags of a mapping.
///
/// Fidelity: changed: the flags of include/linux/mm.h v7.3 that a process can set or that keep
/// mappings apart; the bits are ours. `VM_MAYEXEC` and what only drivers set are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        impl Flags {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*
        }
    };
}

flags! {
    /// Pages may be read.
    READ = 0;
    /// Pages may be written.
    WRITE = 1;
    /// Pages may be executed.
    EXEC = 2;
    /// Writes are seen by all.
    SHARED = 3;
    /// `mprotect()` may set `WRITE`.
    MAYWRITE = 4;
    /// A stack.
    GROWSDOWN = 5;
    /// Pages stay in memory.
    LOCKED = 6;
    /// Pages stay in memory once they are touched.
    LOCKONFAULT = 7;
    /// Not accounted.
    NORESERVE = 8;
    /// Accounted.
    ACCOUNT = 9;
    /// Huge pages of hugetlbfs.
    HUGETLB = 10;
    /// No copy for a child.
    DONTCOPY = 11;
    /// Not in a core dump.
    DONTDUMP = 12;
    /// Empty for a child.
    WIPEONFORK = 13;
    /// Read one after the other.
    SEQ_READ = 14;
    /// Read in no order.
    RAND_READ = 15;
    /// Huge pages wanted.
    HUGEPAGE = 16;
    /// Huge pages not wanted.
    NOHUGEPAGE = 17;
    /// Equal pages become one.
    MERGEABLE = 18;
    /// The kernel may drop the pages.
    DROPPABLE = 19;
    /// userfaultfd watches.
    UFFD = 20;
    /// userfaultfd watches for writes.
    UFFD_WP = 21;
    /// Guard entries may be inside. It is sticky: it keeps no mappings apart.
    MAYBE_GUARD = 22;
    /// The kernel's own, such as `[vdso]`: `VM_SPECIAL`.
    SPECIAL = 23;
}

impl Flags {
    /// What `mprotect()` sets: `VM_ACCESS_FLAGS`.
    pub const ACCESS: Self = Self(Self::READ.0 | Self::WRITE.0 | Self::EXEC.0);
    /// `VM_LOCKED_MASK`
    pub const LOCKED_MASK: Self = Self(Self::LOCKED.0 | Self::LOCKONFAULT.0);
    /// `VM_STICKY_FLAGS`
    const STICKY: Self = Self::MAYBE_GUARD;

    /// Tells whether any of `flags` is set.
    #[must_use]
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// The flags without `flags`.
    #[must_use]
    pub const fn without(self, flags: Self) -> Self {
        Self(self.0 & !flags.0)
    }

    /// Tells whether writes make copies: `vma_flags_is_cow_mapping()`.
    #[must_use]
    pub const fn is_cow(self) -> bool {
        self.has(Self::MAYWRITE) && !self.has(Self::SHARED)
    }

    /// The flags that page table code asks for.
    #[must_use]
    pub fn vm_flags(self) -> VmFlags {
        let pairs = [
            (Self::READ, VmFlags::VM_READ),
            (Self::WRITE, VmFlags::VM_WRITE),
            (Self::EXEC, VmFlags::VM_EXEC),
            (Self::SHARED, VmFlags::VM_SHARED),
            (Self::MAYWRITE, VmFlags::VM_MAYWRITE),
            (Self::DONTCOPY, VmFlags::VM_DONTCOPY),
            (Self::UFFD_WP, VmFlags::VM_UFFD_WP),
            (Self::MAYBE_GUARD, VmFlags::VM_MAYBE_GUARD),
        ];
        let set = pairs.into_iter().filter(|(flag, _)| self.has(*flag));
        set.fold(VmFlags::default(), |all, (_, flag)| all | flag)
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// What must be equal in two mappings that become one, offsets aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attrs {
    /// The flags.
    pub flags: Flags,
    /// The protection key.
    pub pkey: u8,
    /// The open file, 0 without one.
    pub file: u32,
    /// The name of a mapping of no file, 0 without one.
    pub name: u32,
    /// The memory policy, 0 for that of the process.
    pub policy: u32,
    /// The userfaultfd, 0 without one.
    pub uffd: u32,
}

impl Attrs {
    /// Tells whether two mappings are alike.
    ///
    /// Fidelity: same as `is_mergeable_vma()` of mm/vma.c v7.3.
    pub(super) fn is_mergeable(self, other: Self) -> bool {
        let plain = |attrs: Self| Self { flags: attrs.flags.without(Flags::STICKY), ..attrs };
        plain(self) == plain(other)
    }

    /// The attributes with the sticky flags of `other`.
    pub(super) fn stuck(mut self, other: Self) -> Self {
        self.flags |= Flags(other.flags.0 & Flags::STICKY.0);
        self
    }
}

/// Whose pages of no file a mapping has: `anon_vma` and its chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anon {
    /// The `anon_vma`, 0 without one.
    pub id: u32,
    /// The chain has others: the mapping was copied by a fork.
    pub forked: bool,
}

impl Anon {
    /// `vma_is_fork_child()`
    pub(super) const fn is_fork_child(self) -> bool {
        self.id != 0 && self.forked
    }
}

/// A mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vma {
    /// First address.
    pub start: u64,
    /// First address behind the mapping.
    pub end: u64,
    /// What must be equal in mappings that become one.
    pub attrs: Attrs,
    /// Page of the file, or of the address where the mapping of no file was made.
    pub pgoff: u64,
    /// Page of the address where a private mapping was made.
    pub anon_pgoff: u64,
    /// Whose pages of no file it has.
    pub anon: Anon,
    /// The mapping has a `close` of its own, so that it is never removed by a merge.
    pub close: bool,
    /// The line of the log that made it, 0 for what `execve()` mapped.
    pub line: usize,
}

impl Vma {
    /// Pages.
    #[must_use]
    pub const fn pages(&self) -> u64 {
        (self.end - self.start) >> 12
    }

    /// The flags.
    #[must_use]
    pub const fn flags(&self) -> Flags {
        self.attrs.flags
    }

    /// The mapping from `addr` on, which lies inside.
    pub(super) const fn from(mut self, addr: u64) -> Self {
        let pages = (addr - self.start) >> 12;
        self.pgoff = self.pgoff.wrapping_add(pages);
        self.anon_pgoff = self.anon_pgoff.wrapping_add(pages);
        self.start = addr;
        self
    }

    /// The mapping up to `addr`, which lies inside.
    pub(super) const fn up_to(mut self, addr: u64) -> Self {
        self.end = addr;
        self
    }

    /// The part of the mapping in `start..end`, if there is one.
    #[must_use]
    pub fn within(self, start: u64, end: u64) -> Option<Self> {
        let (start, end) = (start.max(self.start), end.min(self.end));
        (start < end).then(|| self.from(start).up_to(end))
    }

    /// The offset behind the last page.
    pub(super) const fn end_pgoff(&self) -> u64 {
        self.pgoff.wrapping_add(self.pages())
    }

    /// The anonymous offset behind the last page.
    pub(super) const fn end_anon_pgoff(&self) -> u64 {
        self.anon_pgoff.wrapping_add(self.pages())
    }
}
