//! The API design of a tree: `struct lazy_mmu_state`, the calls of include/linux/pgtable.h and what
//! include/linux/sched.h says of them, as a [`Design`] that goes wherever a design does.

mod ask;
mod code;
mod unit;

use std::collections::BTreeSet;

use lazy_mmu::design::{self, Call, CallInfo, Description, Design, Hook, HookInfo, Takes, direct};

use crate::cut::{Cut, Definition, File};
use crate::error::Error;
use crate::guest::{self, Guest};
use crate::shims::{DESIGN, KERNEL};
use crate::tree::Tree;
use code::Code;
use unit::{IS_ACTIVE, Unit};

/// The files that a design may stand in: those of what others use first.
pub(crate) const FILES: [&str; 5] = [
    "include/linux/mm_types_task.h",
    "include/linux/mm_types.h",
    "include/linux/sched.h",
    "include/linux/mm.h",
    "include/linux/pgtable.h",
];

/// What needs a design.
const FEATURE: &str = "the design of --tree (run, compare, check, prove, kunit)";

/// The design of a tree.
#[derive(Clone, Copy, Debug)]
pub enum TreeDesign {
    /// The tree's own code.
    Own(Design),
    /// The tree has the hooks alone, as before v7.0: callers call the architecture, as in `direct`.
    HooksAlone(Design),
}

impl TreeDesign {
    /// The design.
    #[must_use]
    pub const fn design(self) -> Design {
        match self {
            Self::Own(design) | Self::HooksAlone(design) => design,
        }
    }
}

/// Takes the design of `tree`, under the name `id`, and registers it.
///
/// # Errors
/// The tree has no lazy MMU mode, or one that is cut into pieces which the shims do not know; the
/// code does not compile; the id is taken.
pub fn of_tree(tree: &Tree, id: &str) -> Result<TreeDesign, Error> {
    let mut files = Vec::new();
    for path in FILES {
        files.extend(File::open(tree, path)?);
    }
    if files.iter().all(|file| file.path != "include/linux/pgtable.h") {
        return Err(tree.error("no kernel tree: it has no include/linux/pgtable.h"));
    }
    let mut cut = Cut::new(&files, &[DESIGN, KERNEL]);
    let Some(unit) = unit(tree, &files, &mut cut)? else {
        return Ok(TreeDesign::HooksAlone(Design::of::<direct::State>()));
    };
    let what = format!("the design of {}", tree.name());
    let program = guest::build(&what, &unit.text(&cut.emit()))?;
    let description = Description {
        id: id.to_owned().leak(),
        about: format!("the C of {}", tree.name()).leak(),
        source: tree.name().leak(),
        calls: unit.calls.clone().leak(),
        hooks: unit.hooks.clone().leak(),
    };
    let design = Design::made(description, Code::new(what, unit, Guest::start(&program)?));
    design::register(design).map_err(|why| tree.error(why))?;
    Ok(TreeDesign::Own(design))
}

/// The names of the definitions that the design of `tree` consists of; none where it has no code of
/// its own.
pub(crate) fn parts(tree: &Tree) -> Result<BTreeSet<String>, Error> {
    let mut files = Vec::new();
    for path in FILES {
        files.extend(File::open(tree, path)?);
    }
    let mut cut = Cut::new(&files, &[KERNEL, DESIGN]);
    unit(tree, &files, &mut cut)?;
    Ok(cut.taken())
}

/// What the guest of a design consists of; none where the tree has the hooks alone.
fn unit(tree: &Tree, files: &[File], cut: &mut Cut<'_>) -> Result<Option<Unit>, Error> {
    if cut.find("lazy_mmu_mode_enable").next().is_none() {
        let names = ["arch_enter_lazy_mmu_mode", "__HAVE_ARCH_ENTER_LAZY_MMU_MODE"];
        let has = |name: &str| files.iter().any(|file| file.text.contains(name));
        return match names.iter().any(|name| has(name)) {
            true => Ok(None),
            false => Err(tree.error(
                "no lazy MMU mode: include/linux/pgtable.h has neither lazy_mmu_mode_enable() nor \
                 arch_enter_lazy_mmu_mode()",
            )),
        };
    }
    let hooks = hooks(files);
    for hook in &hooks {
        cut.provide(hook.name);
    }
    // What the shims have, in parts.
    for name in ["task_struct", "mm_struct", "vm_area_struct"] {
        cut.provide(name);
    }
    let state = "lazy_mmu_state";
    cut.need(tree, state, FEATURE)?;
    let mut calls = CallInfo::KERNEL.to_vec();
    for info in &CallInfo::KERNEL {
        cut.need(tree, info.name, FEATURE)?;
    }
    cut.need(tree, IS_ACTIVE, FEATURE)?;
    let mut parameters = vec![0; calls.len()];
    for (name, found) in others(files) {
        cut.take(name);
        parameters.push(found.parameters.len());
        calls.push(own_call(name, found));
    }
    let member = files.iter().find_map(|file| member(&file.text)).ok_or_else(|| {
        tree.error(format!(
            "no member of type struct {state} in include/linux/sched.h; {FEATURE} needs it"
        ))
    })?;
    let (_, _, definition) = cut.find(state).next().expect("it was needed above");
    let fields = unit::fields(files, definition);
    if fields.is_empty() || fields.len() > 8 {
        let why = format!("struct {state} has {} fields, expected 1 to 8", fields.len());
        return Err(tree.error(why));
    }
    Ok(Some(Unit { calls, parameters, hooks, fields, member }))
}

