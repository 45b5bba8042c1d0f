//! `lazymmu list`: what there is to choose from.

use std::process::ExitCode;

use emu_arch::{Arch, Kernel};
use emu_lab::scenario;
use lazy_mmu::design::Design;

use crate::report::Failure;
use crate::run::print;

/// Prints the architectures, the designs and the words of scenarios.
pub(crate) fn list() -> Result<ExitCode, Failure> {
    print(|to| {
        writeln!(to, "Architectures (--arch):")?;
        for arch in Arch::ALL {
            writeln!(to, "  {:<18} {}", arch.id(), arch.about())?;
        }
        writeln!(to, "\nKernels (--kernel):")?;
        for kernel in Kernel::ALL {
            writeln!(to, "  {:<18} {}", kernel.id(), kernel.about())?;
        }
        writeln!(to, "\nDesigns (--design):")?;
        for design in Design::ALL {
            writeln!(to, "  {:<18} {}", design.id(), design.about())?;
        }
        writeln!(to, "\nScenarios that come along (lazymmu run @NAME):")?;
        for (name, scenario) in scenario::builtin().into_iter().flatten() {
            let what = scenario.what.split(':').next().unwrap_or_default();
            writeln!(to, "  @{name:<17} {what}")?;
        }
        writeln!(to, "\nCalls of a scenario:")?;
        let mut line = String::new();
        for word in scenario::words() {
            if line.len() + word.len() > 74 {
                writeln!(to, " {line}")?;
                line.clear();
            }
            line += " ";
            line += word;
        }
        writeln!(to, " {line}")
    })?;
    Ok(ExitCode::SUCCESS)
}
