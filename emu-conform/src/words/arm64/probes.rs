//! What to watch on arm64: the list of the TCG plugin.

use emu_arch::Kernel;

use super::super::word::NO_OFFSET;
use super::reduce::KERNEL;
use crate::probes::{Insn, Recording, Symbols};

/// Functions whose entry is watched.
const ENTRIES: [&str; 2] = ["tracing_mark_write", "__switch_to"];

/// The list of `kernel`.
pub(super) fn recording(_: Kernel, symbols: &Symbols<'_>) -> Recording {
    let Some(field) = symbols.field("lazy_mmu_state") else {
        return Recording { missing: Some(NO_OFFSET), ..Recording::default() };
    };
    let insns = symbols.insns();
    let words = insns.iter().enumerate().filter_map(|(at, insn)| {
        let word = word(insns, at, field)?;
        Some((insn.addr, format!("{word}[{}]", insn.function)))
    });
    let entries = symbols.functions().filter(|(_, name)| ENTRIES.contains(name));
    let entries = entries.map(|(addr, name)| (addr, format!(">{name}")));
    let mut watched: Vec<(u64, String)> = words.chain(entries).collect();
    watched.sort_unstable();
    let watched = watched.into_iter().map(|(addr, word)| format!("{addr:x} {word}")).collect();
    Recording { watched, events: &["sched/sched_switch"], ..Recording::default() }
}

/// What the instruction at index `at` is, for the plugin.
fn word(insns: &[Insn<'_>], at: usize, field: u64) -> Option<&'static str> {
    let insn = &insns[at];
    let has = |insn: &Insn<'_>| insn.op == "dsb" && insn.operands.starts_with("ishst");
    let before = at.checked_sub(1).map(|at| &insns[at]);
    match insn.op {
        "strb" => {
            let (_, offset) = insn.operands.strip_suffix(']')?.rsplit_once('#')?;
            let rises = insns[at.saturating_sub(4)..at]
                .iter()
                .any(|insn| insn.op == "add" && insn.operands.ends_with("#0x1"));
            match (offset.parse::<u64>().ok()?.checked_sub(field)?, rises) {
                (0, true) => Some("enable"),
                (0, false) => Some("disable"),
                (1, true) => Some("pause"),
                (1, false) => Some("resume"),
                _ => None,
            }
        }
        "dsb" if insn.operands == "ish" && insn.function == "__switch_to" => Some("dsb(ish)"),
        "dsb" if has(insn) => Some("dsb(ishst)"),
        "isb" if before.is_some_and(has) => Some("isb"),
        "orr" if insn.operands.ends_with("#0x80000000") => {
            let next = insns.get(at + 1)?;
            matches!(next.op, "stxr" | "stlxr").then_some("set_PENDING")
        }
        "str" => {
            let stores = insn.function.starts_with("__set_ptes_anysz")
                || KERNEL.contains(&insn.function)
                || insn.function == "pageattr_pte_entry";
            let plain = insn.operands.starts_with('x') && insn.operands.ends_with(']');
            let (_, base) = insn.operands.split_once('[')?;
            (stores && plain && !base.contains(',') && !base.starts_with("sp")).then_some("store")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_the_plugin() {
        let text = "struct lazy_mmu_state lazy_mmu_state; /* 3360 2 */\n\
                    ffff800080001000 <__switch_to>:\n\
                    ffff800080001004:	dsb	ish\n\
                    ffff800080002000 <lazy_mmu_mode_disable>:\n\
                    ffff800080002004:	sub	w1, w1, #0x1\n\
                    ffff800080002008:	strb	w1, [x0, #3360]\n\
                    ffff80008000200c:	dsb	ishst\n\
                    ffff800080002010:	isb\n";
        let symbols = Symbols::parse(text).unwrap();
        let watched = recording(Kernel::V7_2, &symbols).watched;
        let expected = [
            "ffff800080001000 >__switch_to",
            "ffff800080001004 dsb(ish)[__switch_to]",
            "ffff800080002008 disable[lazy_mmu_mode_disable]",
            "ffff80008000200c dsb(ishst)[lazy_mmu_mode_disable]",
            "ffff800080002010 isb[lazy_mmu_mode_disable]",
        ];
        assert_eq!(watched, expected);
    }
}
