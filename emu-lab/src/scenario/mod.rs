//! Scenarios: a sequence of calls as text, one per line, and what comes of it on a machine.
//!
//! ```
//! use emu_arch::Arch;
//! use emu_lab::scenario::{Setup, parse, run};
//!
//! let scenario = parse("
//!     what: a page is mapped in a section
//!     ---
//!     enable                          # or lazy_mmu_mode_enable()
//!         set_pte_at 0xffff800008000000
//!     disable
//! ").unwrap();
//! let outcome = run(&scenario, Setup { arch: Arch::ARM64, ..Setup::default() });
//! assert!(outcome.record.to_string().contains("dsb(ishst)"));
//! ```
#![doc = include_str!("../../scenarios.md")]

mod blocks;
mod builtin;
mod driver;
mod header;
mod lab;
mod line;
mod lives;
mod parse;
mod paste;
mod replayed;
mod run;
mod setup;
mod show;
mod tasks;
mod value;
mod words;

pub use builtin::{builtin, builtin_names, find_builtin};
pub use lab::Unmet;
pub use parse::parse;
pub use replayed::{run_on_code, run_replayed};
pub use run::{Outcome, See, run, run_lines};
pub use setup::{Setup, expected_hazards};
pub use value::{Expect, Inside, Line, Scenario, Step, Where};
pub use words::{context_change, words};