/// The hooks that the files name: the three of the kernel, then others of the kind.
fn hooks(files: &[File]) -> Vec<HookInfo> {
    let mut hooks = HookInfo::KERNEL.to_vec();
    let used = files
        .iter()
        .flat_map(|file| &file.definitions)
        .filter(|found| found.names.iter().any(|name| is_call(name)));
    let names: BTreeSet<&str> =
        used.flat_map(|found| found.uses.iter().map(String::as_str)).collect();
    for name in names {
        if !name.starts_with("arch_") || !name.contains("_lazy_mmu_mode") || name.contains("wants")
        {
            continue;
        }
        let hook = Hook::named(name);
        if hooks.iter().all(|known| known.hook != hook) {
            hooks.push(hook.info().copied().unwrap_or_else(|| own_hook(name)));
        }
    }
    hooks
}

/// A hook that no design of the lab has: a variant of the kernel's whose name it begins with.
fn own_hook(name: &str) -> HookInfo {
    let name: &'static str = name.to_owned().leak();
    let short: &'static str = format!("{}()", name.replacen("_lazy_mmu_mode", "", 1)).leak();
    let kernel = HookInfo::KERNEL.iter().find(|kernel| name.starts_with(kernel.name));
    kernel.map_or(HookInfo::new(name, short), |kernel| kernel.variant(name, short))
}

fn is_call(name: &str) -> bool {
    name.starts_with("lazy_mmu_mode_") || name.starts_with("__task_lazy_mmu_mode_")
}

/// The calls beside those of the kernel, each once, in the order of the files.
fn others(files: &[File]) -> Vec<(&str, &Definition)> {
    let mut found: Vec<(&str, &Definition)> = Vec::new();
    let all = files.iter().flat_map(|file| &file.definitions);
    for definition in all.filter(|found| found.kind == crate::cut::Kind::Function) {
        for name in definition.names.iter().filter(|name| is_call(name)) {
            let call = Call::named(name);
            let known = found.iter().any(|(known, _)| known == name);
            if !known && !Call::KERNEL.contains(&call) && !name.ends_with("_active") {
                found.push((name, definition));
            }
        }
    }
    found
}

/// What a call beside those of the kernel is: as a design of the lab has it; else by its name a
/// variant of the kernel's, and by its parameters with pages or without.
fn own_call(name: &str, found: &Definition) -> CallInfo {
    if let Some(info) = Call::named(name).info() {
        return *info;
    }
    let name: &'static str = name.to_owned().leak();
    let by_arch = name.starts_with("__task_");
    let short = if by_arch { format!("{name}()") } else { name.replacen("lazy_mmu_mode_", "", 1) };
    let short: &'static str = short.leak();
    let rest = name.replacen("__task_", "", 1);
    let kernel = CallInfo::KERNEL.iter().find(|kernel| rest.starts_with(kernel.name));
    let info = kernel.map_or(CallInfo::new(name, short), |kernel| kernel.variant(name, short));
    let pages = found.parameters.iter().any(|parameter| parameter.contains("pte_t"));
    let takes = if pages { Takes::PteRange } else { Takes::Nothing };
    let info = info.taking(takes);
    if by_arch { info.by_arch() } else { info }
}

/// The member of `struct task_struct` that holds the state.
fn member(text: &str) -> Option<String> {
    let at = text.find("struct lazy_mmu_state\t").or_else(|| {
        text.match_indices("struct lazy_mmu_state ").map(|(at, _)| at).find(|at| {
            let rest = text[*at..].trim_start_matches("struct lazy_mmu_state").trim_start();
            rest.starts_with(|c: char| c.is_ascii_alphabetic())
                && rest.split_once(';').is_some_and(|(name, _)| {
                    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                })
        })
    })?;
    let rest = text[at + "struct lazy_mmu_state".len()..].trim_start();
    let (name, _) = rest.split_once(';')?;
    Some(name.trim().to_owned())
}
