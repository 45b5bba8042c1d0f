//! A trace for Perfetto: track events in its protocol buffers, for ui.perfetto.dev and
//! `trace_processor`.
//!
//! A track for each CPU shows which task runs, one for each task its sections and pauses, its calls
//! and primitives, and in them what the architecture does; a counter for each batch what waits; an
//! arrow leads from a cause to its victim. The lab has no time: an event is a microsecond.
//!
//! The numbers of fields are those of protos/perfetto/trace/trace_packet.proto and
//! protos/perfetto/trace/track_event/.

mod wire;

use std::collections::BTreeMap;

use emu_arch::Arch;
use lazy_mmu::Record;
use lazy_mmu::design::Design;
use lazy_mmu::trace::{Event, Recorded, effect_text, task_name};

use crate::view::{Kind, Level, Mark, Owner, Pending, Spans};
use wire::Message;

/// Fields of a packet.
const PACKET: u32 = 1;
const TIMESTAMP: u32 = 8;
const SEQUENCE: u32 = 10;
const TRACK_EVENT: u32 = 11;
const INTERNED: u32 = 12;
const FLAGS: u32 = 13;
const TRACK: u32 = 60;
/// Fields of a track event.
const ANNOTATION: u32 = 4;
const TYPE: u32 = 9;
const NAME_IID: u32 = 10;
const TRACK_OF: u32 = 11;
const NAME: u32 = 23;
const VALUE: u32 = 30;
const FLOW: u32 = 47;
const FLOW_ENDS: u32 = 48;
/// Types of a track event.
const BEGIN: u64 = 1;
const END: u64 = 2;
const INSTANT: u64 = 3;
const COUNTER: u64 = 4;

/// The track of the whole record; those of CPUs, tasks and batches follow.
const ROOT: u64 = 1;
const CPUS: u64 = 0x100;
const TASKS: u64 = 0x200;
const CPU_BATCHES: u64 = 0x300;
const TASK_BATCHES: u64 = 0x400;

/// The trace of `record`, seen on `arch`, under the name `title`.
#[must_use]
pub fn perfetto(record: &Record, arch: Arch, title: &str) -> Vec<u8> {
    let mut causes: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for seen in record.events() {
        if let Event::Hazard { cause: Some(cause), .. } = seen.event {
            causes.entry(u64::from(cause)).or_default().push(seen.seq + 1);
        }
    }
    let mut writer = Writer {
        design: record.design(),
        trace: Message::default(),
        packet: Message::default(),
        event: Message::default(),
        tracks: Vec::new(),
        names: Vec::new(),
        running: BTreeMap::new(),
        causes,
        time: 0,
    };
    writer.trace.0.reserve(record.len() * 40);
    writer.root(title);
    let mut spans = Spans::new(record.design());
    let mut pending = Pending::new(arch.facts());
    for seen in record.events() {
        writer.time = seen.seq * 1000;
        writer.run(&seen);
        spans.event(&seen, |mark| writer.mark(&seen, mark));
        writer.inside(&seen);
        if let Some(level) = pending.event(&seen) {
            writer.level(&level);
        }
    }
    writer.time = record.len() as u64 * 1000;
    spans.end(|mark| {
        if let Mark::End { task, .. } = mark {
            writer.end(TASKS + u64::from(task));
        }
    });
    writer.stop();
    writer.trace.0
}

struct Writer<'r> {
    design: Design,
    trace: Message,
    /// A packet and an event under way, kept for their memory.
    packet: Message,
    event: Message,
    /// The tracks that were described.
    tracks: Vec<u64>,
    /// Names that stand in the trace once: where each is in memory, and its text.
    names: Vec<&'r str>,
    /// Which task runs on each CPU.
    running: BTreeMap<u8, u8>,
    /// The flows that begin at an event.
    causes: BTreeMap<u64, Vec<u64>>,
    /// Nanoseconds.
    time: u64,
}

impl<'r> Writer<'r> {
    fn root(&mut self, title: &str) {
        let mut process = Message::default();
        process.number(1, 1);
        process.text(6, title);
        let mut track = Message::default();
        track.number(1, ROOT);
        track.message(3, &process);
        self.packet.number(FLAGS, 1);
        self.packet.message(TRACK, &track);
        self.put();
    }

    /// Appends the packet under way.
    fn put(&mut self) {
        self.packet.number(SEQUENCE, 1);
        self.trace.message(PACKET, &self.packet);
        self.packet.clear();
    }

    /// Describes a track, once.
    #[inline]
    fn track(&mut self, uuid: u64, counter: bool, name: impl FnOnce() -> String) {
        if self.tracks.contains(&uuid) {
            return;
        }
        self.tracks.push(uuid);
        let mut track = Message::default();
        track.number(1, uuid);
        track.text(2, &name());
        track.number(5, ROOT);
        if counter {
            track.message(8, &Message::default());
        }
        self.packet.message(TRACK, &track);
        self.put();
    }

    /// The number of a name that stands in the trace once.
    #[inline]
    fn iid(&mut self, name: &'r str) -> u64 {
        let same =
            |known: &&str| std::ptr::eq(known.as_ptr(), name.as_ptr()) && known.len() == name.len();
        if let Some(at) = self.names.iter().position(same) {
            return at as u64 + 1;
        }
        self.names.push(name);
        let iid = self.names.len() as u64;
        let (mut event_name, mut interned) = (Message::default(), Message::default());
        event_name.number(1, iid);
        event_name.text(2, name);
        interned.message(2, &event_name);
        self.packet.message(INTERNED, &interned);
        self.put();
        iid
    }

