//! Steps as text: each as a line of a scenario.

use std::fmt::{self, Display, Formatter};

use lazy_mmu::design::Takes;

use super::{Lock, Prot, PteArgs, Step};
use crate::backend::Psize;

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(info, None) => f.write_str(info.short),
            Self::Call(info, Some(args)) => {
                args.line(info.short, info.takes == Takes::PteRange).fmt(f)
            }
            Self::Context(op) => op.fmt(f),
            Self::Pte(op, args) => args.line(op.name(), op.takes_nr()).fmt(f),
            Self::Task(op) => op.fmt(f),
            Self::Fork(child) => write!(f, "fork {}", char::from(b'A' + child - 1)),
            Self::Lock(lock, op) => {
                let name = op.name(*lock);
                match lock {
                    Lock::InitMm => write!(f, "{name} init_mm"),
                    Lock::Pte { addr, .. } | Lock::Pmd { addr, .. } => {
                        write!(f, "{name} {addr:#x}")
                    }
                    Lock::Mutex => f.write_str(name),
                }
            }
        }
    }
}

impl PteArgs {
    /// The line of a scenario that begins with the word `name`; with the number of pages where
    /// `takes_nr`.
    pub fn line<'a>(&'a self, name: &'a str, takes_nr: bool) -> impl Display + 'a {
        struct Line<'a>(&'a PteArgs, &'a str, bool);
        impl Display for Line<'_> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                self.0.write(f, self.1, self.2)
            }
        }
        Line(self, name, takes_nr)
    }

    fn write(&self, f: &mut Formatter<'_>, name: &str, takes_nr: bool) -> fmt::Result {
        write!(f, "{name} {:#x}", self.addr)?;
        if takes_nr {
            write!(f, " {}", self.nr)?;
        }
        match self.prot {
            None => {}
            Some(Prot::ReadOnly) => f.write_str(" ro")?,
            Some(Prot::ReadExec) => f.write_str(" rx")?,
            Some(Prot::ReadWrite) => f.write_str(" rw")?,
            Some(Prot::None) => f.write_str(" none")?,
        }
        if self.mm > 1 {
            write!(f, " mm={}", self.mm)?;
        }
        if let Some(pfn) = self.pfn {
            write!(f, " pfn={pfn:#x}")?;
        }
        match self.psize {
            None => Ok(()),
            Some(Psize::Page4K) => f.write_str(" psize=4k"),
            Some(Psize::Page64K) => f.write_str(" psize=64k"),
            Some(Psize::Page16M) => f.write_str(" psize=16m"),
        }
    }
}
