//! How often what happened: effects by name, hooks by kind.

use lazy_mmu::design::{Hook, HookInfo};

use crate::hw::effect::{ArchEffect, Kind};

/// How often each effect that costs time happened, and each hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// In the order of first appearance.
    effects: Vec<Total>,
    /// Those of the kernel, in the order of [`HookInfo::KERNEL`].
    kernel_hooks: [u64; HookInfo::KERNEL.len()],
    /// Those of a design's own, in the order of first appearance.
    own_hooks: Vec<(&'static HookInfo, u64)>,
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
    pub(crate) fn add_hook(&mut self, hook: &'static HookInfo) {
        self.add_hooks(hook, 1);
    }

    fn add_hooks(&mut self, hook: &'static HookInfo, times: u64) {
        if let Some(at) = Hook::KERNEL.iter().position(|known| *known == hook.hook) {
            self.kernel_hooks[at] += times;
            return;
        }
        match self.own_hooks.iter_mut().find(|(known, _)| known.hook == hook.hook) {
            Some((_, total)) => *total += times,
            None => self.own_hooks.push((hook, times)),
        }
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
    pub fn hook(&self, hook: Hook) -> u64 {
        self.hooks().find(|(known, _)| known.hook == hook).map_or(0, |(_, times)| times)
    }

    /// The hooks that were called at all, and how often.
    pub fn hooks(&self) -> impl Iterator<Item = (&'static HookInfo, u64)> + '_ {
        let kernel = HookInfo::KERNEL.iter().zip(self.kernel_hooks);
        kernel.chain(self.own_hooks.iter().copied()).filter(|(_, times)| *times > 0)
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
        self.effects().next().is_none() && self.hooks().next().is_none()
    }

    /// What happened since `earlier`, which was taken from the same machine.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut since = self.clone();
        for total in &mut since.effects {
            total.times -= earlier.times(total.name);
        }
        since.effects.retain(|total| total.times > 0);
        for (times, before) in since.kernel_hooks.iter_mut().zip(earlier.kernel_hooks) {
            *times -= before;
        }
        for (hook, times) in &mut since.own_hooks {
            *times -= earlier.hook(hook.hook);
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
        for (hook, times) in other.hooks() {
            sum.add_hooks(hook, times);
        }
        sum
    }
}
