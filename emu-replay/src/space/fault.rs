//! Which `anon_vma` a mapping gets when it is written: it decides what can be merged later.
//!
//! Models `__anon_vma_prepare()` of mm/rmap.c and `find_mergeable_anon_vma()` of mm/vma.c (v7.3).

use super::Space;
use super::vma::{Anon, Attrs, Flags, Vma};

impl Space {
    /// The mappings in `start..end` are written where they may be: those that are private get an
    /// `anon_vma`.
    pub fn written(&mut self, start: u64, end: u64) {
        let written = |vma: &Vma| {
            let flags = vma.flags();
            flags.has(Flags::WRITE) && flags.is_cow() && !flags.has(Flags::SPECIAL)
        };
        let fresh: Vec<Vma> =
            self.over(start, end).filter(|vma| vma.anon.id == 0 && written(vma)).collect();
        for vma in fresh {
            let next = self.vmas.get(&vma.end).filter(|next| compatible(&vma, next));
            let prev = self.before(vma.start).filter(|prev| compatible(prev, &vma));
            let near = next.map(|next| next.anon).filter(|anon| reusable(*anon));
            let near = near.or_else(|| prev.map(|prev| prev.anon).filter(|anon| reusable(*anon)));
            let anon = near.unwrap_or_else(|| {
                self.anons += 1;
                Anon { id: self.anons, forked: false }
            });
            if let Some(vma) = self.vmas.get_mut(&vma.start) {
                vma.anon = anon;
            }
        }
    }
}

/// Fidelity: same as `reusable_anon_vma()` of mm/vma.c v7.3.
const fn reusable(anon: Anon) -> bool {
    anon.id != 0 && !anon.forked
}

/// Fidelity: same as `anon_vma_compatible()` of mm/vma.c v7.3.
fn compatible(a: &Vma, b: &Vma) -> bool {
    // Names and userfaultfds are not asked for.
    let plain = |attrs: Attrs| {
        let flags = attrs.flags.without(Flags::ACCESS);
        Attrs { flags, name: 0, uffd: 0, ..attrs }
    };
    a.end == b.start
        && plain(a.attrs).is_mergeable(plain(b.attrs))
        && a.end_pgoff() == b.pgoff
        && a.end_anon_pgoff() == b.anon_pgoff
}
