//! The one interpreter of a call: executes the effects of a transition on a host.
//!
//! A design says what a call does; a [`TaskHost`] says what a store, a hook or a warning *is*: on
//! the current task of a thread, in a checker, in a proof. What happens in which order, what ends a
//! call and which token a call takes or returns is decided here alone.
//!
//! Models the bodies of `lazy_mmu_mode_enable()` and its like in include/linux/pgtable.h (v7.0).

use crate::arch::Point;
use crate::design::{
    Call, CallInfo, Context, Design, Effect, Hook, HookInfo, Role, StateBits, Token, Warn,
};
use crate::ptes::PteRange;
use crate::trace::Event;

/// A task that makes calls, and what it runs on.
///
/// A host keeps its state behind interior mutability, or is exclusively borrowed; either way
/// nothing of the task is borrowed while a hook runs.
pub trait TaskHost: Sized {
    /// The design of the emulated kernel.
    fn design(&self) -> Design;
    /// The task's state.
    fn state(&mut self) -> StateBits;
    /// Changes the task's state.
    fn set_state(&mut self, state: StateBits);
    /// What a transition may know of its surroundings; the token is the interpreter's business.
    fn context(&mut self) -> Context;
    /// Keeps what a call that opens a section returned, for callers without a local variable.
    fn push_token(&mut self, _: Token) {}
    /// Takes what the innermost of those returned.
    fn pop_token(&mut self) -> Token {
        Token::DEFAULT
    }

