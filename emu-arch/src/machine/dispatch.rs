//! The arch code of a machine, whichever architecture it is of, with what it keeps per CPU.
//!
//! Each primitive is one function per architecture behind a pointer, so that a loop over entries
//! neither asks which architecture it runs on nor makes room for what the others would need.

use lazy_mmu::PteRange;
use lazy_mmu::design::{CallInfo, HookInfo};
use lazy_mmu::trace::PteOp;

use super::inner::{ArchCode, Inner, MmStruct, OtherPrimitives, Primitives};
use super::live::{Live, PerCpu};
use super::probe;
use crate::backend::{Access, At, Backend, Level};
use crate::hw::addr::VirtAddr;
use crate::hw::pte::Pte;
use crate::hw::table::Ptep;
use crate::kernel::ptes::{self, for_each_other_primitive, for_each_primitive};
use crate::kernel::{self, Host, PteArgs, Step};

/// A backend, and the state that it keeps for each CPU.
#[derive(Debug)]
pub(super) struct Booted<B: Backend> {
    pub(super) backend: B,
    cpus: PerCpu<B::PerCpu>,
}

/// Boots a backend.
pub(crate) fn boot<B: Backend>(backend: B) -> Box<dyn ArchCode> {
    Box::new(Booted { backend, cpus: PerCpu::default() })
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

    fn alloc_table(&self, mm: &MmStruct, level: Level) {
        self.backend.alloc_table(&mut self.live_on::<true>(mm), mm.id(), level);
    }

    fn dup_mmap(&self, mm: &MmStruct) {
        let mut live = self.live_on::<true>(mm);
        live.note_context("arch_dup_mmap");
        self.backend.dup_mmap(&mut live, &mm.table_levels());
        mm.set_pinned(true);
    }

    fn exit_mmap(&self, mm: &MmStruct) {
        let mut live = self.live_on::<true>(mm);
        live.note_context("arch_exit_mmap");
        self.backend.exit_mmap(&mut live, mm.id(), &mm.table_levels());
        mm.set_pinned(false);
    }

    fn switch_out(&self, inner: &Inner, next: u8) {
        kernel::switch_out(&mut self.live(inner), next);
    }

    fn switch_in(&self, inner: &Inner) {
        kernel::switch_in(&mut self.live(inner));
    }

    fn run_on(&self, cpu: u8) {
        self.cpus.run_on(cpu);
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

    fn accessed(&self, at: At, pte: Pte, access: Access) -> Pte {
        probe::accessed(self.backend, at, pte, access)
    }

    fn used(&self, pte: Pte) -> Pte {
        if pte.is_valid() { B::used(pte) } else { pte }
    }

    fn ptep_get_is_read(&self) -> bool {
        B::PTEP_GET_IS_READ
    }
}

/// Passes the primitives that change entries on to the kernel's code.
macro_rules! methods {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $type:ty = $from:ident),*) $(-> $ret:ty)?
        $(, kept as $keep:ident)? [$nr:expr, $latest:expr] =
        |$b:ident, $k:ident, $at:ident, $ptep:ident| $body:expr;)*) => {
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

/// Passes the primitives that take effect at once on to the kernel's code.
macro_rules! other_methods {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $type:ty),*);)*) => {
        impl<B: Backend> OtherPrimitives for Booted<B> {
            fn raw_read(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
                ptes::raw_read(&mut self.live_on::<true>(mm), mm.at(addr), ptep)
            }
            fn ptep_get_lockless(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
                ptes::ptep_get_lockless(&mut self.live_on::<true>(mm), mm.at(addr), ptep)
            }
            $(fn $name(&self, mm: &MmStruct, addr: VirtAddr, $($arg: $type),*) {
                ptes::$name(&mut self.live_on::<true>(mm), mm.at(addr) $(, $arg)*);
            })*
        }
    };
}

for_each_other_primitive!(other_methods);
