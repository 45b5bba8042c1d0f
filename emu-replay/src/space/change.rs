//! Changing what mappings are: `mprotect()`, `madvise()`, `mlock()`, `mbind()`, names, userfaultfd.

use super::vma::{Attrs, Flags, Vma};
use super::{Act, Age, Differs, NOT_MAPPED, OUT_OF_RANGE, Space, pages_of};
use crate::strace::flags::prot;
use crate::strace::{Advice, Prot, Range};

impl Space {
    /// `mprotect()` and `pkey_mprotect()`.
    ///
    /// Fidelity: same as `do_mprotect_pkey()` and `mprotect_fixup()` of mm/mprotect.c v7.3; a
    /// mapping for execution alone gets no protection key; a locked private mapping that becomes
    /// writable is not populated, PROT_GROWSDOWN asks for a mapped beginning, and no program has
    /// READ_IMPLIES_EXEC.
    ///
    /// # Errors
    /// A part of the range is not mapped.
    pub fn mprotect(&mut self, range: Range, asked: Prot) -> Result<Vec<Act>, Differs> {
        if range.len == 0 {
            return Ok(Vec::new());
        }
        let (mut start, end) = pages_of(range.addr, range.len).ok_or(OUT_OF_RANGE)?;
        self.assume(start, end);
        if asked.bits & prot::GROWSDOWN != 0 {
            start = self.at(start).ok_or(NOT_MAPPED)?.start;
        }
        let mut changed = Vec::new();
        let mut at = start;
        while at < end {
            let vma = self.at(at).ok_or(NOT_MAPPED)?;
            let part_end = vma.end.min(end);
            let attrs = protected(&vma, asked);
            if attrs == vma.attrs {
                at = part_end;
                continue;
            }
            let merged = self.modify(&vma, at, part_end, attrs);
            let part = vma.from(at).up_to(part_end);
            changed.push((Vma { attrs, ..part }, part.flags()));
            // A mapping that was joined behind the range has the protection already.
            at = merged.end;
        }
        Ok(if changed.is_empty() { Vec::new() } else { vec![Act::Protect(changed)] })
    }

    /// `madvise()`; holes are skipped.
    ///
    /// Fidelity: same as `madvise_vma_behavior()` of mm/madvise.c v7.3; `MADV_REMOVE` and guards
    /// are a zap, and nothing else.
    ///
    /// # Errors
    /// The range is none of user pages.
    pub fn madvise(&mut self, range: Range, advice: Advice) -> Result<Vec<Act>, Differs> {
        if range.len == 0 {
            return Ok(Vec::new());
        }
        let (start, end) = pages_of(range.addr, range.len).ok_or(OUT_OF_RANGE)?;
        let (set, clear) = match advice {
            Advice::Normal => (Flags::default(), Flags::SEQ_READ | Flags::RAND_READ),
            Advice::Sequential => (Flags::SEQ_READ, Flags::RAND_READ),
            Advice::Random => (Flags::RAND_READ, Flags::SEQ_READ),
            Advice::Dontfork => (Flags::DONTCOPY, Flags::default()),
            Advice::Dofork => (Flags::default(), Flags::DONTCOPY),
            Advice::Wipeonfork => (Flags::WIPEONFORK, Flags::default()),
            Advice::Keeponfork => (Flags::default(), Flags::WIPEONFORK),
            Advice::Dontdump => (Flags::DONTDUMP, Flags::default()),
            Advice::Dodump => (Flags::default(), Flags::DONTDUMP),
            Advice::Mergeable => (Flags::MERGEABLE, Flags::default()),
            Advice::Unmergeable => (Flags::default(), Flags::MERGEABLE),
            Advice::Hugepage => (Flags::HUGEPAGE, Flags::NOHUGEPAGE),
            Advice::Nohugepage => (Flags::NOHUGEPAGE, Flags::HUGEPAGE),
            Advice::Dontneed | Advice::DontneedLocked | Advice::Remove => {
                return Ok(self.parts(start, end, Act::Discard));
            }
            Advice::GuardInstall => {
                self.mark_guards(start, end);
                return Ok(self.parts(start, end, Act::Discard));
            }
            Advice::Free => return Ok(self.aged(start, end, Age::Free)),
            Advice::Cold => return Ok(self.aged(start, end, Age::Cold)),
            Advice::Pageout => return Ok(self.aged(start, end, Age::Pageout)),
            Advice::PopulateRead | Advice::PopulateWrite => {
                let parts = self.over(start, end).filter_map(|vma| vma.within(start, end));
                return Ok(parts.map(Act::Populate).collect());
            }
            Advice::Willneed | Advice::Collapse | Advice::GuardRemove | Advice::Other => {
                return Ok(Vec::new());
            }
        };
        self.each(start, end, |attrs| Attrs { flags: attrs.flags.without(clear) | set, ..attrs });
        Ok(Vec::new())
    }

