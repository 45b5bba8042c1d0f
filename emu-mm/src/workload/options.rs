//! Which workloads there are, and how one runs.

use std::fmt::{self, Display, Formatter};
use std::num::NonZeroU32;
use std::str::FromStr;

use emu_arch::{Kernel, UnknownId};
use lazy_mmu::design::Design;

use crate::proc::Populate;

macro_rules! workloads {
    ($($(#[$meta:meta])* $name:ident = $id:literal, $about:literal;)*) => {
        /// A workload.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Workload {
            $($(#[$meta])* $name,)*
        }

        impl Workload {
            /// Every workload.
            pub const ALL: [Self; [$($id),*].len()] = [$(Self::$name),*];

            /// The name that the command line uses.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// One line on what the workload does.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$name => $about,)*
                }
            }
        }
    };
}

workloads! {
    /// `fork()`: a child gets a copy of the page tables.
    Fork = "fork", "copy the page tables for a child (copy_page_range)";
    /// `exit()`: all page tables are emptied.
    Exit = "exit", "empty all page tables (unmap_page_range)";
    /// `mprotect()`: each mapping that may be written becomes read-only.
    Mprotect = "mprotect", "make each writable mapping read-only (change_protection)";
    /// `vmalloc()` and `vfree()`: as many pages as each mapping has in memory are mapped into the
    /// kernel's address space, used, and unmapped.
    Vmalloc = "vmalloc", "map and unmap as many kernel pages (vmap_pages_range, vunmap_range)";
}

impl Display for Workload {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Workload {
    type Err = UnknownId;

    fn from_str(id: &str) -> Result<Self, UnknownId> {
        let found = Self::ALL.into_iter().find(|workload| workload.id() == id);
        found.ok_or_else(|| UnknownId::new("workload", id))
    }
}

/// How a workload runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Which pages are in memory.
    pub populate: Populate,
    /// The scheduler wants the CPU back after that many questions; never by default.
    pub resched: Option<NonZeroU32>,
    /// Pages of a folio as a power of two, 0 to 9.
    pub folio_order: u8,
    /// The era of the architecture's code.
    pub kernel: Kernel,
    /// The design of the API. The run with the mode paused is always that of the default design:
    /// what takes effect at once depends on no design.
    pub design: Design,
}
