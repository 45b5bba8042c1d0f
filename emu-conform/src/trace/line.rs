//! Lines of the forms that ftrace writes: `COMM-PID [CPU] FLAGS TIME: EVENT: ...`, and what stands
//! between them.

use emu_input::InputError;

use super::hits::is_hit;
use super::operations::{ends, mark};
use super::value::{BUG_EVENT, Event, Said, Trace};
use super::version;

/// What a line of a trace must be.
const EXPECTED: &str = "expected an event of ftrace, `COMM-PID [CPU] FLAGS TIME: EVENT: ...`";

/// What hits are not.
const HITS: &str = "expected a trace, found hits of the TCG plugin: give the trace of the same run, \
                    and these with --hits";

/// The first line of the file `trace`.
const HEADER: &str = "# tracer:";

/// The line of a console behind which the ring buffer stands.
const DUMP: &str = "Dumping ftrace buffer:";
/// The line of a console that says where the kernel died.
const BUG: &str = "kernel BUG at ";

/// Reads the text of `trace`, `trace_pipe`, `trace-cmd report`, or of a console with the dump of
/// `ftrace_dump_on_oops`.
///
/// # Errors
/// A line is no event, nor one of those that stand between events; or there is no event.
pub fn parse(text: &str) -> Result<Trace<'_>, InputError> {
    let console = text.contains(DUMP);
    let (events, lost_events) = (Vec::new(), Vec::new());
    let mut trace = Trace { events, lost: lost_events, lines: 0, says: None, cut: false };
    let (mut in_dump, mut bug) = (false, None);
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        trace.lines = number;
        let line = if console { without_time(line) } else { line };
        if lines.peek().is_none() && !text.ends_with('\n') && !event(line).is_some_and(is_end) {
            trace.cut = true;
            break;
        }
        if console || between(line) {
            trace.says = trace.says.or_else(|| version::said(number, line));
        }
        if !console && line.starts_with(HEADER) && !trace.events.is_empty() {
            let what = "expected one trace, found the header of another: give each as a file";
            return Err(InputError::at(number, line, line, what));
        }
        if console && !in_dump {
            in_dump = line.contains(DUMP);
            bug = bug.or_else(|| line.find(BUG).map(|at| (number, line, &line[at..])));
            continue;
        }
        if let Some(event) = if console { dumped(line) } else { event(line) } {
            trace.events.push(Event { line: number as u32, text: line, ..event });
        } else if let Some(lost) = lost(line) {
            trace.lost.push((trace.events.len(), lost));
        } else if !console && !between(line) {
            return Err(wrong(number, line));
        }
    }
    if trace.events.is_empty() {
        return Err(wrong(1, text.lines().next().unwrap_or("")));
    }
    let mut marks = trace.events.iter().filter_map(|event| {
        let version = version::marked(mark(event)?)?;
        Some(Said { line: event.line, text: event.text, version })
    });
    trace.says = trace.says.or(marks.next());
    if let (Some((number, text, message)), Some(last)) = (bug, trace.events.last().copied()) {
        let (line, name) = (number as u32, BUG_EVENT);
        trace.events.push(Event { line, text, name, args: message, ..last });
    }
    Ok(trace)
}

/// Whether an event ends an operation: it is whole where its line is the last one.
fn is_end(event: Event<'_>) -> bool {
    ends(&event)
}

fn wrong(number: usize, line: &str) -> InputError {
    let part = line.trim();
    let message = if is_hit(part) { HITS } else { EXPECTED };
    InputError::at(number, line, if part.len() > 80 { &line[..0] } else { part }, message)
}

/// A line of a console without the time that printk puts before it.
fn without_time(line: &str) -> &str {
    let rest = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    rest.map_or(line, |(_, rest)| rest)
}

/// A line that may stand between events.
fn between(line: &str) -> bool {
    let line = line.trim();
    line.is_empty()
        || line.starts_with('#')
        || line.starts_with("=> ")
        || line.starts_with("<stack trace>")
        || line.starts_with("cpus=")
        || line.starts_with("version = ")
        || line.starts_with("Linux version ")
}