    /// Calls the architecture; `range` is the argument of the call that reached the hook.
    fn hook(&mut self, hook: &'static HookInfo, range: Option<&PteRange>);
    /// A sanity check found something.
    fn warn(&mut self, warn: &Warn);

    /// A store or a hook comes next: here an interrupt or a preemption may fall.
    fn point(&mut self, _: Point) {}
    /// Records an event.
    fn note(&mut self, _: Event<'_>) {}
    /// The call is about to return.
    fn returned(&mut self, _: &'static CallInfo) {}
    /// Whether the mode is active, as arch code sees it.
    fn is_active(&mut self) -> bool {
        let state = self.state();
        self.design().is_active(state)[usize::from(self.context().in_interrupt)]
    }

    /// Hands each effect of `call` to `run`, in program order, and returns what the call returns.
    ///
    /// A host overrides it to run a design with a fault in it.
    #[inline(always)]
    fn each(&mut self, call: Call, cx: Context, run: &mut Run<'_>) -> Token {
        let (design, state) = (self.design(), self.state());
        design.each(state, cx, call, &mut |effect| run.effect(self, effect))
    }
}

/// A transition that is being executed.
#[derive(Debug)]
pub struct Run<'r> {
    design: Design,
    range: Option<&'r PteRange>,
    /// A check has ended the call.
    ended: bool,
}

impl Run<'_> {
    /// Executes the next effect, unless a check has ended the call.
    #[inline(always)]
    pub fn effect<H: TaskHost>(&mut self, host: &mut H, effect: Effect<StateBits>) {
        if self.ended {
            return;
        }
        match effect {
            Effect::Store(state) => {
                host.point(Point::Store);
                host.set_state(state);
                host.note(Event::Store(state));
            }
            Effect::Hook(hook) => {
                let info = match hook {
                    Hook::ENTER => &HookInfo::ENTER,
                    Hook::LEAVE => &HookInfo::LEAVE,
                    Hook::FLUSH => &HookInfo::FLUSH,
                    own => self.design.own_hook(own),
                };
                host.point(Point::Hook(info));
                host.note(Event::Hook(hook));
                host.hook(info, self.range);
            }
            Effect::Warn(warn) => {
                self.ended = warn.check.ends_call();
                host.warn(&warn);
            }
        }
    }
}

/// Makes `call`, with `range` where it takes one, for a caller that keeps no token: the host keeps
/// it.
///
/// A design that lacks the call makes what it is a variant of, or nothing, which a record remarks
/// on.
#[inline(always)]
pub fn call<H: TaskHost>(host: &mut H, call: Call, range: Option<&PteRange>) {
    let design = host.design();
    let info = match call {
        Call::ENABLE => &CallInfo::ENABLE,
        Call::DISABLE => &CallInfo::DISABLE,
        Call::PAUSE => &CallInfo::PAUSE,
        Call::RESUME => &CallInfo::RESUME,
        own => match design.answers(own) {
            Some(info) => info,
            None => return lacks(host, call),
        },
    };
    let call = info.call;
    host.note(Event::Call(call));
    let tokens = design.has_tokens();
    let takes = tokens && info.role == Role::ClosesSection;
    let token = if takes { host.pop_token() } else { Token::DEFAULT };
    let cx = Context { token, ..host.context() };
    let token = transition(host, call, cx, range);
    if tokens && info.role == Role::OpensSection {
        host.push_token(token);
    }
    host.returned(info);
    let (active, state) = (host.is_active(), host.state());
    host.note(Event::Return { call, active, state });
}

/// Remarks that nothing happens.
#[cold]
fn lacks<H: TaskHost>(host: &mut H, call: Call) {
    let text = format!("{} has no {call}()", host.design().id());
    host.note(Event::Note(&text));
}

/// Makes a call of arch code for the task that is current, in interrupt or not: an effect of the
/// architecture in a record, not a call of its own.
pub fn call_by_arch<H: TaskHost>(host: &mut H, call: &CallInfo) {
    host.note(Event::Effect { name: call.short, n: None });
    let own = host.design().has_call(call.call).then_some(call.call);
    if let Some(call) = own.or(call.or) {
        transition(host, call, Context::default(), None);
    }
}

/// Does the effects of `call`, one of the design's, in `cx`, and nothing else. Returns what the
/// call returns.
///
/// # Panics
/// The transition calls a hook that the design does not declare.
#[inline(always)]
pub fn transition<H: TaskHost>(
    host: &mut H,
    call: Call,
    cx: Context,
    range: Option<&PteRange>,
) -> Token {
    let mut run = Run { design: host.design(), range, ended: false };
    host.each(call, cx, &mut run)
}

/// Makes `call` on a plain state, without a task: calls `see` with each effect that happens and the
/// state at that moment, and returns the state after the call and what the call returns.
///
/// ```
/// use lazy_mmu::call::evaluate;
/// use lazy_mmu::design::{Call, Context, Design, Effect, Hook, StateBits};
/// let mut entered_while_active = false;
/// let design = Design::default();
/// evaluate(design, StateBits(0), Context::default(), Call::ENABLE, |effect, state| {
///     if *effect == Effect::Hook(Hook::ENTER) {
///         entered_while_active = design.is_active(state)[0];
///     }
/// });
/// assert!(entered_while_active);
/// ```
pub fn evaluate(
    design: Design,
    state: StateBits,
    cx: Context,
    call: Call,
    see: impl FnMut(&Effect<StateBits>, StateBits),
) -> (StateBits, Token) {
    let mut host = Plain { design, state, cx, see };
    let token = transition(&mut host, call, cx, None);
    (host.state, token)
}

/// A state that is no task's.
struct Plain<F> {
    design: Design,
    state: StateBits,
    cx: Context,
    see: F,
}

impl<F: FnMut(&Effect<StateBits>, StateBits)> TaskHost for Plain<F> {
    #[inline(always)]
    fn design(&self) -> Design {
        self.design
    }

    #[inline(always)]
    fn state(&mut self) -> StateBits {
        self.state
    }

    #[inline(always)]
    fn set_state(&mut self, state: StateBits) {
        (self.see)(&Effect::Store(state), self.state);
        self.state = state;
    }

    fn context(&mut self) -> Context {
        self.cx
    }

    #[inline(always)]
    fn hook(&mut self, hook: &'static HookInfo, _: Option<&PteRange>) {
        (self.see)(&Effect::Hook(hook.hook), self.state);
    }

    #[inline(always)]
    fn warn(&mut self, warn: &Warn) {
        (self.see)(&Effect::Warn(*warn), self.state);
    }
}
