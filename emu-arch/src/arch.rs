//! An architecture as a value: the handle of a [`Backend`], and the list of those that are known.

use std::any::TypeId;
use std::fmt::{self, Debug, Display, Formatter};
use std::marker::PhantomData;
use std::str::FromStr;

use lazy_mmu::design::Design;
use lazy_mmu::preempt::Layout;
use lazy_mmu::registry::Registry;

use crate::backend::{Backend, Facts};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;
use crate::id::UnknownId;
use crate::machine::ArchCode;
use crate::{Kernel, machine, replay};

/// Declares the architectures of the project, one row each: the constant and its backend.
macro_rules! architectures {
    ($($(#[$meta:meta])* $name:ident = $backend:ty;)*) => {
        impl Arch {
            $($(#[$meta])* pub const $name: Self = Self::of::<$backend>();)*

            /// The architectures of the project.
            pub const BUILT_IN: &'static [Self] = &[$(Self::$name),*];
        }
    };
}
pub(crate) use architectures;

/// An architecture: [`Backend`] chosen at run time. Two are equal when they have the same id.
///
/// ```
/// use emu_arch::Arch;
/// let arch: Arch = "arm64".parse()?;
/// assert_eq!(arch, Arch::ARM64);
/// assert_eq!("armv9".parse::<Arch>().unwrap_err().to_string(), "no architecture \"armv9\"");
/// # Ok::<(), emu_arch::UnknownId>(())
/// ```
#[derive(Clone, Copy)]
pub struct Arch(&'static dyn Architecture);

/// What can be asked of a backend whose type is not known.
trait Architecture: Sync {
    fn backend(&self) -> TypeId;
    fn facts(&self) -> &'static Facts;
    fn is_in(&self, kernel: Kernel) -> Result<(), &'static str>;
    fn version(&self, kernel: Kernel) -> &'static str;
    fn batch_outlives_section(&self, kernel: Kernel) -> bool;
    fn used(&self, pte: Pte) -> Pte;
    fn boot(&self, kernel: Kernel) -> Box<dyn ArchCode>;
    fn replay(&self, kernel: Kernel, design: Design, setup: replay::Setup)
    -> Box<dyn replay::Code>;
}

struct Of<B>(PhantomData<fn() -> B>);

impl<B: Backend> Of<B> {
    const FACTS: &'static Facts = &B::FACTS;
    const ARCH: &'static dyn Architecture = &Self(PhantomData);
}

impl<B: Backend> Architecture for Of<B> {
    fn backend(&self) -> TypeId {
        TypeId::of::<B>()
    }

    fn facts(&self) -> &'static Facts {
        Self::FACTS
    }

    fn is_in(&self, kernel: Kernel) -> Result<(), &'static str> {
        B::is_in(kernel)
    }

    fn version(&self, kernel: Kernel) -> &'static str {
        B::in_kernel(kernel).version()
    }

    fn batch_outlives_section(&self, kernel: Kernel) -> bool {
        B::in_kernel(kernel).batch_outlives_section()
    }

    fn used(&self, pte: Pte) -> Pte {
        if pte.is_valid() { B::used(pte) } else { pte }
    }

    fn boot(&self, kernel: Kernel) -> Box<dyn ArchCode> {
        machine::boot(B::in_kernel(kernel))
    }

    fn replay(
        &self,
        kernel: Kernel,
        design: Design,
        setup: replay::Setup,
    ) -> Box<dyn replay::Code> {
        replay::of(B::in_kernel(kernel), design, setup)
    }
}

/// The architectures that a program has registered.
static REGISTERED: Registry<Arch> = Registry::new();

/// Why an architecture cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterError {
    /// Another backend has the id.
    IdTaken(&'static str),
    /// The id cannot be a word of a scenario or of the command line.
    BadId(&'static str),
}

impl Display for RegisterError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdTaken(id) => write!(f, "another architecture has the id {id:?}"),
            Self::BadId(id) => write!(
                f,
                "expected letters, digits, `-`, `_` and `.` in the id of an architecture, and not \
                 `all`, found {id:?}"
            ),
        }
    }
}

impl std::error::Error for RegisterError {}

impl Arch {
    /// The architecture whose backend is `B`; works for backends of your own.
    #[must_use]
    pub const fn of<B: Backend>() -> Self {
        Self(Of::<B>::ARCH)
    }

