//! The pages of a random program: where they are, and what a correct program knows of them.

use super::rules::Rules;

/// How many tasks there are: A, B, and C, which A forks.
pub(super) const TASKS: u8 = 3;

/// A run of pages in one page table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) base: u64,
    pub(super) mm: u8,
    /// How many pages a program may use.
    pub(super) pages: u16,
    /// The first one that is mapped when it begins, and how many are.
    pub(super) first: u16,
    pub(super) mapped: u16,
    /// What a line that maps them says besides.
    pub(super) psize: &'static str,
}

/// How many areas a task has.
pub(super) const AREAS: u8 = 5;

impl Area {
    /// Area `n` of `task`: user pages in two address spaces, some in a slice of another page size,
    /// enough to fill any batch, and kernel pages. No table is shared with another task.
    pub(super) const fn of(task: u8, n: u8) -> Self {
        let (mm, few) =
            (1 + 2 * task, Self { base: 0, mm: 0, pages: 6, first: 1, mapped: 4, psize: "" });
        match n % AREAS {
            0 => Self { base: 0x7f00_0000_0000, mm, ..few },
            1 => Self { base: 0x7f00_0000_0000, mm: mm + 1, ..few },
            2 => Self { base: 0x2000_0000, mm, psize: " psize=16m", ..few },
            3 => Self { base: 0x7f00_0020_0000, mm, pages: 400, first: 2, mapped: 250, psize: "" },
            _ => Self { base: 0xffff_8000_0800_0000 + 0x20_0000 * task as u64, ..few },
        }
    }

    /// The pages that handlers on `cpu` use: of the kernel, or of an address space of their own.
    pub(super) const fn of_handlers(cpu: u8, user: bool) -> Self {
        let (base, mm) = if user { (0x7f00_0000_0000, 8) } else { (0xffff_8000_1000_0000, 0) };
        Self { base: base + 0x20_0000 * cpu as u64, mm, pages: 2, first: 0, mapped: 1, psize: "" }
    }

    /// Whether page `n` is mapped when the program begins.
    pub(super) fn maps(&self, n: u16) -> bool {
        (self.first..self.first + self.mapped).contains(&n)
    }

    /// Every area of a program.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let of_tasks = (0..TASKS).flat_map(|task| (0..AREAS).map(move |n| Self::of(task, n)));
        let of_handlers = [(0, false), (0, true), (1, false), (1, true)];
        of_tasks.chain(of_handlers.map(|(cpu, user)| Self::of_handlers(cpu, user)))
    }

    /// The arguments that name `nr` pages from `page` on; `nr` is left out if there is only one.
    pub(super) fn args(&self, page: u16, nr: u16) -> String {
        let addr = self.base + 0x1000 * u64::from(page);
        let mm = if self.mm > 1 { format!(" mm={}", self.mm) } else { String::new() };
        let nr = if nr > 1 { format!(" {nr}") } else { String::new() };
        format!("{addr:#x}{nr}{mm}")
    }
}

/// What a correct program knows of a page.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Page {
    pub(super) present: bool,
    /// A TLB may have a translation that permits more: the page is not to be touched before a
    /// flush.
    pub(super) stale: bool,
    /// The task in whose section it was changed, until that section is over.
    pub(super) pending: Option<u8>,
    /// It was used at all.
    pub(super) used: bool,
}

/// All pages of a program.
#[derive(Debug)]
pub(super) struct Pages(Vec<(Area, Vec<Page>)>);

impl Pages {
    pub(super) fn new() -> Self {
        let area = |area: Area| {
            let page = |n| Page { present: area.maps(n), ..Page::default() };
            (area, (0..area.pages).map(page).collect())
        };
        Self(Area::all().map(area).collect())
    }

    /// `nr` pages of `area` from `page` on, fewer at its end.
    pub(super) fn range(&mut self, area: Area, page: u16, nr: u16) -> &mut [Page] {
        let (_, pages) = self.0.iter_mut().find(|(known, _)| *known == area).expect("an area");
        let end = (page + nr).min(area.pages);
        &mut pages[usize::from(page)..usize::from(end)]
    }

    /// Sees to it that no update that `task` has put off is known as pending.
    pub(super) fn settle(&mut self, task: u8) {
        for page in self.0.iter_mut().flat_map(|(_, pages)| pages) {
            if page.pending == Some(task) {
                page.pending = None;
            }
        }
    }

    /// Every page that was used, with its area and number; of a large area, some of them.
    pub(super) fn used(&self) -> impl Iterator<Item = (Area, u16)> {
        let used = |(area, pages): &(Area, Vec<Page>)| {
            let (area, numbered) = (*area, (0..).zip(pages));
            let some = move |n: u16| area.pages < 100 || n < 4 || n.is_multiple_of(7);
            numbered
                .filter(|(n, page)| page.used && some(*n))
                .map(|(n, _)| (area, n))
                .collect::<Vec<_>>()
        };
        self.0.iter().flat_map(used)
    }
}

/// How many of `pages`, from the first on, `task` may change now, and are as `wanted`.
pub(super) fn may_change(
    pages: &[Page],
    task: u8,
    rules: Rules,
    wanted: impl Fn(&Page) -> bool,
) -> u16 {
    let mine = |page: &Page| page.pending.is_none_or(|by| rules.rewrites && by == task);
    pages.iter().take_while(|page| mine(page) && wanted(page)).count() as u16
}
