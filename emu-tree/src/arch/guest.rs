//! The guest of an architecture: operations up to the first question without an answer, each asked
//! for once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use emu_arch::backend::{At, Hw};
use emu_arch::{ArchEffect, Pte, VirtAddr};

use crate::error::Error;
use crate::failure::{fail, failure};
use crate::guest::{Gone, Guest};

/// The bytes of the per-CPU variables, up to the last that is not 0.
pub(super) type Bytes = Vec<u8>;

/// What a guest did, or wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Event {
    tag: u8,
    one: u64,
    two: u64,
    /// The state at that moment.
    state: Bytes,
    /// The condition of a check.
    cond: &'static str,
}

/// The guest of an architecture, with what it has said.
#[derive(Debug)]
pub(super) struct ArchGuest {
    what: String,
    /// How many entries a batch holds.
    limit: u64,
    /// Where in the state stands how many wait.
    waiting_at: usize,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    guest: Guest,
    replies: BTreeMap<Vec<u8>, Arc<[Event]>>,
}

/// An operation: a hook, or a primitive on entries of one table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op {
    /// Its number in shims/arch.c.
    pub(super) number: u32,
    /// Its name, for errors.
    pub(super) name: &'static str,
    pub(super) at: At,
    pub(super) pte: Pte,
    pub(super) nr: u16,
    pub(super) shift: u32,
}

/// What an architecture does at its own questions.
pub(super) struct Words {
    /// What joins the batch, as an effect.
    pub(super) joins: ArchEffect,
    /// The effect of a question; the flag says that its number is how many wait.
    pub(super) effect: fn(u8, u64) -> Option<(ArchEffect, bool)>,
    /// An entry of the lab as the tree has it, and back.
    pub(super) entry: [fn(u64) -> u64; 2],
}

impl ArchGuest {
    /// Takes a guest that has just been started.
    pub(super) fn start(what: String, mut guest: Guest) -> Result<Self, Error> {
        let number = |guest: &mut Guest| guest.bytes().map(u64::from_ne_bytes);
        let about = number(&mut guest).and_then(|limit| Ok((limit, number(&mut guest)?)));
        let (limit, at) = about.map_err(|gone| Error::about(&what, gone))?;
        let known = Mutex::new(Known { guest, replies: BTreeMap::new() });
        Ok(Self { what, limit, waiting_at: at as usize, known })
    }

    /// How many wait in a state.
    pub(super) fn waiting(&self, state: &Bytes) -> u32 {
        let byte = |at: usize| u32::from(state.get(self.waiting_at + at).copied().unwrap_or(0));
        (0..4).fold(0, |sum, at| sum | byte(at) << (8 * at))
    }

    /// Runs an operation on `hw`, with the entries at `ptep`.
    pub(super) fn run<H: Hw<PerCpu = Bytes>>(
        &'static self,
        hw: &mut H,
        op: Op,
        ptep: Option<H::Ptep>,
        words: &Words,
    ) {
        let mut entry = |ptep, at| {
            let place = hw.ptep_add(ptep, at);
            (words.entry[0])(hw.read(place).0)
        };
        let places = ptep.into_iter().flat_map(|ptep| (0..op.nr).map(move |at| (ptep, at)));
        let entries: Vec<u64> = places.map(|(ptep, at)| entry(ptep, at)).collect();
        let begin = hw.per_cpu(|state| state.clone());
        let limit = hw.limit(self.limit as usize) as u32;
        let mut log =
            Log { request: request(op, limit, &entries, &begin, words), answers: Vec::new() };
        let mut done = 0;
        loop {
            let reply = self.reply(&log.bytes(), op);
            let mut events = reply.iter().skip(done);
            loop {
                let Some(event) = events.next() else { return };
                if event.tag == b'J' {
                    // The store is behind the effect: what arrives there finds the state before it.
                    hw.effect(words.joins.of(event.one as u32));
                    log.joined(done, hw.per_cpu(|state| state.clone()));
                    break;
                }
                done += 1;
                hw.per_cpu(|state| state.clone_from(&event.state));
                match self.act(hw, event, ptep, limit, words) {
                    Act::GoesOn => {}
                    Act::Ends => return,
                    Act::Answers(value) => {
                        let state = hw.per_cpu(|state| state.clone());
                        log.answers.push(Answer { value, event: done, joined: false, state });
                        break;
                    }
                }
            }
        }
    }

