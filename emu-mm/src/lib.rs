//! Functions of mm/ in their loop shapes, annotated, and the address spaces that they run over.
//!
//! | kernel | here |
//! |---|---|
//! | mm/ | [`mm`] |
//! | fs/proc/task_mmu.c | [`fs`] |
//! | fs/proc/task_mmu.c, read backwards | [`proc`] |
//! | arch/, code of architectures that is not behind a primitive | [`arch`] |
//!
//! [`workload`] runs the first over the second:
//!
//! ```
//! use emu_arch::Arch;
//! use emu_mm::workload::{Options, Workload, run};
//!
//! let maps = b"7f0000000000-7f0000400000 rw-p 00000000 00:00 0\n";
//! let mappings = emu_mm::proc::parse(maps)?;
//! let options = Options::default();
//! let report = run(Workload::Mprotect, Arch::POWERPC_HASH, &mappings, &options, &mut |_, _| {})?;
//! // 1024 pages, in batches of 192 with the mode and one by one without it.
//! assert!(report.total.delayable() < 10 && report.total.delayable_paused() == 1024);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(clippy::wildcard_enum_match_arm)]

pub mod arch;
pub mod fs;
pub mod mm;
pub mod proc;
pub mod sites;
pub mod workload;
