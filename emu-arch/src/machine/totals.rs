//! How often what happened: effects by name, hooks by kind.

use lazy_mmu::design::Hook;

use crate::hw::effect::{ArchEffect, Kind};

/// How often each effect that costs time happened, and each hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// In the order of first appearance.
    effects: Vec<Total>,
    hooks: [u64; Hook::WITH_HINT.len()],
}

/// How often one effect happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// The effect's name.
    pub name: &'static str,
    /// What the effect is to someone who counts.
    pub kind: Kind,
    /// How often it happened, however many entries it had.
    pub times: u64,
}

impl Totals {
    /// Counts an effect. A loop over entries nearly always has one kind, which is looked for first.
    #[inline]
    pub(crate) fn add(&mut self, name: &'static str, kind: Kind) {
        match self.effects.first_mut().filter(|total| std::ptr::eq(total.name, name)) {
            Some(total) => total.times += 1,
            None => self.add_times(name, kind, 1),
        }
    }

    #[inline(never)]
    fn add_times(&mut self, name: &'static str, kind: Kind, times: u64) {
        // Names are literals, so that the address nearly always tells them apart.
        let same = |total: &&mut Total| std::ptr::eq(total.name, name) || total.name == name;
        match self.effects.iter_mut().find(same) {
            Some(total) => total.times += times,
            None => self.effects.push(Total { name, kind, times }),
        }
    }

    /// Counts a call of a hook.
    pub(crate) fn add_hook(&mut self, hook: Hook) {
        self.hooks[hook as usize] += 1;
    }

    /// How often `effect` happened, whatever its number.
    #[must_use]
    pub fn of(&self, effect: ArchEffect) -> u64 {
        self.times(effect.name)
    }

    /// How often the effect called `name` happened, whatever its number.
    #[must_use]
    pub fn times(&self, name: &str) -> u64 {
        self.effects.iter().find(|total| total.name == name).map_or(0, |total| total.times)
    }

    /// How often `hook` was called.
    #[must_use]
    pub const fn hook(&self, hook: Hook) -> u64 {
        self.hooks[hook as usize]
    }

    /// The effects that happened at all, in the order of first appearance.
    pub fn effects(&self) -> impl Iterator<Item = Total> + '_ {
        self.effects.iter().copied().filter(|total| total.times > 0)
    }

    /// How many effects happened that the mode can defer.
    #[must_use]
    pub fn delayable(&self) -> u64 {
        let delayable = self.effects.iter().filter(|total| total.kind == Kind::Delayable);
        delayable.map(|total| total.times).sum()
    }

    /// Tells whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.effects().next().is_none() && self.hooks.iter().all(|times| *times == 0)
    }

    /// What happened since `earlier`, which was taken from the same machine.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut since = self.clone();
        for total in &mut since.effects {
            total.times -= earlier.times(total.name);
        }
        for (hook, before) in since.hooks.iter_mut().zip(earlier.hooks) {
            *hook -= before;
        }
        since
    }

    /// What happened here and there.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        for total in &other.effects {
            sum.add_times(total.name, total.kind, total.times);
        }
        for (hook, more) in sum.hooks.iter_mut().zip(other.hooks) {
            *hook += more;
        }
        sum
    }
}
