//! `mremap()`: mappings grow, shrink and move.

use super::vma::{Anon, Flags, Vma};
use super::{Act, Differs, NOT_FREE, NOT_MAPPED, OUT_OF_RANGE, Space, page_align, pages_of};
use crate::strace::Mremap;
use crate::strace::flags::remap;

impl Space {
    /// `mremap()`, which returned `to`.
    ///
    /// Fidelity: changed: mm/mremap.c v7.3; where several mappings move, the whole destination is
    /// unmapped first, the kernel unmaps that of each before it moves; without limits and
    /// hugetlbfs.
    ///
    /// # Errors
    /// Nothing is mapped where the call moves or grows it.
    pub fn mremap(&mut self, call: &Mremap, to: u64) -> Result<Vec<Act>, Differs> {
        let addr = call.old.addr;
        let mut old_len = page_align(call.old.len).ok_or(OUT_OF_RANGE)?;
        let new_len = page_align(call.new_len).ok_or(OUT_OF_RANGE)?;
        let (_, to_end) = pages_of(to, new_len).ok_or(OUT_OF_RANGE)?;
        let whole = pages_of(addr, old_len.max(1)).ok_or(OUT_OF_RANGE)?;
        self.assume(whole.0, whole.1);
        let mut acts = Vec::new();
        if to != addr {
            let overlaps = to < whole.1 && whole.0 < to_end && old_len > 0;
            let free = self.first_over(to, to_end).is_none();
            if overlaps || !free && call.flags & remap::FIXED == 0 {
                return Err(NOT_FREE);
            }
            push_unmap(&mut acts, self.remove(to, to_end));
        }
        if new_len < old_len {
            push_unmap(&mut acts, self.remove(addr + new_len, addr + old_len));
            old_len = new_len;
        }
        if to == addr {
            if new_len > old_len {
                acts.push(self.grow(addr + old_len, new_len - old_len)?);
            }
            return Ok(acts);
        }
        if new_len == old_len {
            // Several mappings may move at once, with holes between them.
            let parts: Vec<Vma> = self.over(addr, addr + old_len).collect();
            let parts = parts.into_iter().filter_map(|vma| vma.within(addr, addr + old_len));
            let parts: Vec<Vma> = parts.collect();
            if parts.is_empty() {
                return Err(NOT_MAPPED);
            }
            for part in parts {
                let len = part.end - part.start;
                self.move_part(&part, len, to + (part.start - addr), call.flags, &mut acts);
            }
            return Ok(acts);
        }
        let part = self.at(addr).map(|vma| vma.from(addr)).ok_or(NOT_MAPPED)?;
        if old_len == 0 {
            // The pages of a shared mapping, once more.
            let copy = copied(&part, to, new_len);
            self.insert_copied(copy);
            acts.push(Act::Map(copy));
            return Ok(acts);
        }
        if part.end < addr + old_len {
            return Err(NOT_MAPPED);
        }
        self.move_part(&part.up_to(addr + old_len), new_len, to, call.flags, &mut acts);
        Ok(acts)
    }

    /// Grows the mapping that ends at `end` by `len` bytes.
    ///
    /// Fidelity: same as `vma_merge_extend()` of mm/vma.c v7.3.
    fn grow(&mut self, end: u64, len: u64) -> Result<Act, Differs> {
        let vma = self.before(end).filter(|vma| vma.end == end).ok_or(NOT_MAPPED)?;
        if self.over(end, end + len).next().is_some() {
            return Err(NOT_FREE);
        }
        let (pgoff, anon_pgoff) = (vma.end_pgoff(), vma.end_anon_pgoff());
        let more = Vma { start: end, end: end + len, pgoff, anon_pgoff, ..vma };
        self.insert_merged(more, false);
        Ok(if locked(&vma) { Act::Populate(more) } else { Act::Map(more) })
    }

    /// Moves `part` to `to`, where it is `len` bytes long.
    ///
    /// Fidelity: same as `move_vma()` of mm/mremap.c and `copy_vma()` of mm/vma.c v7.3; a
    /// userfaultfd follows the move, and a copy beside the mapping that stays joins no other
    /// neighbour either.
    fn move_part(&mut self, part: &Vma, len: u64, to: u64, flags: u64, acts: &mut Vec<Act>) {
        let keeps = flags & remap::DONTUNMAP != 0;
        let copy = copied(part, to, len);
        if keeps && (to == part.end || copy.end == part.start) {
            // What stays does not become one with what goes.
            self.insert(copy);
        } else {
            self.insert_copied(copy);
        }
        acts.push(Act::Move(*part, to));
        let moved = part.end - part.start;
        if keeps {
            self.kept(part);
        } else {
            push_unmap(acts, self.remove(part.start, part.end));
        }
        if len > moved {
            let more = copy.from(to + moved);
            acts.push(if locked(&more) { Act::Populate(more) } else { Act::Map(more) });
        }
    }

    /// What a mapping is whose pages went away and which stays: not locked, and without an
    /// `anon_vma` where all of it moved.
    ///
    /// Fidelity: same as `dontunmap_complete()` of mm/mremap.c v7.3.
    fn kept(&mut self, part: &Vma) {
        let Some(vma) = self.at(part.start) else { return };
        if let Some(kept) = self.vmas.get_mut(&vma.start) {
            kept.attrs.flags = kept.attrs.flags.without(Flags::LOCKED_MASK);
            if vma.start == part.start && vma.end == part.end {
                kept.anon = Anon::default();
            }
        }
    }
}

/// The mapping that `part` becomes at `to`: one that was not written begins anew.
fn copied(part: &Vma, to: u64, len: u64) -> Vma {
    let page = to >> 12;
    let anon_pgoff = if part.anon.id == 0 { page } else { part.anon_pgoff };
    let pgoff = if part.anon.id == 0 && part.attrs.file == 0 { page } else { part.pgoff };
    Vma { start: to, end: to + len, pgoff, anon_pgoff, ..*part }
}

fn locked(vma: &Vma) -> bool {
    vma.flags().has(Flags::LOCKED) && !vma.flags().has(Flags::LOCKONFAULT)
}

fn push_unmap(acts: &mut Vec<Act>, gone: Vec<Vma>) {
    if !gone.is_empty() {
        acts.push(Act::Unmap(gone));
    }
}
