//! The notation of `function_graph` back to the record that it was written from.

use super::arrows::{GOES_ON, INTERRUPTED};
use emu_input::InputError;
use lazy_mmu::Record;
use lazy_mmu::design::{Call, Design, StateBits};
use lazy_mmu::preempt::PreemptCount;
use lazy_mmu::trace::{Event, PteEvent, PteOp};

/// The record that `text` was written from.
///
/// # Errors
/// A line that [`FunctionGraph`](super::FunctionGraph) does not write, by its place.
pub fn read(text: &str) -> Result<Record, InputError> {
    let design = text.lines().find_map(|line| line.strip_prefix("# design: "));
    let design = design.and_then(Design::by_id).ok_or_else(|| {
        InputError::at(1, "", "", "expected a line `# design: ID` of a known design")
    })?;
    let mut reader = Reader { design, record: Record::new(design) };
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.trim_start().starts_with("---") {
            continue;
        }
        if reader.line(line).is_none() {
            let message = "expected a line of the function_graph tracer as lazymmu writes it";
            return Err(InputError::at(index + 1, line, line.trim(), message));
        }
    }
    Ok(reader.record)
}

struct Reader {
    design: Design,
    record: Record,
}

impl Reader {
    /// Reads a line; nothing where it is none.
    fn line(&mut self, line: &str) -> Option<()> {
        let (cpu, rest) = line.split_once(')')?;
        let cpu = cpu.trim().parse().ok()?;
        if let Some((from, to)) = rest.split_once("=>").filter(|_| !rest.contains('|')) {
            let next = task(to)?;
            self.record.push(cpu, task(from)?, Event::Switch { next });
            return Some(());
        }
        let (comm, text) = rest.split_once('|')?;
        let (task, text) = (task(comm)?, text.trim());
        if text == "}" {
            return Some(());
        }
        let event = self.event(text)?;
        self.record.push(cpu, task, event);
        Some(())
    }

    fn event<'t>(&self, text: &'t str) -> Option<Event<'t>> {
        match text {
            INTERRUPTED => return Some(Event::Away),
            GOES_ON => return Some(Event::Back),
            _ => {}
        }
        if let Some(end) = text.strip_prefix("} /* ") {
            return self.returned(end.strip_suffix(" */")?);
        }
        if let Some(comment) = text.strip_prefix("/* ") {
            return comment_event(comment.strip_suffix(" */")?);
        }
        let (head, tail) = match text.split_once(" /* ") {
            Some((head, tail)) => (head, tail.strip_suffix(" */")?),
            None => (text, ""),
        };
        let head = head.strip_suffix(" {").or(head.strip_suffix(';'))?;
        let (name, args) = head.strip_suffix(')')?.split_once('(')?;
        if let Some(count) = tail.strip_prefix("by arch code: ") {
            return Some(Event::Context { name, preempt_count: count_of(count)?, by_arch: true });
        }
        if !tail.is_empty() {
            return Some(Event::Context { name, preempt_count: count_of(tail)?, by_arch: false });
        }
        if let Some(call) = self.call(name).filter(|_| args.is_empty() && text.ends_with('{')) {
            return Some(Event::Call(call));
        }
        if let Some(hook) = self.design.hooks().iter().find(|info| info.name == name) {
            return Some(Event::Hook(hook.hook));
        }
        if args.contains("addr=") {
            return pte_event(name, args);
        }
        Some(match args.parse() {
            Ok(n) => Event::Effect { name, n: Some(n) },
            Err(_) => Event::Effect { name: head, n: None },
        })
    }

    fn call(&self, name: &str) -> Option<Call> {
        self.design.calls().iter().find(|info| info.name == name).map(|info| info.call)
    }

    fn returned<'t>(&self, text: &str) -> Option<Event<'t>> {
        let (name, rest) = text.split_once(": active=")?;
        let (active, state) = rest.split_once(' ')?;
        let (call, state) = (self.call(name)?, state_of(state)?);
        Some(Event::Return { call, active: active == "1", state })
    }
}

/// What stands in a comment of its own.
fn comment_event(text: &str) -> Option<Event<'_>> {
    if text.starts_with("lazy_mmu_state=") {
        return Some(Event::Store(state_of(text)?));
    }
    if let Some(hazard) = text.strip_prefix("HAZARD: ") {
        let (name, cause) = match hazard.split_once(", caused by event ") {
            Some((name, cause)) => (name, Some(cause.parse().ok()?)),
            None => (hazard, None),
        };
        return Some(Event::Hazard { name, cause });
    }
    if let Some(name) = text.strip_prefix("section: ") {
        return Some(Event::Section(name));
    }
    if let Some(note) = text.strip_prefix("# ") {
        return Some(Event::Note(note));
    }
    if let Some(pending) = text.strip_prefix("pending: ") {
        let (n, what) = pending.split_once(" in ")?;
        return Some(Event::Pending { n: n.parse().ok()?, what });
    }
    if let Some(end) = text.strip_prefix("end: ") {
        let count = end.rfind("preempt_count=")?;
        let (state, preempt_count) = (state_of(end)?, count_of(&end[count..])?);
        return Some(Event::End { state, preempt_count });
    }
    let (text, again) = match text.strip_suffix(" again") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let check = text.split_once('(').filter(|(check, _)| is_check(check));
    if let Some((check, cond)) = check {
        return Some(Event::Warn { check, cond: cond.strip_suffix(')')?, again });
    }
    if let Some((name, n)) = text.split_once('=')
        && let Ok(n) = n.parse()
    {
        return Some(Event::Effect { name: &text[..=name.len()], n: Some(n) });
    }
    Some(Event::Effect { name: text, n: None })
}

/// `VM_WARN_ON_ONCE` and the like.
fn is_check(name: &str) -> bool {
    name.contains("WARN_ON") || name.contains("BUG_ON")
}

fn pte_event<'t>(name: &str, args: &str) -> Option<Event<'t>> {
    let field = |key: &str| {
        let fields = args.split(", ").filter_map(|field| field.split_once('='));
        let value = fields.filter(|(known, _)| *known == key).map(|(_, value)| value).next()?;
        number(value)
    };
    let op = PteOp::ALL.into_iter().find(|op| op.name() == name)?;
    let (mm, nr) = (u8::try_from(field("mm")?).ok()?, u16::try_from(field("nr")?).ok()?);
    Some(Event::Pte(PteEvent { op, mm, addr: field("addr")?, pte: field("pte")?, nr }))
}

/// The state in `lazy_mmu_state=0x1: ...`.
fn state_of(text: &str) -> Option<StateBits> {
    let (bits, _) = text.strip_prefix("lazy_mmu_state=")?.split_once(':')?;
    number(bits).map(StateBits)
}

/// The count in `preempt_count=0x10001`.
fn count_of(text: &str) -> Option<PreemptCount> {
    let count = number(text.strip_prefix("preempt_count=")?)?;
    u32::try_from(count).ok().map(PreemptCount)
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The number in `A-1`.
fn task(comm: &str) -> Option<u8> {
    comm.trim().rsplit_once('-')?.1.parse().ok()
}
