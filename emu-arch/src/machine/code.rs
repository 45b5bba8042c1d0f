//! The arch code of a machine, whichever architecture it is of, with what it keeps per CPU.
//!
//! Each primitive is one function per architecture behind a pointer, so that a loop over entries
//! neither asks which architecture it runs on nor makes room for what the others would need.

use std::cell::{Cell, RefCell};

use super::{Bus, Inner, MmStruct, NR_CPUS, scratch};
use crate::arch::WithBackend;
use crate::backend::{Access, At, Backend, HookInfo, Level, PteRange, run_hook};
use crate::hw::addr::VirtAddr;
use crate::hw::pte::Pte;
use crate::hw::table::Ptep;

/// A value for each CPU.
#[derive(Debug)]
pub(crate) struct PerCpu<T> {
    values: [Lines<T>; NR_CPUS],
    /// The CPU that runs, as [`Inner`] has it: kept here too, since every step asks for it.
    cpu: Cell<usize>,
}

/// Cache lines of their own, as in the kernel: here for the shift that finds them.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Lines<T>(RefCell<T>);

impl<T> PerCpu<T> {
    /// The value of the CPU that runs: `this_cpu_ptr()`.
    #[inline(always)]
    pub(super) fn this(&self) -> &RefCell<T> {
        &self.values[self.cpu.get() % NR_CPUS].0
    }
}

/// A backend, and the state that it keeps for each CPU.
#[derive(Debug)]
struct Booted<B: Backend> {
    backend: B,
    cpus: PerCpu<B::PerCpu>,
}

/// Boots a backend.
pub(super) struct Boot;

impl WithBackend for Boot {
    type Output = Box<dyn ArchCode>;

    fn with<B: Backend + 'static>(self, backend: B) -> Self::Output {
        let values = std::array::from_fn(|_| Lines::default());
        let cpus = PerCpu { values, cpu: Cell::new(0) };
        Box::new(Booted { backend, cpus })
    }
}

impl<B: Backend> Booted<B> {
    /// The machine as the backend sees it from a hook or a context switch.
    fn hw<'m>(&'m self, inner: &'m Inner) -> Bus<'m, B::PerCpu, true> {
        Bus { inner, cpus: &self.cpus, mm: None }
    }

    /// The machine as the backend sees it from a primitive that works on `mm`.
    #[inline(always)]
    fn hw_of<'m, const SEEN: bool>(&'m self, mm: &'m MmStruct) -> Bus<'m, B::PerCpu, SEEN> {
        Bus { inner: mm.machine(), cpus: &self.cpus, mm: Some(mm) }
    }
}

/// What a machine asks of its arch code beside the primitives.
pub(crate) trait ArchCode: Primitives<false> + Primitives<true> + std::fmt::Debug {
    fn hook(&self, inner: &Inner, hook: &HookInfo, range: Option<PteRange>);
    fn switch_out(&self, inner: &Inner);
    fn switch_in(&self, inner: &Inner);
    /// `cpu` executes from now on.
    fn run_on(&self, cpu: u8);
    fn born_paused(&self) -> bool;
    fn pending(&self, inner: &Inner) -> Option<(u32, &'static str)>;
    fn set_table(&self, mm: &MmStruct, level: Level, addr: VirtAddr, valid: bool);
    fn flush_tlb_range(&self, mm: &MmStruct, addr: VirtAddr, pages: u32);
    fn tlb_flush(&self, mm: &MmStruct, addr: VirtAddr, pages: u32);
    /// What an access makes of `pte`, on no machine.
    fn accessed(&self, at: At, pte: Pte, access: Access) -> Pte;
    /// [`Backend::PTEP_GET_IS_READ`]
    fn ptep_get_is_read(&self) -> bool;
}

impl<B: Backend> ArchCode for Booted<B> {
    fn hook(&self, inner: &Inner, hook: &HookInfo, range: Option<PteRange>) {
        run_hook(self.backend, &mut self.hw(inner), hook, range);
    }

