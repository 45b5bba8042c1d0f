//! The one thread-local of the emulated kernel, and the one door to it.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::rc::Rc;

use super::task::{Brackets, TaskStruct, Tokens};
use crate::arch::{Arch, Point};
use crate::design::{Call, Context, Design, LazyMmuDesign, LazyMmuState, StateBits, Token, counts};
use crate::preempt::{Layout, PreemptCount};
use crate::trace::{Event, Record};

/// What happens when a sanity check of the emulated kernel finds something; it is always recorded
/// where a record is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnWarn {
    /// Nothing more.
    Record,
    /// It is printed to standard error, once per process and check, like `VM_WARN_ON_ONCE`; but
    /// not while a record is written, which shows it better.
    #[default]
    PrintOnce,
    /// The calling thread panics with the text of the check.
    Panic,
}

/// The one thread-local of the emulated kernel. No part of it is dropped at thread exit: whoever
/// installs something takes it out again.
#[repr(C)]
pub(crate) struct Current {
    /// The state of a [`plain`](Self::is_plain) task in task context, else [`Self::ELSEWHERE`].
    /// One word tells a call all it must know; it comes first, for the shortest instructions.
    pub(super) counters: Cell<u32>,
    /// No architecture, no record, the default design: calls only move the counters.
    pub(super) plain: Cell<bool>,
    /// The state where `counters` does not have it.
    pub(super) lazy_mmu_state: Cell<StateBits>,
    pub(super) preempt_count: Cell<PreemptCount>,
    /// Where the fields of the count lie on the installed architecture.
    pub(super) layout: Cell<Layout>,
    pub(super) flags: Cell<u64>,
    pub(super) pid: Cell<u8>,
    pub(super) tokens: Cell<Tokens>,
    pub(super) open: Cell<Brackets>,
    pub(super) cpu: Cell<u8>,
    /// What the design says of the state, in task context and in interrupt; kept up to date by
    /// [`Current::set_state`] unless `plain`.
    pub(super) active: Cell<[bool; 2]>,
    /// What the installed architecture says of itself.
    pub(super) arch_wants: Cell<bool>,
    pub(super) recording: Cell<bool>,
    /// Whether anyone sees an effect: a record is written or `points` is set.
    pub(super) watched: Cell<bool>,
    /// Whether the architecture is told of the points inside calls.
    pub(super) points: Cell<bool>,
    pub(super) on_warn: Cell<OnWarn>,
    /// A panic is caught and becomes a value: nothing is printed.
    pub(crate) quiet: Cell<bool>,
    pub(super) design: Cell<Design>,
    pub(super) arch: RefCell<ManuallyDrop<Option<Rc<dyn Arch>>>>,
    pub(super) record: RefCell<ManuallyDrop<Option<Record>>>,
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
            layout: Cell::new(Layout::V7_3Separate),
            flags: Cell::new(0),
            pid: Cell::new(0),
            tokens: Cell::new(Tokens::NONE),
            open: Cell::new(Brackets::NONE),
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

    /// `preempt_count()`
    pub(super) fn read_preempt_count(&self) -> PreemptCount {
        self.preempt_count.get().read(self.layout.get())
    }

    /// Changes the preempt count, on which it depends where the state is.
    pub(super) fn set_preempt_count(&self, count: PreemptCount) {
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
    pub(super) fn refresh(&self) {
        let recording = self.record.borrow().is_some();
        let default_design = self.design.get() == Design::of::<counts::State>();
        self.recording.set(recording);
        self.watched.set(recording || self.points.get());
        let arch = self.arch();
        self.arch_wants.set(arch.as_ref().is_none_or(|arch| arch.wants_lazy_mmu_mode()));
        self.layout.set(arch.map_or_else(Layout::default, |arch| arch.preempt_layout()));
        let state = self.state();
        self.plain.set(!recording && default_design && self.arch.borrow().is_none());
        self.set_state(state);
    }
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
        open: cur.open.get(),
    })
}
