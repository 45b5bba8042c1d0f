//! The current task: `task_struct` emulated by one thread-local.
//!
//! Models what include/linux/sched.h and include/linux/thread_info.h (v7.0) say of `current`: its
//! lazy MMU state, its preempt count and its thread flags. A host thread is a task; an emulated
//! machine that has many swaps their content in and out with [`swap_current`]. Beside the task the
//! thread-local holds what the emulated kernel was built with (the design, the architecture) and
//! the record that is being written.
//!
//! One file per concern: `task` is the task as a value, `context` its preempt count, `install` what is
//! put in place while something runs, `note` what goes into the record.

mod context;
mod install;
mod note;
mod task;

pub use context::{
    CONTEXT_CHANGES, arch_preempt_disable, arch_preempt_enable, bad_preempt_count, change_context,
    get_cpu, hardirq_enter, hardirq_exit, local_bh_disable, local_bh_enable, nmi_enter, nmi_exit,
    preempt_disable, preempt_enable, put_cpu, softirq_enter, softirq_exit, spin_lock, spin_unlock,
};
pub use install::{OnWarn, with_arch, with_design, with_on_warn, with_task};
pub use note::{
    next_seq, note, note_away, note_back, note_context, note_effect, note_event, note_hazard,
    note_switch, record_hooks, recording,
};
pub use task::{TaskStruct, Tokens};

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::rc::Rc;

use crate::arch::{Arch, Point};
use crate::design::{
    Call, Context, Design, LazyMmuDesign, LazyMmuState, StateBits, Token, Warn, counts,
};
use crate::preempt::PreemptCount;
use crate::trace::{Event, Record};

/// The one thread-local of the emulated kernel. No part of it is dropped at thread exit: whoever
/// installs something takes it out again.
#[repr(C)]
pub(crate) struct Current {
    /// The state of a [`plain`](Self::is_plain) task in task context, else [`Self::ELSEWHERE`].
    /// One word tells a call all it must know; it comes first, for the shortest instructions.
    counters: Cell<u32>,
    /// No architecture, no record, the default design: calls only move the counters.
    plain: Cell<bool>,
    /// The state where `counters` does not have it.
    lazy_mmu_state: Cell<StateBits>,
    preempt_count: Cell<PreemptCount>,
    flags: Cell<u64>,
    pid: Cell<u8>,
    tokens: Cell<Tokens>,
    cpu: Cell<u8>,
    /// What the design says of the state, in task context and in interrupt; kept up to date by
    /// [`Current::set_state`] unless `plain`.
    active: Cell<[bool; 2]>,
    /// What the installed architecture says of itself.
    arch_wants: Cell<bool>,
    recording: Cell<bool>,
    /// Whether anyone sees an effect: a record is written or `points` is set.
    watched: Cell<bool>,
    /// Whether the architecture is told of the points inside calls.
    points: Cell<bool>,
    on_warn: Cell<OnWarn>,
    /// A panic is caught and becomes a value: nothing is printed.
    pub(crate) quiet: Cell<bool>,
    design: Cell<Design>,
    arch: RefCell<ManuallyDrop<Option<Rc<dyn Arch>>>>,
    record: RefCell<ManuallyDrop<Option<Record>>>,
}

thread_local! {
    static CURRENT: Current = const { Current::new() };
}

/// The one door to the thread-local.
#[inline(always)]
pub(crate) fn current<R>(f: impl FnOnce(&Current) -> R) -> R {
    CURRENT.with(f)
}

impl Current {
    /// The state is in `lazy_mmu_state`.
    const ELSEWHERE: u32 = u32::MAX;

