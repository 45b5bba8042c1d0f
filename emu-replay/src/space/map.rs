//! Making mappings: `mmap()`, `brk()`, `shmat()`, and what `execve()` maps.

use emu_mm::proc::Mapping;

use super::vma::{Anon, Attrs, Flags, Vma};
use super::{Act, Differs, NOT_FREE, OUT_OF_RANGE, Space, page_align, pages_of};
use crate::strace::flags::{map, prot};
use crate::strace::{Mmap, Names};
use emu_mm::mm::vma::VmFlags;

/// A file that nothing else has: the number of the line that made it, above those of names.
const OWN_FILE: u32 = 1 << 31;

/// The size of a huge page where the flags do not tell, as a shift.
const HUGE_SHIFT: u32 = 21;

impl Flags {
    /// The flags of `prot`: `calc_vm_prot_bits()`.
    pub(super) fn of_prot(bits: u64) -> Self {
        let pairs =
            [(prot::READ, Self::READ), (prot::WRITE, Self::WRITE), (prot::EXEC, Self::EXEC)];
        let set = pairs.into_iter().filter(|(bit, _)| bits & bit != 0);
        set.fold(Self::default(), |all, (_, flag)| all | flag)
    }

    /// The flags of a new mapping: `calc_vm_flag_bits()`, and what `do_mmap()` adds.
    ///
    /// Fidelity: changed: mm/mmap.c v7.3; a file that is mapped shared is taken as opened for
    /// writing, and none lies on a file system without execution.
    fn of_mmap(call: &Mmap) -> Self {
        let anonymous = call.file == 0;
        let shared = matches!(call.flags & map::TYPE, 1 | 3);
        let mut flags = Self::of_prot(call.prot) | Self::MAYWRITE;
        let pairs = [
            (map::GROWSDOWN, Self::GROWSDOWN),
            (map::LOCKED, Self::LOCKED),
            (map::STACK, Self::NOHUGEPAGE),
            (map::NORESERVE, Self::NORESERVE),
            (map::HUGETLB, Self::HUGETLB),
        ];
        for (_, flag) in pairs.iter().filter(|(bit, _)| call.flags & bit != 0) {
            flags |= *flag;
        }
        if shared {
            flags |= Self::SHARED;
        }
        if anonymous && call.flags & map::TYPE == map::DROPPABLE {
            flags |= Self::DROPPABLE | Self::NORESERVE | Self::WIPEONFORK | Self::DONTDUMP;
        }
        flags
    }

    /// Fidelity: same as `accountable_mapping()` of mm/vma.c v7.3.
    fn accounted(self) -> Self {
        let never = self.has(Self::NORESERVE | Self::SHARED | Self::HUGETLB);
        if self.has(Self::WRITE) && !never { self | Self::ACCOUNT } else { self }
    }
}

impl Space {
    /// `mmap()`, which returned `addr`.
    ///
    /// Fidelity: same as `do_mmap()` of mm/mmap.c and `__mmap_region()` of mm/vma.c v7.3, without
    /// the limits; MAP_NONBLOCK is ignored.
    ///
    /// # Errors
    /// Something is at the address, and the call did not ask for it.
    pub fn mmap(&mut self, call: &Mmap, addr: u64) -> Result<Vec<Act>, Differs> {
        let huge = call.flags & map::HUGETLB != 0;
        let len = if huge { huge_len(call) } else { Some(call.range.len) };
        let (start, end) = pages_of(addr, len.ok_or(OUT_OF_RANGE)?).ok_or(OUT_OF_RANGE)?;
        let fixed = call.flags & map::FIXED != 0 && call.flags & map::FIXED_NOREPLACE == 0;
        let gone = self.remove(start, end);
        let differs = !fixed && !gone.is_empty();
        let mut acts = if gone.is_empty() { Vec::new() } else { vec![Act::Unmap(gone)] };

        let flags = (Flags::of_mmap(call) | self.def_flags).accounted();
        let own = OWN_FILE | self.line as u32;
        let shared = flags.has(Flags::SHARED);
        let file = if huge || (call.file == 0 && shared) { own } else { call.file };
        let page = start >> 12;
        let pgoff = match (call.file, shared) {
            (0, true) => 0,
            (0, false) => page,
            _ => call.offset >> 12,
        };
        let attrs = Attrs { flags, file, ..Attrs::default() };
        let (anon, close, line) = (Anon::default(), huge, self.line);
        let vma = Vma { start, end, attrs, pgoff, anon_pgoff: page, anon, close, line };
        self.insert_merged(vma, false);
        let all = flags.has(Flags::LOCKED) && !flags.has(Flags::LOCKONFAULT)
            || call.flags & map::POPULATE != 0;
        acts.push(if all { Act::Populate(vma) } else { Act::Map(vma) });
        if differs { Err(NOT_FREE) } else { Ok(acts) }
    }

