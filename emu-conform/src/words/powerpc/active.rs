//! The stores to `ppc64_tlb_batch.active`, up to v6.19, in a disassembly.
//!
//! The batch is a per-CPU variable: its address is built from the TOC pointer in r2, and the offset
//! of the CPU is added to it, or is an operand of the store.

use std::collections::BTreeMap;

use crate::probes::{Insn, Probe, Symbols};

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// An address.
    Addr(u64),
    /// That of the batch on this CPU.
    Batch,
}

/// The probes at the stores; none where the address of the batch or the TOC is not known.
pub(super) fn stores(symbols: &Symbols<'_>) -> Option<Vec<Probe>> {
    let batch = symbols.data("ppc64_tlb_batch")?;
    let toc = toc(symbols.insns())?;
    let mut probes = Vec::new();
    let mut holds: BTreeMap<&str, Holds> = BTreeMap::new();
    let mut function = "";
    for insn in symbols.insns() {
        if insn.function != function {
            function = insn.function;
            holds.clear();
        }
        let operands: Vec<&str> = insn.operands.split(',').map(str::trim).collect();
        let is_batch = |register: &str| holds.get(register) == Some(&Holds::Addr(batch));
        let on_cpu = |register: &str| holds.get(register) == Some(&Holds::Batch);
        let store = match (insn.op, operands.as_slice()) {
            ("stwx", [new, a, b]) => (is_batch(a) || is_batch(b)).then_some(*new),
            ("stw", [new, at]) => {
                let base = at.strip_prefix("0(").and_then(|at| at.strip_suffix(')'));
                base.is_some_and(on_cpu).then_some(*new)
            }
            _ => None,
        };
        if let Some(new) = store.and_then(|new| new.strip_prefix('r')) {
            let reads = format!("new=%gpr{new}:u32");
            probes.push(Probe::store("act", probes.len() + 1, insn, reads));
        }
        follow(&mut holds, insn, &operands, (toc, batch));
    }
    Some(probes)
}

/// The TOC pointer: a function that may be called from elsewhere computes it from its own address,
/// in its first two instructions.
fn toc(insns: &[Insn<'_>]) -> Option<u64> {
    insns.windows(2).find_map(|two| {
        let (high, low) = (&two[0], &two[1]);
        let first = high.offset == 0 && high.op == "addis" && low.op == "addi";
        let high_at = high.operands.strip_prefix("r2,r12,").filter(|_| first)?;
        let low_at = low.operands.strip_prefix("r2,r2,")?;
        Some(plus(plus(high.addr, number(high_at)? << 16), number(low_at)?))
    })
}

/// What `insn` makes of what registers hold.
fn follow<'t>(
    holds: &mut BTreeMap<&'t str, Holds>,
    insn: &Insn<'t>,
    operands: &[&'t str],
    (toc, batch): (u64, u64),
) {
    let known = |register: &str| holds.get(register).copied();
    let now = match (insn.op, operands) {
        ("addis", [_, "r2", high]) => number(high).map(|n| Holds::Addr(plus(toc, n << 16))),
        ("addi", [_, from, low]) => match (known(from), number(low)) {
            (Some(Holds::Addr(addr)), Some(n)) => Some(Holds::Addr(plus(addr, n))),
            _ => None,
        },
        ("add", [_, a, b]) => {
            let is = |register: &&str| known(register) == Some(Holds::Addr(batch));
            (is(a) || is(b)).then_some(Holds::Batch)
        }
        ("mr", [_, from]) => known(from),
        // A store or a comparison changes no register.
        (op, _) if op.starts_with("st") || op.starts_with("cmp") || op.starts_with('b') => return,
        _ => None,
    };
    let Some(to) = operands.first() else { return };
    match now {
        Some(now) => holds.insert(to, now),
        None => holds.remove(to),
    };
}

/// A decimal number, behind which objdump may name what it leads to.
fn number(text: &str) -> Option<i64> {
    text.split_whitespace().next()?.parse().ok()
}

fn plus(addr: u64, n: i64) -> u64 {
    addr.wrapping_add_signed(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_store() {
        // The TOC is at c000000001008000, the batch 0x10010 behind it.
        let text = "c000000001018010 D ppc64_tlb_batch\n\
                    c000000001000000 <entry>:\n\
                    c000000001000000:	addis   r2,r12,1\n\
                    c000000001000004:	addi    r2,r2,-32768\n\
                    c000000001001000 <zap>:\n\
                    c000000001001000:	addis   r9,r2,1\n\
                    c000000001001004:	addi    r9,r9,16\n\
                    c000000001001008:	ld      r10,48(r13)\n\
                    c00000000100100c:	li      r8,1\n\
                    c000000001001010:	stwx    r8,r9,r10\n\
                    c000000001001014:	add     r9,r9,r10\n\
                    c000000001001018:	mr      r31,r9\n\
                    c00000000100101c:	stw     r7,0(r31)\n\
                    c000000001001020:	stw     r7,8(r31)\n\
                    c000000001001024:	ld      r31,0(r1)\n\
                    c000000001001028:	stw     r7,0(r31)\n";
        let symbols = Symbols::parse(text).unwrap();
        let probes = stores(&symbols).unwrap();
        let found: Vec<_> = probes.iter().map(|one| (&*one.event, &*one.at, &*one.reads)).collect();
        let [first, second] = [("zap+16", "new=%gpr8:u32"), ("zap+28", "new=%gpr7:u32")];
        assert_eq!(found, [("act1_zap", first.0, first.1), ("act2_zap", second.0, second.1)]);
        assert!(stores(&Symbols::parse("c000000001000000 T entry\n").unwrap()).is_none());
    }
}
