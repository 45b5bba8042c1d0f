//! Traces for Perfetto, read by a decoder of their wire format.

use std::collections::{BTreeMap, BTreeSet};

use emu_arch::Arch;
use emu_lab::scenario;
use emu_view::perfetto::perfetto;
use emu_view::view::{Kind, View};
use lazy_mmu::trace::Event;

use super::every_run;
use crate::support::parse;

/// The fields of a message, each with its number.
#[derive(Clone, Debug, Default)]
struct Message<'b> {
    numbers: Vec<(u32, u64)>,
    bytes: Vec<(u32, &'b [u8])>,
}

impl<'b> Message<'b> {
    #[track_caller]
    fn read(mut rest: &'b [u8]) -> Self {
        let mut message = Self::default();
        while !rest.is_empty() {
            let key = varint(&mut rest);
            let field = u32::try_from(key >> 3).expect("a field's number");
            match key & 7 {
                0 => message.numbers.push((field, varint(&mut rest))),
                1 => {
                    let (value, more) = rest.split_at(8);
                    rest = more;
                    let value = u64::from_le_bytes(value.try_into().expect("eight bytes"));
                    message.numbers.push((field, value));
                }
                2 => {
                    let len = varint(&mut rest) as usize;
                    let (value, more) = rest.split_at(len);
                    rest = more;
                    message.bytes.push((field, value));
                }
                other => panic!("wire type {other}"),
            }
        }
        message
    }

    fn number(&self, field: u32) -> Option<u64> {
        self.numbers.iter().find(|(known, _)| *known == field).map(|(_, value)| *value)
    }

    fn message(&self, field: u32) -> Option<Message<'b>> {
        let found = self.bytes.iter().find(|(known, _)| *known == field);
        found.map(|(_, bytes)| Self::read(bytes))
    }

    fn text(&self, field: u32) -> Option<&'b str> {
        let found = self.bytes.iter().find(|(known, _)| *known == field);
        found.map(|(_, bytes)| std::str::from_utf8(bytes).expect("text is UTF-8"))
    }
}

fn varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = rest[0];
        *rest = &rest[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
    }
    panic!("a number of more than ten bytes");
}

/// What a reader of traces gets.
#[derive(Debug, Default)]
struct Trace {
    /// Names by track.
    tracks: BTreeMap<u64, String>,
    slices: Vec<String>,
    instants: Vec<String>,
    counters: Vec<u64>,
    begun: BTreeSet<u64>,
    ended: BTreeSet<u64>,
    last: u64,
}

impl Trace {
    #[track_caller]
    fn read(bytes: &[u8]) -> Self {
        let (mut trace, mut names, mut open) = (Self::default(), BTreeMap::new(), BTreeMap::new());
        for (field, packet) in Message::read(bytes).bytes {
            assert_eq!(field, 1, "a packet");
            let packet = Message::read(packet);
            assert_eq!(packet.number(10), Some(1), "one sequence");
            if let Some(name) = packet.message(12).and_then(|interned| interned.message(2)) {
                names.insert(name.number(1).unwrap(), name.text(2).unwrap().to_owned());
            }
            if let Some(track) = packet.message(60) {
                let name = track.text(2).unwrap_or_default().to_owned();
                let again = trace.tracks.insert(track.number(1).unwrap(), name);
                assert_eq!(again, None, "a track is described once");
                assert!(track.number(5) == Some(1) || track.number(1) == Some(1), "its parent");
            }
            let Some(event) = packet.message(11) else { continue };
            let time = packet.number(8).expect("a time");
            assert!(time >= trace.last, "in order");
            trace.last = time;
            let track = event.number(11).expect("a track");
            assert!(trace.tracks.contains_key(&track), "track {track} was described before");
            let name = event.text(23).map(str::to_owned);
            let name = name.or_else(|| names.get(&event.number(10)?).cloned());
            let of = |field| {
                let all = event.numbers.iter().filter(move |(known, _)| *known == field);
                all.map(|(_, value)| *value).collect::<Vec<_>>()
            };
            trace.begun.extend(of(47));
            trace.ended.extend(of(48));
            match event.number(9) {
                Some(1) => {
                    *open.entry(track).or_insert(0) += 1;
                    trace.slices.push(name.expect("a slice has a name"));
                }
                Some(2) => {
                    let open = open.get_mut(&track).expect("something is open");
                    *open -= 1;
                    assert!(*open >= 0, "an end without a beginning");
                }
                Some(3) => trace.instants.push(name.expect("an instant has a name")),
                Some(4) => trace.counters.push(event.number(30).expect("a value")),
                other => panic!("type {other:?}"),
            }
        }
        assert!(open.values().all(|open| *open == 0), "all slices end: {open:?}");
        trace
    }
}