    /// `brk()`, which was asked for `asked` and returned `brk`.
    ///
    /// Fidelity: same as mm/mmap.c and `do_brk_flags()` of mm/vma.c v7.3; the heap begins where
    /// the first call says that it ends.
    ///
    /// # Errors
    /// The heap cannot begin there.
    pub fn brk(&mut self, asked: u64, brk: u64) -> Result<Vec<Act>, Differs> {
        let new = page_align(brk).ok_or(OUT_OF_RANGE)?;
        let Some((start_brk, old)) = self.brk else {
            self.brk = Some((brk, brk));
            return Ok(Vec::new());
        };
        let old = page_align(old).ok_or(OUT_OF_RANGE)?;
        if asked != brk || brk < start_brk {
            return Ok(Vec::new());
        }
        self.brk = Some((start_brk, brk));
        if new < old {
            let gone = self.remove(new, old);
            return Ok(vec![Act::Unmap(gone)]);
        }
        if new == old {
            return Ok(Vec::new());
        }
        let (start, end) = pages_of(old, new - old).ok_or(OUT_OF_RANGE)?;
        if self.first_over(start, end).is_some() {
            return Err(NOT_FREE);
        }
        let flags = Flags::READ | Flags::WRITE | Flags::MAYWRITE | Flags::ACCOUNT;
        let attrs = Attrs { flags: flags | self.def_flags, ..Attrs::default() };
        let (pgoff, anon) = (start >> 12, Anon::default());
        let (anon_pgoff, close, line) = (pgoff, false, self.line);
        let vma = Vma { start, end, attrs, pgoff, anon_pgoff, anon, close, line };
        // What lies below the heap is never grown into it.
        if old > start_brk {
            self.insert_merged(vma, true);
        } else {
            self.insert(vma);
        }
        let locked = attrs.flags.has(Flags::LOCKED) && !attrs.flags.has(Flags::LOCKONFAULT);
        Ok(vec![if locked { Act::Populate(vma) } else { Act::Map(vma) }])
    }

    /// `shmat()` of `len` bytes, which returned `addr`.
    ///
    /// Fidelity: same as `do_shmat()` of ipc/shm.c v7.3; each has a `struct file` of its own.
    ///
    /// # Errors
    /// The range is none of user pages.
    pub fn shmat(&mut self, addr: u64, len: u64, flags: u64) -> Result<Vec<Act>, Differs> {
        let (start, end) = pages_of(addr, len.max(1)).ok_or(OUT_OF_RANGE)?;
        let [read_only, exec] = [0o10000, 0o100_000].map(|flag| flags & flag != 0);
        let mut bits = Flags::READ | Flags::SHARED | self.def_flags;
        if !read_only {
            bits |= Flags::WRITE | Flags::MAYWRITE;
        }
        if exec {
            bits |= Flags::EXEC;
        }
        let gone = self.remove(start, end);
        let mut acts = if gone.is_empty() { Vec::new() } else { vec![Act::Unmap(gone)] };
        let attrs = Attrs { flags: bits, file: OWN_FILE | self.line as u32, ..Attrs::default() };
        let (anon, anon_pgoff, line) = (Anon::default(), start >> 12, self.line);
        let vma = Vma { start, end, attrs, pgoff: 0, anon_pgoff, anon, close: true, line };
        self.insert(vma);
        acts.push(Act::Map(vma));
        Ok(acts)
    }

