//! Scenarios on the emulated machines, comparisons, and views of their records.
//!
//! [`scenario`] runs calls that a person wrote down, [`compare`] puts them side by side under
//! several designs, and [`render`] shows records to other programs and their hazards to people.
//!
//! ```
//! use emu_arch::Arch;
//! use emu_lab::compare::{compare, text};
//! use emu_lab::scenario::{Setup, parse, run};
//!
//! let scenario = parse("enable\n  set_pte_at 0xffff800008000000\ndisable\n")?;
//! let setups = [Arch::NAIVE, Arch::ARM64].map(|arch| Setup { arch, ..Setup::default() });
//! assert!(run(&scenario, setups[1]).record.to_string().contains("dsb(ishst)"));
//! assert!(text::plain(&compare(&scenario, &setups)).contains("* differs from naive"));
//! # Ok::<(), emu_lab::input::InputError>(())
//! ```

#![warn(clippy::wildcard_enum_match_arm)]

pub mod compare;
pub mod render;
pub mod scenario;
pub mod threads;

/// Errors about input that a person wrote.
pub use emu_input as input;
