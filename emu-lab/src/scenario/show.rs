//! Steps back to text: each in its shortest form, which the parser reads as the same step.

use std::fmt::{self, Display, Formatter};

use emu_arch::backend::Psize;
use emu_arch::machine::Lock;
use lazy_mmu::design::Takes;

use super::words::EXPECTATIONS;
use super::{ContextChange, Expect, Prot, PteArgs, Step, TaskOp};

impl ContextChange {
    /// Tells whether the change begins something that another one ends.
    #[must_use]
    pub fn begins(&self) -> bool {
        self.name.ends_with("_enter") || self.name.ends_with("_disable")
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(info, None) => f.write_str(info.short),
            Self::Call(info, Some(args)) => {
                write(f, info.short, args, info.takes == Takes::PteRange)
            }
            Self::Context(change) => f.write_str(change.name),
            Self::Pte(op, args) => write(f, op.name(), args, op.takes_nr()),
            Self::Map(args) => write(f, "map", args, true),
            Self::Task(TaskOp::Run) => f.write_str("run"),
            Self::Task(TaskOp::MightSleep) => f.write_str("might_sleep"),
            Self::Task(TaskOp::Schedule) => f.write_str("schedule"),
            Self::Task(TaskOp::ArchFlush) => f.write_str("arch_flush_lazy_mmu_mode"),
            Self::Task(TaskOp::Exit) => f.write_str("exit"),
            Self::Task(TaskOp::Fork { child }) => {
                write!(f, "fork {}", char::from(b'A' + child - 1))
            }
            Self::Lock(lock, takes) => {
                let name = match (lock, takes) {
                    (Lock::Mutex, true) => "mutex_lock",
                    (Lock::Mutex, false) => "mutex_unlock",
                    (_, true) => "spin_lock",
                    (_, false) => "spin_unlock",
                };
                match lock {
                    Lock::Mutex => f.write_str(name),
                    Lock::InitMm => write!(f, "{name} init_mm"),
                    Lock::Pte { addr, .. } => write!(f, "{name} {addr:#x}"),
                }
            }
            Self::Expect(Expect::Hazard(hazard)) => write!(f, "expect hazard {}", hazard.id()),
            Self::Expect(Expect::Times { effect, times }) => write!(f, "expect {effect} {times}"),
            Self::Expect(expected) => {
                let name = EXPECTATIONS.iter().find(|(_, known)| known == expected);
                write!(f, "expect {}", name.map_or("", |(name, _)| name))
            }
        }
    }
}

fn write(f: &mut Formatter<'_>, name: &str, args: &PteArgs, takes_nr: bool) -> fmt::Result {
    write!(f, "{name} {:#x}", args.addr)?;
    if takes_nr {
        write!(f, " {}", args.nr)?;
    }
    match args.prot {
        None => {}
        Some(Prot::ReadOnly) => f.write_str(" ro")?,
        Some(Prot::ReadExec) => f.write_str(" rx")?,
        Some(Prot::ReadWrite) => f.write_str(" rw")?,
        Some(Prot::None) => f.write_str(" none")?,
    }
    if args.mm > 1 {
        write!(f, " mm={}", args.mm)?;
    }
    if let Some(pfn) = args.pfn {
        write!(f, " pfn={pfn:#x}")?;
    }
    match args.psize {
        None => Ok(()),
        Some(Psize::Page4K) => f.write_str(" psize=4k"),
        Some(Psize::Page64K) => f.write_str(" psize=64k"),
        Some(Psize::Page16M) => f.write_str(" psize=16m"),
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::parse;

    #[test]
    fn a_step_as_text_is_the_same_step() {
        let text = "lazy_mmu_mode_enable()\nresume\nnmi_enter\nexpect inactive\n\
                    map 0x7f0000001000 4 ro mm=2 psize=64k\nset_pte_at 0xffff800008000000 none\n\
                    set_ptes(0x1000, 3, rw, pfn=0x12)\nread 0x7f0000001000\n\
                    arch_flush_lazy_mmu_mode\nexpect isb 3\nexpect flush_hash_range 0\n\
                    tlb_remove_tlb_entries 0x1000 3\nflush_tlb_batched_pending 0x1000\n";
        let scenario = parse(text).unwrap();
        let lines = scenario.steps.iter().map(|line| line.step.to_string());
        let again = parse(&lines.collect::<Vec<_>>().join("\n")).unwrap();
        assert_eq!(again, scenario);
    }
}
