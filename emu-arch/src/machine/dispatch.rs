//! The arch code of a machine, whichever architecture it is of, with what it keeps per CPU.
//!
//! Each primitive is one function per architecture behind a pointer, so that a loop over entries
//! neither asks which architecture it runs on nor makes room for what the others would need.

use std::cell::{Cell, RefCell};

use lazy_mmu::PteRange;
use lazy_mmu::design::{CallInfo, HookInfo};
use lazy_mmu::trace::PteOp;

use super::live::Live;
use super::{Inner, MmStruct, NR_CPUS, probe};
use crate::backend::{Access, At, Backend, Level};
use crate::hw::addr::VirtAddr;
use crate::hw::pte::Pte;
use crate::hw::table::Ptep;
use crate::kernel::ptes::{self, for_each_primitive};
use crate::kernel::{self, PteArgs, Step};

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
pub(super) struct Booted<B: Backend> {
    pub(super) backend: B,
    cpus: PerCpu<B::PerCpu>,
}

/// Boots a backend.
pub(crate) fn boot<B: Backend>(backend: B) -> Box<dyn ArchCode> {
    let values = std::array::from_fn(|_| Lines::default());
    let cpus = PerCpu { values, cpu: Cell::new(0) };
    Box::new(Booted { backend, cpus })
}

impl<B: Backend> Booted<B> {
    /// The machine as the kernel's code sees it from a hook or a step without an address space.
    fn live<'m>(&'m self, inner: &'m Inner) -> Live<'m, B, true> {
        Live { backend: self.backend, inner, cpus: &self.cpus, mm: None }
    }

    /// The machine as the kernel's code sees it from a primitive that works on `mm`.
    #[inline(always)]
    fn live_on<'m, const SEEN: bool>(&'m self, mm: &'m MmStruct) -> Live<'m, B, SEEN> {
        Live { backend: self.backend, inner: mm.machine(), cpus: &self.cpus, mm: Some(mm) }
    }
}

