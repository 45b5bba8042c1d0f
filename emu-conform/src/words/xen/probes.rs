//! What to record under Xen PV.

use emu_arch::Kernel;

use super::super::word::NO_OFFSET;
use crate::probes::{Insn, Probe, Recording, Symbols};

/// The tracepoints that are read.
const EVENTS: &[&str] = &[
    "xen/xen_mc_issue",
    "xen/xen_mc_entry",
    "xen/xen_mc_extend_args",
    "xen/xen_mc_flush",
    "xen/xen_mmu_set_pte",
    "xen/xen_mmu_set_pmd",
    "xen/xen_mmu_set_pud",
    "xen/xen_mmu_set_p4d",
    "xen/xen_mmu_ptep_modify_prot_start",
    "xen/xen_mmu_ptep_modify_prot_commit",
    "sched/sched_switch",
];

/// Registers whose probes have another name than the low bytes of the assembler.
const BYTES: [(&str, &str); 8] = [
    ("al", "ax"),
    ("bl", "bx"),
    ("cl", "cx"),
    ("dl", "dx"),
    ("sil", "si"),
    ("dil", "di"),
    ("bpl", "bp"),
    ("spl", "sp"),
];

/// The probes of `kernel`.
pub(super) fn recording(kernel: Kernel, symbols: &Symbols<'_>) -> Recording {
    let entry = |function| Probe::entry(function, function, "");
    let mut functions = Vec::new();
    if kernel < Kernel::V7_2 {
        functions.extend(["xen_enter_lazy_mmu", "xen_leave_lazy_mmu"].map(entry));
    }
    if kernel >= Kernel::V7_0 {
        functions.push(entry("xen_flush_lazy_mmu"));
    }
    let functions_at = ["xen_start_context_switch", "xen_end_context_switch"];
    functions.extend(functions_at.map(|name| Probe::entry(name, name, "task=%di:x64")));
    let mut recording = Recording { functions, events: EVENTS, ..Recording::default() };
    if kernel < Kernel::V7_0 {
        return recording;
    }
    match symbols.field("lazy_mmu_state") {
        Some(offset) => {
            let stores =
                symbols.insns().iter().filter_map(|insn| Some((insn, store(insn, offset)?)));
            let probes = stores.enumerate().map(|(n, (insn, (counter, reads)))| {
                let (name, change) = counter;
                let probe = Probe::store(name, n + 1, insn, reads);
                let event = probe.event.replacen('_', &format!("{change}_"), 1);
                Probe { event, ..probe }
            });
            recording.stores = probes.collect();
            if recording.stores.is_empty() {
                recording.missing = Some("no store to lazy_mmu_state in the disassembly");
            }
        }
        None => recording.missing = Some(NO_OFFSET),
    }
    recording
}

/// The counter that an instruction stores to, its direction where the instruction has it, and what
/// the probe reads.
fn store(insn: &Insn<'_>, field: u64) -> Option<((&'static str, &'static str), String)> {
    let (source, at) = match insn.op {
        "mov" | "movb" | "addb" | "subb" => insn.operands.split_once(',')?,
        "incb" | "decb" => ("$1", insn.operands),
        _ => return None,
    };
    let (offset, base) = at.trim().strip_suffix(')')?.split_once("(%")?;
    let offset = u64::from_str_radix(offset.strip_prefix("0x")?, 16).ok()?;
    let counter = match offset.checked_sub(field)? {
        0 => "en",
        1 => "pa",
        _ => return None,
    };
    let base = register(base);
    let values = format!("en=+{field}(%{base}):u8 pa=+{}(%{base}):u8", field + 1);
    let change = match (insn.op, source.trim()) {
        ("addb" | "incb", "$1" | "$0x1") | ("subb", "$0xff") | ("addb", "$0x01") => "I",
        ("subb" | "decb", "$1" | "$0x1") | ("addb", "$0xff") => "D",
        ("mov" | "movb", register_) => {
            let new = register(register_.strip_prefix('%')?);
            return Some(((counter, ""), format!("new=%{new}:u8 {values}")));
        }
        _ => return None,
    };
    Some(((counter, change), values))
}

/// The name of a register for a probe: `%bl` is bx, `%rbx` is bx, `%r12b` is r12.
fn register(name: &str) -> &str {
    let name = name.trim();
    if let Some((_, wide)) = BYTES.iter().find(|(byte, _)| *byte == name) {
        return wide;
    }
    match name.strip_prefix('r') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
            name.strip_suffix('b').unwrap_or(name)
        }
        Some(rest) => rest,
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stores_of_the_counters() {
        let text = "struct lazy_mmu_state lazy_mmu_state; /* 5544 2 */\n\
                    ffffffff81000100 <change_pte_range>:\n\
                    ffffffff81000104:	mov    %al,0x15a8(%rbx)\n\
                    ffffffff81000110:	subb   $0x1,0x15a8(%r12)\n\
                    ffffffff81000118:	mov    %r13b,0x15a9(%rdi)\n\
                    ffffffff81000120:	mov    %al,0x15b0(%rbx)\n";
        let symbols = Symbols::parse(text).unwrap();
        let stores = recording(Kernel::V7_2, &symbols).stores;
        let [first, second, third] = stores.as_slice() else { panic!("{stores:?}") };
        assert_eq!(first.event, "en1_change_pte_range");
        assert_eq!(first.at, "change_pte_range+4");
        assert_eq!(first.reads, "new=%ax:u8 en=+5544(%bx):u8 pa=+5545(%bx):u8");
        assert_eq!(second.event, "en2D_change_pte_range");
        assert_eq!(third.reads, "new=%r13:u8 en=+5544(%di):u8 pa=+5545(%di):u8");
    }
}
