//! The words of the scenario language, each listed once.

use emu_arch::EFFECTS;
use emu_arch::hw::hazard::Hazard;
use lazy_mmu::design::{self, CallInfo};
use lazy_mmu::sched;
use lazy_mmu::trace::PteOp;

use super::{ContextChange, Expect};

/// What a word at the beginning of a line names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    Call(&'static CallInfo),
    Context(ContextChange),
    Pte(PteOp),
    Map,
    Expect,
    Task,
    Lock,
}

/// The calls that scenarios have, of every design, by short name or kernel name.
fn calls() -> impl Iterator<Item = &'static CallInfo> {
    design::calls().filter(|info| !info.by_arch)
}

macro_rules! context_changes {
    ($($name:ident)*) => {
        [$(ContextChange { name: stringify!($name), make: sched::$name }),*]
    };
}

const CONTEXT_CHANGES: [ContextChange; 10] = context_changes! {
    hardirq_enter hardirq_exit softirq_enter softirq_exit nmi_enter nmi_exit
    local_bh_disable local_bh_enable preempt_disable preempt_enable
};

/// The change of a task's context called `name`, if scenarios have it.
#[must_use]
pub fn context_change(name: &str) -> Option<ContextChange> {
    CONTEXT_CHANGES.into_iter().find(|change| change.name == name)
}

const MAP: &str = "map";
const EXPECT: &str = "expect";
/// What a task does to itself or to its CPU.
const TASK: [&str; 6] =
    ["run", "might_sleep", "schedule", "exit", "fork", "arch_flush_lazy_mmu_mode"];
/// Locks taken and released.
const LOCK: [&str; 4] = ["spin_lock", "spin_unlock", "mutex_lock", "mutex_unlock"];

/// What a scenario can claim, by the words after `expect`.
///
/// The hazard here stands for any: its name follows.
pub(super) const EXPECTATIONS: [(&str, Expect); 4] = [
    ("active", Expect::Active(true)),
    ("inactive", Expect::Active(false)),
    ("hazard", Expect::Hazard(Hazard::StaleRead)),
    ("none", Expect::None),
];

/// The name of the effect that `word` names, with its arguments or without.
pub(super) fn effect(word: &str) -> Option<&'static str> {
    let names = || EFFECTS.into_iter().map(|effect| effect.name);
    let bare = |name: &&str| name.split('(').next() == Some(word);
    names().find(|name| *name == word).or_else(|| names().find(bare))
}

/// The effects that a scenario can count, as it may write them in short.
pub(super) fn effects() -> impl Iterator<Item = &'static str> {
    EFFECTS.into_iter().filter_map(|effect| effect.name.split('(').next())
}

/// Finds what `name` names.
pub(super) fn find(name: &str) -> Option<Word> {
    let call = || calls().find(|info| info.short == name || info.name == name);
    let context = || CONTEXT_CHANGES.iter().find(|change| change.name == name);
    let pte = || PteOp::ALL.into_iter().find(|op| op.name() == name);
    context()
        .map(|change| Word::Context(*change))
        .or_else(|| pte().map(Word::Pte))
        .or_else(|| (name == MAP).then_some(Word::Map))
        .or_else(|| (name == EXPECT).then_some(Word::Expect))
        .or_else(|| TASK.contains(&name).then_some(Word::Task))
        .or_else(|| LOCK.contains(&name).then_some(Word::Lock))
        .or_else(|| call().map(Word::Call))
}

/// Every word that may begin a line: short names, kernel names, primitives, context changes.
pub fn words() -> impl Iterator<Item = &'static str> {
    let kernel = || CallInfo::KERNEL.iter();
    let own = calls().skip(kernel().count());
    let own = own.flat_map(|info| [info.short, info.name]);
    let context = CONTEXT_CHANGES.iter().map(|change| change.name);
    kernel()
        .map(|info| info.short)
        .chain(kernel().map(|info| info.name))
        .chain(own)
        .chain([MAP, EXPECT])
        .chain(TASK)
        .chain(LOCK)
        .chain(PteOp::ALL.map(PteOp::name))
        .chain(context)
}
