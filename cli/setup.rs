//! What a scenario runs on: as the options say or, where they say nothing, as its header does.

use emu_arch::{Arch, Kernel};
use emu_lab::scenario::{Setup, Where};
use lazy_mmu::design::Design;

use crate::io::Source;
use crate::report::{self, Failure};
use crate::values::check_era;

/// What the options of a command say of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) arch: Option<Arch>,
    pub(crate) kernel: Option<Kernel>,
    pub(crate) design: Option<Design>,
    pub(crate) mended: bool,
}

impl Asked {
    /// The run of the header that is taken: the first bad one, where no option chooses.
    pub(crate) fn header_run(&self, source: &Source) -> Option<Where> {
        let nothing = self.arch.is_none() && self.kernel.is_none() && self.design.is_none();
        source.scenario.bad.first().filter(|_| nothing).copied()
    }

    /// What the scenario runs on: on `usual` where neither an option nor the header chooses. Where
    /// the header does, standard error says so.
    ///
    /// # Errors
    /// The scenario has no fixed code, or the kernel does not have the architecture.
    pub(crate) fn setup(&self, source: &Source, usual: Arch) -> Result<Setup, Failure> {
        let name = &source.name;
        if self.mended && source.scenario.mended.is_none() {
            let what = format!("--mended: {name} has no block `mended {{` or `bug {{`");
            return Err(Failure::Usage(what));
        }
        let header = self.header_run(source).map(Setup::from);
        if let Some(Setup { arch, kernel, .. }) = header {
            report::note(&format!("on {arch} {kernel}, the first run that {name} calls bad"));
        }
        let arch = self.arch.unwrap_or(usual);
        let kernel = self.kernel.unwrap_or_else(|| arch.default_kernel());
        let setup = header.unwrap_or(Setup {
            arch,
            kernel,
            design: self.design.unwrap_or_else(|| kernel.design()),
            ..Setup::default()
        });
        check_era(setup.kernel, setup.arch)?;
        Ok(Setup { mended: self.mended, ..setup })
    }
}
