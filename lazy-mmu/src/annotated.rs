//! What the attributes and block macros expand to.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::pin;

use crate::design::Call;
use crate::pgtable::{self, lazy_mmu_mode_enable_with_ptes};
use crate::ptes::{PteRange, PteRangePart};
use crate::sched::{current, recording};
use crate::section::{LazyMmuPause, LazyMmuSection};
use crate::trace::Event;

/// What `#[lazy_mmu]` puts first into a body.
#[inline(always)]
pub fn section(name: &'static str) -> LazyMmuSection {
    if !current(|cur| cur.count(Call::ENABLE)) {
        section_in_full(name);
    }
    LazyMmuSection(PhantomData)
}

/// What `#[lazy_mmu_paused]` puts first into a body.
#[inline(always)]
pub fn paused_section(name: &'static str) -> LazyMmuPause {
    if !current(|cur| cur.count(Call::PAUSE)) {
        paused_section_in_full(name);
    }
    LazyMmuPause(PhantomData)
}

/// What `#[lazy_mmu(with_ptes(..))]` puts first into a body.
#[inline]
pub fn section_with_ptes(name: &'static str, hint: PteRange) -> LazyMmuSection {
    note_name(name);
    lazy_mmu_mode_enable_with_ptes(hint);
    LazyMmuSection(PhantomData)
}

/// A section that is more than a counter; outside of the annotated function, whose code stays
/// small, as the call in it does.
#[cold]
#[inline(never)]
fn section_in_full(name: &'static str) {
    note_name(name);
    pgtable::in_full(Call::ENABLE);
}

/// A pause that is more than a counter.
#[cold]
#[inline(never)]
fn paused_section_in_full(name: &'static str) {
    note_name(name);
    pgtable::in_full(Call::PAUSE);
}

#[inline]
fn note_name(name: &'static str) {
    if recording() {
        current(|cur| cur.note(Event::Section(name)));
    }
}

/// The hint from the four arguments of `with_ptes`.
#[inline]
pub fn pte_range(
    mm: &impl PteRangePart,
    addr: &impl PteRangePart,
    end: &impl PteRangePart,
    ptep: &impl PteRangePart,
) -> PteRange {
    PteRange {
        mm: mm.pte_range_part(),
        addr: addr.pte_range_part(),
        end: end.pte_range_part(),
        ptep: ptep.pte_range_part(),
    }
}

/// What `#[lazy_mmu(per_poll)]` puts around a body: each poll is a section.
pub async fn per_poll<F: Future>(name: &'static str, body: F) -> F::Output {
    let mut body = pin!(body);
    poll_fn(|cx| {
        let _section = section(name);
        body.as_mut().poll(cx)
    })
    .await
}

/// What `#[lazy_mmu_paused(per_poll)]` puts around a body: each poll is a pause.
pub async fn per_poll_paused<F: Future>(name: &'static str, body: F) -> F::Output {
    let mut body = pin!(body);
    poll_fn(|cx| {
        let _pause = paused_section(name);
        body.as_mut().poll(cx)
    })
    .await
}

/// A value of any type, in code that never runs: it tells a block what it returns.
pub fn never<T>() -> T {
    unreachable!("stands behind `if false`")
}

/// Mentions a type.
#[inline(always)]
pub const fn mention<T: ?Sized>() {}

/// A section around a block, in which `return`, `?` and `break` work as ever.
///
/// The value is the block's. Temporaries of its last expression are dropped inside the section,
/// whatever the edition.
///
/// ```
/// fn zap(pages: &[Option<u64>]) -> Option<u64> {
///     let mut sum = 0;
///     for page in pages {
///         lazy_mmu::lazy_mmu_section! {
///             assert!(lazy_mmu::is_lazy_mmu_mode_active());
///             if *page == Some(0) {
///                 break;
///             }
///             sum += (*page)?;
///         }
///     }
///     assert!(!lazy_mmu::is_lazy_mmu_mode_active());
///     Some(sum)
/// }
/// assert_eq!(zap(&[Some(3), Some(4), Some(0), None]), Some(7));
/// assert_eq!(zap(&[Some(3), None]), None);
/// assert!(!lazy_mmu::is_lazy_mmu_mode_active());
/// ```
#[macro_export]
macro_rules! lazy_mmu_section {
    ($($body:tt)*) => {{
        let _ = &$crate::__private::section("lazy_mmu_section!");
        $($body)*
    }};
}

/// A pause around a block, in which `return`, `?` and `break` work as ever.
///
/// ```
/// let section = lazy_mmu::LazyMmuSection::new();
/// let active = lazy_mmu::lazy_mmu_paused_section! { lazy_mmu::is_lazy_mmu_mode_active() };
/// assert!(!active && lazy_mmu::is_lazy_mmu_mode_active());
/// # drop(section);
/// ```
#[macro_export]
macro_rules! lazy_mmu_paused_section {
    ($($body:tt)*) => {{
        let _ = &$crate::__private::paused_section("lazy_mmu_paused_section!");
        $($body)*
    }};
}
