//! Steps back to text: each in its shortest form, which the parser reads as the same step.

use std::fmt::{self, Display, Formatter};

use super::value::{Expect, Step};
use super::words::EXPECTATIONS;

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(step) => step.fmt(f),
            Self::Map(args) => args.line("map", true).fmt(f),
            Self::Expect(Expect::Hazard(hazard)) => write!(f, "expect hazard {hazard}"),
            Self::Expect(Expect::Times { effect, times }) => write!(f, "expect {effect} {times}"),
            Self::Expect(expected) => {
                let name = EXPECTATIONS.iter().find(|(_, known)| known == expected);
                write!(f, "expect {}", name.map_or("", |(name, _)| name))
            }
        }
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
