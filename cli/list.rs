//! `lazymmu list`: what there is to choose from.

use std::io::{self, Write};
use std::process::ExitCode;

use emu_arch::hazard::Hazard;
use emu_arch::replay::Fault;
use emu_arch::{Arch, Kernel, effects};
use emu_check::check::Property;
use emu_lab::scenario;
use lazy_mmu::design::Design;

use crate::io::print;
use crate::report::Failure;

/// Prints the architectures, the designs and the words of scenarios.
pub(crate) fn list() -> Result<ExitCode, Failure> {
    print(|to| {
        writeln!(to, "Architectures (--arch):")?;
        for arch in Arch::all() {
            writeln!(to, "  {:<18} {}", arch.id(), arch.about())?;
        }
        writeln!(to, "\nKernels (--kernel):")?;
        for kernel in Kernel::ALL {
            writeln!(to, "  {:<18} {}", kernel.id(), kernel.about())?;
        }
        writeln!(to, "\nDesigns (--design):")?;
        for design in Design::all() {
            writeln!(to, "  {:<18} {}", design.id(), design.about())?;
        }
        writeln!(to, "\nProperties (lazymmu check --property):")?;
        for property in Property::all().filter(|one| !one.id().starts_with("no-")) {
            writeln!(to, "  {:<25} {}", property.id(), property.about())?;
        }
        writeln!(to, "  {:<25} the hazard does not appear", "no-HAZARD")?;
        writeln!(to, "\nFaults (lazymmu check --fault):")?;
        for fault in Fault::ALL {
            writeln!(to, "  {:<27} {}", fault.id(), fault.about())?;
        }
        writeln!(to, "\nScenarios that come along (lazymmu run @NAME):")?;
        words(to, scenario::builtin().into_iter().flatten().map(|(name, _)| *name))?;
        writeln!(to, "\nCalls of a scenario:")?;
        words(to, scenario::words())?;
        writeln!(to, "\nHazards that it can expect (expect hazard NAME):")?;
        words(to, Hazard::ALL.into_iter().map(Hazard::id))?;
        writeln!(to, "\nEffects that it can count (expect NAME 3):")?;
        words(to, effects().into_iter().map(|effect| effect.name))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Prints words in lines of at most 80 columns.
fn words(to: &mut dyn Write, words: impl Iterator<Item = &'static str>) -> io::Result<()> {
    let mut line = String::new();
    for word in words {
        if line.len() + word.len() > 74 {
            writeln!(to, " {line}")?;
            line.clear();
        }
        line += " ";
        line += word;
    }
    writeln!(to, " {line}")
}