/// How many events were lost, if the line says so: `CPU:0 [LOST 5 EVENTS]`, and
/// `CPU:0 [5 EVENTS DROPPED]` of trace-cmd.
fn lost(line: &str) -> Option<u64> {
    let line = line.trim();
    let (_, rest) = line.strip_prefix("CPU:")?.split_once('[')?;
    let number = rest.strip_prefix("LOST ").unwrap_or(rest).split(' ').next()?;
    if number == "EVENTS" { Some(1) } else { number.parse().ok() }
}

/// The event of a line of `trace`, `trace_pipe` or `trace-cmd report`.
fn event(line: &str) -> Option<Event<'_>> {
    let mut from = 0;
    // The name of a task may have brackets and blanks: the CPU is the first number in brackets
    // behind the number of a task.
    while let Some(at) = line[from..].find(" [").map(|at| from + at) {
        if let Some(event) = event_at(line, at) {
            return Some(event);
        }
        from = at + 2;
    }
    None
}

fn event_at(line: &str, at: usize) -> Option<Event<'_>> {
    let mut who = line[..at].trim_end();
    if who.ends_with(')') {
        // The option record-tgid puts `(TGID)` here.
        who = who.rsplit_once('(')?.0.trim_end();
    }
    let (comm, pid) = who.rsplit_once('-')?;
    let (cpu, rest) = line[at + 2..].split_once(']')?;
    let (pid, cpu) = (pid.parse().ok()?, cpu.parse().ok()?);
    let rest = rest.trim_start();
    let (head, rest) = rest.split_once(": ")?;
    let (flags, time) = match head.split_once(' ') {
        Some((flags, time)) => (flags, time.trim_start()),
        None => ("", head),
    };
    let time = time.parse().ok()?;
    Some(Event { time, ..named(comm, pid, cpu, flags, rest)? })
}

/// The event of a line of the dump that a dying kernel writes: `COMM-PID CPUFLAGS TIMEus : EVENT`.
fn dumped(line: &str) -> Option<Event<'_>> {
    let (head, rest) = line.split_once("us : ")?;
    let (head, time) = head.trim_end().rsplit_once(' ')?;
    let time = f64::from(u32::try_from(time.parse::<u64>().ok()? / 1000).ok()?);
    let (who, cpu) = head.trim_end().rsplit_once(' ')?;
    let digits = cpu.find(|c: char| !c.is_ascii_digit())?;
    let (cpu, flags) = cpu.split_at(digits);
    let (comm, pid) = who.trim_end().rsplit_once('-')?;
    Some(Event { time, ..named(comm, pid.parse().ok()?, cpu.parse().ok()?, flags, rest)? })
}

fn named<'t>(
    comm: &'t str,
    pid: u32,
    cpu: u16,
    flags: &'t str,
    rest: &'t str,
) -> Option<Event<'t>> {
    let rest = rest.trim();
    let (name, args) = rest.split_once(':')?;
    let word = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    if name.is_empty() || !name.chars().all(word) {
        return None;
    }
    let (comm, args) = (comm.trim(), args.trim_start());
    Some(Event { line: 0, text: "", comm, pid, cpu, flags, time: 0.0, name, args })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_line() {
        let all = [
            "           lazyt-120     [000] d..1.    13.425733: xen_mc_issue: start batch LAZY_MMU",
            "   my task [3]-120     [000]    13.425733: xen_mc_issue:      start batch LAZY_MMU",
            "  a-b-120  (  120) [000] dNs2. 13.425733: xen_mc_issue: start batch LAZY_MMU",
        ];
        for line in all {
            let event = event(line).unwrap();
            assert_eq!((event.pid, event.cpu, event.name), (120, 0, "xen_mc_issue"), "{line}");
            assert_eq!(event.args, "start batch LAZY_MMU");
        }
        let line = "  mapper-163       0d.... 3217719us : xen_mc_issue: start batch LAZY_MMU";
        assert_eq!(dumped(line).unwrap().flags, "d....");
        assert_eq!(lost("CPU:0 [LOST 98974 EVENTS]"), Some(98974));
    }

    #[test]
    fn what_is_no_trace_is_refused_at_its_place() {
        let error = parse("# tracer: nop\nenable\n").unwrap_err();
        assert_eq!((error.line, error.column), (2, 1));
        assert!(parse("# tracer: nop\n").is_err());
    }
}
