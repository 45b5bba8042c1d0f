//! The machine as a model of [`explore`](crate::explore), in as few words as its states need.

use std::collections::BTreeMap;

use super::model::{MachineModel, Words};
use super::moves::Move;
use super::options::Options;
use super::property::{Marks, Property};
use crate::explore::{self, End, Explored, Limits, Next, Transition, Violation, Watch};

/// A property that does not hold, and the condition of the check that says so where one does.
pub(super) type Broken = (Property, &'static str);

/// A path through the model.
pub(super) type Path = explore::Path<Words, Move>;

/// What a search found.
pub(super) struct Outcome {
    pub(super) end: End,
    pub(super) states: usize,
    pub(super) transitions: u64,
    pub(super) depth: u32,
    pub(super) sometimes: Marks,
    /// The shortest path on which each property breaks.
    pub(super) broken: BTreeMap<Broken, Path>,
    pub(super) bytes: usize,
}

/// Searches all that can be reached from `start`.
pub(super) fn search(model: &mut MachineModel, start: Words, watch: &mut dyn Watch) -> Outcome {
    match model.layout().words() {
        ..=4 => search_in::<4>(model, start, watch),
        5..=6 => search_in::<6>(model, start, watch),
        _ => search_in::<8>(model, start, watch),
    }
}

/// The model with states of `W` words, the most that it needs.
struct Narrow<'m, const W: usize> {
    model: &'m mut MachineModel,
    start: Words,
}

fn narrow<const W: usize>(state: &Words) -> explore::Words<W> {
    explore::Words(std::array::from_fn(|n| state.0[n]))
}

fn widen<const W: usize>(state: &explore::Words<W>) -> Words {
    let mut words = Words::default();
    words.0[..W].copy_from_slice(&state.0);
    words
}

impl<const W: usize> explore::Model for Narrow<'_, W> {
    type State = explore::Words<W>;
    type Move = Move;
    /// The numbers of verdicts.
    type Verdict = [u32; 2];
    type Property = Broken;

    fn init(&self) -> Self::State {
        narrow(&self.start)
    }

    #[inline]
    fn expand(&mut self, state: &Self::State, _: u32, see: &mut impl FnMut(Transition<Self>)) {
        self.model.expand(&widen(state), &mut |mv, found, after| {
            let next = if found.fatal { Next::Nothing } else { Next::State(narrow(after)) };
            let (verdict, cost, marks) = (found.verdicts, found.cost, found.sometimes);
            see(Transition { mv, next, verdict, cost, marks });
        });
    }

    fn violations(&self, verdicts: [u32; 2]) -> impl Iterator<Item = Violation<Self>> {
        let broken = move |number| self.model.verdicts(number).broken.iter().copied();
        verdicts.into_iter().flat_map(broken).map(Violation::of)
    }

    fn ends_search(&self, (property, _): Broken) -> bool {
        let options = &self.model.options;
        options.first && (options.properties.is_some() || !property.is_performance())
    }

    fn bytes(&self) -> usize {
        self.model.bytes()
    }
}

fn search_in<const W: usize>(
    model: &mut MachineModel,
    start: Words,
    watch: &mut dyn Watch,
) -> Outcome {
    let Options { max_states, max_memory, .. } = model.options;
    let limits = Limits { states: max_states, memory: max_memory, whole_layers: false };
    let Explored { end, store, transitions, depth, marks, paths } =
        explore::explore(&mut Narrow::<W> { model, start }, limits, watch);
    let wide = |path: explore::Path<explore::Words<W>, Move>| Path {
        states: path.states.iter().map(widen).collect(),
        moves: path.moves,
        cost: path.cost,
    };
    let broken = paths.into_iter().map(|(what, path)| (what, wide(path))).collect();
    let (states, bytes) = (store.len(), store.bytes() + model.bytes());
    Outcome { end, states, transitions, depth, sometimes: marks, broken, bytes }
}

#[cfg(test)]
mod tests {
    use emu_arch::replay::Memory;
    use emu_arch::{Arch, Kernel};

    use super::super::model::WORDS_MAX;
    use super::super::ops;
    use super::super::options::Accesses;
    use super::*;
    use crate::explore::tests::assert_replays;
    use crate::explore::{explore, nobody};

    #[test]
    fn every_path_leads_to_what_it_violates() {
        let mut paths = 0;
        for (arch, kernel) in [
            (Arch::ARM64, Kernel::V6_16),
            (Arch::POWERPC_HASH, Kernel::V6_0),
            (Arch::SPARC64, Kernel::V6_14),
            (Arch::XEN_PV, Kernel::V6_14),
            (Arch::XEN_PV, Kernel::V7_0),
            (Arch::XEN_PV, Kernel::V7_2),
        ] {
            let usual = Options { nesting: 1, ..Options::new(arch, kernel) };
            for (cpus, accesses) in
                [(1, Accesses::Contract), (1, Accesses::Any), (2, Accesses::Any)]
            {
                let interrupts = cpus == 1;
                let options = Options { cpus, accesses, interrupts, ..usual.clone() };
                let (ops, memory) = (ops::general(&options), Memory::new(arch));
                let (mut model, start) = MachineModel::new(options, ops, memory, false);
                let mut narrow = Narrow::<WORDS_MAX> { model: &mut model, start };
                let limits = Limits { states: 30_000, ..Limits::NONE };
                let found = explore(&mut narrow, limits, &mut nobody()).paths;
                paths += found.len();
                for (what, path) in found {
                    assert_replays(&mut narrow, what, &path);
                }
            }
        }
        assert!(paths > 40, "{paths} paths");
    }
}
