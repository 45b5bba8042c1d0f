//! The notation of ftrace's `function_graph` tracer, with the columns of the CPU and the task.
//!
//! ```text
//! # tracer: function_graph
//! #
//! # CPU  TASK/PID      FUNCTION CALLS
//! # |      |           |   |   |   |
//!  0)    -0         |  lazy_mmu_mode_enable() {
//!  0)    -0         |    /* lazy_mmu_state=0x1: enable=1 pause=0 */
//!  0)    -0         |    arch_enter_lazy_mmu_mode();
//!  0)    -0         |  } /* lazy_mmu_mode_enable: active=1 lazy_mmu_state=0x1: enable=1 pause=0 */
//! ```
//!
//! There is no column of durations: the lab has no time. What is no function stands in comments, as
//! `trace_printk()` has it. [`read`] gives the record back, event by event.

mod arrows;
mod read;

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter, Write};

use lazy_mmu::Record;
use lazy_mmu::design::{Design, StateBits};
use lazy_mmu::trace::{Event, PteEvent, Recorded, effect_text, task_name};

pub use read::read;

use crate::view::begins_step;
use arrows::{GOES_ON, INTERRUPTED};

/// A record in the notation of `function_graph`.
#[derive(Clone, Copy, Debug)]
pub struct FunctionGraph<'r>(pub &'r Record);

const RULER: &str = " ------------------------------------------";

impl Display for FunctionGraph<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let design = self.0.design();
        writeln!(f, "# tracer: function_graph")?;
        writeln!(f, "# design: {}", design.id())?;
        writeln!(f, "#\n# CPU  TASK/PID      FUNCTION CALLS\n# |      |           |   |   |   |")?;
        let mut graph = Graph { design, to: f, open: BTreeMap::new(), held: None };
        for seen in self.0.events() {
            graph.event(&seen)?;
        }
        graph.flush(false)?;
        let open: Vec<u8> = graph.open.keys().copied().collect();
        open.into_iter().try_for_each(|task| graph.close(task, 0, None))
    }
}

/// A function that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    /// A call of the API, a primitive or a change of context.
    Step,
    /// A hook; what belongs to it follows.
    Hook,
    /// Something else happens inside.
    Away,
}

/// A line that ends with `;` or with ` {`, as the next event has it.
struct Held {
    place: (u8, u8),
    text: String,
    tail: String,
    kind: Open,
}

struct Graph<'f, 'g> {
    design: Design,
    to: &'f mut Formatter<'g>,
    open: BTreeMap<u8, Vec<Open>>,
    held: Option<Held>,
}

impl Graph<'_, '_> {
    fn event(&mut self, seen: &Recorded<'_>) -> fmt::Result {
        let place = (seen.cpu, seen.task);
        if begins_step(&seen.event) || is_apart(&seen.event) {
            self.flush(false)?;
            self.close(seen.task, self.inner(seen.task), Some(place))?;
            return self.begin(seen, place);
        }
        let in_hook = matches!(
            seen.event,
            Event::Effect { .. }
                | Event::Context { .. }
                | Event::Warn { .. }
                | Event::Hazard { .. }
        );
        let hook_held = self.held.as_ref().is_some_and(|held| held.kind == Open::Hook);
        self.flush(in_hook || !hook_held && seen.event != Event::Back)?;
        if !in_hook && seen.event != Event::Away {
            self.close_hook(place)?;
        }
        match seen.event {
            Event::Hook(hook) => {
                let info = self.design.hook_info(hook);
                let name = info.map_or_else(|| hook.to_string(), |info| info.name.to_owned());
                let text = format!("{name}()");
                self.held = Some(Held { place, text, tail: String::new(), kind: Open::Hook });
                Ok(())
            }
            Event::Return { call, active, state } => {
                let (name, state) = (self.call(call), self.state(state));
                let text = format!("}} /* {name}: active={} {state} */", u8::from(active));
                let inner = self.inner(seen.task);
                self.open.entry(seen.task).or_default().truncate(inner);
                self.line(place, &text)
            }
            Event::Away => {
                self.line(place, INTERRUPTED)?;
                self.open.entry(seen.task).or_default().push(Open::Away);
                Ok(())
            }
            Event::Back => {
                let inner = self.inner(seen.task);
                self.close(seen.task, inner, Some(place))?;
                self.open.entry(seen.task).or_default().pop_if(|top| *top == Open::Away);
                self.line(place, GOES_ON)
            }
            Event::Section(_)
            | Event::Call(_)
            | Event::Store(_)
            | Event::Effect { .. }
            | Event::Pte(_)
            | Event::Warn { .. }
            | Event::Context { .. }
            | Event::Switch { .. }
            | Event::Hazard { .. }
            | Event::Note(_)
            | Event::Pending { .. }
            | Event::End { .. } => self.line(place, &self.plain(&seen.event)),
        }
    }

