//! Which mappings become one.
//!
//! Models `vma_merge_new_range()`, `vma_merge_existing_range()` and `vma_modify()` of mm/vma.c
//! (v7.3). Memory never runs out, and the limit of mappings is not modelled.

use super::Space;
use super::vma::{Anon, Attrs, Flags, Vma};

/// A range that may become part of its neighbours: `struct vma_merge_struct`.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    /// The range, with what it is to be.
    vma: Vma,
    /// It is there already and changes.
    exists: bool,
    /// The mapping that it is copied from by `mremap()` was copied by a fork.
    from_fork_child: bool,
}

impl Candidate {
    /// Whether the pages of no file of the range may go to `target`.
    ///
    /// Fidelity: same as `is_mergeable_anon_vma()` of mm/vma.c v7.3.
    fn anon_fits(&self, target: Anon) -> bool {
        let own = self.vma.anon;
        match (target.id, own.id) {
            (0, 0) => true,
            (0, _) => !(self.exists && own.is_fork_child() || self.from_fork_child),
            (_, 0) => !target.is_fork_child(),
            (target, own) => target == own,
        }
    }

    /// Fidelity: same as `needs_adjacent_anon_pgoff()` of mm/vma.c v7.3.
    const fn needs_anon_pgoff(&self) -> bool {
        self.vma.attrs.file != 0 && self.vma.attrs.flags.is_cow()
    }

    /// Fidelity: same as `can_vma_merge_after()` and `can_vma_merge_left()` of mm/vma.c v7.3.
    fn fits_after(&self, prev: &Vma) -> bool {
        prev.end == self.vma.start
            && prev.attrs.is_mergeable(self.vma.attrs)
            && self.anon_fits(prev.anon)
            && prev.end_pgoff() == self.vma.pgoff
            && (!self.needs_anon_pgoff() || prev.end_anon_pgoff() == self.vma.anon_pgoff)
    }

    /// Fidelity: same as `can_vma_merge_before()` and `can_vma_merge_right()` of mm/vma.c v7.3.
    fn fits_before(&self, next: &Vma, merged_left: Option<&Vma>) -> bool {
        let anons_fit = merged_left.is_none_or(|prev| {
            prev.anon.id == 0 || next.anon.id == 0 || prev.anon.id == next.anon.id
        });
        anons_fit
            && next.start == self.vma.end
            && next.attrs.is_mergeable(self.vma.attrs)
            && self.anon_fits(next.anon)
            && self.vma.end_pgoff() == next.pgoff
            && (!self.needs_anon_pgoff() || self.vma.end_anon_pgoff() == next.anon_pgoff)
    }
}

impl Space {
    /// Puts `vma` where nothing is, as part of its neighbours where it can be; returns where the
    /// mapping that has it starts.
    ///
    /// Fidelity: same as `vma_merge_new_range()` of mm/vma.c v7.3; `just_expand` is a merge with
    /// the mapping before alone.
    pub(super) fn insert_merged(&mut self, vma: Vma, just_expand: bool) -> u64 {
        self.insert_copy(vma, just_expand, false)
    }

    /// As [`insert_merged`](Self::insert_merged), for a mapping that `mremap()` copies.
    ///
    /// Fidelity: changed: `vma_merge_copied_range()` of mm/vma.c v7.3, which joins nothing that a
    /// userfaultfd without the remap event watches.
    pub(super) fn insert_copied(&mut self, vma: Vma) -> u64 {
        self.insert_copy(vma, false, vma.anon.is_fork_child())
    }

    fn insert_copy(&mut self, vma: Vma, just_expand: bool, from_fork_child: bool) -> u64 {
        let new = Candidate { vma, exists: false, from_fork_child };
        if vma.attrs.flags.has(Flags::SPECIAL) {
            return self.insert(vma);
        }
        let prev = self.before(vma.start).filter(|prev| new.fits_after(prev));
        let next = self.vmas.get(&vma.end).copied();
        let next = next.filter(|next| !just_expand && new.fits_before(next, prev.as_ref()));
        match (prev, next) {
            (Some(prev), Some(next)) if !next.close => {
                self.vmas.remove(&next.start);
                self.insert(prev.joined(&vma).joined(&next))
            }
            (Some(prev), _) => self.insert(prev.joined(&vma)),
            (None, Some(next)) => {
                self.vmas.remove(&next.start);
                self.insert(vma.joined_into(&next))
            }
            (None, None) => self.insert(vma),
        }
    }

    /// Gives `start..end`, a part of the mapping `vma`, the attributes `attrs`: joins it with its
    /// neighbours, or splits the mapping. Returns the mapping that has the range now.
    ///
    /// Fidelity: same as `vma_modify()` and `vma_merge_existing_range()` of mm/vma.c v7.3.
    pub(super) fn modify(&mut self, vma: &Vma, start: u64, end: u64, attrs: Attrs) -> Vma {
        let middle = vma.from(start).up_to(end);
        let changed = Vma { attrs, ..middle };
        let at = Candidate { vma: changed, exists: true, from_fork_child: false };
        let (left_side, right_side) = (start == vma.start, end == vma.end);
        let whole = left_side && right_side;
        let may = !(attrs.flags.has(Flags::SPECIAL) || whole && vma.close);
        let prev = self.before(start).filter(|prev| may && left_side && at.fits_after(prev));
        let next = self.vmas.get(&end).copied();
        let next = next.filter(|next| may && right_side && at.fits_before(next, prev.as_ref()));
        // Where the next one cannot go, only the one before grows.
        let next = next.filter(|next| prev.is_none() || !next.close);
        self.vmas.remove(&vma.start);
        if !left_side {
            self.insert(vma.up_to(start));
        }
        if !right_side {
            self.insert(vma.from(end));
        }
        let mut merged = prev.map_or(changed, |prev| prev.joined(&changed));
        if let Some(next) = next {
            self.vmas.remove(&next.start);
            merged = if prev.is_some() { merged.joined(&next) } else { merged.joined_into(&next) };
        }
        self.insert(merged);
        merged
    }
}

impl Vma {
    /// The mapping, grown by `next` behind it: `vma_expand()`, `dup_anon_vma()`.
    fn joined(&self, next: &Self) -> Self {
        let anon = if self.anon.id == 0 { next.anon } else { self.anon };
        Self { end: next.end, anon, attrs: self.attrs.stuck(next.attrs), ..*self }
    }

    /// The mapping `next`, grown down to the beginning of this one.
    fn joined_into(&self, next: &Self) -> Self {
        let pages = self.pages();
        let anon = if next.anon.id == 0 { self.anon } else { next.anon };
        Self {
            start: self.start,
            pgoff: next.pgoff.wrapping_sub(pages),
            anon_pgoff: next.anon_pgoff.wrapping_sub(pages),
            anon,
            attrs: next.attrs.stuck(self.attrs),
            ..*next
        }
    }
}
