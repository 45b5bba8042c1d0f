//! What the attributes cost: compile time of 1,000 functions, code size, run time with hooks.
#![expect(clippy::print_stdout, reason = "a bench prints its tables")]

mod ratio;
#[path = "../tests/it/macros_rustc.rs"]
mod rustc;

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use lazy_mmu::PteRange;
use lazy_mmu::arch::Arch;
use lazy_mmu::design::HookInfo;
use lazy_mmu::sched::with_arch;
use lazy_mmu::{LazyMmuSection, lazy_mmu};
use ratio::{compare, contender, items};
use rustc::Job;

/// How a function begins: its attribute and the first statement of its body.
const KINDS: [(&str, &str, &str); 3] = [
    ("bare", "", ""),
    ("guard by hand", "", "let _section = lazy_mmu::LazyMmuSection::new();"),
    ("#[lazy_mmu]", "#[lazy_mmu::lazy_mmu]", ""),
];

/// What follows the first statement of each function: 12 lines with the braces.
const BODY: &str = "
    let mut cleared = 0;
    let mut addr = addr;
    while addr < end {
        let index = usize::try_from(addr >> 12).ok()?;
        let pte = ptes.get_mut(index)?;
        if *pte & 1 != 0 {
            *pte = 0;
            cleared += 1;
        }
        addr += 4096;
    }
    Some(cleared)
}
";

/// A crate of `n` functions.
fn functions(n: u64, attr: &str, first: &str) -> String {
    let mut text = "#![allow(dead_code)]\n".to_owned();
    for i in 0..n {
        let head = "(addr: u64, end: u64, ptes: &mut [u64]) -> Option<u64> {";
        let _ = write!(text, "{attr}\npub fn zap_{i}{head}\n{first}{BODY}");
    }
    text
}

/// The CPU time of finished child processes, where the system tells; it does not count what other
/// programs do meanwhile.
fn children_cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(") ").next()?.split(' ').collect();
    let ticks = fields.get(13)?.parse::<u64>().ok()? + fields.get(14)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

/// The shortest of `rounds` compilations, by kind, in turn.
fn compile(rounds: u32, n: u64, emit: &str) -> [Duration; 3] {
    let mut best = [Duration::MAX; 3];
    for _ in 0..rounds {
        for (best, (_, attr, first)) in best.iter_mut().zip(KINDS) {
            let text = functions(n, attr, first);
            let args = ["--crate-type=lib", "--crate-name=functions", emit];
            let job =
                Job { driver: "rustc", edition: "2024", name: "bench", text: &text, args: &args };
            let file = job.write();
            let (start, cpu) = (Instant::now(), children_cpu());
            let output = job.command(&file).output().expect("the compiler runs");
            let wall = start.elapsed();
            let spent = children_cpu().zip(cpu).map_or(wall, |(after, before)| after - before);
            *best = spent.min(*best);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    best
}

fn compile_time(n: u64) {
    let rounds = if n < 100 { 1 } else { 9 };
    for (what, emit) in [("cargo check", "--emit=metadata"), ("debug build", "--emit=link")] {
        let times = compile(rounds, n, emit);
        println!("\ncompile time (CPU) as in {what} ({n} functions of 12 lines, best of {rounds})");
        for ((name, ..), time) in KINDS.iter().zip(times) {
            let all = time.as_secs_f64() * 1e3;
            let more = (time.as_secs_f64() - times[0].as_secs_f64()) * 1e3 / n as f64;
            println!("  {name:<44} {all:>8.1} ms  {more:>+8.4} ms per function");
        }
    }
}

fn code_size() {
    let text = "
        pub mod o {
            #[inline(never)] pub fn opaque(x: u64) -> u64 {
                if x == 77 { panic!() } std::hint::black_box(x)
            }
        }
        #[inline(never)] pub fn bare(x: u64) -> u64 { o::opaque(x) }
        #[inline(never)] pub fn guard(x: u64) -> u64 {
            let _section = lazy_mmu::LazyMmuSection::new(); o::opaque(x)
        }
        #[lazy_mmu::lazy_mmu] #[inline(never)] pub fn annotated(x: u64) -> u64 { o::opaque(x) }
        #[lazy_mmu::lazy_mmu_paused] #[inline(never)] pub fn paused(x: u64) -> u64 { o::opaque(x) }
        fn main() {
            let n = std::env::args().count() as u64;
            std::process::exit((bare(n) + guard(n) + annotated(n) + paused(n)) as i32);
        }
    ";
    let args = ["-Copt-level=3", "-Ccodegen-units=1", "--crate-name=size"];
    let job = Job { driver: "rustc", edition: "2024", name: "size", text, args: &args };
    println!("\ncode of a function that calls an opaque one, bytes");
    for (name, size) in text_sizes(&job.binary()) {
        if let Some(name) = name.strip_prefix("size::") {
            println!("  {name:<44} {size:>8}");
        }
    }
}

/// The size of each function in a binary, by its demangled name; empty where there is no `nm`.
fn text_sizes(binary: &Path) -> Vec<(String, u64)> {
    let output = Command::new("nm").args(["-S", "-C", "--size-sort"]).arg(binary).output();
    let Ok(output) = output else { return Vec::new() };
    let text = String::from_utf8_lossy(&output.stdout);
    let size = |line: &str| {
        let mut words = line.splitn(4, ' ').skip(1);
        let size = u64::from_str_radix(words.next()?, 16).ok()?;
        let is_text = words.next()?.eq_ignore_ascii_case("t");
        is_text.then(|| Some((words.next()?.to_owned(), size)))?
    };
    text.lines().filter_map(size).collect()
}

/// An architecture with hooks that do next to nothing.
struct Hooks;

impl Arch for Hooks {
    fn hook(&self, hook: &'static HookInfo, _: Option<&PteRange>) {
        black_box(hook);
    }
}

#[inline(never)]
fn opaque(n: u64) -> u64 {
    black_box(n)
}

#[inline(never)]
fn bare(n: u64) -> u64 {
    opaque(n)
}

#[inline(never)]
fn guard(n: u64) -> u64 {
    let _section = LazyMmuSection::new();
    opaque(n)
}

#[lazy_mmu]
#[inline(never)]
fn annotated(n: u64) -> u64 {
    opaque(n)
}

fn run_time(title: &str, n: u64) {
    let sum = |n: u64, f: fn(u64) -> u64| (0..n).fold(0, |sum, i| sum ^ f(i));
    compare(
        title,
        n,
        &mut [
            contender("guard by hand", |n| sum(n, guard)),
            contender("#[lazy_mmu]", |n| sum(n, annotated)),
            contender("bare function", |n| sum(n, bare)),
        ],
    );
}

fn main() {
    run_time("an annotated function, nobody watches", items(10_000_000));
    with_arch(Rc::new(Hooks), || {
        run_time("an annotated function, hooks installed", items(2_000_000));
    });
    code_size();
    compile_time(items(1_000));
}