/// What a machine asks of its arch code beside the primitives that change entries.
pub(crate) trait ArchCode: Primitives<false> + Primitives<true> + std::fmt::Debug {
    fn hook(&self, inner: &Inner, hook: &HookInfo, range: Option<&PteRange>);
    fn returned(&self, inner: &Inner, call: &CallInfo);
    /// Does a step that is neither a call of the API nor a primitive.
    fn step(&self, inner: &Inner, step: &Step);
    fn fork(&self, inner: &Inner, child: u8);
    fn switch_out(&self, inner: &Inner, next: u8);
    fn switch_in(&self, inner: &Inner);
    /// `cpu` executes from now on.
    fn run_on(&self, cpu: u8);
    fn switch_pauses(&self) -> bool;
    fn pending(&self, inner: &Inner) -> Option<(u32, &'static str)>;
    /// Does the primitive `op` as a scenario has it.
    fn pte(&self, mm: &MmStruct, ptep: Ptep<'_>, op: PteOp, args: &PteArgs);
    fn raw_read(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte;
    fn ptep_get_lockless(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte;
    fn access(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, access: Access);
    fn set_table(&self, mm: &MmStruct, addr: VirtAddr, level: Level, valid: bool);
    fn flush_tlb_range(&self, mm: &MmStruct, addr: VirtAddr, pages: u64);
    fn tlb_flush(&self, mm: &MmStruct, addr: VirtAddr, pages: u64);
    fn tlb_remove_tlb_entries(&self, mm: &MmStruct, addr: VirtAddr, nr: u16);
    fn set_tlb_ubc_flush_pending(&self, mm: &MmStruct, addr: VirtAddr, nr: u16);
    fn flush_tlb_batched_pending(&self, mm: &MmStruct, addr: VirtAddr);
    /// What an access makes of `pte`, on no machine.
    fn accessed(&self, at: At, pte: Pte, access: Access) -> Pte;
    /// [`Backend::PTEP_GET_IS_READ`]
    fn ptep_get_is_read(&self) -> bool;
}

impl<B: Backend> ArchCode for Booted<B> {
    fn hook(&self, inner: &Inner, hook: &HookInfo, range: Option<&PteRange>) {
        kernel::hook(&mut self.live(inner), hook, range);
    }

    fn returned(&self, inner: &Inner, call: &CallInfo) {
        kernel::returned(&mut self.live(inner), call);
    }

    fn step(&self, inner: &Inner, step: &Step) {
        kernel::execute(&mut self.live(inner), step);
    }

    fn fork(&self, inner: &Inner, child: u8) {
        kernel::fork(&mut self.live(inner), child);
    }

    fn switch_out(&self, inner: &Inner, next: u8) {
        kernel::switch_out(&mut self.live(inner), next);
    }

    fn switch_in(&self, inner: &Inner) {
        kernel::switch_in(&mut self.live(inner));
    }

    fn run_on(&self, cpu: u8) {
        self.cpus.cpu.set(cpu.into());
    }

    fn switch_pauses(&self) -> bool {
        self.backend.switch_pauses()
    }

    fn pending(&self, inner: &Inner) -> Option<(u32, &'static str)> {
        self.backend.pending(&mut self.live(inner))
    }

    fn pte(&self, mm: &MmStruct, ptep: Ptep<'_>, op: PteOp, args: &PteArgs) {
        kernel::execute_pte(&mut self.live_on::<true>(mm), op, args, ptep);
    }

    fn raw_read(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
        ptes::raw_read(&mut self.live_on::<true>(mm), mm.at(addr), ptep)
    }

    fn ptep_get_lockless(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
        ptes::ptep_get_lockless(&mut self.live_on::<true>(mm), mm.at(addr), ptep)
    }

    fn access(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, access: Access) {
        ptes::access(&mut self.live_on::<true>(mm), mm.at(addr), ptep, access);
    }

    fn set_table(&self, mm: &MmStruct, addr: VirtAddr, level: Level, valid: bool) {
        ptes::set_table(&mut self.live_on::<true>(mm), mm.at(addr), level, valid);
    }

    fn flush_tlb_range(&self, mm: &MmStruct, addr: VirtAddr, pages: u64) {
        ptes::flush_tlb_range(&mut self.live_on::<true>(mm), mm.at(addr), pages);
    }

    fn tlb_flush(&self, mm: &MmStruct, addr: VirtAddr, pages: u64) {
        ptes::tlb_flush(&mut self.live_on::<true>(mm), mm.at(addr), pages);
    }

    fn tlb_remove_tlb_entries(&self, mm: &MmStruct, addr: VirtAddr, nr: u16) {
        ptes::tlb_remove_tlb_entries(&mut self.live_on::<true>(mm), mm.at(addr), nr);
    }

    fn set_tlb_ubc_flush_pending(&self, mm: &MmStruct, addr: VirtAddr, nr: u16) {
        ptes::set_tlb_ubc_flush_pending(&mut self.live_on::<true>(mm), mm.at(addr), nr);
    }

    fn flush_tlb_batched_pending(&self, mm: &MmStruct, addr: VirtAddr) {
        ptes::flush_tlb_batched_pending(&mut self.live_on::<true>(mm), mm.at(addr));
    }

    fn accessed(&self, at: At, pte: Pte, access: Access) -> Pte {
        probe::accessed(self.backend, at, pte, access)
    }

    fn ptep_get_is_read(&self) -> bool {
        B::PTEP_GET_IS_READ
    }
}

/// Declares the primitives that change entries as methods of a machine's arch code.
macro_rules! methods {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $type:ty = $from:ident),*) $(-> $ret:ty)?
        $(, kept as $keep:ident)? [$nr:expr, $latest:expr] =
        |$b:ident, $k:ident, $at:ident, $ptep:ident| $body:expr;)*) => {
        /// The primitives of a machine's arch code, as they run where somebody observes and where
        /// nobody does.
        pub(crate) trait Primitives<const SEEN: bool> {
            fn ptep_get(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte;
            $(fn $name(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, $($arg: $type),*)
                $(-> $ret)?;)*
        }

        impl<B: Backend, const SEEN: bool> Primitives<SEEN> for Booted<B> {
            fn ptep_get(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
                ptes::ptep_get(&mut self.live_on::<SEEN>(mm), mm.at(addr), ptep)
            }
            $(fn $name(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, $($arg: $type),*)
                $(-> $ret)?
            {
                ptes::$name(&mut self.live_on::<SEEN>(mm), mm.at(addr), ptep $(, $arg)*)
            })*
        }
    };
}

for_each_primitive!(methods);
