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

/// An annotated function, as records and reports name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// The name of the function, or the one given to the attribute.
    pub name: &'static str,
    /// The file that the function is in, as the compiler names it.
    pub file: &'static str,
    /// The line of its name in that file, from 1; 0 where it is not known.
    pub line: u32,
}

impl Site {
    /// Reads the text that an attribute hands over: name, file and line one a line.
    ///
    /// One literal costs the compiler a fraction of what a constant structure does, and the code
    /// around it one address. It is read only where somebody records.
    ///
    /// ```
    /// use lazy_mmu::__private::Site;
    /// let site = Site { name: "zap", file: "src/mm.rs", line: 12 };
    /// assert_eq!(Site::read("zap\nsrc/mm.rs\n12"), site);
    /// ```
    #[must_use]
    pub fn read(text: &'static str) -> Self {
        let (name, place) = text.split_once('\n').unwrap_or((text, ""));
        let (file, line) = place.split_once('\n').unwrap_or((place, ""));
        Self { name, file, line: line.parse().unwrap_or(0) }
    }
}

/// What `#[lazy_mmu]` puts first into a body.
#[inline(always)]
pub fn section(site: &'static str) -> LazyMmuSection {
    if !current(|cur| cur.count(Call::ENABLE)) {
        section_in_full(site);
    }
    LazyMmuSection(PhantomData)
}

/// What `#[lazy_mmu_paused]` puts first into a body.
#[inline(always)]
pub fn paused_section(site: &'static str) -> LazyMmuPause {
    if !current(|cur| cur.count(Call::PAUSE)) {
        paused_section_in_full(site);
    }
    LazyMmuPause(PhantomData)
}

/// What `#[lazy_mmu(with_ptes(..))]` puts first into a body.
#[inline]
pub fn section_with_ptes(site: &'static str, hint: PteRange) -> LazyMmuSection {
    note_site(site);
    lazy_mmu_mode_enable_with_ptes(hint);
    LazyMmuSection(PhantomData)
}

/// A section that is more than a counter; outside of the annotated function, whose code stays
/// small, as the call in it does.
#[cold]
#[inline(never)]
fn section_in_full(site: &'static str) {
    note_site(site);
    pgtable::in_full(Call::ENABLE);
}

/// A pause that is more than a counter.
#[cold]
#[inline(never)]
fn paused_section_in_full(site: &'static str) {
    note_site(site);
    pgtable::in_full(Call::PAUSE);
}

#[inline]
fn note_site(site: &'static str) {
    if recording() {
        current(|cur| cur.note(Event::Section(Site::read(site).name)));
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
pub async fn per_poll<F: Future>(site: &'static str, body: F) -> F::Output {
    let mut body = pin!(body);
    poll_fn(|cx| {
        let _section = section(site);
        body.as_mut().poll(cx)
    })
    .await
}

/// What `#[lazy_mmu_paused(per_poll)]` puts around a body: each poll is a pause.
pub async fn per_poll_paused<F: Future>(site: &'static str, body: F) -> F::Output {
    let mut body = pin!(body);
    poll_fn(|cx| {
        let _pause = paused_section(site);
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
        let _ = &$crate::__private::section(::core::concat!(
            "lazy_mmu_section!\n",
            ::core::file!(),
            "\n",
            ::core::line!(),
        ));
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
        let _ = &$crate::__private::paused_section(::core::concat!(
            "lazy_mmu_paused_section!\n",
            ::core::file!(),
            "\n",
            ::core::line!(),
        ));
        $($body)*
    }};
}
