//! Text to steps: the parser of scenarios. The grammar stands in [`super`].

use emu_arch::VirtAddr;
use emu_arch::backend::Psize;
use emu_arch::hazard::Hazard;
use emu_arch::hw::addr::{AddrError, PTRS_PER_PTE};
use emu_arch::kernel::{self, Lock, Prot, PteArgs};
use emu_arch::machine::MMS_MAX;

use lazy_mmu::design::Takes;

use super::blocks::{Blocks, Code};
use super::words::{self, EXPECTATIONS, Word};
use super::{Expect, Line, MENDED, Scenario, Step};
use super::{header, tasks};
use emu_input::InputError;

/// The longest scenario, in lines.
const LINES_MAX: usize = 100_000_000;

/// Parses a scenario.
///
/// # Errors
/// The first line that is none of the grammar's, with its place, what was expected, and the nearest
/// valid word; or there is no step at all.
pub fn parse(text: &str) -> Result<Scenario, InputError> {
    let (mut scenario, two) = parse_code(text, Code::Bug)?;
    if two {
        scenario.mended = Some(Box::new(parse_code(text, Code::Mended)?.0));
    } else if scenario.good.iter().any(|run| run.mended) {
        let mended = |(_, line): &(usize, &str)| line.contains(MENDED);
        let (index, line) = text.lines().enumerate().find(mended).unwrap_or((0, ""));
        let message = "expected a block `bug {` or `mended {` for this run, found none";
        return Err(InputError::at(index + 1, line, header::mended(line), message));
    }
    Ok(scenario)
}

/// Parses one of the two codes of a scenario; tells whether there are two.
fn parse_code(text: &str, code: Code) -> Result<(Scenario, bool), InputError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut scenario = Scenario::default();
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line)).peekable();
    let first = text.lines().map(strip).find(|line| !line.is_empty());
    if first.is_some_and(header::begins) {
        for (number, line) in lines.by_ref() {
            if strip(line) == header::END {
                break;
            }
            header::line(&mut scenario, number, line)?;
        }
    }
    let mut blocks = Blocks::new(&mut scenario, code);
    let mut last = 1;
    for (number, line) in lines {
        last = number;
        if number > LINES_MAX {
            return Err(InputError::at(number, line, line, "scenario longer than 100000000 lines"));
        }
        blocks.line(number, line)?;
    }
    let two = blocks.end()?;
    if scenario.steps.is_empty() {
        let message = "expected a call, found the end: the scenario has no step";
        return Err(InputError::at(last, "", "", message));
    }
    Ok((scenario, two))
}

/// Parses the code of a line, with the task and CPU in front of it; an empty one has no step.
pub(super) fn one_line(number: usize, line: &str, code: &str) -> Result<Option<Line>, InputError> {
    let split = tasks::split_who(code);
    let ((task, cpu), rest) =
        split.map_err(|(part, message)| InputError::at(number, line, part, message))?;
    let step = step(number, line, rest)?;
    Ok(step.map(|step| Line { number: number as u32, task, cpu, step, inside: None }))
}

/// The line that `who` and the word `name`, which is one of ours, make.
pub(super) fn one_line_of(
    number: usize,
    line: &str,
    who: &str,
    name: &str,
) -> Result<Line, InputError> {
    let found = one_line(number, line, &format!("{who}{name}"))?;
    found.ok_or_else(|| InputError::at(number, line, line, format!("expected {name}")))
}

/// Takes comment, indentation and the quote marks of a mail from a line.
pub(super) fn strip(line: &str) -> &str {
    let line = line.split_once('#').map_or(line, |(code, _)| code);
    let line = line.split_once("->").map_or(line, |(call, _)| call);
    unquote(line).trim_end()
}

/// Takes indentation and the quote marks of a mail from the beginning of a line.
pub(super) fn unquote(line: &str) -> &str {
    line.trim_start_matches(|c: char| c == '>' || c.is_whitespace())
}

