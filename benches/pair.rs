//! What a section costs when nobody watches: beside the same counters by hand, and beside nothing.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod ratio;

use std::cell::Cell;
use std::hint::black_box;

use lazy_mmu::{LazyMmuSection, lazy_mmu_mode_disable, lazy_mmu_mode_enable, record_hooks};
use ratio::{compare, contender, items};

/// The callee that no optimiser sees through.
#[inline(never)]
fn opaque(n: u64) -> u64 {
    black_box(n)
}

/// The task as somebody would write it by hand, with the same state and the same checks.
struct Task {
    preempt_count: Cell<u32>,
    enable_count: Cell<u8>,
    pause_count: Cell<u8>,
}

thread_local! {
    static TASK: Task = const {
        Task { preempt_count: Cell::new(0), enable_count: Cell::new(0), pause_count: Cell::new(0) }
    };
}

#[cold]
#[inline(never)]
fn warn(what: &str) {
    black_box(what);
}

struct HandGuard;

impl HandGuard {
    #[inline]
    fn new() -> Self {
        TASK.with(|task| {
            if task.preempt_count.get() & 0xff00_ff00 != 0 || task.pause_count.get() > 0 {
                return;
            }
            let count = task.enable_count.get();
            if count == u8::MAX {
                warn("overflow");
            }
            task.enable_count.set(count.wrapping_add(1));
        });
        Self
    }
}

impl Drop for HandGuard {
    #[inline]
    fn drop(&mut self) {
        TASK.with(|task| {
            if task.preempt_count.get() & 0xff00_ff00 != 0 || task.pause_count.get() > 0 {
                return;
            }
            let count = task.enable_count.get();
            if count == 0 {
                warn("underflow");
            }
            task.enable_count.set(count.wrapping_sub(1));
        });
    }
}

/// A guard by hand over the calls of the API.
struct CallGuard;

impl CallGuard {
    #[inline]
    fn new() -> Self {
        lazy_mmu_mode_enable();
        Self
    }
}

impl Drop for CallGuard {
    #[inline]
    fn drop(&mut self) {
        lazy_mmu_mode_disable();
    }
}

#[inline(never)]
fn bare(n: u64) -> u64 {
    opaque(n)
}

#[inline(never)]
fn by_hand(n: u64) -> u64 {
    let _guard = HandGuard::new();
    opaque(n)
}

#[inline(never)]
fn by_calls(n: u64) -> u64 {
    let _guard = CallGuard::new();
    opaque(n)
}

#[inline(never)]
fn section(n: u64) -> u64 {
    let _section = LazyMmuSection::new();
    opaque(n)
}

#[inline(never)]
fn empty_by_hand() {
    let _guard = HandGuard::new();
}

#[inline(never)]
fn empty_by_calls() {
    let _guard = CallGuard::new();
}

#[inline(never)]
fn empty_section() {
    let _section = LazyMmuSection::new();
}

/// An empty section where the compiler sees the loop around it.
fn repeat(n: u64, f: impl Fn()) -> u64 {
    (0..n).for_each(|_| f());
    n
}

fn sum(n: u64, f: impl Fn(u64) -> u64) -> u64 {
    (0..n).fold(0, |sum, i| sum ^ f(i))
}

fn main() {
    let n = items(20_000_000);
    compare(
        "a section around an opaque callee, nothing records",
        n,
        &mut [
            contender("guard by hand, same state and checks", |n| sum(n, by_hand)),
            contender("guard by hand over the calls", |n| sum(n, by_calls)),
            contender("LazyMmuSection", |n| sum(n, section)),
            contender("bare function", |n| sum(n, bare)),
        ],
    );
    compare(
        "an empty section, nothing records",
        n,
        &mut [
            contender("guard by hand over the calls", |n| repeat(n, empty_by_calls)),
            contender("guard by hand, same state and checks", |n| repeat(n, empty_by_hand)),
            contender("LazyMmuSection", |n| repeat(n, empty_section)),
        ],
    );
    compare(
        "an empty section inlined into its loop, nothing records",
        n,
        &mut [
            contender("guard by hand over the calls", |n| {
                repeat(n, || drop(black_box(CallGuard::new())))
            }),
            contender("LazyMmuSection", |n| repeat(n, || drop(black_box(LazyMmuSection::new())))),
        ],
    );
    let n = items(20_000);
    let mut warm: Vec<[u64; 4]> = Vec::with_capacity(n as usize * 8);
    compare(
        "recording, per event",
        n * 8,
        &mut [
            contender("warm Vec::push of 32 bytes", |n| {
                warm.clear();
                (0..n).for_each(|i| warm.push(black_box([i; 4])));
                warm.len() as u64
            }),
            contender("record of sections, 8 events each", |n| {
                let ((), record) = record_hooks(|| {
                    sum(n / 8, section);
                });
                record.len() as u64
            }),
        ],
    );
    let ((), record) = record_hooks(|| {
        sum(1000, section);
    });
    println!("\nbytes per event: {:.2}", record.bytes() as f64 / record.len() as f64);
}
