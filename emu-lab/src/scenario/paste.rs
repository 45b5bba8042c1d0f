//! What people paste: C calls, comment blocks and patches of mails, the lab's own tree, the text
//! of the `function_graph` tracer. Each line becomes the line of a scenario that it means.
//!
//! ```
//! use emu_lab::scenario::parse;
//! let plain = parse("enable\nset_pte_at 0x7f0000000000\ndisable")?;
//! let c = "lazy_mmu_mode_enable();\n+set_pte_at(mm, addr, ptep, pte);\n * disable";
//! let c = parse(c)?;
//! assert_eq!(c.steps, plain.steps);
//! assert_eq!(c.notes, ["addr is 0x7f0000000000"]);
//! # Ok::<(), emu_input::InputError>(())
//! ```

use std::borrow::Cow;

use super::line::unquote;
use super::words;

/// The address of the first name, and what lies between two.
const FIRST: u64 = 0x7f00_0000_0000;
const PAGE: u64 = 0x1000;
/// What the calls were called up to v6.19.
const OLD_NAMES: [(&str, &str); 2] = [
    ("arch_enter_lazy_mmu_mode", "lazy_mmu_mode_enable"),
    ("arch_leave_lazy_mmu_mode", "lazy_mmu_mode_disable"),
];
/// The primitives whose C form has the address second, behind the address space.
const SECOND: [&str; 7] = [
    "set_pte_at",
    "set_ptes",
    "ptep_get_and_clear",
    "pte_clear",
    "ptep_set_wrprotect",
    "wrprotect_ptes",
    "flush_tlb_range",
];
/// Those whose C form has a pointer to the entry first.
const FIRST_IS_ENTRY: [&str; 3] = ["set_pte", "ptep_get", "ptep_get_lockless"];

/// A text as a scenario has it, and what was decided about it, a sentence each.
pub(super) struct Pasted<'t> {
    pub(super) text: Cow<'t, str>,
    pub(super) notes: Vec<String>,
}

/// Turns what was pasted into lines of a scenario; a text that is one stays as it is.
pub(super) fn pasted(text: &str) -> Pasted<'_> {
    let graph = text.starts_with("# tracer: function_graph");
    let end = text.lines().position(ends_tree);
    // What stands to the right of every arrow is no call.
    let arrows = text.lines().take(end.unwrap_or(0)).filter_map(|line| line.find(" -> "));
    let arrow = arrows.min().unwrap_or(usize::MAX);
    let mut names = Names::default();
    let mut changed = false;
    let mut lines = String::new();
    for (index, line) in text.lines().enumerate() {
        let read = match end {
            _ if graph => Some(graph_line(line)),
            Some(end) => Some(if index < end { tree_line(line, arrow) } else { String::new() }),
            None => names.line(line),
        };
        changed |= read.is_some();
        lines += read.as_deref().unwrap_or(line);
        lines.push('\n');
    }
    if !changed {
        return Pasted { text: Cow::Borrowed(text), notes: Vec::new() };
    }
    Pasted { text: Cow::Owned(lines), notes: names.notes }
}

/// Tells whether the line is the last of a tree: what is left.
fn ends_tree(line: &str) -> bool {
    let state = line.split_once(", ").filter(|(state, _)| state.contains('='));
    state.is_some_and(|(_, left)| {
        left.starts_with("nothing pending") || left.starts_with("pending: ")
    })
}

/// The call of a line of the lab's tree; none where the line has effects alone, or a call goes on.
fn tree_line(line: &str, arrow: usize) -> String {
    let call = line.split_once(" -> ").map_or(line, |(call, _)| call);
    let call = call.split_once(')').map_or("", |(call, _)| call);
    let (who, call) = match call.trim_start().split_once("  ") {
        Some((who, call)) if who.len() == 3 => (who, call.trim_start()),
        _ => ("", call.trim_start()),
    };
    let name = call.split('(').next().unwrap_or_default();
    let indent = line.len() - line.trim_start().len();
    if words::find(name).is_none() || indent > arrow || call.starts_with("...") {
        return String::new();
    }
    let task =
        who.split(' ').nth(1).filter(|task| task.starts_with(|c: char| c.is_ascii_uppercase()));
    let cpu = who.split(' ').next().unwrap_or("0");
    let who = task.map_or(String::new(), |task| format!("{task}@cpu{cpu}: "));
    format!("{who}{})", call.replace("nr=", ""))
}

