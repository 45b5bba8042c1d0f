//! What to record on powerpc.

use emu_arch::Kernel;

use super::super::word::NO_OFFSET;
use super::active;
use crate::probes::{Insn, Probe, Recording, Symbols};

/// Functions, their events, and what is read at their entry.
const FUNCTIONS: [(&str, &str, &str); 12] = [
    ("hpte_need_flush", "hpte_need_flush", "mm=%gpr3:x64 addr=%gpr4:x64 pte=%gpr6:x64"),
    ("flush_hash_page", "flush_hash_page", "vpn=%gpr3:x64 flags=%gpr7:x64"),
    ("flush_hash_range", "flush_hash_range", "n=%gpr3:u64 local=%gpr4:s32"),
    ("hash__tlb_flush", "hash__tlb_flush", ""),
    ("set_ptes", "set_ptes", "mm=%gpr3:x64 addr=%gpr4:x64 nr=%gpr7:u32"),
    ("modify_start", "ptep_modify_prot_start", "addr=%gpr4:x64"),
    ("modify_commit", "ptep_modify_prot_commit", "addr=%gpr4:x64 old=%gpr6:x64"),
    ("set_access_flags", "ptep_set_access_flags", "addr=%gpr4:x64"),
    ("hash_page_mm", "hash_page_mm", "mm=%gpr3:x64 ea=%gpr4:x64"),
    ("hash_page_4K", "__hash_page_4K", "ea=%gpr3:x64"),
    ("flush_tlb_pending", "__flush_tlb_pending", ""),
    ("exit_mmap", "exit_mmap", ""),
];

/// The probes of `kernel`.
pub(super) fn recording(kernel: Kernel, symbols: &Symbols<'_>) -> Recording {
    let counted = kernel >= Kernel::V7_0;
    let field = symbols.field("lazy_mmu_state").filter(|_| counted);
    // The current task, by the pointer to it in the paca.
    let current = field.zip(symbols.field("__current")).map(|(field, current)| {
        let pause = field + 1;
        format!("en=+{field}(+{current}(%gpr13)):u8 pa=+{pause}(+{current}(%gpr13)):u8")
    });
    let probe = |(event, function, reads): (&str, &str, &str)| {
        let returns = event == "exit_mmap";
        // In the batch, behind `active` up to v6.19.
        let n = if counted { "n=+0(%gpr3):u64" } else { "n=+8(%gpr3):u64" };
        let n = if event == "flush_tlb_pending" { n } else { "" };
        let from = if returns { "" } else { "from=%link:symbol" };
        let current = current.as_deref().filter(|_| !returns).unwrap_or("");
        let parts = [reads, n, current, from];
        let reads: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let event = if returns { "exit_mmap_ret" } else { event };
        Probe { returns, ..Probe::entry(event, function, &reads.join(" ")) }
    };
    let mut recording = Recording {
        functions: FUNCTIONS.into_iter().map(probe).collect(),
        events: &["sched/sched_switch"],
        ..Recording::default()
    };
    match field {
        _ if !counted => match active::stores(symbols) {
            Some(stores) if !stores.is_empty() => recording.stores = stores,
            Some(_) => recording.missing = Some("no store to ppc64_tlb_batch.active in the text"),
            None => {
                recording.missing = Some(
                    "without the address of ppc64_tlb_batch (kallsyms) and a disassembly the stores to\n\
                     its word active cannot be probed: --symbols, see docs/truth.md",
                );
            }
        },
        None => recording.missing = Some(NO_OFFSET),
        Some(field) => {
            let stores =
                symbols.insns().iter().filter_map(|insn| Some((insn, store(insn, field)?)));
            let probes = stores
                .enumerate()
                .map(|(n, (insn, (counter, reads)))| Probe::store(counter, n + 1, insn, reads));
            recording.stores = probes.collect();
        }
    }
    recording
}

/// The counter that an instruction stores to, and what the probe reads.
fn store(insn: &Insn<'_>, field: u64) -> Option<(&'static str, String)> {
    if insn.op != "stb" {
        return None;
    }
    let (new, at) = insn.operands.split_once(',')?;
    let (offset, base) = at.strip_suffix(')')?.split_once('(')?;
    let counter = match offset.parse::<u64>().ok()?.checked_sub(field)? {
        0 => "en",
        1 => "pa",
        _ => return None,
    };
    let (new, base) = (new.trim().strip_prefix('r')?, base.strip_prefix('r')?);
    // A slot of the stack.
    (base != "1").then(|| {
        let pause = field + 1;
        let values = format!("en=+{field}(%gpr{base}):u8 pa=+{pause}(%gpr{base}):u8");
        (counter, format!("new=%gpr{new}:u8 {values}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stores_of_the_counters() {
        let text = "struct lazy_mmu_state lazy_mmu_state; /* 3944 2 */\n\
                    struct task_struct * __current; /* 296 8 */\n\
                    c000000000001000 <change_protection>:\n\
                    c000000000001888:	stb     r9,3944(r10)\n\
                    c000000000001890:	stb     r9,3944(r1)\n";
        let symbols = Symbols::parse(text).unwrap();
        let recording = recording(Kernel::V7_2, &symbols);
        assert_eq!(recording.stores.len(), 1);
        assert_eq!(recording.stores[0].event, "en1_change_protection");
        assert_eq!(recording.stores[0].at, "change_protection+2184");
        let reads = &recording.functions[0].reads;
        assert!(reads.contains("en=+3944(+296(%gpr13)):u8"), "{reads}");
    }
}