    /// `mlock()` and `munlock()`: what becomes of `VM_LOCKED_MASK`.
    ///
    /// Fidelity: same as `apply_vma_lock_flags()` of mm/mlock.c v7.3; what cannot be locked is
    /// what is the kernel's own or of hugetlbfs.
    ///
    /// # Errors
    /// The range is none of user pages.
    pub fn mlock(&mut self, range: Range, locked: Option<bool>) -> Result<Vec<Act>, Differs> {
        if range.len == 0 {
            return Ok(Vec::new());
        }
        // The length counts from the beginning of the page.
        let (addr, before) = (range.addr & !0xfff, range.addr & 0xfff);
        let len = range.len.checked_add(before).ok_or(OUT_OF_RANGE)?;
        let (start, end) = pages_of(addr, len).ok_or(OUT_OF_RANGE)?;
        self.assume(start, end);
        let set = lock_flags(locked);
        self.each(start, end, |attrs| with_lock(attrs, set));
        if locked != Some(false) {
            return Ok(Vec::new());
        }
        let parts = self.over(start, end).filter_map(|vma| vma.within(start, end));
        Ok(parts.map(Act::Populate).collect())
    }

    /// `mlockall()`, and `munlockall()` without flags.
    ///
    /// Fidelity: same as `apply_mlockall_flags()` of mm/mlock.c v7.3.
    pub fn mlockall(&mut self, flags: u64) -> Vec<Act> {
        let [current, future, on_fault] = [1, 2, 4].map(|flag| flags & flag != 0);
        let set = |on: bool| lock_flags(on.then_some(on_fault));
        self.def_flags = set(future);
        if future && !current {
            return Vec::new();
        }
        self.each(0, u64::MAX, |attrs| with_lock(attrs, set(current)));
        if !current || on_fault {
            return Vec::new();
        }
        self.vmas().copied().map(Act::Populate).collect()
    }

    /// `mbind()`.
    ///
    /// Fidelity: changed: `mbind_range()` of mm/mempolicy.c v7.3; pages do not migrate.
    pub fn mbind(&mut self, range: Range, policy: u32) {
        self.on(range, |attrs| Attrs { policy, ..attrs });
    }

    /// `prctl(PR_SET_VMA)`: the name of mappings of no file.
    ///
    /// Fidelity: changed: mm/madvise.c v7.3, which names shared mappings of no file too.
    pub fn set_name(&mut self, range: Range, name: u32) {
        self.on(range, |attrs| if attrs.file == 0 { Attrs { name, ..attrs } } else { attrs });
    }

    /// `UFFDIO_REGISTER` by `uffd`, for writes or not, and `UFFDIO_UNREGISTER`.
    ///
    /// Fidelity: changed: `userfaultfd_register_range()` and `userfaultfd_clear_vma()` of
    /// mm/userfaultfd.c v7.3; both modes at once are `WP`, modes `MINOR` and `RWP` are left out,
    /// and so is the change of entries when a range is no longer watched.
    pub fn userfault(&mut self, range: Range, uffd: Option<u32>, wp: bool) {
        self.on(range, |attrs| {
            let flags = attrs.flags.without(Flags::UFFD | Flags::UFFD_WP);
            let set = match uffd {
                Some(_) if wp => Flags::UFFD_WP,
                Some(_) => Flags::UFFD,
                None => Flags::default(),
            };
            Attrs { flags: flags | set, uffd: uffd.unwrap_or_default(), ..attrs }
        });
    }

