//! One line of text to a step.

use emu_arch::hazard::Hazard;
use emu_arch::hw::addr::{AddrError, PTRS_PER_PTE};
use emu_arch::kernel::{self, Lock, PteArgs};
use emu_arch::machine::MMS_MAX;
use emu_arch::{Pfn, VirtAddr};
use lazy_mmu::design::Takes;

use super::tasks;
use super::value::{Expect, Line, Step};
use super::words::{self, EXPECTATIONS, PROTS, PSIZES, Word};
use emu_input::InputError;

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

/// What reads the one argument of a word.
type ParseArg<'p> = &'p dyn Fn(Option<&str>) -> Result<kernel::Step, String>;

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
    let with_arg = |arg: Option<&str>, parse: ParseArg<'_>| {
        parse(arg).map_err(|message| error(arg.unwrap_or(name), message))
    };
    let mut pte_args = |takes_nr| pte_args(number, line, name, takes_nr, args.by_ref());
    let step = match word {
        Word::Pte(op) => kernel::Step::Pte(op, pte_args(op.takes_nr())?),
        Word::Map => return Ok(Some(Step::Map(pte_args(true)?))),
        Word::Expect => return expect(number, line, name, args).map(Some),
        Word::Call(info) => {
            let many = info.takes == Takes::PteRange;
            kernel::Step::Call(info, info.takes.takes_pages().then(|| pte_args(many)).transpose()?)
        }
        Word::Context(op) => kernel::Step::Context(op),
        Word::Task(op) => kernel::Step::Task(op),
        Word::Mutex(op) => kernel::Step::Lock(Lock::Mutex, op),
        Word::Fork => with_arg(args.next(), &tasks::fork)?,
        Word::Spin(op) => with_arg(args.next(), &|arg| tasks::spin(name, op, arg, address))?,
    };
    let Some(arg) = args.next() else { return Ok(Some(Step::Kernel(step))) };
    Err(error(
        arg,
        if matches!(word, Word::Fork | Word::Spin(_)) {
            format!("expected nothing more after {name}")
        } else {
            format!("{name} takes no argument, found {:?}", shorten(arg))
        },
    ))
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
            if near { error.nearest(arg, PROTS.map(|(name, _)| name)) } else { error }
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
                let pfn = value_number().filter(|pfn| *pfn < 1 << Pfn::BITS);
                args.pfn = Some(
                    pfn.ok_or((format!("expected a page frame below 2^{}", Pfn::BITS), false))?,
                );
            }
            "psize" => {
                let found = PSIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(value));
                let found = found.ok_or(("expected psize=4k, 64k or 16m".to_owned(), false))?;
                args.psize = Some(found.1);
            }
            _ => return Err((known(&shorten(arg)), false)),
        }
        return Ok(());
    }
    if let Some((_, prot)) = PROTS.iter().find(|(name, _)| *name == arg) {
        args.prot = Some(*prot);
        return Ok(());
    }
    let nr = number(arg).filter(|_| takes_nr).ok_or((known(&shorten(arg)), true))?;
    let nr = u16::try_from(nr).ok().filter(|nr| (1..=PTRS_PER_PTE as u16).contains(nr));
    args.nr = nr.ok_or((format!("expected 1 to {PTRS_PER_PTE} pages, found {arg}"), false))?;
    Ok(())
}