    /// `shmdt()`: the mappings of the segment that is at `addr`.
    ///
    /// Fidelity: changed: ipc/shm.c v7.3 looks for all parts of the segment above `addr`, as far as
    /// it is long.
    ///
    /// # Errors
    /// Nothing is there.
    pub fn shmdt(&mut self, addr: u64) -> Result<Vec<Act>, Differs> {
        let first = self.at(addr).ok_or(super::NOT_MAPPED)?;
        let same = |vma: &Vma| vma.attrs.file == first.attrs.file && vma.start >= addr;
        let parts: Vec<Vma> = self.vmas().filter(|vma| same(vma)).copied().collect();
        Ok(parts.iter().map(|vma| Act::Unmap(self.remove(vma.start, vma.end))).collect())
    }

    /// The address space of a program with these `mappings`, read right behind its `execve()`.
    #[must_use]
    pub fn of_image(mappings: &[Mapping], names: &mut Names) -> Self {
        let mut space = Self::default();
        for mapping in mappings {
            space.add_of_image(mapping, names);
        }
        space
    }

    /// Adds what `execve()` mapped.
    fn add_of_image(&mut self, mapping: &Mapping, names: &mut Names) {
        let pairs = [
            (VmFlags::VM_READ, Flags::READ),
            (VmFlags::VM_WRITE, Flags::WRITE),
            (VmFlags::VM_EXEC, Flags::EXEC),
            (VmFlags::VM_SHARED, Flags::SHARED),
        ];
        let set = pairs.into_iter().filter(|(bit, _)| mapping.vm_flags.has(*bit));
        let mut flags = set.fold(Flags::MAYWRITE, |all, (_, flag)| all | flag);
        let page = mapping.start.get() >> 12;
        let kernels = mapping.path.starts_with("[v");
        if mapping.path == "[stack]" {
            flags |= Flags::GROWSDOWN;
        }
        if kernels {
            flags |= Flags::SPECIAL;
        }
        let flags = if kernels { flags } else { flags.accounted() };
        let file = match mapping.inode {
            0 => 0,
            _ => names.number(&format!("exec<{}>", mapping.path)),
        };
        // What is written is written soon: the dynamic linker does so at once.
        let anon = if flags.has(Flags::WRITE) && flags.is_cow() && !kernels {
            self.anons += 1;
            Anon { id: self.anons, forked: false }
        } else {
            Anon::default()
        };
        let pgoff = if file == 0 { page } else { mapping.offset >> 12 };
        self.insert(Vma {
            start: mapping.start.get(),
            end: mapping.end.get(),
            attrs: Attrs { flags, file, ..Attrs::default() },
            pgoff,
            anon_pgoff: page,
            anon,
            close: kernels,
            line: 0,
        });
        if mapping.path == "[heap]" {
            self.brk = Some((mapping.start.get(), mapping.end.get()));
        }
    }

    /// Takes the beginning of a stack from what a real kernel had: it grows by faults, which no
    /// log has. Returns whether it grew.
    pub fn grow_stack(&mut self, start: u64, end: u64) -> bool {
        let last = end.checked_sub(1).and_then(|last| self.at(last));
        let Some(vma) = last.filter(|vma| vma.end == end && start < vma.start) else {
            return false;
        };
        let free = self.before(vma.start).is_none_or(|prev| prev.end <= start);
        if !vma.flags().has(Flags::GROWSDOWN) || !free {
            return false;
        }
        let pages = (vma.start - start) >> 12;
        self.vmas.remove(&vma.start);
        let pgoff = vma.pgoff.wrapping_sub(pages);
        self.insert(Vma { start, pgoff, anon_pgoff: vma.anon_pgoff.wrapping_sub(pages), ..vma });
        true
    }
}

/// The length of a mapping of huge pages: whole ones.
fn huge_len(call: &Mmap) -> Option<u64> {
    let shift = (call.flags >> map::HUGE_SHIFT) as u32 & 0x3f;
    let size = 1_u64.checked_shl(if shift == 0 { HUGE_SHIFT } else { shift })?;
    call.range.len.checked_next_multiple_of(size)
}
