//! The words of the scenario language: those of the kernel's steps, each listed where it is
//! defined, and the few that only scenarios have.

use emu_arch::backend::Psize;
use emu_arch::effects;
use emu_arch::hazard::Hazard;
use emu_arch::kernel::{ContextOp, Lock, LockOp, Prot, TaskOp};
use lazy_mmu::design::{self, CallInfo};
use lazy_mmu::trace::PteOp;

use super::value::Expect;

/// What a word at the beginning of a line names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    Call(&'static CallInfo),
    Context(ContextOp),
    Pte(PteOp),
    Map,
    Expect,
    Task(TaskOp),
    Fork,
    Spin(LockOp),
    Mutex(LockOp),
}

/// The calls that scenarios have, of every design.
fn calls() -> impl Iterator<Item = &'static CallInfo> {
    design::calls().filter(|info| !info.by_arch)
}

/// What a scenario can claim, by the words after `expect`.
///
/// The hazard here stands for any: its name follows.
pub(super) const EXPECTATIONS: [(&str, Expect); 4] = [
    ("active", Expect::Active(true)),
    ("inactive", Expect::Active(false)),
    ("hazard", Expect::Hazard(Hazard::StaleRead)),
    ("none", Expect::None),
];

/// The permissions of an entry.
pub(super) const PROTS: [(&str, Prot); 4] =
    [("ro", Prot::ReadOnly), ("rw", Prot::ReadWrite), ("rx", Prot::ReadExec), ("none", Prot::None)];

/// The page sizes of a slice, after `psize=`.
pub(super) const PSIZES: [(&str, Psize); 3] =
    [("4k", Psize::Page4K), ("64k", Psize::Page64K), ("16m", Psize::Page16M)];

/// The name of the effect that `word` names, with its arguments or without.
pub(super) fn effect(word: &str) -> Option<&'static str> {
    let names: Vec<_> = effects().into_iter().map(|effect| effect.name).collect();
    let bare = |name: &&&str| name.split('(').next() == Some(word);
    names.iter().find(|name| **name == word).or_else(|| names.iter().find(bare)).copied()
}

/// The effects that a scenario can count, as it may write them in short.
pub(super) fn effect_names() -> impl Iterator<Item = &'static str> {
    effects().into_iter().filter_map(|effect| effect.name.split('(').next())
}

/// The change of a task's context called `name`, if scenarios have it: taking a spin lock is a word
/// of its own, which names the lock.
#[must_use]
pub fn context_change(name: &str) -> Option<ContextOp> {
    contexts().find(|op| op.name == name)
}

fn contexts() -> impl Iterator<Item = ContextOp> {
    ContextOp::all().filter(|op| !op.name.starts_with("spin_"))
}

/// Every word with what it names.
fn all() -> impl Iterator<Item = (&'static str, Word)> {
    let locks = [LockOp::Lock, LockOp::Unlock];
    let kernel = || CallInfo::KERNEL.iter();
    let own = calls().filter(move |info| !kernel().any(|known| known.call == info.call));
    let short = kernel().map(|info| (info.short, Word::Call(info)));
    short
        .chain(kernel().map(|info| (info.name, Word::Call(info))))
        .chain(own.flat_map(|info| [info.short, info.name].map(|name| (name, Word::Call(info)))))
        .chain([("map", Word::Map), ("expect", Word::Expect), ("fork", Word::Fork)])
        .chain(TaskOp::ALL.iter().map(|op| (op.name(), Word::Task(*op))))
        .chain(locks.map(|op| (op.name(Lock::InitMm), Word::Spin(op))))
        .chain(locks.map(|op| (op.name(Lock::Mutex), Word::Mutex(op))))
        .chain(PteOp::ALL.into_iter().map(|op| (op.name(), Word::Pte(op))))
        .chain(contexts().map(|op| (op.name, Word::Context(op))))
}

/// Finds what `name` names.
pub(super) fn find(name: &str) -> Option<Word> {
    all().find(|(known, _)| *known == name).map(|(_, word)| word)
}

/// Every word that may begin a line: short names, kernel names, primitives, context changes.
pub fn words() -> impl Iterator<Item = &'static str> {
    all().map(|(name, _)| name)
}
