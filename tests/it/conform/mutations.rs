//! Traces with a small error planted: each must be rejected, at the right line.
//!
//! An error is one of four: a flush is dropped, a size changes, two neighbours are swapped, a call
//! is removed. Which one and where is a matter of numbers that are always the same. Left out is
//! what changes nothing that a trace shows: a store of its own (no event follows it), and two calls
//! that no effect parts.

use std::fmt::Write;

use emu_arch::{Arch, Kernel};
use emu_conform::Verdict;

use super::{FIXTURES, report};

/// How many traces are changed.
const COUNT: usize = 200;
/// How many of hundred must be rejected at the right line.
const PERCENT_MIN: usize = 95;

/// An operation of a fixture.
struct Sample {
    name: String,
    lines: Vec<String>,
    arch: Arch,
    kernel: Kernel,
}

/// The operations of the traces that are long enough to change.
fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for fixture in FIXTURES.iter().filter(|fixture| !fixture.hits && fixture.same > 1) {
        let (text, _) = fixture.texts();
        let arch = if fixture.name.starts_with("xen") { Arch::XEN_PV } else { Arch::POWERPC_HASH };
        let mut lines: Vec<String> = Vec::new();
        for line in text.lines() {
            if line.contains(": BEGIN ") {
                lines.clear();
            }
            lines.push(line.to_owned());
            if line.contains(": END") && (8..2000).contains(&lines.len()) {
                let name = format!("{}: {}", fixture.name, line.rsplit(' ').next().unwrap_or(""));
                let lines = std::mem::take(&mut lines);
                samples.push(Sample { name, lines, arch, kernel: fixture.kernel });
            }
        }
    }
    samples
}

/// What an event is, for an error to be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Call,
    Flush,
    Queued,
    Other,
}

fn event(line: &str) -> (&str, &str) {
    let event = line.split_once(" 0.0: ").map_or("", |(_, event)| event);
    event.split_once(':').map_or(("", ""), |(name, args)| (name, args.trim()))
}

fn kind(line: &str) -> Kind {
    let (name, args) = event(line);
    match name {
        "xen_mc_flush" if !args.contains(" 1 hypercalls") => Kind::Other,
        "xen_mc_flush" if [" 0 arg", " 24 arg", " 48 arg"].iter().any(|n| args.contains(n)) => {
            Kind::Other
        }
        "xen_mc_flush" | "flush_hash_range" | "flush_hash_page" => Kind::Flush,
        "xen_mc_entry" if args.contains("mmu_update") => Kind::Queued,
        "xen_mc_extend_args" if args.contains("mmu_update") && args.ends_with("OK") => Kind::Queued,
        "xen_mmu_set_pte"
        | "xen_mmu_ptep_modify_prot_start"
        | "xen_mmu_ptep_modify_prot_commit" => Kind::Call,
        "modify_start" | "modify_commit" | "hpte_need_flush" => Kind::Call,
        name if name.starts_with("en") && name.contains('_') => Kind::Call,
        _ => Kind::Other,
    }
}

fn who(line: &str) -> &str {
    line.split_once(']').map_or("", |(who, _)| who)
}

/// Numbers that are always the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// The lines with an error, what it is, and the index of its line.
fn plant(
    sample: &Sample,
    how: usize,
    numbers: &mut Numbers,
) -> Option<(Vec<String>, String, usize)> {
    let lines = &sample.lines;
    let next = |at: usize| lines[at + 1..].iter().find(|line| who(line) == who(&lines[at]));
    let fits = |at: &usize| match how {
        0 => kind(&lines[*at]) == Kind::Flush,
        1 => sized(&lines[*at]).is_some(),
        2 => {
            let (this, other) = (kind(&lines[*at]), kind(&lines[*at + 1]));
            who(&lines[*at]) == who(&lines[*at + 1])
                && [this, other].contains(&Kind::Flush)
                && this != other
                && this != Kind::Other
                && other != Kind::Other
        }
        // A store of its own leaves no event behind it.
        _ => {
            let own = event(&lines[*at]).0 == "xen_mmu_set_pte";
            let queued = next(*at).is_some_and(|next| next.contains("mmu_update"));
            kind(&lines[*at]) == Kind::Call && (!own || queued)
        }
    };
    let places: Vec<usize> = (1..lines.len() - 2).filter(fits).collect();
    let at = *places.get(numbers.below(places.len().max(1)))?;
    let mut changed = lines.clone();
    let what = match how {
        0 => format!("dropped {}", changed.remove(at)),
        1 => {
            changed[at] = sized(&lines[at])?;
            format!("changed to {}", changed[at])
        }
        2 => {
            changed.swap(at, at + 1);
            format!("swapped {} | {}", lines[at], lines[at + 1])
        }
        _ => format!("removed {}", changed.remove(at)),
    };
    Some((changed, what, at))
}

/// The line with its size one less.
fn sized(line: &str) -> Option<String> {
    let (before, after, step) = match event(line).0 {
        "xen_mc_flush" if kind(line) == Kind::Flush => ("hypercalls, ", " arg bytes", 16),
        "flush_hash_range" | "flush_tlb_pending" => (" n=", " ", 1),
        _ => return None,
    };
    let (head, rest) = line.split_once(before)?;
    let (number, tail) = rest.split_once(after)?;
    let less = number.parse::<u64>().ok()?.checked_sub(step)?;
    Some(format!("{head}{before}{less}{after}{tail}"))
}

/// Whether `line` is one at which the error at index `at` can be seen: from the call before it to
/// the next flush of its task, as an entry that no longer joins is missed there.
fn right(lines: &[String], at: usize, line: usize) -> bool {
    let own = who(&lines[at]);
    let call = |line: &&String| who(line) == own && kind(line) == Kind::Call;
    // On powerpc the call before is two events.
    let mut before = lines[..at].iter().enumerate().rev().filter(|(_, line)| call(line));
    let first = before.nth(1).map_or(0, |(first, _)| first);
    let flush = |line: &String| who(line) == own && kind(line) == Kind::Flush;
    let last = lines[at + 1..].iter().position(flush).map_or(lines.len(), |n| at + 1 + n);
    // The next call as well, where that is further on.
    let next = lines[at + 1..].iter().position(|line| call(&line)).map_or(at, |n| at + 1 + n);
    (first + 1..=last.max(next) + 1).contains(&line)
}

#[test]
fn planted_errors_are_rejected_at_the_right_line() {
    let (samples, mut numbers) = (samples(), Numbers(1));
    let (mut planted, mut found, mut said) = (0, 0, String::new());
    while planted < COUNT {
        let sample = &samples[numbers.below(samples.len())];
        let how = planted % 4;
        let Some((lines, what, at)) = plant(sample, how, &mut numbers) else { continue };
        planted += 1;
        let report = report(&lines.join("\n"), None, Some(sample.kernel), Some(sample.arch));
        let line = match &report.checked[0].verdict {
            Verdict::Different(difference) => Some(difference.line as usize),
            Verdict::Same | Verdict::LeftOut(_) => None,
        };
        if line.is_some_and(|line| right(&lines, at.min(lines.len() - 1), line)) {
            found += 1;
        } else {
            let _ = writeln!(said, "{} line {}: {what}: {line:?}", sample.name, at + 1);
        }
    }
    assert!(found * 100 >= COUNT * PERCENT_MIN, "{found} of {COUNT}; not these:\n{said}");
}
