//! What an enable and its disable cost under each design: fixed when compiling, and chosen at run
//! time; and the default design beside the same counters wired by hand.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod ratio;

use std::cell::Cell;
use std::hint::black_box;

use lazy_mmu::design::{
    Context, Design, Effect, Effects, Hook, LazyMmuDesign, Token, Warn, count_enabled,
    count_enabled_rfc, count_paused_rfc, counts, counts_task, direct, independent, nesting_active,
    sketch, token, with_ptes,
};
use lazy_mmu::{lazy_mmu_mode_disable, lazy_mmu_mode_enable, sched};
use ratio::{Contender, compare, contender, items};

/// The hook of an architecture that batches nothing.
#[inline(always)]
fn no_hook(_: Hook) {}

#[cold]
#[inline(never)]
fn warn(warn: Warn) {
    black_box(warn);
}

/// Does what a transition says to a task that is a cell.
#[inline(always)]
fn apply<D: LazyMmuDesign>(task: &Cell<D>, effects: Effects<D>) -> Token {
    for effect in effects.iter() {
        match effect {
            Effect::Store(state) => task.set(state),
            Effect::Hook(hook) => no_hook(hook),
            Effect::Warn(found) => warn(found),
        }
    }
    effects.token()
}

/// Pairs under a design that is known when compiling.
fn fixed<D: LazyMmuDesign>(n: u64) -> u64 {
    let task = Cell::new(D::default());
    for _ in 0..n {
        let task = black_box(&task);
        let cx = black_box(Context::default());
        let token = apply(task, task.get().enable(cx));
        apply(black_box(task), task.get().disable(Context { token, ..cx }));
    }
    n + task.get().pack().0
}

/// The merged counters by hand, over the same cell and the same context.
fn by_hand(n: u64) -> u64 {
    let task = Cell::new((0u8, 0u8));
    for _ in 0..n {
        let task = black_box(&task);
        let cx = black_box(Context::default());
        let (enable, pause) = task.get();
        if !cx.in_interrupt && pause == 0 {
            if enable == u8::MAX {
                warn(Warn::once("state->enable_count == U8_MAX"));
            }
            task.set((enable.wrapping_add(1), pause));
        }
        let (enable, pause) = black_box(task).get();
        if !cx.in_interrupt && pause == 0 {
            if enable == 0 {
                warn(Warn::once("state->enable_count == 0"));
            }
            task.set((enable.wrapping_sub(1), pause));
        }
    }
    n + u64::from(task.get().0)
}

thread_local! {
    static TASK: (Cell<u32>, Cell<u8>, Cell<u8>) =
        const { (Cell::new(0), Cell::new(0), Cell::new(0)) };
}

/// A call of a kernel with the merged counters wired in, on a task in a thread-local.
#[inline]
fn wired(change: impl FnOnce(u8) -> u8, limit: u8, cond: &'static str) {
    TASK.with(|(preempt_count, enable, pause)| {
        if preempt_count.get() & 0xff00_ff00 != 0 || pause.get() > 0 {
            return;
        }
        if enable.get() == limit {
            warn(Warn::once(cond));
        }
        enable.set(change(enable.get()));
    });
}

/// The callee that no optimiser sees through.
#[inline(never)]
fn opaque() {
    black_box(());
}

#[inline(never)]
fn wired_pair() {
    wired(|count| count.wrapping_add(1), u8::MAX, "state->enable_count == U8_MAX");
    opaque();
    wired(|count| count.wrapping_sub(1), 0, "state->enable_count == 0");
}

#[inline(never)]
fn api_pair() {
    lazy_mmu_mode_enable();
    opaque();
    lazy_mmu_mode_disable();
}

fn repeat(n: u64, pair: impl Fn()) -> u64 {
    (0..n).for_each(|_| pair());
    n
}

/// A contender for each design, fixed when compiling, behind the counters by hand.
fn fixed_contenders() -> Vec<Contender<'static>> {
    vec![
        contender("by hand, the merged counters", by_hand),
        contender("counts", fixed::<counts::State>),
        contender("counts-task", fixed::<counts_task::State>),
        contender("with-ptes", fixed::<with_ptes::State>),
        contender("independent", fixed::<independent::State>),
        contender("nesting-active", fixed::<nesting_active::State>),
        contender("count-enabled", fixed::<count_enabled::State>),
        contender("count-paused-rfc", fixed::<count_paused_rfc::State>),
        contender("count-enabled-rfc", fixed::<count_enabled_rfc::State>),
        contender("sketch", fixed::<sketch::State>),
        contender("token", fixed::<token::State>),
        contender("direct", fixed::<direct::State>),
    ]
}

fn main() {
    let n = items(20_000_000);
    compare(
        "a pair through the API, nobody watches",
        n,
        &mut [
            contender("wired by hand, same state and checks", |n| repeat(n, wired_pair)),
            contender("the default design", |n| repeat(n, api_pair)),
        ],
    );
    compare("a pair, the design fixed when compiling", n, &mut fixed_contenders());
    let chosen = |design: &'static Design| {
        contender(design.id(), move |n| sched::with_design(*design, || repeat(n, api_pair)))
    };
    let default = Design::LAB.iter().filter(|design| **design == Design::default());
    let others = Design::LAB.iter().filter(|design| **design != Design::default());
    let mut contenders: Vec<_> = default.chain(others).map(chosen).collect();
    compare("a pair, the design chosen at run time", items(5_000_000), &mut contenders);
}
