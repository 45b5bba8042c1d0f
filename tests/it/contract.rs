//! The contract of a backend: the table in its documentation names every primitive, and is true.

use std::collections::BTreeMap;

use emu_arch::hw::addr::VirtAddr;
use emu_arch::kernel::{PteArgs, Step};
use emu_arch::replay::{Local, Memory, Request, Seen};
use emu_arch::{Access, Arch, ArchEffect, At, Backend, Facts, Hw, Kernel, Level, Pte, write_ptes};
use lazy_mmu::sched::TaskStruct;
use lazy_mmu::trace::PteOp;

use crate::support::{read, root};

/// A backend whose methods say their names: all of them, or those without a default and those that
/// the defaults are made of.
#[derive(Clone, Copy, Debug)]
struct Methods<const ALL: bool>;

/// Says the name of a method, where it is one of those that speak.
fn say(hw: &mut impl Hw, speaks: bool, name: &'static str) {
    if speaks {
        hw.effect(ArchEffect::other(name));
    }
}

impl<const ALL: bool> Backend for Methods<ALL> {
    type PerCpu = ();

    const FACTS: Facts = Facts::new("methods", "says what it is asked");

    fn in_kernel(_: Kernel) -> Self {
        Self
    }
    fn enter(self, _: &mut impl Hw<PerCpu = ()>) {}
    fn leave(self, _: &mut impl Hw<PerCpu = ()>) {}
    fn flush(self, _: &mut impl Hw<PerCpu = ()>) {}

    fn set_ptes<H: Hw<PerCpu = ()>>(self, hw: &mut H, _: At, ptep: H::Ptep, pte: Pte, nr: u16) {
        say(hw, true, "set_ptes");
        write_ptes(hw, ptep, pte, nr);
    }
    fn set_pte<H: Hw<PerCpu = ()>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte) {
        say(hw, ALL, "set_pte");
        self.set_ptes(hw, at, ptep, pte, 1);
    }
    fn ptep_get<H: Hw<PerCpu = ()>>(self, hw: &mut H, _: At, ptep: H::Ptep) -> Pte {
        say(hw, ALL, "ptep_get");
        hw.read(ptep)
    }
    fn pte_update<H: Hw<PerCpu = ()>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
        new: impl FnOnce(Pte) -> Pte,
    ) -> Pte {
        say(hw, true, "pte_update");
        let old = hw.read(ptep);
        hw.write(ptep, new(old));
        old
    }
    fn flush_tlb_range(self, hw: &mut impl Hw<PerCpu = ()>, _: At, _: u32) {
        say(hw, true, "flush_tlb_range");
    }
    fn set_table(self, hw: &mut impl Hw<PerCpu = ()>, _: At, _: Level, _: bool) {
        say(hw, ALL, "set_table");
    }
    fn access<H: Hw<PerCpu = ()>>(self, hw: &mut H, _: At, _: H::Ptep, _: Access) {
        say(hw, ALL, "access");
    }
}

/// The methods that have a default made of others, and that speak here: one row each, in a backend
/// of their own, since one that speaks hides its default.
#[derive(Clone, Copy, Debug)]
struct Derived;

impl Backend for Derived {
    type PerCpu = ();

    const FACTS: Facts = Facts::new("derived", "says what it is asked");

    fn in_kernel(_: Kernel) -> Self {
        Self
    }
    fn enter(self, _: &mut impl Hw<PerCpu = ()>) {}
    fn leave(self, _: &mut impl Hw<PerCpu = ()>) {}
    fn flush(self, _: &mut impl Hw<PerCpu = ()>) {}

