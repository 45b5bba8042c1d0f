//! Steps back to text: each in its shortest form, which the parser reads as the same step.

use std::fmt::{self, Display, Formatter};

use emu_arch::kernel::{self, Lock, PteArgs};
use lazy_mmu::design::Takes;

use super::value::{Expect, Step};
use super::words::{EXPECTATIONS, PROTS, PSIZES};

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(step) => text(step).fmt(f),
            Self::Map(args) => write(f, "map", args, true),
            Self::Expect(Expect::Hazard(hazard)) => write!(f, "expect hazard {hazard}"),
            Self::Expect(Expect::Times { effect, times }) => write!(f, "expect {effect} {times}"),
            Self::Expect(expected) => {
                let name = EXPECTATIONS.iter().find(|(_, known)| known == expected);
                write!(f, "expect {}", name.map_or("", |(name, _)| name))
            }
        }
    }
}

/// A step of the kernel in the words of scenarios.
#[must_use]
pub fn text(step: &kernel::Step) -> impl Display + '_ {
    struct Text<'s>(&'s kernel::Step);
    impl Display for Text<'_> {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            match self.0 {
                kernel::Step::Call(info, None) => f.write_str(info.short),
                kernel::Step::Call(info, Some(args)) => {
                    write(f, info.short, args, info.takes == Takes::PteRange)
                }
                kernel::Step::Context(op) => op.fmt(f),
                kernel::Step::Pte(op, args) => write(f, op.name(), args, op.takes_nr()),
                kernel::Step::Task(op) => op.fmt(f),
                kernel::Step::Fork(child) => write!(f, "fork {}", char::from(b'A' + child - 1)),
                kernel::Step::Lock(lock, op) => {
                    let name = op.name(*lock);
                    match lock {
                        Lock::InitMm => write!(f, "{name} init_mm"),
                        Lock::Pte { addr, .. } => write!(f, "{name} {addr:#x}"),
                        Lock::Mutex | _ => f.write_str(name),
                    }
                }
            }
        }
    }
    Text(step)
}

fn write(f: &mut Formatter<'_>, name: &str, args: &PteArgs, takes_nr: bool) -> fmt::Result {
    write!(f, "{name} {:#x}", args.addr)?;
    if takes_nr {
        write!(f, " {}", args.nr)?;
    }
    if let Some((name, _)) = PROTS.iter().find(|(_, prot)| Some(*prot) == args.prot) {
        write!(f, " {name}")?;
    }
    if args.mm > 1 {
        write!(f, " mm={}", args.mm)?;
    }
    if let Some(pfn) = args.pfn {
        write!(f, " pfn={pfn:#x}")?;
    }
    if let Some((name, _)) = PSIZES.iter().find(|(_, psize)| Some(*psize) == args.psize) {
        write!(f, " psize={name}")?;
    }
    Ok(())
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
