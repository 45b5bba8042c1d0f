//! Names to values and back: `Display` and `FromStr` of designs, calls, hooks and checks.
//!
//! ```
//! use lazy_mmu::design::{Call, Check, Design, Hook};
//! let design: Design = "count-enabled".parse()?;
//! assert_eq!(design.to_string(), "count-enabled");
//! // Calls and hooks go by kernel name or short name; they show the kernel's.
//! assert_eq!("pause".parse::<Call>()?.to_string(), "lazy_mmu_mode_pause");
//! assert_eq!("arch_flush()".parse::<Hook>()?, Hook::FLUSH);
//! assert_eq!("BUG_ON".parse::<Check>()?, Check::BugOn);
//! let error = "enabel".parse::<Call>().unwrap_err();
//! assert_eq!(error.to_string(), "expected a call, found \"enabel\"");
//! # Ok::<(), lazy_mmu::design::UnknownName>(())
//! ```

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use super::unknown::UnknownName;
use super::{Call, Design, Hook, Token, calls, hooks};

impl Display for Design {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Design {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::by_id(name).ok_or_else(|| UnknownName::new("a design", name))
    }
}

/// Shows the kernel's name; a number where no design has the call.
impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.info() {
            Some(info) => f.pad(info.name),
            None => write!(f, "call-{:08x}", self.bits()),
        }
    }
}

impl FromStr for Call {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = calls().find(|info| info.name == name || info.short == name);
        found.map(|info| info.call).ok_or_else(|| UnknownName::new("a call", name))
    }
}

/// Shows the kernel's name; a number where no design has the hook.
impl Display for Hook {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.info() {
            Some(info) => f.pad(info.name),
            None => write!(f, "hook-{:08x}", self.bits()),
        }
    }
}

impl FromStr for Hook {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = hooks().find(|info| info.name == name || info.short == name);
        found.map(|info| info.hook).ok_or_else(|| UnknownName::new("a hook", name))
    }
}

impl Display for Token {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::DEFAULT => f.pad("LAZY_MMU_DEFAULT"),
            Self::NESTED => f.pad("LAZY_MMU_NESTED"),
            Self(other) => write!(f, "token {other}"),
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Call({self})")
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Hook({self})")
    }
}

impl fmt::Debug for Design {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Design({self})")
    }
}