    /// Makes the architecture known to [`all`](Self::all) and to everything that finds
    /// architectures by id: scenarios, the command. The list belongs to the process and only grows;
    /// to register a backend again has no effect. An architecture that is used as a value needs no
    /// registration.
    ///
    /// # Errors
    /// Another backend has the id, or no scenario can have it as a word.
    pub fn register(self) -> Result<(), RegisterError> {
        let id = self.id();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if id.is_empty() || id == "all" || !id.chars().all(plain) {
            return Err(RegisterError::BadId(id));
        }
        let known = |known: &Self| (*known == self).then_some(*known);
        let built_in = Self::BUILT_IN.iter().find_map(known);
        match built_in.or_else(|| REGISTERED.push(self, known)) {
            Some(known) if known.0.backend() != self.0.backend() => Err(RegisterError::IdTaken(id)),
            _ => Ok(()),
        }
    }

    /// Every architecture that is known: those of the project, then the registered ones.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        Self::BUILT_IN.iter().chain(REGISTERED.iter()).copied()
    }

    /// What is known of it without running its code.
    #[must_use]
    pub fn facts(self) -> &'static Facts {
        self.0.facts()
    }

    /// The id that the command line and snapshots use; never changes.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.facts().id
    }

    /// One line on what the architecture delays.
    #[must_use]
    pub fn about(self) -> &'static str {
        self.facts().about
    }

    /// What becomes of `pte` when the page is used: young, and hashed where the architecture
    /// hashes.
    #[must_use]
    pub fn used(self, pte: Pte) -> Pte {
        self.0.used(pte)
    }

    /// Tells why `kernel` does not have the mode on this architecture, if so.
    ///
    /// # Errors
    /// A sentence that says since when the architecture has the mode.
    pub fn is_in(self, kernel: Kernel) -> Result<(), &'static str> {
        self.0.is_in(kernel)
    }

    /// The eras in which the architecture has the mode, the oldest first.
    pub fn kernels(self) -> impl Iterator<Item = Kernel> {
        Kernel::ALL.into_iter().filter(move |kernel| self.is_in(*kernel).is_ok())
    }

    /// The default kernel, or the oldest that has the mode where the default one does not.
    #[must_use]
    pub fn default_kernel(self) -> Kernel {
        let default = Kernel::default();
        let has = self.is_in(default).is_ok();
        if has { default } else { self.kernels().next().unwrap_or(default) }
    }

    /// The version of its code that the architecture has in `kernel`, as its backend calls it; none
    /// where it does not have the mode yet.
    #[must_use]
    pub fn version(self, kernel: Kernel) -> Option<&'static str> {
        self.is_in(kernel).ok().map(|()| self.0.version(kernel))
    }

    /// Tells whether a batch can outlive its section in `kernel`.
    #[must_use]
    pub fn batch_outlives_section(self, kernel: Kernel) -> bool {
        self.0.batch_outlives_section(kernel)
    }

    /// Where the fields of the preempt count lie in `kernel`.
    #[must_use]
    pub fn preempt_layout(self, kernel: Kernel) -> Layout {
        kernel.preempt_layout(self.facts().separate_preempt_resched_bits)
    }

    /// The code of `kernel`, booted on a machine.
    pub(crate) fn boot(self, kernel: Kernel) -> Box<dyn ArchCode> {
        self.0.boot(kernel)
    }

    /// The code of `kernel`, on a machine that can be left in the middle of a call; `setup` is a
    /// fault, or none, or a whole [`replay::Setup`].
    #[must_use]
    pub fn replay(
        self,
        kernel: Kernel,
        design: Design,
        setup: impl Into<replay::Setup>,
    ) -> Box<dyn replay::Code> {
        let setup = replay::Setup { layout: self.preempt_layout(kernel), ..setup.into() };
        self.0.replay(kernel, design, setup)
    }
}

impl Default for Arch {
    /// The first of the list, which batches nothing: the oracle.
    fn default() -> Self {
        Self::BUILT_IN[0]
    }
}

impl PartialEq for Arch {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Arch {}

impl std::hash::Hash for Arch {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl PartialOrd for Arch {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Arch {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.id().cmp(other.id())
    }
}

impl Debug for Arch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Arch({})", self.id())
    }
}

impl Display for Arch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Arch {
    type Err = UnknownId;

    fn from_str(id: &str) -> Result<Self, UnknownId> {
        Self::all().find(|arch| arch.id() == id).ok_or_else(|| UnknownId::new("architecture", id))
    }
}

/// Every effect that costs time, of every known architecture, once per name.
#[must_use]
pub fn effects() -> Vec<ArchEffect> {
    let mut effects: Vec<ArchEffect> = Vec::new();
    for effect in Arch::all().flat_map(|arch| arch.facts().effects) {
        if !effects.iter().any(|known| known.name == effect.name) {
            effects.push(*effect);
        }
    }
    effects
}
