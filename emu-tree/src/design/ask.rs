//! What a guest says of states: many in one request, so that a call costs little.

use lazy_mmu::design::{Check, EFFECTS_MAX, Effect, Effects, StateBits, Warn};

use super::unit::Unit;
use crate::guest::{Gone, Guest};

/// The most states of one request, as in shims/design.c.
pub(super) const BATCH: usize = 1024;

/// The effects of a call in a context, or how it went wrong.
pub(super) type Slot = Result<Box<[Effect<StateBits>]>, String>;

/// What is known of a state.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) active: [bool; 2],
    /// The values of the fields.
    pub(super) values: Vec<i64>,
    /// For each call and context what it does; a slot that went wrong says how.
    pub(super) slots: Vec<Slot>,
}

impl State {
    /// What stands for a state that nothing is known of: no call does anything.
    pub(super) fn silent(unit: &Unit) -> Self {
        Self {
            active: [false; 2],
            values: vec![0; unit.fields.len()],
            slots: vec![Ok(Box::default()); 2 * unit.calls.len()],
        }
    }
}

/// A slot of a request that went wrong.
#[derive(Debug)]
pub(super) struct Broken {
    /// The place of the state in the request.
    pub(super) state: usize,
    /// The slot; none where the state was looked at.
    pub(super) slot: Option<usize>,
    pub(super) gone: Gone,
}

/// Asks for the states of a request, each from a slot on; a careful guest tells of each slot at
/// once. What is known is put into `states`.
pub(super) fn ask(
    guest: &mut Guest,
    unit: &Unit,
    request: &[(u64, usize)],
    careful: bool,
    states: &mut [State],
) -> Result<(), Broken> {
    let mut bytes = (request.len() as u32).to_ne_bytes().to_vec();
    for (bits, from) in request {
        bytes.extend(bits.to_ne_bytes());
        bytes.extend((*from as u32).to_ne_bytes());
        bytes.extend(u32::from(careful).to_ne_bytes());
    }
    let broken = |state, slot| move |gone| Broken { state, slot, gone };
    let sent = guest.send(&bytes);
    for (at, (_, from)) in request.iter().enumerate() {
        about(guest, unit, &mut states[at]).map_err(broken(at, None))?;
        for slot in *from..2 * unit.calls.len() {
            let effects = effects(guest, unit).map_err(broken(at, Some(slot)))?;
            states[at].slots.push(effects);
        }
    }
    sent.map_err(broken(0, None))
}

fn about(guest: &mut Guest, unit: &Unit, state: &mut State) -> Result<(), Gone> {
    if guest.tag()? != b'I' {
        return Err(Gone::Garbage);
    }
    state.active = guest.bytes::<2>()?.map(|byte| byte != 0);
    state.values.clear();
    for _ in &unit.fields {
        state.values.push(i64::from_ne_bytes(guest.bytes()?));
    }
    Ok(())
}

/// The effects of one call, in their order.
fn effects(guest: &mut Guest, unit: &Unit) -> Result<Slot, Gone> {
    let mut effects = Vec::new();
    loop {
        let effect = match guest.tag()? {
            b'S' => Effect::Store(StateBits(u64::from_ne_bytes(guest.bytes()?))),
            b'H' => {
                let [hook] = guest.bytes()?;
                let info = unit.hooks.get(usize::from(hook)).ok_or(Gone::Garbage)?;
                Effect::Hook(info.hook)
            }
            b'W' => {
                let [check] = guest.bytes()?;
                let cond = interned(guest.text()?);
                Effect::Warn(Warn { check: check_of(check).ok_or(Gone::Garbage)?, cond })
            }
            b'E' => break,
            _ => return Err(Gone::Garbage),
        };
        effects.push(effect);
    }
    if effects.len() > EFFECTS_MAX {
        return Ok(Err(format!("has {} effects, at most {EFFECTS_MAX} are kept", effects.len())));
    }
    Ok(Ok(effects.into()))
}

/// The checks, by their numbers in shims/kernel.h.
fn check_of(number: u8) -> Option<Check> {
    let checks = [
        Check::VmWarnOnOnce,
        Check::VmWarnOn,
        Check::VmBugOn,
        Check::BugOn,
        Check::WarnOnOnce,
        Check::WarnOn,
    ];
    checks.get(usize::from(number)).copied()
}

/// The condition as it lives as long as the process: there are few.
fn interned(cond: String) -> &'static str {
    use std::collections::BTreeSet;
    use std::sync::{Mutex, PoisonError};
    static CONDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut conds = CONDS.lock().unwrap_or_else(PoisonError::into_inner);
    conds.get(cond.as_str()).copied().unwrap_or_else(|| {
        let cond: &'static str = cond.leak();
        conds.insert(cond);
        cond
    })
}

/// The list of a call's effects as designs return it.
pub(super) fn listed(effects: &[Effect<StateBits>]) -> Effects<StateBits> {
    Effects::of::<EFFECTS_MAX>(std::array::from_fn(|at| effects.get(at).copied()))
}
