//! The words of the scenario language, each listed once.

use emu_arch::EFFECTS;
use emu_arch::hw::hazard::Hazard;
use lazy_mmu::design::Call;
use lazy_mmu::sched;
use lazy_mmu::trace::PteOp;

use super::{ContextChange, Expect};

/// What a word at the beginning of a line names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    Call(Call),
    Context(ContextChange),
    Pte(PteOp),
    Map,
    Expect,
    Task,
    Lock,
    WithPtes,
}

/// The calls by their short names; the kernel's names work too.
pub(super) const CALLS: [(&str, Call); 4] = [
    ("enable", Call::Enable),
    ("disable", Call::Disable),
    ("pause", Call::Pause),
    ("resume", Call::Resume),
];

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
/// An enable with a range hint: an address and a number of pages.
const WITH_PTES: [&str; 2] = ["enable_with_ptes", "lazy_mmu_mode_enable_with_ptes"];
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
    let call = CALLS.iter().find(|(short, call)| *short == name || call.name() == name);
    let context = || CONTEXT_CHANGES.iter().find(|change| change.name == name);
    let pte = || PteOp::ALL.into_iter().find(|op| op.name() == name);
    call.map(|(_, call)| Word::Call(*call))
        .or_else(|| context().map(|change| Word::Context(*change)))
        .or_else(|| pte().map(Word::Pte))
        .or_else(|| WITH_PTES.contains(&name).then_some(Word::WithPtes))
        .or_else(|| (name == MAP).then_some(Word::Map))
        .or_else(|| (name == EXPECT).then_some(Word::Expect))
        .or_else(|| TASK.contains(&name).then_some(Word::Task))
        .or_else(|| LOCK.contains(&name).then_some(Word::Lock))
}

/// Every word that may begin a line: short names, kernel names, primitives, context changes.
pub fn words() -> impl Iterator<Item = &'static str> {
    let calls = CALLS.iter().map(|(short, _)| *short);
    let kernel = Call::ALL.into_iter().map(Call::name);
    let context = CONTEXT_CHANGES.iter().map(|change| change.name);
    calls
        .chain(kernel)
        .chain(WITH_PTES)
        .chain([MAP, EXPECT])
        .chain(TASK)
        .chain(LOCK)
        .chain(PteOp::ALL.map(PteOp::name))
        .chain(context)
}
