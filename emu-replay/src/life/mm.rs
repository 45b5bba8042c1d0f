//! An address space with its page tables: what each act of a call does to both.

use std::collections::BTreeSet;

use super::touch::{TOUCHED_MAX, Touch};
use crate::job::{Job, Work};
use crate::pages::PageTables;
use crate::space::{Act, Flags, Space, Vma};

/// An address space.
#[derive(Clone, Debug, Default)]
pub(super) struct Mm {
    pub(super) space: Space,
    pages: PageTables,
    /// How many tasks have it.
    pub(super) users: u32,
    /// All that ever had it, whose faults are its own.
    pub(super) pids: BTreeSet<u32>,
    /// What was touched before it was known what `execve()` mapped.
    early: Vec<(u64, bool)>,
    /// It is not known what `execve()` mapped, and a call asked for it.
    pub(super) is_counted: bool,
}

/// Who acts, and under which model of faults.
pub(super) struct Acting<'a> {
    pub(super) line: usize,
    pub(super) pid: u32,
    pub(super) call: &'static str,
    pub(super) touch: &'a Touch,
    /// Pages are touched when the list of faults says so.
    pub(super) clocked: bool,
    pub(super) jobs: &'a mut Vec<Job>,
    /// How many mappings were larger than what a model touches.
    pub(super) cut: &'a mut u64,
}

impl Acting<'_> {
    fn push(&mut self, work: Work, vmas: &[(Vma, Flags)], pages: &PageTables) {
        let who = (self.line, self.pid, self.call);
        self.jobs.extend(Job::new(who, work, vmas, pages));
    }
}

impl Mm {
    pub(super) fn new(space: Space, pid: u32) -> Self {
        let pids = BTreeSet::from([pid]);
        Self { space, users: 1, pids, ..Self::default() }
    }

    /// Does the acts of a call.
    pub(super) fn act(&mut self, acts: &[Act], acting: &mut Acting<'_>) {
        for act in acts {
            match act {
                Act::Map(vma) => self.mapped(vma, acting),
                Act::Populate(vma) => self.touch_all(vma, acting),
                Act::Unmap(vmas) => self.zap(vmas, Work::Unmap, acting),
                Act::Discard(vmas) => self.zap(vmas, Work::Discard, acting),
                Act::Protect(vmas) => self.protect(vmas, acting),
                Act::Age(advice, vmas) => {
                    self.faulted(vmas, acting);
                    acting.push(Work::Age(*advice), &as_they_are(vmas), &self.pages);
                }
                Act::Move(vma, to) => {
                    self.faulted(&[*vma], acting);
                    acting.push(Work::Move(*to), &[(*vma, vma.flags())], &self.pages);
                    self.pages.relocate(vma.start, vma.end, *to);
                }
            }
        }
    }

    /// A part of a mapping may be touched from now on.
    fn mapped(&mut self, vma: &Vma, acting: &mut Acting<'_>) {
        match acting.touch {
            Touch::None => {}
            Touch::First => {
                let end = vma.end.min(vma.start + 0x1000);
                self.touch(vma, vma.start, end, true);
            }
            Touch::All => self.touch_all(vma, acting),
            Touch::Faults(_) => self.faulted(&[*vma], acting),
        }
    }

    fn touch_all(&mut self, vma: &Vma, acting: &mut Acting<'_>) {
        let end = vma.end.min(vma.start + (TOUCHED_MAX << 12));
        if end < vma.end && vma.flags().has(Flags::ACCESS) {
            *acting.cut += 1;
        }
        self.touch(vma, vma.start, end, true);
    }

    /// Pages are touched: written where they may be, if they are written at all.
    fn touch(&mut self, vma: &Vma, start: u64, end: u64, write: bool) {
        if self.pages.touch(vma, start, end, write) && write {
            self.space.written(start, end);
        }
    }

