//! The primitives of a random program: who may use which one on which pages.

use super::pages::{AREAS, Area, Page, TASKS, may_change};
use super::program::Program;

impl Program {
    /// A page table primitive of `task` on `nr` of its own pages, or an access to anyone's page.
    pub(super) fn primitive(&mut self, task: u8, cpu: u8, op: u8, area: u8, page: u16, nr: u8) {
        let mine = Area::of(task, area);
        let (any, page) = (page / 3 % mine.pages, mine.first + page % mine.mapped);
        let many = [1, 2, 3, 40, 190, 260][usize::from(nr) % 6];
        let prot = [" ro", " rw"][usize::from(nr) % 2];
        match op {
            0 | 1 => self.fill(task, cpu, "set_pte_at", mine, any, 1),
            2 => self.fill(task, cpu, "set_ptes", mine, any, many),
            3 => self.fill(task, cpu, "set_pte", mine, any, 1),
            4 | 5 => self.change(task, cpu, "ptep_get_and_clear", mine, page, 1),
            6 => self.pte_clear(task, cpu, mine, page),
            7 => self.change(task, cpu, "ptep_set_wrprotect", mine, page, 1),
            8 => self.change(task, cpu, "wrprotect_ptes", mine, page, many),
            9 => self.change(task, cpu, "ptep_test_and_clear_young", mine, page, 1),
            10 => self.modify_prot(task, cpu, mine, page, prot),
            11 => self.set_access_flags(task, cpu, mine, page),
            12 => self.read(task, cpu, mine, page, nr),
            13 => self.flush(task, cpu, "flush_tlb_range", mine, page, many),
            // Pages of the kernel are not gathered.
            14 if mine.mm > 0 => self.flush(task, cpu, "tlb_flush", mine, page, many),
            14 => {}
            15 => self.change(task, cpu, "pte_update", mine, page, 1),
            16 => self.change(task, cpu, "hpte_need_flush", mine, page, 1),
            17 => self.free_page(task, cpu, mine, page),
            _ => self.access(task, cpu, Area::of(nr % TASKS, area), page, nr),
        }
    }

    /// The pages that a primitive of `task` has changed are pending in its section.
    fn changed(&mut self, task: u8, area: Area, page: u16, nr: u16, what: impl Fn(&mut Page)) {
        let active = self.tasks[usize::from(task)].active();
        for page in self.pages.range(area, page, nr) {
            page.used = true;
            if active {
                page.pending = Some(task);
            }
            what(page);
        }
    }

    /// Fills entries that are empty.
    fn fill(&mut self, task: u8, cpu: u8, op: &str, area: Area, page: u16, nr: u16) {
        let (rules, pages) = (self.rules, self.pages.range(area, page, nr));
        let nr = may_change(pages, task, rules, |page| !page.present && !page.stale);
        if nr > 0 {
            self.line(task, cpu, &format!("{op} {}", area.args(page, nr)));
            self.changed(task, area, page, nr, |page| page.present = true);
        }
    }

    /// Changes entries that are present, so that a TLB may have what they permitted.
    fn change(&mut self, task: u8, cpu: u8, op: &str, area: Area, page: u16, nr: u16) {
        let (rules, pages) = (self.rules, self.pages.range(area, page, nr));
        let nr = may_change(pages, task, rules, |page| page.present);
        if nr > 0 {
            self.line(task, cpu, &format!("{op} {}", area.args(page, nr)));
            let clears = op == "ptep_get_and_clear";
            let keeps =
                ["ptep_test_and_clear_young", "pte_update", "hpte_need_flush"].contains(&op);
            self.changed(task, area, page, nr, |page| {
                page.present &= !clears;
                page.stale |= !keeps;
            });
        }
    }

    /// Empties an entry that is empty for hardware already, or the kernel's.
    fn pte_clear(&mut self, task: u8, cpu: u8, area: Area, page: u16) {
        let (rules, pages) = (self.rules, self.pages.range(area, page, 1));
        if may_change(pages, task, rules, |page| area.mm == 0 || !page.present) > 0 {
            self.line(task, cpu, &format!("pte_clear {}", area.args(page, 1)));
            self.changed(task, area, page, 1, |page| {
                page.stale |= page.present;
                page.present = false;
            });
        }
    }

    fn modify_prot(&mut self, task: u8, cpu: u8, area: Area, page: u16, prot: &str) {
        let (rules, pages) = (self.rules, self.pages.range(area, page, 1));
        if may_change(pages, task, rules, |page| page.present) > 0 {
            let args = area.args(page, 1);
            self.line(task, cpu, &format!("ptep_modify_prot_start {args}"));
            self.line(task, cpu, &format!("ptep_modify_prot_commit {args}{prot}"));
            self.changed(task, area, page, 1, |page| page.stale = true);
        }
    }

    /// Gives an entry more permissions. Nobody has changed it before in the section: the primitive
    /// compares with memory.
    fn set_access_flags(&mut self, task: u8, cpu: u8, area: Area, page: u16) {
        let pages = self.pages.range(area, page, 1);
        if pages[0].present && !pages[0].stale && pages[0].pending.is_none() {
            self.line(task, cpu, &format!("ptep_set_access_flags {} rw", area.args(page, 1)));
            self.changed(task, area, page, 1, |_| {});
        }
    }

