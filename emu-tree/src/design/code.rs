//! The transitions of a tree's design: what the guest said, asked for when it is needed first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use lazy_mmu::design::{
    Call, Context, Effect, Effects, Field, Fields, StateBits, Transitions, Value,
};

use super::ask::{BATCH, Broken, State, ask, listed};
use super::unit::{FieldInfo, IS_ACTIVE, Unit};
use crate::error::Error;
use crate::failure::{fail, failure};
use crate::guest::{Gone, Guest};

/// The most states that are asked for before somebody needs them.
const AHEAD_MAX: usize = 1 << 16;

/// The transitions of one tree.
pub(super) struct Code {
    /// What the user calls it.
    what: String,
    unit: Unit,
    known: Mutex<Known>,
}

struct Known {
    guest: Guest,
    states: BTreeMap<u64, State>,
    /// How many states beyond the one that is needed are asked for: more each time, since who asks
    /// often asks for all.
    ahead: usize,
    /// A call went wrong once: from then on nothing is asked for before somebody needs it.
    wrong: bool,
}

impl Code {
    pub(super) fn new(what: String, unit: Unit, guest: Guest) -> Self {
        let known = Known { guest, states: BTreeMap::new(), ahead: 8, wrong: false };
        Self { what, unit, known: Mutex::new(known) }
    }

    /// What `look` sees in a state; none where the guest has no answer. Whoever asks again gets the
    /// same: a search runs calls again and again.
    fn with<R>(&self, bits: StateBits, look: impl Fn(&State) -> Result<R, String>) -> Option<R> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.states.contains_key(&bits.0) {
            // After a failure nobody is asked any more.
            let learned = match failure() {
                None => known.learn(&self.unit, bits.0),
                Some(_) => Ok(()),
            };
            learned.unwrap_or_else(|why| fail(Error::about(&self.what, why)));
            known.states.entry(bits.0).or_insert_with(|| State::silent(&self.unit));
        }
        let found = look(&known.states[&bits.0]);
        found.map_err(|why| fail(Error::about(&self.what, why))).ok()
    }
}

impl Known {
    /// Asks for `needed` and for states that calls lead to from there.
    fn learn(&mut self, unit: &Unit, needed: u64) -> Result<(), String> {
        let mut next = vec![needed];
        let mut seen = BTreeSet::from([needed]);
        let mut ahead = if self.wrong { 0 } else { self.ahead };
        self.ahead = (2 * ahead).min(AHEAD_MAX);
        while !next.is_empty() {
            let batch: Vec<u64> = next.drain(..next.len().min(BATCH)).collect();
            self.ask(unit, &batch, needed)?;
            if self.wrong {
                return Ok(());
            }
            for bits in batch {
                let effects = self.states[&bits].slots.iter().flatten().flatten();
                let stored = effects.filter_map(|effect| match effect {
                    Effect::Store(StateBits(bits)) => Some(*bits),
                    Effect::Hook(_) | Effect::Warn(_) => None,
                });
                let new = stored.filter(|to| !self.states.contains_key(to) && seen.insert(*to));
                let new: Vec<u64> = new.take(ahead).collect();
                ahead -= new.len();
                next.extend(new);
            }
        }
        Ok(())
    }

    /// Asks for the states of `batch`, as far as the guest comes. A call that ends the guest is the
    /// answer for `needed`, whose other calls are asked for again.
    fn ask(&mut self, unit: &Unit, batch: &[u64], needed: u64) -> Result<(), String> {
        let empty = State { active: [false; 2], values: Vec::new(), slots: Vec::new() };
        let mut states = vec![empty; batch.len()];
        let mut known = batch.len();
        while let Err(broken) = self.ask_once(unit, &batch[..known], &mut states) {
            let Broken { state, slot, gone } = broken;
            let first = !std::mem::replace(&mut self.wrong, true);
            self.guest.restart().map_err(|why| why.to_string())?;
            // Who ended without a word is asked once more, carefully.
            if first && matches!(gone, Gone::Ended(_)) {
                continue;
            }
            if batch[state] != needed {
                known = state;
                break;
            }
            known = state + 1;
            let slot = slot.ok_or_else(|| broken_state(unit, needed, &gone))?;
            let why = broken_call(unit, slot, &states[state].values, &gone);
            states[state].slots.push(Err(why));
        }
        self.states.extend(batch.iter().copied().zip(states).take(known));
        Ok(())
    }

    /// One request, for what is not known of the states yet.
    fn ask_once(&mut self, unit: &Unit, batch: &[u64], states: &mut [State]) -> Result<(), Broken> {
        let request: Vec<_> =
            batch.iter().zip(&*states).map(|(bits, state)| (*bits, state.slots.len())).collect();
        ask(&mut self.guest, unit, &request, self.wrong, states)
    }
}

/// `lazy_mmu_mode_enable() crashes at include/linux/pgtable.h:265, called in task context with
/// enable_count=0`.
fn broken_call(unit: &Unit, slot: usize, values: &[i64], gone: &Gone) -> String {
    let name = unit.calls[slot / 2].name;
    let context = if slot.is_multiple_of(2) { "task context" } else { "interrupt" };
    let fields = unit.fields.iter().zip(values);
    let fields: Vec<_> = fields.map(|(field, value)| format!("{}={value}", field.name)).collect();
    format!("{name}() {gone}, called in {context} with {}", fields.join(" "))
}

fn broken_state(unit: &Unit, bits: u64, gone: &Gone) -> String {
    let predicate = IS_ACTIVE;
    let fields: Vec<_> = unit.fields.iter().map(|field| field.name).collect();
    format!("{predicate}() {gone}, asked of the bytes {bits:#x} of {}", fields.join(", "))
}

impl Transitions for Code {
    fn step(&self, state: StateBits, cx: Context, call: Call) -> Effects<StateBits> {
        let place = self.unit.calls.iter().position(|info| info.call == call);
        let Some(place) = place else { return Effects::NONE };
        let slot = 2 * place + usize::from(cx.in_interrupt);
        let effects = self.with(state, |state| match &state.slots[slot] {
            Ok(effects) => Ok(listed(effects)),
            Err(why) => Err(why.clone()),
        });
        effects.unwrap_or(Effects::NONE)
    }

    fn is_active(&self, state: StateBits) -> [bool; 2] {
        self.with(state, |state| Ok(state.active)).unwrap_or([false; 2])
    }

    fn fields(&self, state: StateBits) -> Fields {
        let values = self.with(state, |state| Ok(state.values.clone())).unwrap_or_default();
        let fields = self.unit.fields.iter().zip(values);
        let field = |(field, value): (&FieldInfo, i64)| Field {
            name: field.name,
            short: field.short,
            value: if field.is_flag { Value::Flag(value != 0) } else { Value::Count(value) },
        };
        fields.map(field).collect()
    }
}
