//! What is known of a kernel's binary: offsets of fields, functions, instructions.
//!
//! One text with any of these, one after the other: `pahole -C task_struct`, the lines of `bpftool
//! btf dump`, `/proc/kallsyms` or `nm`, and `objdump -d --no-show-raw-insn`.

use std::collections::BTreeMap;

use emu_input::InputError;

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Insn<'t> {
    /// Its address.
    pub(crate) addr: u64,
    /// The function that it belongs to.
    pub(crate) function: &'t str,
    /// How many bytes it lies behind the function's entry.
    pub(crate) offset: u64,
    /// What it does.
    pub(crate) op: &'t str,
    /// What it does it to.
    pub(crate) operands: &'t str,
}

/// What is known of a binary.
#[derive(Clone, Debug, Default)]
pub struct Symbols<'t> {
    /// The offset of each field that is asked for.
    fields: BTreeMap<&'t str, u64>,
    /// Functions by address.
    functions: BTreeMap<u64, &'t str>,
    /// Addresses of variables that are asked for.
    data: BTreeMap<&'t str, u64>,
    insns: Vec<Insn<'t>>,
}

impl<'t> Symbols<'t> {
    /// Reads the text.
    ///
    /// # Errors
    /// Nothing in it is known.
    pub fn parse(text: &'t str) -> Result<Self, InputError> {
        let mut symbols = Self::default();
        let mut raw: Vec<(u64, &str, &str)> = Vec::new();
        for line in text.lines() {
            if let Some((field, offset)) = field(line) {
                symbols.fields.entry(field).or_insert(offset);
            } else if let Some((addr, name)) = function(line) {
                symbols.functions.insert(addr, name);
            } else if let Some((addr, name)) = variable(line) {
                symbols.data.insert(name, addr);
            } else if let Some(insn) = insn(line) {
                raw.push(insn);
            }
        }
        if symbols.fields.is_empty() && symbols.functions.is_empty() {
            let line = text.lines().next().unwrap_or("");
            let message =
                "expected the text of pahole, bpftool btf dump, kallsyms, nm or objdump -d";
            return Err(InputError::at(1, line, line.trim(), message));
        }
        let insn = |(addr, op, operands)| {
            let (start, function) = symbols.functions.range(..=addr).next_back()?;
            Some(Insn { addr, function, offset: addr - start, op, operands })
        };
        symbols.insns = raw.into_iter().filter_map(insn).collect();
        Ok(symbols)
    }

    /// The offset of the field called `name`.
    pub(crate) fn field(&self, name: &str) -> Option<u64> {
        self.fields.get(name).copied()
    }

    /// The address of the variable called `name`.
    pub(crate) fn data(&self, name: &str) -> Option<u64> {
        self.data.get(name).copied()
    }

    /// Whether the kernel has the function, as far as is known.
    pub(crate) fn may_have(&self, function: &str) -> bool {
        self.functions.is_empty() || self.functions.values().any(|name| *name == function)
    }

    /// The instructions.
    pub(crate) fn insns(&self) -> &[Insn<'t>] {
        &self.insns
    }

    /// The functions, by address.
    pub(crate) fn functions(&self) -> impl Iterator<Item = (u64, &'t str)> {
        self.functions.iter().map(|(addr, name)| (*addr, *name))
    }
}

/// The fields that are asked for.
const FIELDS: [&str; 2] = ["lazy_mmu_state", "__current"];

/// `... NAME; /* OFFSET SIZE */` of pahole, or `'NAME' type_id=N bits_offset=N` of bpftool.
fn field(line: &str) -> Option<(&'static str, u64)> {
    let name = FIELDS
        .into_iter()
        .find(|name| line.contains(&format!("{name};")) || line.contains(&format!("'{name}' ")))?;
    if let Some((_, bits)) = line.split_once("bits_offset=") {
        let bits: u64 = bits.split(' ').next()?.trim().parse().ok()?;
        return Some((name, bits / 8));
    }
    let (_, comment) = line.split_once("/*")?;
    Some((name, comment.split_whitespace().next()?.parse().ok()?))
}

/// `ADDRESS <NAME>:` of objdump, or `ADDRESS T NAME` of kallsyms.
fn function(line: &str) -> Option<(u64, &str)> {
    let (addr, rest) = line.split_once(' ')?;
    let addr = u64::from_str_radix(addr, 16).ok()?;
    if let Some(name) = rest.strip_prefix('<') {
        return name.strip_suffix(">:").map(|name| (addr, name));
    }
    let (kind, name) = rest.split_once(' ')?;
    let plain = !name.starts_with(['$', '.']) && !name.contains('[');
    (matches!(kind, "t" | "T" | "W" | "w") && plain).then_some((addr, name.trim()))
}

/// The variables that are asked for.
const DATA: [&str; 1] = ["ppc64_tlb_batch"];

/// `ADDRESS D NAME` of kallsyms.
fn variable(line: &str) -> Option<(u64, &str)> {
    let mut words = line.split_whitespace();
    let addr = u64::from_str_radix(words.next()?, 16).ok()?;
    let kind = words.next().filter(|kind| kind.len() == 1);
    let name = words.next().filter(|name| kind.is_some() && DATA.contains(name))?;
    Some((addr, name))
}

/// `  ADDRESS:\tOP OPERANDS` of objdump.
fn insn(line: &str) -> Option<(u64, &str, &str)> {
    let (addr, rest) = line.trim_start().split_once(':')?;
    let addr = u64::from_str_radix(addr, 16).ok()?;
    // Raw bytes of the instruction may stand before it, behind a tab.
    let rest = rest.trim();
    let rest = rest.rsplit_once("\t\t").map_or(rest, |(_, rest)| rest);
    let (op, operands) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    // A comment: `# ADDRESS` on x86, `// ...` on arm64, where `#` begins a number.
    let operands = operands.split(" # ").next().unwrap_or("");
    let operands = operands.split("//").next().unwrap_or("");
    (!op.is_empty()).then_some((addr, op.trim(), operands.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_program_prints() {
        let text = "	struct lazy_mmu_state      lazy_mmu_state;       /*  3944     2 */\n\
                    	'__current' type_id=9 bits_offset=2368\n\
                    ffffffff81000000 T start\n\
                    ffffffff81000100 <change>:\n\
                    ffffffff81000104:	movb   %al,0xf68(%rbx)\n";
        let symbols = Symbols::parse(text).unwrap();
        assert_eq!(symbols.field("lazy_mmu_state"), Some(3944));
        assert_eq!(symbols.field("__current"), Some(296));
        let insn = &symbols.insns()[0];
        assert_eq!((insn.function, insn.offset, insn.op), ("change", 4, "movb"));
        assert!(symbols.may_have("start") && !symbols.may_have("other"));
        assert!(Symbols::parse("hello").is_err());
    }
}