    /// Reads an entry of the task's own.
    fn read(&mut self, task: u8, cpu: u8, area: Area, page: u16, how: u8) {
        let pending = self.pages.range(area, page, 1)[0].pending.is_some();
        // The accessor of s390 looks into the cache; that of Xen PV is a read of memory.
        let (op, sees) = match how % 3 {
            0 => ("ptep_get", !self.rules.defers_flushes),
            1 => ("raw_read", !self.rules.defers_stores),
            _ => ("ptep_get_lockless", true),
        };
        if sees || !pending {
            self.line(task, cpu, &format!("{op} {}", area.args(page, 1)));
            self.pages.range(area, page, 1)[0].used = true;
        }
    }

    /// Flushes TLBs; where a store of the section has to be out first, the section must be over.
    fn flush(&mut self, task: u8, cpu: u8, op: &str, area: Area, page: u16, nr: u16) {
        let (rules, active) = (self.rules, self.tasks[usize::from(task)].active());
        let pages = self.pages.range(area, page, nr);
        let nr = pages.len() as u16;
        let pending = pages.iter().any(|page| page.pending.is_some());
        if pending && rules.defers_stores && !rules.defers_flushes {
            return;
        }
        self.line(task, cpu, &format!("{op} {}", area.args(page, nr)));
        for page in self.pages.range(area, page, nr) {
            if active && rules.defers_flushes {
                page.pending = Some(task);
            }
            page.stale = false;
        }
    }

    /// Frees a page that nobody maps and no TLB has any more.
    fn free_page(&mut self, task: u8, cpu: u8, area: Area, page: u16) {
        let this = self.pages.range(area, page, 1)[0];
        if this.used && !this.present && !this.stale && this.pending.is_none() {
            self.line(task, cpu, &format!("__free_page {}", area.args(page, 1)));
        }
    }

    /// Flushes the TLBs of `area` where a translation may be left: nobody else who takes its lock
    /// is to find one.
    pub(super) fn flush_stale(&mut self, task: u8, cpu: u8, area: Area) {
        if self.pages.range(area, 0, area.pages).iter().any(|page| page.stale) {
            self.flush(task, cpu, "flush_tlb_range", area, 0, area.pages);
        }
    }

    /// Touches a page of any task, if no translation of it is on its way.
    fn access(&mut self, task: u8, cpu: u8, area: Area, page: u16, how: u8) {
        let this = &mut self.pages.range(area, page, 1)[0];
        if this.pending.is_none() && !this.stale {
            this.used = true;
            let op = if how < 4 { "read" } else { "write" };
            self.line(task, cpu, &format!("{op} {}", area.args(page, 1)));
        }
    }

    /// An entry above the last level is set or cleared.
    pub(super) fn upper_level(&mut self, task: u8, cpu: u8, area: u8, page: u16) {
        let level = ["set_pmd", "set_pud", "set_p4d", "set_pgd"][usize::from(area) % 4];
        let user = 0x6000_0000_0000 + 0x40_0000 * u64::from(page);
        let addr = if area < AREAS { user } else { 0xffff_9000_0000_0000 };
        let prot = if page.is_multiple_of(3) { " none" } else { "" };
        self.line(task, cpu, &format!("{level} {addr:#x}{prot}"));
    }

    /// An interrupt, or bottom halves off for a while, with updates of pages that only they use.
    pub(super) fn interrupt(&mut self, task: u8, cpu: u8, kind: u8, what: u16) {
        if kind.is_multiple_of(4) {
            self.line(task, cpu, "local_bh_disable");
            self.updates(cpu, what);
            self.line(task, cpu, "local_bh_enable");
        } else {
            let name = ["hardirq", "softirq", "nmi"][usize::from(kind) % 3];
            self.line(task, cpu, &format!("{name} {{"));
            self.updates(cpu, what);
            self.text.push_str("}\n");
        }
    }

    /// A hard interrupt inside of a call.
    pub(super) fn handler(&mut self, cpu: u8, what: u16) {
        self.text.push_str("    hardirq {\n");
        self.updates(cpu, what);
        self.text.push_str("    }\n");
    }

    /// Changes both pages of an area for handlers, all at once, and flushes what has to be.
    fn updates(&mut self, cpu: u8, what: u16) {
        let area = Area::of_handlers(cpu, what.is_multiple_of(3));
        let calls = self.rules.counts && what.is_multiple_of(2);
        let mut lines = Vec::from_iter(calls.then(|| "enable".to_owned()));
        for page in 0..2 {
            let this = &mut self.pages.range(area, page, 1)[0];
            let op = if this.present { "ptep_get_and_clear" } else { "set_pte_at" };
            (this.present, this.used) = (!this.present, true);
            lines.push(format!("{op} {}", area.args(page, 1)));
        }
        lines.push(format!("flush_tlb_range {}", area.args(0, 2)));
        lines.extend(calls.then(|| "disable".to_owned()));
        for line in lines {
            self.text.push_str(&format!("    {line}\n"));
        }
    }
}