/// The call of a line of the tracer, if it is one of a scenario.
fn graph_line(line: &str) -> String {
    let Some((place, call)) = line.split_once('|') else { return String::new() };
    let call = call.trim_start();
    let Some((name, args)) = call.split_once('(') else { return String::new() };
    if words::find(name).is_none() || call.contains("by arch code") {
        return String::new();
    }
    let (cpu, comm) = place.split_once(')').unwrap_or(("0", ""));
    let task = comm.trim().chars().next().filter(char::is_ascii_uppercase);
    let who = task.map_or(String::new(), |task| format!("{task}@cpu{}: ", cpu.trim()));
    let field = |key: &str| {
        let field = args.split([',', ')']).map(str::trim).find_map(|arg| arg.strip_prefix(key));
        field.map(str::to_owned)
    };
    let Some(addr) = field("addr=") else { return format!("{who}{name}") };
    let nr = field("nr=").filter(|nr| nr != "1").map_or(String::new(), |nr| format!(" {nr}"));
    let mm = field("mm=")
        .filter(|mm| mm.parse::<u8>().is_ok_and(|mm| mm > 1))
        .map_or(String::new(), |mm| format!(" mm={mm}"));
    format!("{who}{name} {addr}{nr}{mm}")
}

/// The names that stand for addresses, in the order in which they came.
#[derive(Default)]
struct Names {
    names: Vec<String>,
    notes: Vec<String>,
}

impl Names {
    /// The line without the marks of a comment or a patch, and with addresses for names; nothing
    /// where it has neither.
    fn line(&mut self, line: &str) -> Option<String> {
        let code = unquote(line);
        let bare = code.strip_prefix('+').or(code.strip_prefix("* ")).unwrap_or(code).trim();
        let bare = if matches!(bare, "/*" | "*/" | "*" | "/**") { "" } else { bare };
        let name = bare.split(['(', ' ', ';']).next().unwrap_or_default();
        let old = OLD_NAMES.iter().find(|(old, _)| *old == name);
        if let Some((old, new)) = old {
            self.note(format!("{old}() is {new}(), its name from v7.0 on"));
            return Some(bare.replacen(old, new, 1));
        }
        self.call(name, bare).or_else(|| (bare.len() < code.trim().len()).then(|| bare.to_owned()))
    }

    /// A C call with an address in the place of its names.
    fn call(&mut self, name: &str, code: &str) -> Option<String> {
        let args = code.strip_prefix(name)?.trim_start().strip_prefix('(')?;
        let args = args.trim_end_matches(';').trim_end().strip_suffix(')')?;
        let args: Vec<&str> = args.split(',').map(str::trim).collect();
        let at = match () {
            () if SECOND.contains(&name) && args.len() >= 3 => 1,
            () if FIRST_IS_ENTRY.contains(&name) => 0,
            () => return None,
        };
        let named =
            args.get(at).filter(|arg| arg.starts_with(|c: char| c.is_ascii_alphabetic()))?;
        let known = self.names.iter().position(|known| known == named);
        let at = known.unwrap_or_else(|| {
            self.names.push((*named).to_owned());
            self.names.len() - 1
        });
        let addr = FIRST + at as u64 * PAGE;
        self.note(format!("{named} is {addr:#x}"));
        let many =
            name.ends_with("ptes").then(|| args.last().and_then(|nr| nr.parse::<u16>().ok()));
        let nr = many.map_or(String::new(), |nr| format!(" {}", nr.unwrap_or(1)));
        Some(format!("{name} {addr:#x}{nr}"))
    }

    /// Says something once.
    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Setup, parse, run};
    use emu_arch::Arch;

    /// Checks that `text` has the steps of `plain`.
    #[track_caller]
    fn check_pasted(text: &str, plain: &str) {
        let steps = |text: &str| {
            let scenario = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            scenario.steps.iter().map(|line| line.step.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(steps(text), steps(plain), "{text}");
    }

    #[test]
    fn marks_of_mails_and_patches() {
        check_pasted("/*\n * enable\n *\n * disable\n */\n", "enable\ndisable");
        check_pasted(
            "> +\tlazy_mmu_mode_enable();\n> +\tlazy_mmu_mode_disable();\n",
            "enable\ndisable",
        );
    }

    #[test]
    fn names_are_addresses_each_said_once() {
        let text = "arch_enter_lazy_mmu_mode();\nset_pte_at(mm, addr, ptep, pte);\n\
                    set_pte_at(mm, addr + PAGE_SIZE, ptep + 1, pte);\nptep_get(ptep);\n\
                    set_ptes(mm, addr, ptep, pte, 4);\narch_leave_lazy_mmu_mode();\n";
        let plain = "enable\nset_pte_at 0x7f0000000000\nset_pte_at 0x7f0000001000\n\
                     ptep_get 0x7f0000002000\nset_ptes 0x7f0000000000 4\ndisable";
        check_pasted(text, plain);
        assert_eq!(parse(text).unwrap().notes.len(), 5);
    }

    #[test]
    fn the_tree_of_a_run_is_a_scenario() {
        let plain = "enable\nset_pte_at 0xffff800008000000\nset_ptes 0xffff800008001000 2\n\
                     pause\nset_pte_at 0xffff800008004000\nresume\ndisable";
        for arch in [Arch::NAIVE, Arch::ARM64, Arch::XEN_PV] {
            let outcome = run(&parse(plain).unwrap(), Setup { arch, ..Setup::default() });
            check_pasted(&outcome.record.to_string(), plain);
        }
    }
}