    fn switch_out(&self, inner: &Inner) {
        self.backend.switch_out(&mut self.hw(inner));
    }

    fn switch_in(&self, inner: &Inner) {
        self.backend.switch_in(&mut self.hw(inner));
    }

    fn run_on(&self, cpu: u8) {
        self.cpus.cpu.set(cpu.into());
    }

    fn born_paused(&self) -> bool {
        self.backend.born_paused()
    }

    fn pending(&self, inner: &Inner) -> Option<(u32, &'static str)> {
        self.backend.pending(&mut self.hw(inner))
    }

    fn set_table(&self, mm: &MmStruct, level: Level, addr: VirtAddr, valid: bool) {
        self.backend.set_table(&mut self.hw_of::<true>(mm), mm.at(addr), level, valid);
    }

    fn flush_tlb_range(&self, mm: &MmStruct, addr: VirtAddr, pages: u32) {
        self.backend.flush_tlb_range(&mut self.hw_of::<true>(mm), mm.at(addr), pages);
    }

    fn tlb_flush(&self, mm: &MmStruct, addr: VirtAddr, pages: u32) {
        self.backend.tlb_flush(&mut self.hw_of::<true>(mm), mm.at(addr), pages);
    }

    fn accessed(&self, at: At, pte: Pte, access: Access) -> Pte {
        scratch::accessed(self.backend, at, pte, access)
    }

    fn ptep_get_is_read(&self) -> bool {
        B::PTEP_GET_IS_READ
    }
}

/// Declares the primitives: what each does with the backend `$backend` and the machine `$hw`, for
/// the page at `$at` whose entry is `$ptep`.
macro_rules! primitives {
    (|$backend:ident, $hw:ident, $at:ident, $ptep:ident|
     $($name:ident($($arg:ident: $type:ty),*) $(-> $value:ty)? = $body:expr;)*) => {
        /// The primitives of a machine's arch code, as they run where somebody sees it or nobody.
        pub(crate) trait Primitives<const SEEN: bool> {
            $(fn $name(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, $($arg: $type),*)
                $(-> $value)?;)*
        }

        impl<B: Backend, const SEEN: bool> Primitives<SEEN> for Booted<B> {
            $(fn $name(&self, mm: &MmStruct, addr: VirtAddr, $ptep: Ptep<'_>, $($arg: $type),*)
                $(-> $value)?
            {
                let ($backend, $at) = (self.backend, mm.at(addr));
                let $hw = &mut self.hw_of::<SEEN>(mm);
                $body
            })*
        }
    };
}

primitives! {
    |backend, hw, at, ptep|
    ptep_get() -> Pte = backend.ptep_get(hw, at, ptep);
    set_pte(pte: Pte) = backend.set_pte(hw, at, ptep, pte);
    set_pte_at(pte: Pte) = backend.set_ptes(hw, at, ptep, pte, 1);
    set_ptes(pte: Pte, nr: u16) = backend.set_ptes(hw, at, ptep, pte, nr);
    pte_clear() = backend.pte_clear(hw, at, ptep);
    ptep_get_and_clear() -> Pte = backend.pte_update(hw, at, ptep, |_| Pte::NONE);
    ptep_set_wrprotect() = backend.ptep_set_wrprotect(hw, at, ptep);
    wrprotect_ptes(nr: u16) = for n in 0..nr {
        let at = At { addr: at.addr.add_pages(u64::from(n)), ..at };
        backend.ptep_set_wrprotect(hw, at, ptep.add(n));
    };
    ptep_test_and_clear_young() -> bool = backend.ptep_test_and_clear_young(hw, at, ptep);
    ptep_modify_prot_start() -> Pte = backend.ptep_modify_prot_start(hw, at, ptep);
    ptep_modify_prot_commit(pte: Pte) = backend.ptep_modify_prot_commit(hw, at, ptep, pte);
    ptep_set_access_flags(pte: Pte) -> bool = backend.ptep_set_access_flags(hw, at, ptep, pte);
    access(access: Access) = backend.access(hw, at, ptep, access);
}