    /// Does what an event says.
    fn act<H: Hw<PerCpu = Bytes>>(
        &'static self,
        hw: &mut H,
        event: &Event,
        ptep: Option<H::Ptep>,
        limit: u32,
        words: &Words,
    ) -> Act {
        let at = || VirtAddr::page(event.two).ok().map(|addr| At { mm: event.one as u8, addr });
        match event.tag {
            b'P' => {
                if let Some(ptep) = ptep {
                    let place = hw.ptep_add(ptep, event.one as u16);
                    hw.write(place, Pte((words.entry[1])(event.two)));
                }
            }
            b'G' => hw.get_cpu(),
            b'U' => hw.put_cpu(),
            b'C' => hw.complete(),
            b'D' => {
                if self.waiting(&event.state) > limit {
                    hw.overflow();
                }
                at().into_iter().for_each(|at| hw.defer(at, 1));
            }
            b'V' => at().into_iter().for_each(|at| hw.tlb_invalidate(at, 1)),
            b'W' if matches!(event.one, 2 | 3) => {
                let _ = hw.bug_on(true, event.cond);
                return Act::Ends;
            }
            b'W' => hw.vm_warn_on(true, event.cond),
            b'A' => return Act::Answers(u32::from(hw.is_lazy_mmu_mode_active())),
            b'd' => {
                hw.preempt_disable();
                return Act::Answers(0);
            }
            b'e' => {
                hw.preempt_enable();
                return Act::Answers(0);
            }
            b'E' => return Act::Ends,
            other => return self.effect(hw, other, event.one, words),
        }
        Act::GoesOn
    }

    fn effect<H: Hw<PerCpu = Bytes>>(
        &'static self,
        hw: &mut H,
        tag: u8,
        n: u64,
        words: &Words,
    ) -> Act {
        match (words.effect)(tag, n) {
            Some((effect, true)) => hw.effect_on(effect, |state| self.waiting(state)),
            Some((effect, false)) => hw.effect(effect),
            None => {
                fail(Error::about(&self.what, Gone::Garbage));
                return Act::Ends;
            }
        }
        Act::Answers(0)
    }

    /// What the guest says to a request: asked for once. One that goes wrong says nothing, each
    /// time, so that the operation ends there.
    fn reply(&self, request: &[u8], op: Op) -> Arc<[Event]> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reply) = known.replies.get(request) {
            return Arc::clone(reply);
        }
        let reply = match failure() {
            None => ask(&mut known.guest, request),
            Some(_) => Ok(Vec::new()),
        };
        let reply = reply.unwrap_or_else(|gone| {
            fail(Error::about(&self.what, format!("{}() {gone}", op.name)));
            Vec::new()
        });
        let reply: Arc<[Event]> = reply.into();
        known.replies.insert(request.to_vec(), Arc::clone(&reply));
        reply
    }
}

/// What comes of an event.
enum Act {
    GoesOn,
    /// The operation has ended, or its task.
    Ends,
    /// The guest wanted to know this.
    Answers(u32),
}

/// A request, and what was answered so far.
struct Log {
    request: Vec<u8>,
    answers: Vec<Answer>,
}

/// What follows an event.
struct Answer {
    value: u32,
    /// How many events there were.
    event: usize,
    /// A store comes next that joins the batch.
    joined: bool,
    state: Bytes,
}

impl Log {
    /// The last of so many events is followed by a store that joins the batch, before which the
    /// state was this.
    fn joined(&mut self, event: usize, state: Bytes) {
        let last = self.answers.pop_if(|last| last.event == event);
        let value = last.map_or(0, |last| last.value);
        self.answers.push(Answer { value, event, joined: true, state });
    }

    fn bytes(&self) -> Vec<u8> {
        let mut answers = Vec::new();
        for Answer { value, event, joined, state } in &self.answers {
            let words = [*value, *event as u32, state.len() as u32, u32::from(*joined)];
            words.into_iter().for_each(|word| answers.extend(word.to_ne_bytes()));
            answers.extend(state);
        }
        let mut bytes = self.request.clone();
        bytes[ANSWERS_AT..ANSWERS_AT + 4].copy_from_slice(&(answers.len() as u32).to_ne_bytes());
        bytes.extend(answers);
        bytes
    }
}

/// Where in a request stands how many bytes of answers it has.
const ANSWERS_AT: usize = 24;

/// A request without answers, as shims/arch.c reads it.
fn request(op: Op, limit: u32, entries: &[u64], state: &Bytes, words: &Words) -> Vec<u8> {
    let Op { number, at, pte, shift, .. } = op;
    let mut bytes = Vec::new();
    let head = [number, at.mm.into(), entries.len() as u32, limit, shift, state.len() as u32, 0, 0];
    head.into_iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
    bytes.extend(at.addr.get().to_ne_bytes());
    bytes.extend((words.entry[0])(pte.0).to_ne_bytes());
    entries.iter().for_each(|entry| bytes.extend(entry.to_ne_bytes()));
    bytes.extend(state);
    bytes
}

/// Asks the guest.
fn ask(guest: &mut Guest, request: &[u8]) -> Result<Vec<Event>, Gone> {
    guest.send(request)?;
    let mut events = Vec::new();
    loop {
        let tag = guest.tag()?;
        if tag == b'Z' {
            return Ok(events);
        }
        let [one, two] = [guest.bytes()?, guest.bytes()?].map(u64::from_ne_bytes);
        let len = u32::from_ne_bytes(guest.bytes()?);
        let state = guest.many(len as usize)?;
        let cond = match tag {
            b'W' => String::from_utf8_lossy(&guest.many(two as usize)?).into_owned().leak(),
            _ => "",
        };
        events.push(Event { tag, one, two, state, cond });
    }
}