    fn pte_clear<H: Hw<PerCpu = ()>>(self, hw: &mut H, _: At, _: H::Ptep) {
        say(hw, true, "pte_clear");
    }
    fn ptep_set_wrprotect<H: Hw<PerCpu = ()>>(self, hw: &mut H, _: At, _: H::Ptep) {
        say(hw, true, "ptep_set_wrprotect");
    }
    fn ptep_test_and_clear_young<H: Hw<PerCpu = ()>>(self, hw: &mut H, _: At, _: H::Ptep) -> bool {
        say(hw, true, "ptep_test_and_clear_young");
        false
    }
    fn ptep_set_access_flags<H: Hw<PerCpu = ()>>(
        self,
        hw: &mut H,
        _: At,
        _: H::Ptep,
        _: Pte,
    ) -> bool {
        say(hw, true, "ptep_set_access_flags");
        false
    }
    fn ptep_modify_prot_start<H: Hw<PerCpu = ()>>(self, hw: &mut H, _: At, _: H::Ptep) -> Pte {
        say(hw, true, "ptep_modify_prot_start");
        Pte::NONE
    }
    fn ptep_modify_prot_commit<H: Hw<PerCpu = ()>>(self, hw: &mut H, _: At, _: H::Ptep, _: Pte) {
        say(hw, true, "ptep_modify_prot_commit");
    }
    fn hpte_need_flush<H: Hw<PerCpu = ()>>(self, hw: &mut H, _: At, _: H::Ptep) {
        say(hw, true, "hpte_need_flush");
    }
    fn tlb_flush(self, hw: &mut impl Hw<PerCpu = ()>, _: At, _: u32) {
        say(hw, true, "tlb_flush");
    }
    fn flush_tlb_range(self, _: &mut impl Hw<PerCpu = ()>, _: At, _: u32) {}
}

/// The first method of `B` that speaks when `op` is used on two mapped pages.
fn reached<B: Backend>(op: PteOp) -> Option<&'static str> {
    let addr = VirtAddr::page(0x7f00_0000_0000).expect("a page of a process");
    let args = PteArgs { addr, nr: 2, mm: 1, prot: None, pfn: None, psize: None };
    let arch = Arch::of::<B>();
    let mut memory = Memory::new(arch);
    memory.populate(&args, arch);
    let mut local = Local { task: TaskStruct::default(), cpu: 0, per_cpu: 0, memory };
    let mut code = arch.replay(Kernel::V7_1, Kernel::V7_1.design(), None);
    let mut seen = Seen { requests: Some(Vec::new()), ..Seen::default() };
    let flush = Step::Pte(PteOp::set_tlb_ubc_flush_pending, args);
    let before = (op == PteOp::flush_tlb_batched_pending).then_some(flush);
    for step in before.into_iter().chain([Step::Pte(op, args)]) {
        code.whole_step(&mut local, &step, &mut seen);
    }
    let requests = seen.requests.unwrap_or_default();
    requests.into_iter().find_map(|request| match request {
        Request::Effect(effect) => Some(effect.name),
        _ => None,
    })
}

/// The words in backquotes of a cell.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The table: for each primitive its method, where it has one, and the method of the default.
fn table() -> BTreeMap<String, (Option<String>, Option<String>)> {
    let text = read(&root().join("emu-arch/src/backend/mod.rs"));
    let rows = text.lines().skip_while(|line| !line.starts_with("/// | primitive |")).skip(2);
    let mut table = BTreeMap::new();
    for row in rows.take_while(|line| line.starts_with("/// | ")) {
        let cells: Vec<&str> = row.split('|').collect();
        let first = |cell: &str| quoted(cell).next().map(str::to_owned);
        for primitive in quoted(cells[1]) {
            let entry = (first(cells[2]), first(cells[3]));
            assert_eq!(table.insert(primitive.to_owned(), entry), None, "{primitive} twice");
        }
    }
    table
}

#[test]
fn the_table_names_every_primitive() {
    let mut names: Vec<_> = PteOp::ALL.map(PteOp::name).to_vec();
    names.sort_unstable();
    assert_eq!(table().keys().collect::<Vec<_>>(), names);
}

#[test]
fn each_primitive_reaches_the_method_that_the_table_says() {
    for op in PteOp::ALL {
        let (method, default) = &table()[op.name()];
        let speaks = reached::<Derived>(op).or(reached::<Methods<true>>(op));
        assert_eq!(speaks, method.as_deref(), "the method of {}", op.name());
        let made_of = reached::<Methods<false>>(op);
        let named = default.as_deref().or(made_of.filter(|made_of| Some(*made_of) == speaks));
        assert_eq!(made_of, named, "the default of {}", op.name());
    }
}