    const fn new() -> Self {
        Self {
            counters: Cell::new(0),
            plain: Cell::new(true),
            lazy_mmu_state: Cell::new(StateBits(0)),
            preempt_count: Cell::new(PreemptCount(0)),
            flags: Cell::new(0),
            pid: Cell::new(0),
            tokens: Cell::new(Tokens::NONE),
            cpu: Cell::new(0),
            active: Cell::new([false; 2]),
            arch_wants: Cell::new(true),
            recording: Cell::new(false),
            watched: Cell::new(false),
            points: Cell::new(false),
            on_warn: Cell::new(OnWarn::PrintOnce),
            quiet: Cell::new(false),
            design: Cell::new(Design::of::<counts::State>()),
            arch: RefCell::new(ManuallyDrop::new(None)),
            record: RefCell::new(ManuallyDrop::new(None)),
        }
    }

    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        self.plain.get()
    }

    #[inline(always)]
    pub(crate) fn context(&self, token: Token) -> Context {
        let in_interrupt = self.preempt_count.get().in_interrupt();
        Context { in_interrupt, arch_wants: self.arch_wants.get(), token }
    }

    /// Makes `call` if it only moves a counter, and tells whether it did.
    #[inline(always)]
    pub(crate) fn count(&self, call: Call) -> bool {
        let counted = counts::count(self.counters.get(), call);
        if let Some(counters) = counted {
            self.counters.set(counters);
        }
        counted.is_some()
    }

    #[inline(always)]
    pub(crate) fn state(&self) -> StateBits {
        match self.counters.get() {
            Self::ELSEWHERE => self.lazy_mmu_state.get(),
            counters => StateBits(counters.into()),
        }
    }

    /// Stores the state when the mode is [`plain`](Self::is_plain).
    #[inline]
    pub(crate) fn set_plain_state(&self, state: StateBits) {
        let here = self.plain.get() && !self.preempt_count.get().in_interrupt();
        self.counters.set(if here { state.0 as u32 } else { Self::ELSEWHERE });
        self.lazy_mmu_state.set(state);
    }

    pub(crate) fn set_state(&self, state: StateBits) {
        self.set_plain_state(state);
        self.active.set(self.design().is_active(state));
    }

    /// Changes the preempt count, on which it depends where the state is.
    fn set_preempt_count(&self, count: PreemptCount) {
        let state = self.state();
        self.preempt_count.set(count);
        self.set_plain_state(state);
    }

    /// Changes the tokens that raw calls have left.
    pub(crate) fn with_tokens<R>(&self, f: impl FnOnce(&mut Tokens) -> R) -> R {
        let mut tokens = self.tokens.get();
        let value = f(&mut tokens);
        self.tokens.set(tokens);
        value
    }

    pub(crate) fn design(&self) -> Design {
        self.design.get()
    }

    pub(crate) fn arch(&self) -> Option<Rc<dyn Arch>> {
        (**self.arch.borrow()).clone()
    }

    /// Tells the architecture what happens next, if it asked.
    #[inline]
    pub(crate) fn point(&self, point: Point) {
        if self.points.get()
            && let Some(arch) = self.arch()
        {
            arch.point(point);
        }
    }

    pub(crate) fn on_warn(&self) -> OnWarn {
        self.on_warn.get()
    }

    #[inline(always)]
    pub(crate) fn is_active(&self) -> bool {
        let cx = self.context(Token::DEFAULT);
        if self.plain.get() {
            counts::State::unpack(self.state()).is_active(cx)
        } else {
            self.active.get()[usize::from(cx.in_interrupt)]
        }
    }

    /// Appends to the record, if one is written. Inlined, since the event is known at each caller
    /// and its packing then is a few moves.
    #[inline(always)]
    pub(crate) fn note(&self, event: Event<'_>) {
        if self.recording.get()
            && let Some(record) = &mut **self.record.borrow_mut()
        {
            record.push(self.cpu.get(), self.pid.get(), event);
        }
    }

    /// Brings `plain`, `recording` and `active` in line after something was installed or removed.
    fn refresh(&self) {
        let recording = self.record.borrow().is_some();
        let default_design = self.design.get() == Design::of::<counts::State>();
        self.recording.set(recording);
        self.watched.set(recording || self.points.get());
        self.arch_wants.set(self.arch().is_none_or(|arch| arch.wants_lazy_mmu_mode()));
        let state = self.state();
        self.plain.set(!recording && default_design && self.arch.borrow().is_none());
        self.set_state(state);
    }
}