    /// Begins a step, or prints what stands apart from all of them.
    fn begin(&mut self, seen: &Recorded<'_>, place: (u8, u8)) -> fmt::Result {
        let (text, tail) = match seen.event {
            Event::Call(call) => (format!("{}()", self.call(call)), String::new()),
            Event::Pte(PteEvent { op, mm, addr, pte, nr }) => {
                let name = op.name();
                (format!("{name}(mm={mm}, addr={addr:#x}, pte={pte:#x}, nr={nr})"), String::new())
            }
            Event::Context { name, preempt_count, .. } => {
                (format!("{name}()"), format!(" /* preempt_count={preempt_count} */"))
            }
            Event::Switch { next } => {
                let (from, to) = (comm(seen.task), comm(next));
                writeln!(self.to, "{RULER}")?;
                writeln!(self.to, " {})  {from:>8}  =>  {to:>8}", seen.cpu)?;
                return writeln!(self.to, "{RULER}");
            }
            Event::Section(_)
            | Event::Store(_)
            | Event::Hook(_)
            | Event::Effect { .. }
            | Event::Warn { .. }
            | Event::Return { .. }
            | Event::Away
            | Event::Back
            | Event::Hazard { .. }
            | Event::Note(_)
            | Event::Pending { .. }
            | Event::End { .. } => return self.line(place, &self.plain(&seen.event)),
        };
        self.held = Some(Held { place, text, tail, kind: Open::Step });
        // A call always has its end, so that an effect with the name of one is no call.
        if matches!(seen.event, Event::Call(_)) { self.flush(true) } else { Ok(()) }
    }

    /// An event that is neither a function nor its end.
    fn plain(&self, event: &Event<'_>) -> String {
        match *event {
            Event::Effect { name, n } => {
                let text = effect_text(name, n);
                if text.ends_with(')') { format!("{text};") } else { format!("/* {text} */") }
            }
            Event::Store(state) => format!("/* {} */", self.state(state)),
            Event::Context { name, preempt_count, .. } => {
                format!("{name}(); /* by arch code: preempt_count={preempt_count} */")
            }
            Event::Warn { check, cond, again } => {
                let again = if again { " again" } else { "" };
                format!("/* {check}({cond}){again} */")
            }
            Event::Hazard { name, cause } => match cause {
                Some(cause) => format!("/* HAZARD: {name}, caused by event {cause} */"),
                None => format!("/* HAZARD: {name} */"),
            },
            Event::Section(name) => format!("/* section: {name} */"),
            Event::Note(text) => format!("/* # {text} */"),
            Event::Pending { n, what } => format!("/* pending: {n} in {what} */"),
            Event::End { state, preempt_count } => {
                format!("/* end: {} preempt_count={preempt_count} */", self.state(state))
            }
            Event::Call(_)
            | Event::Hook(_)
            | Event::Pte(_)
            | Event::Return { .. }
            | Event::Switch { .. }
            | Event::Away
            | Event::Back => String::new(),
        }
    }

    fn call(&self, call: lazy_mmu::design::Call) -> String {
        let info = self.design.call_info(call);
        info.map_or_else(|| call.to_string(), |info| info.name.to_owned())
    }

    fn state(&self, state: StateBits) -> String {
        format!("lazy_mmu_state={:#x}: {}", state.0, self.design.show(state))
    }

    /// How many functions of `task` are open around the step under way.
    fn inner(&self, task: u8) -> usize {
        let open = self.open.get(&task).map_or(&[][..], Vec::as_slice);
        open.iter().rposition(|one| *one == Open::Away).map_or(0, |at| at + 1)
    }

    /// Prints the held line: with what follows in it, or as a leaf.
    fn flush(&mut self, has_body: bool) -> fmt::Result {
        let Some(Held { place, text, tail, kind }) = self.held.take() else { return Ok(()) };
        let end = if has_body { " {" } else { ";" };
        self.line(place, &format!("{text}{end}{tail}"))?;
        if has_body {
            self.open.entry(place.1).or_default().push(kind);
        }
        Ok(())
    }

    /// Ends the hook that is open, if one is.
    fn close_hook(&mut self, place: (u8, u8)) -> fmt::Result {
        let open = self.open.entry(place.1).or_default();
        match open.pop_if(|top| *top == Open::Hook) {
            Some(_) => self.line(place, "}"),
            None => Ok(()),
        }
    }

    /// Ends what is open of `task` from number `from` on.
    fn close(&mut self, task: u8, from: usize, place: Option<(u8, u8)>) -> fmt::Result {
        while self.open.get(&task).is_some_and(|open| open.len() > from) {
            let top = self.open.get_mut(&task).and_then(Vec::pop);
            if let Some(place) = place.filter(|_| top != Some(Open::Away)) {
                self.line(place, "}")?;
            }
        }
        Ok(())
    }

    fn line(&mut self, (cpu, task): (u8, u8), text: &str) -> fmt::Result {
        let depth = self.open.get(&task).map_or(0, Vec::len);
        let mut indent = String::new();
        (0..depth.min(DEPTH_MAX)).for_each(|_| indent.push_str("  "));
        let mut line = String::new();
        write!(line, " {cpu})  {:>8}     |  {indent}{text}", comm(task))?;
        writeln!(self.to, "{}", line.trim_end())
    }
}

/// The deepest nesting that the indent follows, as that of the tracer itself.
const DEPTH_MAX: usize = 20;

/// Tells whether the event belongs to no step.
const fn is_apart(event: &Event<'_>) -> bool {
    matches!(event, Event::Section(_) | Event::Note(_) | Event::Pending { .. } | Event::End { .. })
}

/// A task by its name and number.
fn comm(task: u8) -> String {
    format!("{}-{task}", if task == 0 { "task".to_owned() } else { task_name(task).to_string() })
}