    /// Touches the pages of `vmas` that a list of faults names.
    fn faulted(&mut self, vmas: &[Vma], acting: &Acting<'_>) {
        let Touch::Faults(faults) = acting.touch else { return };
        if acting.clocked {
            return;
        }
        for vma in vmas {
            let pids = self.pids.iter();
            let pages: Vec<(u64, bool)> =
                pids.flat_map(|pid| faults.of(*pid, vma.start, vma.end)).collect();
            for (page, write) in pages {
                self.touch(vma, page << 12, (page + 1) << 12, write);
            }
        }
    }

    fn zap(&mut self, vmas: &[Vma], work: Work, acting: &mut Acting<'_>) {
        self.faulted(vmas, acting);
        acting.push(work, &as_they_are(vmas), &self.pages);
        for vma in vmas {
            self.pages.zap(vma.start, vma.end);
        }
        if work == Work::Unmap
            && let (Some(first), Some(last)) = (vmas.first(), vmas.last())
        {
            self.pages.free_tables(&self.space, first.start, last.end);
        }
    }

    /// The pages that may be touched now are touched behind the call, as if they were new.
    fn protect(&mut self, vmas: &[(Vma, Flags)], acting: &mut Acting<'_>) {
        let before: Vec<Vma> = vmas.iter().map(|(vma, flags)| as_before(vma, *flags)).collect();
        self.faulted(&before, acting);
        acting.push(Work::Protect, vmas, &self.pages);
        for (vma, before) in vmas {
            let gained = Flags(vma.flags().0 & !before.0);
            if gained.has(Flags::ACCESS) {
                self.mapped(vma, acting);
            }
        }
    }

    /// The program's own mappings, right behind its `execve()`.
    pub(super) fn begin(&mut self, acting: &mut Acting<'_>) {
        let vmas: Vec<Vma> = self.space.vmas().copied().collect();
        vmas.iter().for_each(|vma| self.mapped(vma, acting));
        for (page, write) in std::mem::take(&mut self.early) {
            self.fault(page, write);
        }
    }

    /// A task touched `page`.
    pub(super) fn fault(&mut self, page: u64, write: bool) {
        let (start, end) = (page << 12, (page + 1) << 12);
        match self.space.at(start) {
            Some(vma) => self.touch(&vma, start, end, write),
            None if self.space.image_is_unknown() => self.early.push((page, write)),
            None => {}
        }
    }

    /// The address space of a child.
    pub(super) fn fork(&mut self, child: u32, acting: &mut Acting<'_>) -> Self {
        let all: Vec<Vma> = self.space.vmas().copied().collect();
        self.faulted(&all, acting);
        let copies = |vma: &&Vma| !vma.flags().has(Flags::DONTCOPY | Flags::WIPEONFORK);
        let copied: Vec<Vma> = all.iter().filter(copies).copied().collect();
        acting.push(Work::Copy, &as_they_are(&copied), &self.pages);
        let mut mm = Self::new(self.space.fork(), child);
        let kept = Flags::UFFD_WP | Flags::MAYBE_GUARD;
        for vma in copied.iter().filter(|vma| vma.anon.id != 0 || vma.flags().has(kept)) {
            self.pages.copy_to(&mut mm.pages, vma);
        }
        mm
    }

    /// The last task that had it is gone.
    pub(super) fn exit(&mut self, acting: &mut Acting<'_>) {
        let all: Vec<Vma> = self.space.vmas().copied().collect();
        self.faulted(&all, acting);
        acting.push(Work::Exit, &as_they_are(&all), &self.pages);
    }
}

fn as_they_are(vmas: &[Vma]) -> Vec<(Vma, Flags)> {
    vmas.iter().map(|vma| (*vma, vma.flags())).collect()
}

/// The mapping with the flags that it had.
fn as_before(vma: &Vma, flags: Flags) -> Vma {
    let mut before = *vma;
    before.attrs.flags = flags;
    before
}
