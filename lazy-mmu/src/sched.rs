//! The current task: `task_struct` emulated by one thread-local.
//!
//! Models what include/linux/sched.h and include/linux/thread_info.h (v7.0) say of `current`: its
//! lazy MMU state, its preempt count and its thread flags. A host thread is a task; an emulated
//! machine that has many swaps their content in and out with [`swap_current`]. Beside the task the
//! thread-local holds what the emulated kernel was built with (the design, the architecture) and
//! the record that is being written.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::rc::Rc;

use crate::arch::{Arch, Point};
use crate::design::{
    Call, Check, Context, Design, LazyMmuDesign, LazyMmuState, StateBits, Token, Warn, counts,
};
use crate::preempt::PreemptCount;
use crate::ptes::PteRange;
use crate::trace::{Event, PteEvent, Record};

/// What of `task_struct` matters to the lazy MMU mode.
///
/// Fidelity: changed: the four parts of include/linux/sched.h v7.0 that the mode uses, and a number
/// that records show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TaskStruct {
    /// Number of the task in records, 0 to 255.
    pub pid: u8,
    /// The design's state.
    pub lazy_mmu_state: StateBits,
    /// Nesting of preempt-off and interrupts.
    pub preempt_count: PreemptCount,
    /// The thread flags; what a bit means is the architecture's business.
    pub flags: u64,
    /// What enables have returned to callers that use the raw calls and keep no local variable.
    pub tokens: Tokens,
}

/// The local variables of callers that use the raw calls: a stack of tokens, 256 deep.
///
/// Fidelity: changed: in v1 and v2 each caller had a variable of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tokens {
    nested: [u64; 4],
    len: u16,
}

impl Tokens {
    const MAX: u16 = 256;

    /// Keeps what an enable returned; the oldest levels are kept where there are too many.
    pub(crate) fn push(&mut self, token: Token) {
        if self.len < Self::MAX {
            let (word, bit) = (usize::from(self.len / 64), self.len % 64);
            self.nested[word] &= !(1 << bit);
            self.nested[word] |= u64::from(token.0 & 1) << bit;
        }
        self.len = self.len.saturating_add(1);
    }

    /// Takes what the innermost enable returned; `LAZY_MMU_DEFAULT` where there was none.
    pub(crate) fn pop(&mut self) -> Token {
        let Some(len) = self.len.checked_sub(1) else { return Token::DEFAULT };
        self.len = len;
        if len >= Self::MAX {
            return Token::NESTED;
        }
        let (word, bit) = (usize::from(len / 64), len % 64);
        let token = Token((self.nested[word] >> bit & 1) as u8);
        self.nested[word] &= !(1 << bit);
        token
    }
}

/// What happens when a sanity check of the emulated kernel finds something; it is always recorded
/// where a record is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    counters: Cell<u32>,
    /// No architecture, no record, the default design: calls only move the counters.
    plain: Cell<bool>,
    /// The state where `counters` does not have it.
    lazy_mmu_state: Cell<StateBits>,
    preempt_count: Cell<PreemptCount>,
    flags: Cell<u64>,
    pid: Cell<u8>,
    tokens: Cell<Tokens>,
    /// The hint of the call that is under way.
    hint: Cell<Option<PteRange>>,
    cpu: Cell<u8>,
    /// What the design says of the state, in task context and in interrupt; kept up to date by
    /// [`Current::set_state`] unless `plain`.
    active: Cell<[bool; 2]>,
    /// What the installed architecture says of itself.
    arch_wants: Cell<bool>,
    recording: Cell<bool>,
    /// Whether the architecture is told of the points inside calls.
    points: Cell<bool>,
    on_warn: Cell<OnWarn>,
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
            tokens: Cell::new(Tokens { nested: [0; 4], len: 0 }),
            hint: Cell::new(None),
            cpu: Cell::new(0),
            active: Cell::new([false; 2]),
            arch_wants: Cell::new(true),
            recording: Cell::new(false),
            points: Cell::new(false),
            on_warn: Cell::new(OnWarn::PrintOnce),
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

    /// Sets the hint of the call that is under way and returns the one that was set.
    pub(crate) fn replace_hint(&self, hint: Option<PteRange>) -> Option<PteRange> {
        self.hint.replace(hint)
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
        self.arch_wants.set(self.arch().is_none_or(|arch| arch.wants_lazy_mmu_mode()));
        let state = self.state();
        self.plain.set(!recording && default_design && self.arch.borrow().is_none());
        self.set_state(state);
    }

    fn change_context(&self, name: &'static str, offset: u32, add: bool, by_arch: bool) {
        let mut count = self.preempt_count.get();
        let fits = if add { count.add(offset) } else { count.sub(offset) };
        self.set_preempt_count(count);
        self.note(Event::Context { name, preempt_count: count, by_arch });
        if !fits {
            crate::pgtable::warn(self, &bad_preempt_count(count, offset, add));
        }
    }
}