/// Parses what a line does; an empty one does nothing.
fn step(number: usize, line: &str, code: &str) -> Result<Option<Step>, InputError> {
    if code.is_empty() {
        return Ok(None);
    }
    let error = |part: &str, message: String| InputError::at(number, line, part, message);
    let end = code.find(|c: char| c == '(' || c.is_whitespace()).unwrap_or(code.len());
    let (name, rest) = code.split_at(end);
    let Some(word) = words::find(name) else {
        let message = format!("expected a call, found {:?}", shorten(name));
        return Err(error(name, message).nearest(name, words::words()));
    };
    let args = match rest.trim_start().strip_prefix('(') {
        None => rest,
        Some(inner) => inner.strip_suffix(')').ok_or_else(|| {
            error(&code[code.len()..], format!("expected `)` after the arguments of {name}"))
        })?,
    };
    let separator = |c: char| c == ',' || c.is_whitespace();
    let mut args = args.split(separator).filter(|arg| !arg.is_empty());
    let step = match word {
        Word::Pte(op) => {
            let args = pte_args(number, line, name, op.takes_nr(), args)?;
            Step::Kernel(kernel::Step::Pte(op, args))
        }
        Word::Call(info) if info.takes.takes_pages() => {
            let many = info.takes == Takes::PteRange;
            let args = pte_args(number, line, name, many, args)?;
            Step::Kernel(kernel::Step::Call(info, Some(args)))
        }
        Word::Map => Step::Map(pte_args(number, line, name, true, args)?),
        Word::Expect => expect(number, line, name, args)?,
        Word::Call(_) | Word::Context(_) | Word::Task(_) | Word::Mutex(_) => {
            if let Some(arg) = args.next() {
                let message = format!("{name} takes no argument, found {:?}", shorten(arg));
                return Err(error(arg, message));
            }
            Step::Kernel(match word {
                Word::Call(info) => kernel::Step::Call(info, None),
                Word::Context(op) => kernel::Step::Context(op),
                Word::Task(op) => kernel::Step::Task(op),
                Word::Mutex(op) => kernel::Step::Lock(Lock::Mutex, op),
                _ => unreachable!("handled above"),
            })
        }
        Word::Fork | Word::Spin(_) => {
            let arg = args.next();
            let parsed = match word {
                Word::Spin(op) => tasks::spin(name, op, arg, address),
                _ => tasks::fork(arg),
            };
            let parsed = parsed.map_err(|message| error(arg.unwrap_or(name), message))?;
            if let Some(more) = args.next() {
                return Err(error(more, format!("expected nothing more after {name}")));
            }
            Step::Kernel(parsed)
        }
    };
    Ok(Some(step))
}

/// The beginning of a word, so that a message stays short when the input is not text at all.
fn shorten(word: &str) -> String {
    let mut short: String = word.chars().take(40).collect();
    if short.len() < word.len() {
        short.push_str("...");
    }
    short
}

/// Parses what stands after `expect`.
fn expect<'l>(
    number: usize,
    line: &'l str,
    name: &'l str,
    mut args: impl Iterator<Item = &'l str>,
) -> Result<Step, InputError> {
    let error = |part: &str, message: String| InputError::at(number, line, part, message);
    let names = || EXPECTATIONS.iter().map(|(name, _)| *name);
    let list = names().collect::<Vec<_>>().join(" or ") + " or an effect";
    let Some(first) = args.next() else {
        let end = name.len() + name.as_ptr() as usize - line.as_ptr() as usize;
        return Err(error(&line[end..end], format!("expected {list} after {name}")));
    };
    let known = EXPECTATIONS.iter().find(|(known, _)| *known == first);
    let mut expected = match (known, words::effect(first)) {
        (Some((_, expected)), _) => *expected,
        (None, Some(effect)) => {
            let times = args.next().unwrap_or(&first[first.len()..]);
            let message = format!("expected a number after {first}, found {:?}", shorten(times));
            let parsed = self::number(times).and_then(|n| u32::try_from(n).ok());
            Expect::Times { effect, times: parsed.ok_or_else(|| error(times, message))? }
        }
        (None, None) => {
            let message = format!("expected {list} after {name}, found {:?}", shorten(first));
            return Err(error(first, message).nearest(first, names().chain(words::effect_names())));
        }
    };
    if let Expect::Hazard(_) = expected {
        let ids = || Hazard::ALL.into_iter().map(Hazard::id);
        let name = args.next().unwrap_or(&first[first.len()..]);
        let hazard = name.parse().map_err(|_| {
            let message = format!("expected the name of a hazard, found {:?}", shorten(name));
            error(name, message).nearest(name, ids())
        })?;
        expected = Expect::Hazard(hazard);
    }
    match args.next() {
        None => Ok(Step::Expect(expected)),
        Some(more) => {
            let message = format!("expected nothing after {first}, found {:?}", shorten(more));
            Err(error(more, message))
        }
    }
}

