//! An architecture of your own beside those of the lab: RISC-V, if it delayed `sfence.vma`.
//!
//! Without arguments the example tests it, runs, compares and checks it; with arguments it is the
//! whole command: `cargo run --example my_arch -- check --arch riscv`.

use std::process::ExitCode;

use emu_arch::{
    Arch, ArchEffect, At, Backend, Deferred, Facts, HwOf, Kernel, Pte, conformance, write_ptes,
};
use emu_check::check::{Options, check, nobody};
use emu_lab::compare::{compare, text};
use emu_lab::scenario::{Setup, parse, run};
use lazymmu::Registry;

/// A walker of this CPU may have cached that the entry was empty: the fence makes it look again.
const SFENCE: ArchEffect = ArchEffect::delayable("sfence.vma");
const OWED: ArchEffect = ArchEffect::deferral("sfence_pending=").of(1);

/// RISC-V. A CPU owes a fence after an entry became valid in a section; where `HASTY`, the leave
/// hook turns preemption on before the fence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Riscv<const HASTY: bool>;

impl<const HASTY: bool> Backend for Riscv<HASTY> {
    /// The CPU owes a fence.
    type PerCpu = bool;

    const FACTS: Facts = Facts {
        defers: Some(Deferred::Barriers),
        noun: "fences",
        effects: &[SFENCE],
        ..Facts::new(if HASTY { "riscv-hasty" } else { "riscv" }, "delays sfence.vma")
    };

    fn in_kernel(_: Kernel) -> Self {
        Self
    }

    fn enter(self, hw: &mut impl HwOf<Self>) {
        hw.preempt_disable();
    }

    fn leave(self, hw: &mut impl HwOf<Self>) {
        if HASTY {
            hw.preempt_enable();
        }
        self.flush(hw);
        if !HASTY {
            hw.preempt_enable();
        }
    }

    fn flush(self, hw: &mut impl HwOf<Self>) {
        if hw.per_cpu(std::mem::take) {
            hw.effect(SFENCE);
            hw.complete();
        }
    }

    fn set_ptes<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte, nr: u16) {
        write_ptes(hw, ptep, pte, nr);
        if pte.is_present() && hw.is_lazy_mmu_mode_active() {
            if !hw.per_cpu(|owes| std::mem::replace(owes, true)) {
                hw.effect(OWED);
            }
            hw.defer(at, nr);
        } else if pte.is_present() {
            hw.effect(SFENCE);
        }
    }

    fn flush_tlb_range(self, hw: &mut impl HwOf<Self>, at: At, pages: u32) {
        hw.effect(ArchEffect::other("flush_tlb_range").of(pages));
        hw.tlb_invalidate(at, pages);
    }

    fn pending(self, hw: &mut impl HwOf<Self>) -> Option<(u32, &'static str)> {
        hw.per_cpu(|owes| *owes).then_some((1, "sfence_pending"))
    }
}

/// Three pages are mapped, one of them in a pause.
pub(crate) const SCENARIO: &str = "\
enable
  set_pte_at 0xffff800008000000
  set_pte_at 0xffff800008001000
  pause
    set_pte_at 0xffff800008002000
  resume
disable
";

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() -> ExitCode {
    if std::env::args().len() > 1 {
        return lazymmu::cli(Registry::new().arch::<Riscv<false>>().arch::<Riscv<true>>());
    }
    println!("{}", conformance::check::<Riscv<false>>());
    println!("{}\n{}", ran(), compared());
    println!("{}\n{}", checked::<Riscv<false>>(), checked::<Riscv<true>>());
    ExitCode::SUCCESS
}

/// The record of the scenario.
pub(crate) fn ran() -> String {
    let scenario = parse(SCENARIO).expect("a scenario without mistakes");
    let setup = Setup { arch: Arch::of::<Riscv<false>>(), ..Setup::default() };
    run(&scenario, setup).record.to_string()
}

/// The scenario on this architecture and on arm64, side by side.
pub(crate) fn compared() -> String {
    let scenario = parse(SCENARIO).expect("a scenario without mistakes");
    let archs = [Arch::ARM64, Arch::of::<Riscv<false>>()];
    let setups = archs.map(|arch| Setup { arch, ..Setup::default() });
    text::plain(&compare(&scenario, &setups))
}

/// What a search of every interleaving finds.
pub(crate) fn checked<B: Backend>() -> String {
    let report = check(&Options::new(Arch::of::<B>(), Kernel::V7_2), &mut nobody());
    let mut text = format!("{}: {}\n", B::FACTS.id, report.scope());
    for found in &report.broken {
        text += &format!("{} is broken:\n\n{}\n", found.property.id(), found.record);
    }
    text
}
