//! The architectures and designs that a program adds to those of the lab.

use emu_arch::{Arch, Backend};
use lazy_mmu::design::{self, Design, LazyMmuDesign};

use crate::report::Failure;

/// The architectures and designs that a program adds to those of the lab; see the
/// [example](crate#).
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Registry {
    archs: Vec<Arch>,
    designs: Vec<Design>,
}

impl Registry {
    /// Adds nothing.
    pub const fn new() -> Self {
        Self { archs: Vec::new(), designs: Vec::new() }
    }

    /// Adds the architecture whose backend is `B`.
    pub fn arch<B: Backend>(mut self) -> Self {
        self.archs.push(Arch::of::<B>());
        self
    }

    /// Adds the design whose state is `D`.
    pub fn design<D: LazyMmuDesign>(mut self) -> Self {
        self.designs.push(Design::of::<D>());
        self
    }

    /// Makes all known to the process.
    pub(crate) fn register(&self) -> Result<(), Failure> {
        let wrong = |what: &str, error: &dyn std::fmt::Display| {
            Failure::Usage(format!("cannot register the {what}: {error}"))
        };
        for arch in &self.archs {
            arch.register().map_err(|error| wrong("architecture", &error))?;
        }
        for design in &self.designs {
            design::register(*design).map_err(|error| wrong("design", &error))?;
        }
        Ok(())
    }
}