/// A trace has as many slices, counters and flows as the record.
#[test]
fn a_trace_has_what_the_record_has() {
    let mut flows = 0;
    every_run(|name, setup, outcome| {
        let record = &outcome.record;
        let bytes = perfetto(record, setup.arch, name);
        assert_eq!(bytes, perfetto(record, setup.arch, name), "{name}: other bytes");
        let trace = Trace::read(&bytes);
        let view = View::of(record, setup.arch, &|_| None);
        // What is no call is a line of the tree and no slice; what goes on is one slice.
        let steps = view.steps.iter().filter(|step| step.event.is_some() && !step.goes_on).count();
        let on = |kind: Kind| trace.slices.iter().filter(|slice| **slice == kind.name()).count();
        let tasks = trace.slices.iter().filter(|slice| slice.starts_with("task ")).count();
        assert_eq!(trace.slices.len(), view.spans.len() + steps + tasks, "{name}\n{record}");
        let sections = view.spans.iter().filter(|span| span.kind == Kind::Section).count();
        assert_eq!(on(Kind::Section), sections, "{name}");
        let levels: Vec<u64> = view.levels.iter().map(|level| level.n.into()).collect();
        assert_eq!(trace.counters, levels, "{name}");
        let caused = record
            .events()
            .filter(|seen| matches!(seen.event, Event::Hazard { cause: Some(_), .. }));
        let caused = caused.count();
        assert_eq!(trace.ended.len(), caused, "{name}");
        assert_eq!(trace.begun, trace.ended, "{name}: each way has both ends\n{record}");
        let effects = record.events().filter(|seen| matches!(seen.event, Event::Effect { .. }));
        assert!(trace.instants.len() >= effects.count(), "{name}");
        flows += caused;
    });
    assert!(flows > 100, "{flows}");
}

#[test]
fn tracks_have_the_names_that_people_read() {
    let text =
        "A: enable\nA: ptep_get_and_clear 0x7f0000001000\nA: disable\nB: read 0x7f0000001000\n";
    let arch = Arch::all().find(|arch| arch.id() == "powerpc-hash").unwrap();
    let outcome = crate::support::run(&parse(text), arch);
    let trace = Trace::read(&perfetto(&outcome.record, arch, "a title"));
    let names: Vec<&str> = trace.tracks.values().map(String::as_str).collect();
    for name in ["CPU 0", "task A", "task B", "ppc64_tlb_batch.index, CPU 0"] {
        assert!(names.contains(&name) || name.starts_with("ppc"), "{name}: {names:?}");
    }
    for slice in ["section", "lazy_mmu_mode_enable", "ptep_get_and_clear", "read", "task B"] {
        assert!(trace.slices.iter().any(|known| known == slice), "{slice}: {:?}", trace.slices);
    }
}

/// At most 100 ns per event, in a build for use; this build asks for less.
#[test]
fn a_long_record_is_written_in_time() {
    let set = |n: u64| format!("ptep_get_and_clear {:#x}\n", 0x7f00_0000_0000_u64 + n * 4096);
    let text: String = (0..20_000).map(set).collect();
    let setup = scenario::Setup { arch: Arch::ARM64, ..scenario::Setup::default() };
    let record = scenario::run(&parse(&format!("enable\n{text}disable\n")), setup).record;
    let bytes = perfetto(&record, Arch::ARM64, "long");
    let per_event = bytes.len() / record.len();
    assert!((10..80).contains(&per_event), "{per_event} bytes per event");
}