    /// Begins an event of a type on a track.
    #[inline]
    fn begin(&mut self, of: u64, track: u64) {
        self.event.clear();
        self.event.number(TYPE, of);
        self.event.number(TRACK_OF, track);
    }

    /// Appends the event under way.
    #[inline]
    fn done(&mut self) {
        self.packet.number(TIMESTAMP, self.time);
        self.packet.number(FLAGS, 2);
        self.packet.message(TRACK_EVENT, &self.event);
        self.put();
    }

    fn end(&mut self, track: u64) {
        self.begin(END, track);
        self.done();
    }

    /// The CPU runs the task of the event.
    #[inline]
    fn run(&mut self, seen: &Recorded<'r>) {
        if self.running.get(&seen.cpu) == Some(&seen.task) {
            return;
        }
        let track = CPUS + u64::from(seen.cpu);
        self.track(track, false, || format!("CPU {}", seen.cpu));
        if self.running.insert(seen.cpu, seen.task).is_some() {
            self.end(track);
        }
        self.begin(BEGIN, track);
        self.event.text(NAME, &task(seen.task));
        self.done();
    }

    /// Ends what the CPUs run.
    fn stop(&mut self) {
        for cpu in std::mem::take(&mut self.running).into_keys() {
            self.end(CPUS + u64::from(cpu));
        }
    }

    #[inline]
    fn mark(&mut self, seen: &Recorded<'r>, mark: Mark) {
        match mark {
            Mark::Begin(kind) => {
                let track = TASKS + u64::from(seen.task);
                self.track(track, false, || task(seen.task));
                let name = self.name(kind, &seen.event);
                let iid = self.iid(name);
                self.begin(BEGIN, track);
                self.event.number(NAME_IID, iid);
                if kind == Kind::Step {
                    self.step(seen);
                }
                self.done();
            }
            Mark::End { task, .. } => self.end(TASKS + u64::from(task)),
            Mark::GoesOn => {}
        }
    }

    /// The name of a span.
    #[inline]
    fn name(&self, kind: Kind, event: &Event<'r>) -> &'r str {
        if kind != Kind::Step {
            kind.name()
        } else if let Event::Call(call) = *event {
            self.design.call_info(call).map_or("call", |info| info.name)
        } else if let Event::Pte(pte) = *event {
            pte.op.name()
        } else if let Event::Context { name, .. } = *event {
            name
        } else {
            "switch"
        }
    }

    /// What a primitive is given, and the flows that a step begins.
    #[inline]
    fn step(&mut self, seen: &Recorded<'r>) {
        if let Event::Pte(pte) = seen.event {
            let mut addr = Message::default();
            addr.text(10, "addr");
            addr.number(7, pte.addr);
            self.event.message(ANNOTATION, &addr);
        }
        self.flows(seen.seq);
    }

    fn flows(&mut self, seq: u64) {
        if self.causes.is_empty() {
            return;
        }
        for flow in self.causes.remove(&seq).unwrap_or_default() {
            self.event.fixed(FLOW, flow);
        }
    }

    /// What happens in a step.
    #[inline]
    fn inside(&mut self, seen: &Recorded<'r>) {
        let track = TASKS + u64::from(seen.task);
        match seen.event {
            Event::Hook(hook) => {
                let info = self.design.hook_info(hook);
                self.instant(seen, track, info.map_or("hook", |info| info.name));
            }
            Event::Effect { name, n: None } => self.instant(seen, track, name),
            Event::Effect { name, n } => self.told(seen, &effect_text(name, n), None),
            Event::Warn { check, cond, .. } => self.told(seen, &format!("{check}({cond})"), None),
            Event::Hazard { name, cause } => {
                let ends = cause.map(|_| seen.seq + 1);
                self.told(seen, &format!("HAZARD: {name}"), ends);
            }
            Event::Section(_)
            | Event::Call(_)
            | Event::Store(_)
            | Event::Pte(_)
            | Event::Return { .. }
            | Event::Context { .. }
            | Event::Switch { .. }
            | Event::Away
            | Event::Back
            | Event::Note(_)
            | Event::Pending { .. }
            | Event::End { .. } => {}
        }
    }

    /// An instant with a text of its own, at which the flow `ends` ends.
    fn told(&mut self, seen: &Recorded<'r>, text: &str, ends: Option<u64>) {
        let track = TASKS + u64::from(seen.task);
        self.track(track, false, || task(seen.task));
        self.begin(INSTANT, track);
        self.event.text(NAME, text);
        self.flows(seen.seq);
        if let Some(flow) = ends {
            self.event.fixed(FLOW_ENDS, flow);
        }
        self.done();
    }

    #[inline]
    fn instant(&mut self, seen: &Recorded<'r>, track: u64, name: &'r str) {
        self.track(track, false, || task(seen.task));
        let iid = self.iid(name);
        self.begin(INSTANT, track);
        self.event.number(NAME_IID, iid);
        self.flows(seen.seq);
        self.done();
    }

    #[inline]
    fn level(&mut self, level: &Level<'r>) {
        let (track, whose) = match level.owner {
            Owner::Cpu(cpu) => (CPU_BATCHES + u64::from(cpu), format!("CPU {cpu}")),
            Owner::Task(of) => (TASK_BATCHES + u64::from(of), task(of)),
        };
        self.track(track, true, || format!("{}, {whose}", level.what));
        self.begin(COUNTER, track);
        self.event.number(VALUE, u64::from(level.n));
        self.done();
    }
}

fn task(task: u8) -> String {
    format!("task {}", task_name(task))
}
