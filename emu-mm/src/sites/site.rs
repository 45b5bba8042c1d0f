//! One call site: what is said of it, and a call.

use std::fmt::Write;

use emu_arch::{Arch, Facts};
use lazy_mmu::design::{Hook, HookInfo};
use lazy_mmu::trace::Event;
use lazy_mmu::{Record, record_hooks, sched};

use super::ground::Ground;

/// A function of the kernel that has a section or a pause.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// Its name.
    pub function: &'static str,
    /// Its file in v7.3, and the lines of its calls: E enable, D disable, P pause, R resume.
    pub file: &'static str,
    /// What is modelled, beside the loop and its locks.
    pub models: &'static str,
    /// What is left out.
    pub left_out: &'static str,
    /// Where the kernel has it.
    pub(super) built: Built,
    /// Prepares a call over the 512 pages of one table, and makes it within the function that is
    /// given.
    pub(super) run: fn(&Ground, Calls<'_>),
}

/// What a site gives its call to.
pub(super) type Calls<'c> = &'c mut dyn FnMut(&dyn Fn());

/// Where the kernel has a function.
#[derive(Clone, Copy, Debug)]
pub(super) enum Built {
    Everywhere,
    /// With a fact, which has this name in a reason.
    Where(fn(&Facts) -> bool, &'static str),
}

impl Site {
    /// The hooks of one call on `arch`, and the effects that cost time, in order, with the numbers
    /// that they are of.
    ///
    /// # Errors
    /// Why the architecture does not have the function.
    pub fn hooks(&self, arch: Arch) -> Result<String, &'static str> {
        Ok(summary(&self.record(arch)?, arch.facts()))
    }

    /// The record of one call on `arch`, in the newest kernel that has the architecture's mode.
    ///
    /// # Errors
    /// Why the architecture does not have the function.
    pub fn record(&self, arch: Arch) -> Result<Record, &'static str> {
        if let Built::Where(has, reason) = self.built
            && !has(arch.facts())
        {
            return Err(reason);
        }
        let ground = Ground::new(arch);
        let mut record = None;
        sched::with_design(arch.default_kernel().design(), || {
            ground.machine.run(|| {
                (self.run)(&ground, &mut |call| record = Some(record_hooks(call).1));
            });
        });
        record.ok_or("the site makes no call")
    }
}

/// Hooks and effects as words, equal ones in a row once.
fn summary(record: &Record, facts: &Facts) -> String {
    let kernel = |hook: Hook| match hook.info().and_then(HookInfo::kernel).and_then(Hook::info) {
        Some(info) => info.name.trim_start_matches("arch_").replace("_lazy_mmu_mode", ""),
        None => String::new(),
    };
    let mut text = folded(record.hooks().map(kernel));
    // By name, in the order of first appearance.
    let mut effects: Vec<(&str, Vec<String>)> = Vec::new();
    for recorded in record.events() {
        let Event::Effect { name, n } = recorded.event else { continue };
        if !facts.effects.iter().any(|effect| effect.name == name) {
            continue;
        }
        let at = effects.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            effects.push((name, Vec::new()));
            effects.len() - 1
        });
        effects[at].1.push(n.map_or_else(|| "1".to_owned(), |n| n.to_string()));
    }
    for (name, list) in effects {
        let _ = write!(text, "; {name} {}", folded(list.into_iter()));
    }
    text
}

/// The words with one for those that repeat: `a 3x b`.
fn folded(words: impl Iterator<Item = String>) -> String {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for word in words {
        match runs.last_mut() {
            Some((last, times)) if *last == word => *times += 1,
            _ => runs.push((word, 1)),
        }
    }
    // Pairs that repeat, such as those of a pause: leave enter leave enter.
    let alternating = runs.len() > 6 && runs.iter().skip(1).all(|(_, times)| *times == 1);
    let pair = |at: usize| runs[at..].windows(2).all(|two| two[0].0 != two[1].0);
    if alternating && pair(1) && runs[1..].iter().step_by(2).all(|run| run.0 == runs[1].0) {
        let [first, leave, enter] = [0, 1, 2].map(|at: usize| runs[at].0.as_str());
        let pairs = runs[1..].len() / 2;
        return format!("{first} {pairs}x ({leave} {enter}) {leave}");
    }
    let word = |(word, times): &(String, usize)| match times {
        1 => word.clone(),
        2..=3 => vec![word.as_str(); *times].join(" "),
        times => format!("{times}x {word}"),
    };
    runs.iter().map(word).collect::<Vec<_>>().join(" ").trim_end().to_owned()
}