    fn on(&mut self, range: Range, change: impl Fn(Attrs) -> Attrs) {
        if let Some((start, end)) = pages_of(range.addr, range.len) {
            self.each(start, end, change);
        }
    }

    /// Changes the mappings of `start..end`, one by one as the kernel walks them; holes are
    /// skipped.
    fn each(&mut self, start: u64, end: u64, change: impl Fn(Attrs) -> Attrs) {
        let mut at = start;
        while let Some(vma) = self.first_over(at, end) {
            let (from, to) = (vma.start.max(at), vma.end.min(end));
            let attrs = change(vma.attrs);
            at = if attrs == vma.attrs { to } else { self.modify(&vma, from, to, attrs).end };
        }
    }

    /// Guards are marked without a split.
    fn mark_guards(&mut self, start: u64, end: u64) {
        let starts: Vec<u64> = self.over(start, end).map(|vma| vma.start).collect();
        for start in starts {
            if let Some(vma) = self.vmas.get_mut(&start) {
                vma.attrs.flags |= Flags::MAYBE_GUARD;
            }
        }
    }

    /// Fidelity: same as `can_madv_lru_vma()` of mm/madvise.c v7.3; all special mappings are left
    /// out, the kernel leaves out those of bare frames.
    fn aged(&self, start: u64, end: u64, age: Age) -> Vec<Act> {
        let never = Flags::LOCKED | Flags::SPECIAL | Flags::HUGETLB;
        let parts = self.over(start, end).filter(|vma| !vma.flags().has(never));
        let parts: Vec<Vma> = parts.filter_map(|vma| vma.within(start, end)).collect();
        if parts.is_empty() { Vec::new() } else { vec![Act::Age(age, parts)] }
    }

    fn parts(&self, start: u64, end: u64, act: impl Fn(Vec<Vma>) -> Act) -> Vec<Act> {
        let parts = self.over(start, end).filter_map(|vma| vma.within(start, end));
        let parts: Vec<Vma> = parts.collect();
        if parts.is_empty() { Vec::new() } else { vec![act(parts)] }
    }
}

/// What `mprotect()` makes of a mapping.
///
/// Fidelity: same as `mprotect_fixup()` of mm/mprotect.c v7.3.
fn protected(vma: &Vma, asked: Prot) -> Attrs {
    let old = vma.flags();
    let new = old.without(Flags::ACCESS) | Flags::of_prot(asked.bits);
    let pkey = asked.pkey.unwrap_or(vma.attrs.pkey);
    if new == old && pkey == vma.attrs.pkey {
        return vma.attrs;
    }
    let counted = Flags::ACCOUNT | Flags::WRITE | Flags::HUGETLB | Flags::SHARED | Flags::NORESERVE;
    let flags = if new.has(Flags::WRITE) {
        if old.has(counted) { new } else { new | Flags::ACCOUNT }
    } else if old.has(Flags::ACCOUNT) && vma.attrs.file == 0 && vma.anon.id == 0 {
        new.without(Flags::ACCOUNT)
    } else {
        new
    };
    Attrs { flags, pkey, ..vma.attrs }
}

/// The flags of a lock: none, of all pages, or of those that are touched.
fn lock_flags(locked: Option<bool>) -> Flags {
    match locked {
        None => Flags::default(),
        Some(false) => Flags::LOCKED,
        Some(true) => Flags::LOCKED_MASK,
    }
}

fn with_lock(attrs: Attrs, set: Flags) -> Attrs {
    if attrs.flags.has(Flags::SPECIAL | Flags::HUGETLB) {
        return attrs;
    }
    Attrs { flags: attrs.flags.without(Flags::LOCKED_MASK) | set, ..attrs }
}
