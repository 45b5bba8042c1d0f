//! The attributes [`lazy_mmu`](macro@crate::lazy_mmu) and
//! [`lazy_mmu_paused`](macro@crate::lazy_mmu_paused): what they do and what they refuse.
//!
//! ```
//! use lazy_mmu::{is_lazy_mmu_mode_active, lazy_mmu, record_hooks};
//!
//! #[lazy_mmu]
//! fn zap(ptes: &mut [Option<u64>]) -> Option<u64> {
//!     assert!(is_lazy_mmu_mode_active());
//!     let first = ptes.first_mut()?.take()?; // leaves the section, too
//!     Some(first)
//! }
//!
//! let (pte, record) = record_hooks(|| zap(&mut [Some(7)]));
//! assert_eq!(pte, Some(7));
//! assert_eq!(
//!     record.to_string(),
//!     "\
//! zap:
//! lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
//! lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
//! enable=0 pause=0, nothing pending
//! "
//! );
//! ```
//!
//! `#[lazy_mmu_paused]` is the same with `lazy_mmu_mode_pause()` and `lazy_mmu_mode_resume()`. All
//! that follows holds for both.
//!
//! # What it expands to
//!
//! One statement in front of the body, in the function's own braces; everything else is handed back
//! as it came. The guard has no name, so that the body can neither name nor forget it.
//!
//! ```
//! # use lazy_mmu::{is_lazy_mmu_mode_active, lazy_mmu};
//! #[lazy_mmu]
//! fn zap(addr: u64) -> u64 {
//!     addr + 4096
//! }
//!
//! fn expanded(addr: u64) -> u64 {
//!     let _ = &::lazy_mmu::__private::section("zap");
//!     addr + 4096
//! }
//! # assert_eq!(zap(1), expanded(1));
//! ```
//!
//! Inner attributes, inner docs and leading items stay in front of the guard. The body is not
//! parsed: macros, nested functions and closures in it are left alone. An item that the attribute
//! refuses is emitted all the same, beside the error.
//!
//! # When things are dropped
//!
//! The guard is the first local of the body. Locals are dropped inside the section and arguments
//! after it, as C code disables the mode before it unlocks:
//!
//! ```
//! # use lazy_mmu::{is_lazy_mmu_mode_active, lazy_mmu};
//! struct PteLock;
//! impl Drop for PteLock {
//!     fn drop(&mut self) {
//!         assert!(!is_lazy_mmu_mode_active(), "unlocked after the section");
//!     }
//! }
//! struct Local;
//! impl Drop for Local {
//!     fn drop(&mut self) {
//!         assert!(is_lazy_mmu_mode_active(), "dropped inside of it");
//!     }
//! }
//!
//! #[lazy_mmu]
//! fn zap(_ptl: PteLock) {
//!     let _local = Local;
//! }
//! zap(PteLock);
//! ```
//!
//! So annotate the function that *receives* the locked table. A lock that is taken in the body is
//! dropped inside the section; put [`lazy_mmu_section!`](crate::lazy_mmu_section) after the lock
//! instead. A flush that must come after the section and before the unlocking belongs in the
//! caller.
//!
//! Temporaries of the last expression are dropped where the function's own edition drops them: up
//! to 2021 after the section, from 2024 on inside it. Bind such a lock to a name. What `return`
//! returns is complete, its temporaries dropped, before the section ends. The project's folder
//! `snapshots/macros` shows each case in both editions.
//!
//! Two attributes on one function expand from the top, and each puts its guard in front: **the
//! lower one is the outer one**, as with every attribute that wraps a body. A pause inside of a
//! section hence is written with the pause on top:
//!
//! ```
//! # use lazy_mmu::{is_lazy_mmu_mode_active, lazy_mmu, lazy_mmu_paused, record_hooks};
//! # use lazy_mmu::design::Hook;
//! #[lazy_mmu_paused]
//! #[lazy_mmu]
//! fn store() {
//!     assert!(!is_lazy_mmu_mode_active());
//! }
//! let ((), record) = record_hooks(store);
//! assert!(record.hooks().eq([Hook::ENTER, Hook::LEAVE, Hook::ENTER, Hook::LEAVE]));
//! ```
//!
//! # Other attributes
//!
//! The order matters for those that change the function, too. Above `#[tokio::main]`,
//! `#[tokio::test]` or `#[async_trait]` this attribute sees an `async fn` and refuses it; below the
//! first two it sees a function that blocks, which is fine, and below `#[async_trait]` one that
//! returns a boxed future, which is refused as well. `#[test]`, `#[inline]`, `#[track_caller]`,
//! `#[must_use]`, `#[cfg]` and docs may stand above or below:
//!
//! ```
//! # use lazy_mmu::{is_lazy_mmu_mode_active, lazy_mmu};
//! /// What `#[tokio::main]` does, in short.
//! macro_rules! blocking {
//!     ($(#[$attr:meta])* async fn $name:ident() -> $output:ty $body:block) => {
//!         $(#[$attr])*
//!         fn $name() -> $output {
//!             let mut future = std::pin::pin!(async $body);
//!             let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
//!             match future.as_mut().poll(&mut cx) {
//!                 std::task::Poll::Ready(value) => value,
//!                 std::task::Poll::Pending => unreachable!("nothing to wait for"),
//!             }
//!         }
//!     };
//! }
//! blocking! {
//!     #[lazy_mmu] // below: sees the function without `async`
//!     async fn below() -> bool { is_lazy_mmu_mode_active() }
//! }
//! assert!(below());
//! ```
//!
//! # Panics
//!
//! Unwinding drops the guard, so the section ends before `catch_unwind` returns; out of `extern
//! "C"` it ends before the process aborts. With `panic = "abort"` nothing is dropped and the mode
//! is on when the process dies.
//!
//! ```
//! # use lazy_mmu::{is_lazy_mmu_mode_active, lazy_mmu};
//! #[lazy_mmu]
//! fn panics() {
//!     std::panic::resume_unwind(Box::new("as planned"));
//! }
//! assert!(std::panic::catch_unwind(panics).is_err());
//! assert!(!is_lazy_mmu_mode_active());
//! ```
//!
//! # Async functions
//!
//! A section belongs to the task that entered it. A guard that lives across an `.await` would leave
//! the mode on for whatever else runs on the thread, so an `async fn` is refused:
//!
//! ```compile_fail
//! #[lazy_mmu::lazy_mmu]
//! async fn zap() {}
//! ```
//!
//! `per_poll` enters on each poll and leaves when the poll returns. A suspended future, dropped or
//! leaked, leaves nothing behind. Arguments that the body uses are moved into it and dropped in the
//! last poll's section; what a suspended future holds is dropped wherever the future is.
//!
//! ```
//! # use lazy_mmu::{is_lazy_mmu_mode_active, lazy_mmu};
//! #[lazy_mmu(per_poll)]
//! async fn zap() -> bool {
//!     std::future::ready(()).await;
//!     is_lazy_mmu_mode_active()
//! }
//! let mut zap = std::pin::pin!(zap());
//! let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
//! assert_eq!(zap.as_mut().poll(&mut cx), std::task::Poll::Ready(true));
//! assert!(!is_lazy_mmu_mode_active());
//! ```
//!
//! A function that returns a future or a stream is refused where its return type says so (`impl` or
//! `dyn` with `Future`, `Stream` and their like, `BoxFuture`, `BoxStream`); behind an alias it is
//! not seen. Where only the making of the future belongs inside, say `allow_future`:
//!
//! ```compile_fail
//! #[lazy_mmu::lazy_mmu]
//! fn zap() -> impl Future<Output = ()> {
//!     std::future::ready(())
//! }
//! ```
//! ```
//! #[lazy_mmu::lazy_mmu(allow_future)]
//! fn zap() -> impl Future<Output = ()> {
//!     std::future::ready(())
//! }
//! # drop(zap());
//! ```
//!
//! # Blocks and smaller units
//!
//! On an `impl` block, a trait or an inline module the attribute goes to every function with a body
//! in it, and in a module to the blocks, traits and modules inside, too. It is added below the
//! other attributes of a function. `const fn` and naked functions stay as they are, and so does
//! what has the attribute itself or `#[lazy_mmu(skip)]`; an `async fn` needs `per_poll`, on itself
//! or on the block. Functions that macros in the block produce are not seen.
//!
//! ```
//! # use lazy_mmu::{is_lazy_mmu_mode_active, lazy_mmu};
//! struct Table;
//!
//! #[lazy_mmu]
//! impl Table {
//!     fn zap(&self) -> bool {
//!         is_lazy_mmu_mode_active()
//!     }
//!     #[lazy_mmu(skip)]
//!     fn peek(&self) -> bool {
//!         is_lazy_mmu_mode_active()
//!     }
//! }
//! assert!(Table.zap() && !Table.peek());
//! ```
//!
//! For a part of a function there are the macros [`lazy_mmu_section!`](crate::lazy_mmu_section) and
//! [`lazy_mmu_paused_section!`](crate::lazy_mmu_paused_section), in which `return`, `?` and `break`
//! work, and [`with_lazy_mmu`](crate::with_lazy_mmu) with a closure.
//!
//! # Refused
//!
//! | what | why |
//! |---|---|
//! | `async fn` without `per_poll`, `gen fn`, returned futures | the section would outlive a switch of tasks, or end too early |
//! | `const fn` | when compiling there is no task |
//! | naked functions | their body is assembly alone |
//! | functions without a body | there is nothing to run |
//! | anything but functions, `impl` blocks, traits and inline modules | as above |
//!
//! ```compile_fail
//! #[lazy_mmu::lazy_mmu]
//! const fn zap() {}
//! ```
//! ```compile_fail
//! trait Walk {
//!     #[lazy_mmu::lazy_mmu]
//!     fn zap(&self);
//! }
//! ```
//! ```compile_fail
//! #[lazy_mmu::lazy_mmu]
//! struct Table;
//! ```
//!
//! # Arguments
//!
//! | argument | meaning |
//! |---|---|
//! | `name = "..."` | what the record shows instead of the function's name |
//! | `with_ptes(mm, addr, end, ptep)` | the range hint: calls [`lazy_mmu_mode_enable_with_ptes`](crate::lazy_mmu_mode_enable_with_ptes) |
//! | `per_poll` | for an `async fn`: enter on each poll |
//! | `allow_future` | for a function that returns a future |
//! | `skip` | leave this item of an annotated block alone |
//! | `crate = path` | where this crate is; `crate = $crate::lazy_mmu` works in the `macro_rules!` of a crate that re-exports it |
//!
//! The parts of `with_ptes` are the function's parameters or expressions over them; they are read
//! when the section begins, by reference, and may be of any type that implements
//! [`PteRangePart`](crate::PteRangePart). Where a design ignores the hint it is a plain enable.
//!
//! ```
//! # use lazy_mmu::{is_lazy_mmu_mode_active, lazy_mmu, record_hooks};
//! #[lazy_mmu(name = "zap the range", with_ptes(mm, addr, addr + nr * 4096, ptep))]
//! fn zap(mm: &u64, addr: u64, nr: u64, ptep: *mut u64) -> bool {
//!     !ptep.is_null() && *mm + addr + nr > 0 && is_lazy_mmu_mode_active()
//! }
//! let (active, record) = record_hooks(|| zap(&1, 0x1000, 2, &mut 3));
//! assert!(active && record.to_string().starts_with("zap the range:\n"));
//! ```
//! ```compile_fail
//! #[lazy_mmu::lazy_mmu(nmae = "zap")]
//! fn zap() {}
//! ```
//!
//! # Lints
//!
//! An annotated function has the lints of the bare one. Four differ in truth:
//! `clippy::missing_const_for_fn` is silent, since a function with a section is not constant;
//! `tail_expr_drop_order`, off by default, reports up to edition 2021 that a section ends before
//! the temporaries of a last expression and after them from 2024 on; and under `per_poll`
//! `clippy::unused_async` is silent and `clippy::implicit_return` speaks of the attribute.