/// Tells whether the current task batches page table updates: what arch code asks.
///
/// False in interrupt under every design that bails out there.
#[inline]
#[must_use]
pub fn is_lazy_mmu_mode_active() -> bool {
    current(|cur| cur.is_active())
}

/// `__task_lazy_mmu_mode_active(current)`: what the design says of the task's state alone, in
/// interrupt or not. For arch code that switches tasks.
#[must_use]
pub fn task_lazy_mmu_mode_active() -> bool {
    current(|cur| cur.design().is_active(cur.state())[0])
}

/// Reports what a sanity check outside of the generic layer found, by the caller's policy.
pub fn warn(found: Warn) {
    current(|cur| crate::pgtable::warn(cur, &found));
}

/// Tells whether the current context is an interrupt or has bottom halves disabled.
#[inline]
#[must_use]
pub fn in_interrupt() -> bool {
    current(|cur| cur.preempt_count.get().in_interrupt())
}

/// The number of the current task.
#[inline]
#[must_use]
pub fn pid() -> u8 {
    current(|cur| cur.pid.get())
}

/// The preempt count of the current task.
#[inline]
#[must_use]
pub fn preempt_count() -> PreemptCount {
    current(|cur| cur.preempt_count.get())
}

/// Tells whether thread flag `flag` (a bit number below 64) of the current task is set.
#[inline]
#[must_use]
pub fn test_thread_flag(flag: u32) -> bool {
    current(|cur| cur.flags.get() >> flag & 1 != 0)
}

/// Sets thread flag `flag` of the current task.
#[inline]
pub fn set_thread_flag(flag: u32) {
    current(|cur| cur.flags.set(cur.flags.get() | 1 << flag));
}

/// Clears thread flag `flag` of the current task and tells whether it was set.
#[inline]
pub fn test_and_clear_thread_flag(flag: u32) -> bool {
    current(|cur| {
        let flags = cur.flags.get();
        cur.flags.set(flags & !(1 << flag));
        flags >> flag & 1 != 0
    })
}

/// The current task as a value.
#[must_use]
pub fn current_task() -> TaskStruct {
    current(|cur| TaskStruct {
        pid: cur.pid.get(),
        lazy_mmu_state: cur.state(),
        preempt_count: cur.preempt_count.get(),
        flags: cur.flags.get(),
        tokens: cur.tokens.get(),
    })
}

/// Puts `next` in the place of the current task and returns the one that was there: the content of
/// a context switch.
pub fn swap_current(next: TaskStruct) -> TaskStruct {
    let prev = current_task();
    current(|cur| {
        cur.pid.set(next.pid);
        cur.preempt_count.set(next.preempt_count);
        cur.flags.set(next.flags);
        cur.tokens.set(next.tokens);
        cur.set_state(next.lazy_mmu_state);
    });
    prev
}

/// The design of the emulated kernel.
#[must_use]
pub fn design() -> Design {
    current(Current::design)
}

/// Sets the number of the CPU in the records from now on, 0 to 31.
pub fn set_cpu(cpu: u8) {
    current(|cur| cur.cpu.set(cpu));
}

/// Tells whether a record is being written or points are asked for: whether anyone sees an effect.
#[inline]
#[must_use]
pub fn watched() -> bool {
    current(|cur| cur.watched.get())
}

/// Has the architecture told of each point inside a call, or no longer.
pub fn set_points(on: bool) {
    current(|cur| {
        cur.points.set(on);
        cur.watched.set(on || cur.recording.get());
    });
}

/// Tells the architecture that `point` comes next, if it asked for points.
#[inline]
pub fn point(point: Point) {
    current(|cur| cur.point(point));
}