fn pte_args<'l>(
    number: usize,
    line: &'l str,
    name: &'l str,
    takes_nr: bool,
    mut args: impl Iterator<Item = &'l str>,
) -> Result<PteArgs, InputError> {
    let error = |part: &str, message: String| InputError::at(number, line, part, message);
    let Some(first) = args.next() else {
        let end = name.len() + name.as_ptr() as usize - line.as_ptr() as usize;
        return Err(error(&line[end..end], format!("expected an address after {name}")));
    };
    let addr = address(first).map_err(|message| error(first, message))?;
    let mm = if addr.is_kernel() { 0 } else { 1 };
    let mut parsed = PteArgs { addr, nr: 1, mm, prot: None, pfn: None, psize: None };
    for arg in args {
        one_arg(&mut parsed, takes_nr, arg).map_err(|(message, near)| {
            let error = error(arg, message);
            if near { error.nearest(arg, ["ro", "rw", "rx", "none"]) } else { error }
        })?;
    }
    if usize::from(parsed.addr.pte_index()) + usize::from(parsed.nr) > PTRS_PER_PTE {
        let message = format!("{} pages from {:#x} do not lie in one page table", parsed.nr, addr);
        return Err(error(first, message));
    }
    Ok(parsed)
}

fn address(text: &str) -> Result<VirtAddr, String> {
    let number = number(text).ok_or_else(|| {
        format!("expected an address such as 0xffff800008000000, found {:?}", shorten(text))
    })?;
    VirtAddr::page(number).map_err(|e| match e {
        AddrError::Unaligned => {
            format!("{e}; the page begins at {:#x}", number & !0xfff)
        }
        AddrError::OutOfRange => e.to_string(),
    })
}

/// Reads a number, hexadecimal with `0x`.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Reads one argument after the address; an error says whether a word may have been meant.
fn one_arg(args: &mut PteArgs, takes_nr: bool, arg: &str) -> Result<(), (String, bool)> {
    let known = |found: &str| {
        let nr = if takes_nr { "a number of pages, " } else { "" };
        format!("expected {nr}ro, rw, rx, none, mm=, pfn= or psize=, found {found:?}")
    };
    if let Some((key, value)) = arg.split_once('=') {
        let value_number = || number(value);
        match key {
            "mm" => {
                let mm = value_number().filter(|mm| (1..u64::from(MMS_MAX)).contains(mm));
                let mm = mm.ok_or((format!("expected mm=1 to mm={}", MMS_MAX - 1), false))?;
                if args.addr.is_kernel() {
                    return Err((
                        "a kernel address has no other mm than init_mm".to_owned(),
                        false,
                    ));
                }
                args.mm = mm as u8;
            }
            "pfn" => {
                let pfn = value_number().filter(|pfn| *pfn < 1 << 38);
                args.pfn = Some(pfn.ok_or(("expected a page frame below 2^38".to_owned(), false))?);
            }
            "psize" => {
                let sizes =
                    [("4k", Psize::Page4K), ("64k", Psize::Page64K), ("16m", Psize::Page16M)];
                let found = sizes.iter().find(|(name, _)| name.eq_ignore_ascii_case(value));
                let found = found.ok_or(("expected psize=4k, 64k or 16m".to_owned(), false))?;
                args.psize = Some(found.1);
            }
            _ => return Err((known(&shorten(arg)), false)),
        }
        return Ok(());
    }
    match arg {
        "ro" => args.prot = Some(Prot::ReadOnly),
        "rw" => args.prot = Some(Prot::ReadWrite),
        "rx" => args.prot = Some(Prot::ReadExec),
        "none" => args.prot = Some(Prot::None),
        _ => {
            let nr = number(arg).filter(|_| takes_nr).ok_or((known(&shorten(arg)), true))?;
            let nr = u16::try_from(nr).ok().filter(|nr| (1..=512).contains(nr));
            args.nr =
                nr.ok_or((format!("expected 1 to {PTRS_PER_PTE} pages, found {arg}"), false))?;
        }
    }
    Ok(())
}
