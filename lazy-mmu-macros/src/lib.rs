//! The attributes `#[lazy_mmu]` and `#[lazy_mmu_paused]`.
//!
//! They are used and documented through the crate `lazy-mmu`, which re-exports them. An attribute
//! leaves the tokens of its item as they came; only the last `{}` of a function changes, which
//! begins with a guard afterwards:
//!
//! ```text
//! #[lazy_mmu]                                     // all before the braces: untouched tokens
//! fn zap(ptl: &PteLock<'_>, addr: VirtAddr) {     // `{ }`: the user's group, its span kept
//!     let _ = &::lazy_mmu::__private::section("zap");
//!     // the user's tokens
//! }
//! ```
//!
//! The body is never parsed. One file per step: `args` reads the arguments, `item` splits an
//! item, `valid` refuses, `expand` writes. All of it works on `proc_macro2` tokens, so that
//! ordinary tests call it.

mod args;
mod body;
mod expand;
mod invisible;
mod item;
mod valid;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

use crate::args::Mode;

/// The documentation is in the crate `lazy-mmu`.
#[proc_macro_attribute]
pub fn lazy_mmu(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Mode::Section, args.into(), item.into()).into()
}

/// The documentation is in the crate `lazy-mmu`.
#[proc_macro_attribute]
pub fn lazy_mmu_paused(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Mode::Pause, args.into(), item.into()).into()
}
