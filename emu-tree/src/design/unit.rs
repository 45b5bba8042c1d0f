//! The translation unit of a design's guest: our shims around what was cut.

use std::fmt::Write;

use lazy_mmu::design::{CallInfo, HookInfo};

use crate::cut::{Definition, Emitted, File, members};
use crate::shims::{DESIGN, KERNEL};

/// The predicate that arch code asks.
pub(super) const IS_ACTIVE: &str = "is_lazy_mmu_mode_active";

/// What is generated for the design of one tree.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) calls: Vec<CallInfo>,
    /// How many parameters each call has.
    pub(super) parameters: Vec<usize>,
    pub(super) hooks: Vec<HookInfo>,
    pub(super) fields: Vec<FieldInfo>,
    /// The member of `struct task_struct` that holds the state.
    pub(super) member: String,
}

/// A field of `struct lazy_mmu_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldInfo {
    pub(super) name: &'static str,
    pub(super) short: &'static str,
    pub(super) is_flag: bool,
}

impl Unit {
    /// The unit with `cut` in it.
    pub(super) fn text(&self, cut: &Emitted) -> String {
        let mut text = format!("#line 1 \"kernel.h\"\n{KERNEL}\n#line 1 \"lazymmu\"\n");
        text += "static u8 lz_irq;\nvoid lz_hook(u8 hook);\n";
        text +=
            "#define in_interrupt() (lz_point(), lz_irq)\n#define in_task() (!in_interrupt())\n";
        text += "#define arch_wants_lazy_mmu_mode() 1\n";
        for (at, hook) in self.hooks.iter().enumerate() {
            let _ = writeln!(text, "#define {}(...) lz_hook({at})", hook.name);
        }
        let member = &self.member;
        text += &cut.types;
        let _ = writeln!(
            text,
            "#line 1 \"lazymmu\"\nstruct task_struct {{ struct lazy_mmu_state {member}; }};\n\
             static struct task_struct lz_task;\n#define current (&lz_task)\n\
             _Static_assert(sizeof(struct lazy_mmu_state) <= 8, \
             \"struct lazy_mmu_state has more than the 8 bytes that lazymmu keeps of a task\");"
        );
        text += &cut.functions;
        text + &self.driver()
    }

    /// The tables that the shim works with, and the shim.
    fn driver(&self) -> String {
        let mut text = String::from("#line 1 \"lazymmu\"\n");
        for (at, (info, parameters)) in self.calls.iter().zip(&self.parameters).enumerate() {
            let zeros = vec!["0"; *parameters].join(", ");
            let arguments = if info.name.starts_with("__task_") { "current" } else { &zeros };
            let _ =
                writeln!(text, "static void lz_call_{at}(void) {{ {}({arguments}); }}", info.name);
        }
        for (at, field) in self.fields.iter().enumerate() {
            let name = field.name;
            let _ = writeln!(
                text,
                "static s64 lz_field_{at}(struct lazy_mmu_state *state) {{ return state->{name}; }}"
            );
        }
        let list = |name: &str, count: usize| {
            (0..count).map(|at| format!("lz_{name}_{at}")).collect::<Vec<_>>().join(", ")
        };
        let (calls, fields) = (self.calls.len(), self.fields.len());
        let _ = writeln!(
            text,
            "#define LZ_CALLS {calls}\n#define LZ_FIELDS {fields}\n#define LZ_MEMBER {}\n\
             #define lz_is_active() {IS_ACTIVE}()\n\
             static void (*const lz_calls[])(void) = {{ {} }};\n\
             static s64 (*const lz_fields[])(struct lazy_mmu_state *) = {{ {} }};\n\
             #line 1 \"design.c\"\n{DESIGN}",
            self.member,
            list("call", calls),
            list("field", fields),
        );
        text
    }
}

/// The fields of the structure that `definition` is, in their order.
pub(super) fn fields(files: &[File], definition: &Definition) -> Vec<FieldInfo> {
    let same = |other: &Definition| std::ptr::eq(other, definition);
    let file = files.iter().find(|file| file.definitions.iter().any(same));
    let text = file.map_or("", |file| &file.text[definition.bytes.clone()]);
    let members = members(text);
    let names: Vec<&'static str> = members.iter().map(|(name, _)| &*name.clone().leak()).collect();
    let short = |name: &'static str| {
        let short = name.strip_suffix("_count").filter(|short| !short.is_empty());
        let taken = |short: &str| names.contains(&short);
        short.filter(|short| !taken(short)).unwrap_or(name)
    };
    names
        .iter()
        .zip(&members)
        .map(|(name, (_, is_flag))| FieldInfo { name, short: short(name), is_flag: *is_flag })
        .collect()
}