/// What the kernel reports where the preempt count cannot change as asked; it then stays as it is.
///
/// Fidelity: changed: the checks of `preempt_count_add()` and `preempt_count_sub()` in
/// kernel/sched/core.c v7.0 and of `__nmi_enter()`, with every field guarded where the kernel lets
/// a full one spill into the next.
fn bad_preempt_count(count: PreemptCount, offset: u32, add: bool) -> Warn {
    let (check, cond) = match (offset, add) {
        (PreemptCount::NMI_OFFSET, true) => (Check::BugOn, "in_nmi() == NMI_MASK"),
        (PreemptCount::NMI_OFFSET, false) => (Check::BugOn, "!in_nmi()"),
        (_, true) => {
            (Check::DebugLocksWarnOn, "(preempt_count() & PREEMPT_MASK) >= PREEMPT_MASK - 10")
        }
        (PreemptCount::PREEMPT_OFFSET, false) if count.0 > 0 => {
            (Check::DebugLocksWarnOn, "(val < PREEMPT_MASK) && !(preempt_count() & PREEMPT_MASK)")
        }
        (_, false) => (Check::DebugLocksWarnOn, "val > preempt_count()"),
    };
    Warn { check, cond }
}

/// Tells whether the current task batches page table updates: what arch code asks.
///
/// False in interrupt under every design that bails out there.
#[inline]
#[must_use]
pub fn is_lazy_mmu_mode_active() -> bool {
    current(Current::is_active)
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

/// The preempt count of the current task.
#[must_use]
pub fn preempt_count() -> PreemptCount {
    current(|cur| cur.preempt_count.get())
}

macro_rules! context_changes {
    ($($(#[$meta:meta])* $name:ident = $how:literal $offset:ident;)*) => {
        $($(#[$meta])*
        pub fn $name() {
            current(|cur| {
                cur.change_context(stringify!($name), PreemptCount::$offset, $how, false);
            });
        })*
    };
}

context_changes! {
    /// Keeps the task on its CPU until the matching `preempt_enable()`.
    preempt_disable = true PREEMPT_OFFSET;
    /// Ends the innermost `preempt_disable()`.
    preempt_enable = false PREEMPT_OFFSET;
    /// Takes a spin lock: keeps the task on its CPU until the matching `spin_unlock()`.
    spin_lock = true PREEMPT_OFFSET;
    /// Releases the innermost spin lock.
    spin_unlock = false PREEMPT_OFFSET;
    /// Disables bottom halves, which counts as interrupt.
    local_bh_disable = true SOFTIRQ_DISABLE_OFFSET;
    /// Ends the innermost `local_bh_disable()`.
    local_bh_enable = false SOFTIRQ_DISABLE_OFFSET;
    /// A softirq begins on top of the current context.
    softirq_enter = true SOFTIRQ_OFFSET;
    /// The softirq ends.
    softirq_exit = false SOFTIRQ_OFFSET;
    /// A hard interrupt begins on top of the current context (`irq_enter()`).
    hardirq_enter = true HARDIRQ_OFFSET;
    /// The hard interrupt ends (`irq_exit()`).
    hardirq_exit = false HARDIRQ_OFFSET;
    /// A non-maskable interrupt begins on top of the current context.
    nmi_enter = true NMI_OFFSET;
    /// The non-maskable interrupt ends.
    nmi_exit = false NMI_OFFSET;
}

/// `preempt_disable()` by a hook, a primitive or a context switch of the architecture: records show
/// it as their effect.
pub fn arch_preempt_disable() {
    let name = "preempt_disable";
    current(|cur| cur.change_context(name, PreemptCount::PREEMPT_OFFSET, true, true));
}

/// `preempt_enable()` by the architecture.
pub fn arch_preempt_enable() {
    let name = "preempt_enable";
    current(|cur| cur.change_context(name, PreemptCount::PREEMPT_OFFSET, false, true));
}

/// Turns preemption off for a few lines of arch code, which records do not show.
///
/// Fidelity: same as `get_cpu()` of include/linux/smp.h v7.0, without the number of the CPU.
#[inline]
pub fn get_cpu() {
    current(|cur| cur.preempt_count.set(PreemptCount(cur.preempt_count.get().0.wrapping_add(1))));
}

/// Ends the innermost [`get_cpu`].
#[inline]
pub fn put_cpu() {
    current(|cur| cur.preempt_count.set(PreemptCount(cur.preempt_count.get().0.saturating_sub(1))));
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

/// Runs `f` as `task` and returns the task as `f` left it, with the previous task back in place
/// even when `f` panics.
pub fn with_task<R>(task: TaskStruct, f: impl FnOnce() -> R) -> (R, TaskStruct) {
    let back = Restore(Some(swap_current(task)), |prev| {
        swap_current(prev);
    });
    let value = f();
    let task = current_task();
    drop(back);
    (value, task)
}

/// Runs `f` in a kernel built with `design`, as a fresh task.
///
/// ```
/// use lazy_mmu::design::Design;
/// let rfc = Design::by_id("count-enabled-rfc").unwrap();
/// lazy_mmu::sched::with_design(rfc, || {
///     lazy_mmu::lazy_mmu_mode_pause();
///     lazy_mmu::lazy_mmu_mode_resume();
///     assert!(lazy_mmu::is_lazy_mmu_mode_active(), "the mail's resume always turns it on");
/// });
/// ```
pub fn with_design<R>(design: Design, f: impl FnOnce() -> R) -> R {
    let set = |design| {
        current(|cur| {
            let old = cur.design.replace(design);
            cur.refresh();
            old
        })
    };
    let task = swap_current(TaskStruct::default());
    let back = Restore(Some((set(design), task)), move |(old, task)| {
        set(old);
        swap_current(task);
    });
    let value = f();
    drop(back);
    value
}

/// Runs `f` on `arch`: its hooks are called from now on.
pub fn with_arch<R>(arch: Rc<dyn Arch>, f: impl FnOnce() -> R) -> R {
    let set = |arch| {
        current(|cur| {
            let old = cur.arch.replace(ManuallyDrop::new(arch));
            cur.refresh();
            ManuallyDrop::into_inner(old)
        })
    };
    let back = Restore(Some(set(Some(arch))), move |old| drop(set(old)));
    let value = f();
    drop(back);
    value
}

/// Runs `f` with `policy` for the sanity checks of the emulated kernel.
pub fn with_on_warn<R>(policy: OnWarn, f: impl FnOnce() -> R) -> R {
    let set = |policy| current(|cur| cur.on_warn.replace(policy));
    let back = Restore(Some(set(policy)), move |old| {
        set(old);
    });
    let value = f();
    drop(back);
    value
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

/// Tells whether a record is being written.
#[inline]
#[must_use]
pub fn recording() -> bool {
    current(|cur| cur.recording.get())
}

/// Records that the architecture did `name` to the hardware, to `n` things at once where given.
#[inline]
pub fn note_effect(name: &str, n: Option<u32>) {
    current(|cur| cur.note(Event::Effect { name, n }));
}

/// Tells whether a record is being written or points are asked for: whether anyone sees an effect.
#[inline]
#[must_use]
pub fn watched() -> bool {
    current(|cur| cur.recording.get() | cur.points.get())
}

/// Has the architecture told of each point inside a call, or no longer.
pub fn set_points(on: bool) {
    current(|cur| cur.points.set(on));
}

/// Tells the architecture that `point` comes next, if it asked for points.
#[inline]
pub fn point(point: Point) {
    current(|cur| cur.point(point));
}

/// The number that the next event of the record will have; 0 where nothing is recorded.
#[must_use]
pub fn next_seq() -> u32 {
    current(|cur| cur.record.borrow().as_ref().map_or(0, |record| record.len() as u32))
}

/// Records something that the task does to itself, by the kernel's name of it.
pub fn note_context(name: &'static str) {
    current(|cur| {
        let preempt_count = cur.preempt_count.get();
        cur.note(Event::Context { name, preempt_count, by_arch: false });
    });
}

/// Records that something else happens inside the call that is under way.
pub fn note_away() {
    current(|cur| cur.note(Event::Away));
}

/// Records that the call goes on.
pub fn note_back() {
    current(|cur| cur.note(Event::Back));
}

/// Records that the CPU goes from the current task to task `next`.
pub fn note_switch(next: u8) {
    current(|cur| cur.note(Event::Switch { next }));
}

/// Records a hazard of the kind `name`, caused by the event number `cause`.
pub fn note_hazard(name: &str, cause: Option<u32>) {
    current(|cur| cur.note(Event::Hazard { name, cause }));
}

/// Records a use of a page table primitive.
#[inline]
pub fn note_pte(pte: PteEvent) {
    current(|cur| cur.note(Event::Pte(pte)));
}

/// Records a remark.
pub fn note(text: &str) {
    current(|cur| cur.note(Event::Note(text)));
}

/// Runs `f` and returns its value with the record of what it did.
///
/// Records nest: the inner one is a part of the outer one. Where `f` panics the events are kept by
/// the outer record, if there is one.
///
/// ```
/// use lazy_mmu::{lazy_mmu_mode_disable, lazy_mmu_mode_enable, record_hooks};
/// let ((), record) = record_hooks(|| {
///     lazy_mmu_mode_enable();
///     lazy_mmu_mode_disable();
/// });
/// assert_eq!(
///     record.to_string(),
///     "\
/// lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
/// lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
/// enable=0 pause=0, nothing pending
/// "
/// );
/// ```
pub fn record_hooks<R>(f: impl FnOnce() -> R) -> (R, Record) {
    let start = current(|cur| match &**cur.record.borrow() {
        Some(record) if record.design() == cur.design() => Ok(record.len()),
        _ => Err(()),
    });
    let take = |record| {
        current(|cur| {
            let old = cur.record.replace(ManuallyDrop::new(record));
            cur.refresh();
            ManuallyDrop::into_inner(old)
        })
    };
    if let Ok(start) = start {
        let value = f();
        let mut part =
            current(|cur| cur.record.borrow().as_ref().map(|record| record.since(start)))
                .unwrap_or_default();
        note_end(&mut part);
        return (value, part);
    }
    let outer = take(Some(Record::new(design())));
    let back = Restore(Some(outer), move |outer| drop(take(outer)));
    let value = f();
    let mut record = take(None).unwrap_or_default();
    drop(back);
    note_end(&mut record);
    (value, record)
}

/// Appends the last line of a record: what is left.
fn note_end(record: &mut Record) {
    let pending = current(Current::arch).and_then(|arch| arch.pending());
    current(|cur| {
        let (cpu, pid) = (cur.cpu.get(), cur.pid.get());
        if let Some((n, what)) = pending {
            record.push(cpu, pid, Event::Pending { n, what });
        }
        let (state, preempt_count) = (cur.state(), cur.preempt_count.get());
        record.push(cpu, pid, Event::End { state, preempt_count });
    });
}

/// Puts something back when dropped, so that a panic leaves nothing installed.
struct Restore<T, F: Fn(T)>(Option<T>, F);

impl<T, F: Fn(T)> Drop for Restore<T, F> {
    fn drop(&mut self) {
        if let Some(old) = self.0.take() {
            (self.1)(old);
        }
    }
}
