//! The record: a sequence of events in 16 bytes each.

use std::collections::BTreeSet;

use super::packed::{self, Kind, Place, Words};
use super::{Event, PteEvent};
use crate::design::{Call, Check, Design, Hook, StateBits};
use crate::preempt::PreemptCount;

/// A sequence of events and the design that they were seen under.
///
/// `Display` gives the tree in the notation of the kernel's commit messages. Two records are equal
/// when they hold the same events under the same design.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    design: Design,
    words: Vec<Words>,
    names: Names,
    /// What checks that report once have reported.
    reported: BTreeSet<[u64; 2]>,
}

/// One event with its place in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded<'r> {
    /// Number of the event, from 0.
    pub seq: u64,
    /// The CPU that saw it.
    pub cpu: u8,
    /// The task that was current.
    pub task: u8,
    /// What happened.
    pub event: Event<'r>,
}

impl Record {
    /// An empty record under `design`.
    #[must_use]
    pub fn new(design: Design) -> Self {
        Self { design, ..Self::default() }
    }

    /// The design that the events were seen under.
    #[must_use]
    pub const fn design(&self) -> Design {
        self.design
    }

    /// The number of events.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.words.len()
    }

    /// The size of the events in memory, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.words.len() * size_of::<Words>()
    }

    /// Tells whether there are no events.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The events in order.
    pub fn events(&self) -> impl ExactSizeIterator<Item = Recorded<'_>> {
        self.words.iter().enumerate().map(|(seq, words)| self.unpack(seq, *words))
    }

    /// The hooks in order: what two designs are compared by.
    pub fn hooks(&self) -> impl Iterator<Item = Hook> + '_ {
        self.events().filter_map(|recorded| {
            if let Event::Hook(hook) = recorded.event { Some(hook) } else { None }
        })
    }

    /// The events from number `start` on, as a record of their own.
    #[must_use]
    pub fn since(&self, start: usize) -> Self {
        let mut part = Self::new(self.design);
        let rest = self.words.get(start..).unwrap_or_default();
        // Skipped before they are unpacked: the part may be one line of a long record.
        for (seq, words) in (start..).zip(rest) {
            let recorded = self.unpack(seq, *words);
            part.push(recorded.cpu, recorded.task, recorded.event);
        }
        part
    }

    /// Appends an event seen by `task` on `cpu`.
    #[inline(always)]
    pub fn push(&mut self, cpu: u8, task: u8, event: Event<'_>) {
        let place = Place { cpu, task };
        let plain = |kind, arg, payload| [packed::word0(kind, place, 0, arg), payload];
        let words = match event {
            Event::Section(name) => plain(Kind::Section, self.names.id(name), 0),
            Event::Call(call) => plain(Kind::Call, call.bits().into(), 0),
            Event::Store(state) => plain(Kind::Store, 0, state.0),
            Event::Hook(hook) => plain(Kind::Hook, hook.bits().into(), 0),
            Event::Effect { name, n: None } => plain(Kind::Effect, self.names.id(name), 0),
            Event::Effect { name, n: Some(n) } => {
                plain(Kind::EffectN, self.names.id(name), u64::from(n))
            }
            Event::Pte(pte) => [
                packed::word0(Kind::Pte(pte.op), place, pte.mm, packed::vpn(pte.addr)),
                pte.pte | u64::from(pte.nr) << 54,
            ],
            Event::Warn { check, cond, again } => {
                let again = !self.reports(check, cond) || again;
                let check = self.names.id(check) | u64::from(again) << 32;
                plain(Kind::Warn, self.names.id(cond), check)
            }
            Event::Return { call, active, state } => {
                let call = u64::from(call.bits());
                plain(Kind::Return, call | u64::from(active) << packed::ACTIVE_BIT, state.0)
            }
            Event::Context { name, preempt_count, by_arch } => {
                let payload = u64::from(preempt_count.0) | u64::from(by_arch) << 32;
                plain(Kind::Context, self.names.id(name), payload)
            }
            Event::Switch { next } => plain(Kind::Switch, u64::from(next), 0),
            Event::Hazard { name, cause } => {
                let cause = cause.map_or(0, |seq| u64::from(seq) + 1);
                plain(Kind::Hazard, self.names.id(name), cause)
            }
            Event::Away => plain(Kind::Away, 0, 0),
            Event::Back => plain(Kind::Back, 0, 0),
            Event::Note(text) => plain(Kind::Note, self.names.id(text), 0),
            Event::Pending { n, what } => plain(Kind::Pending, self.names.id(what), u64::from(n)),
            Event::End { state, preempt_count } => {
                plain(Kind::End, u64::from(preempt_count.0), state.0)
            }
        };
        self.words.push(words);
    }

    /// Tells whether a kernel reports what the check has found, and remembers it.
    #[cold]
    fn reports(&mut self, check: &str, cond: &str) -> bool {
        let once = check.parse::<Check>().ok().and_then(|check| check.reports_once(cond));
        once.is_none_or(|once| {
            let report = [self.names.id(check), self.names.id(once)];
            self.reported.insert(report)
        })
    }

    fn unpack(&self, seq: usize, [word0, word1]: Words) -> Recorded<'_> {
        let (place, arg) = (packed::place(word0), packed::arg(word0));
        let name = |id: u64| self.names.get(id);
        let event = match packed::kind(word0) {
            Kind::Section => Event::Section(name(arg)),
            Kind::Call => Event::Call(Call::from_bits(arg as u32)),
            Kind::Store => Event::Store(StateBits(word1)),
            Kind::Hook => Event::Hook(Hook::from_bits(arg as u32)),
            Kind::Effect => Event::Effect { name: name(arg), n: None },
            Kind::EffectN => Event::Effect { name: name(arg), n: Some(word1 as u32) },
            Kind::Pte(op) => Event::Pte(PteEvent {
                op,
                mm: packed::mm(word0),
                addr: packed::addr(arg),
                pte: word1 & ((1 << 54) - 1),
                nr: (word1 >> 54) as u16,
            }),
            Kind::Warn => Event::Warn {
                check: name(word1 & u64::from(u32::MAX)),
                cond: name(arg),
                again: word1 >> 32 != 0,
            },
            Kind::Return => Event::Return {
                call: Call::from_bits(arg as u32),
                active: arg >> packed::ACTIVE_BIT & 1 != 0,
                state: StateBits(word1),
            },
            Kind::Context => {
                let preempt_count = PreemptCount(word1 as u32);
                Event::Context { name: name(arg), preempt_count, by_arch: word1 >> 32 != 0 }
            }
            Kind::Switch => Event::Switch { next: arg as u8 },
            Kind::Hazard => {
                Event::Hazard { name: name(arg), cause: word1.checked_sub(1).map(|seq| seq as u32) }
            }
            Kind::Away => Event::Away,
            Kind::Back => Event::Back,
            Kind::Note => Event::Note(name(arg)),
            Kind::Pending => Event::Pending { n: word1 as u32, what: name(arg) },
            Kind::End => {
                Event::End { state: StateBits(word1), preempt_count: PreemptCount(arg as u32) }
            }
        };
        Recorded { seq: seq as u64, cpu: place.cpu, task: place.task, event }
    }
}

/// The texts of a record, each once.
#[derive(Clone, Debug, Default)]
struct Names {
    texts: Vec<Box<str>>,
    /// The last ids by address of the text: most names are literals, so the address nearly always
    /// hits; the text is compared all the same.
    recent: [(usize, u32); 16],
}

impl Names {
    #[inline]
    fn id(&mut self, text: &str) -> u64 {
        let address = text.as_ptr() as usize;
        let (known, id) = self.recent[address >> 3 & 15];
        if known == address && self.texts.get(id as usize).is_some_and(|t| **t == *text) {
            return u64::from(id);
        }
        self.slow_id(text, address)
    }

    #[cold]
    fn slow_id(&mut self, text: &str, address: usize) -> u64 {
        let id = self.texts.iter().position(|known| **known == *text).unwrap_or_else(|| {
            self.texts.push(text.into());
            self.texts.len() - 1
        });
        self.recent[address >> 3 & 15] = (address, id as u32);
        id as u64
    }

    fn get(&self, id: u64) -> &str {
        &self.texts[id as usize]
    }
}

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl Eq for Names {}
