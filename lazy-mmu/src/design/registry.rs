//! The designs that there are: those of the lab, and those that a program registers.

use super::{Call, CallInfo, Design, Hook, HookInfo};
use crate::registry::Registry;

/// The designs that a program has registered.
static REGISTERED: Registry<Design> = Registry::new();

/// Why a design cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterError {
    /// Another design has the id.
    IdTaken {
        /// The id.
        id: &'static str,
    },
    /// Another design has a call of this name or short name which is something else.
    CallTaken {
        /// The short name of the call.
        call: &'static str,
        /// The id of the other design.
        by: &'static str,
    },
    /// Another design has a hook of this name which falls back to something else.
    HookTaken {
        /// The name of the hook.
        hook: &'static str,
        /// The id of the other design.
        by: &'static str,
    },
}

impl std::fmt::Display for RegisterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::IdTaken { id } => write!(f, "another design has the id {id}"),
            Self::CallTaken { call, by } => {
                write!(f, "the call {call} is something else in the design {by}")
            }
            Self::HookTaken { hook, by } => {
                write!(f, "the hook {hook} is something else in the design {by}")
            }
        }
    }
}

impl std::error::Error for RegisterError {}

/// Registers a design of one's own: [`Design::all`] and [`Design::by_id`] find it from now on, and
/// scenarios know its calls. Registering a design again has no effect.
///
/// # Errors
/// The id, a call or a hook means something else already.
pub fn register(design: Design) -> Result<(), RegisterError> {
    let known = |known: &Design| {
        let misfit = || fits(design, *known).err().map(Err);
        if known.is_same(design) { Some(Ok(())) } else { misfit() }
    };
    let of_lab = Design::LAB.iter().find_map(known);
    of_lab.or_else(|| REGISTERED.push(design, known)).unwrap_or(Ok(()))
}

/// Checks that nothing of `design` means something else under `known`.
fn fits(design: Design, known: Design) -> Result<(), RegisterError> {
    let (id, by) = (design.id(), known.id());
    if id == by {
        return Err(RegisterError::IdTaken { id });
    }
    for new in design.calls() {
        let alike = |old: &&CallInfo| {
            old.call == new.call || old.name == new.name || old.short == new.short
        };
        if known.calls().iter().filter(alike).any(|old| !old.same_word(new)) {
            return Err(RegisterError::CallTaken { call: new.short, by });
        }
    }
    for new in design.hooks() {
        let alike = |old: &&HookInfo| old.hook == new.hook;
        if known.hooks().iter().filter(alike).any(|old| old != new) {
            return Err(RegisterError::HookTaken { hook: new.name, by });
        }
    }
    Ok(())
}

impl Design {
    /// Every design: those of the lab in the order of their history, then those that were
    /// registered.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        Self::LAB.iter().chain(REGISTERED.iter()).copied()
    }

    /// Finds a design by its id.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        Self::all().find(|design| design.id() == id)
    }
}

/// Every call of every design, each once: the kernel's first.
pub fn calls() -> impl Iterator<Item = &'static CallInfo> {
    Design::all().enumerate().flat_map(|(nth, design)| {
        let new = move |info: &&CallInfo| {
            !Design::all().take(nth).any(|earlier| earlier.has_call(info.call))
        };
        design.calls().iter().filter(new)
    })
}

/// Every hook of every design, each once: the kernel's first.
pub fn hooks() -> impl Iterator<Item = &'static HookInfo> {
    Design::all().enumerate().flat_map(|(nth, design)| {
        let new = move |info: &&HookInfo| {
            !Design::all().take(nth).any(|earlier| earlier.has_hook(info.hook))
        };
        design.hooks().iter().filter(new)
    })
}

impl Call {
    /// What the call is, in a design of the lab or a registered one.
    #[must_use]
    pub fn info(self) -> Option<&'static CallInfo> {
        Design::all().find_map(|design| design.calls().iter().find(|info| info.call == self))
    }
}

impl Hook {
    /// What the hook is, in a design of the lab or a registered one.
    #[must_use]
    pub fn info(self) -> Option<&'static HookInfo> {
        Design::all().find_map(|design| design.hooks().iter().find(|info| info.hook == self))
    }
}
