//! A design as a value: chosen or made at run time, its state packed into one word.

use std::any::TypeId;

use super::contract::{Field, LazyMmuDesign, StateBits};
use super::made::{Description, Transitions};
use super::rows::{check_calls, check_hooks};
use super::{
    Call, CallInfo, Context, EFFECTS_MAX, Effect, Effects, Fields, Hook, HookInfo, Role, Takes,
    Token,
};
use super::{
    count_enabled, count_enabled_rfc, count_paused_rfc, counts, counts_task, direct, independent,
    nesting_active, sketch, token, with_ptes,
};

/// An API design chosen at run time.
///
/// Two values are equal when they have the same id.
///
/// ```
/// use lazy_mmu::design::Design;
/// assert_eq!(Design::default().id(), "counts");
/// assert!(Design::all().any(|design| design.id() == "count-paused-rfc"));
/// ```
#[derive(Clone, Copy)]
pub struct Design(&'static Table);

/// Who is shown the effects of a call.
type See<'a> = &'a mut dyn FnMut(Effect<StateBits>);

/// The transitions of a design over packed states.
struct Table {
    id: &'static str,
    about: &'static str,
    source: &'static str,
    calls: &'static [CallInfo],
    hooks: &'static [HookInfo],
    has_tokens: bool,
    type_id: fn() -> TypeId,
    /// Calls the closure with each effect, in order. A list would have to be copied from one
    /// representation of the state to the other; here the slots of the design vanish.
    each: fn(&Self, StateBits, Context, Call, See<'_>) -> Token,
    is_active: fn(&Self, StateBits) -> [bool; 2],
    fields: fn(&Self, StateBits) -> Fields,
    /// The code of a design that was made at run time.
    made: Option<&'static dyn Transitions>,
}

impl Table {
    /// The table of a design that is made at run time.
    fn made(description: Description, code: &'static dyn Transitions) -> Self {
        let Description { id, about, source, calls, hooks } = description;
        check_calls(calls);
        check_hooks(hooks);
        Self {
            id,
            about,
            source,
            has_tokens: calls.iter().any(|info| info.takes == Takes::Token),
            calls,
            hooks,
            type_id: TypeId::of::<Description>,
            each: |table, bits, cx, call, see| {
                table.code().step(bits, cx, call).each(|state| state, see)
            },
            is_active: |table, bits| table.code().is_active(bits),
            fields: |table, bits| table.code().fields(bits),
            made: Some(code),
        }
    }

    fn code(&self) -> &dyn Transitions {
        self.made.expect("only the functions of `made` ask, which has set it")
    }
}

/// The one table of `D`.
struct TableOf<D>(std::marker::PhantomData<D>);

impl<D: LazyMmuDesign> TableOf<D> {
    const TABLE: Table = Table {
        id: D::ID,
        about: D::ABOUT,
        source: D::SOURCE,
        calls: {
            check_calls(D::CALLS);
            D::CALLS
        },
        hooks: {
            check_hooks(D::HOOKS);
            D::HOOKS
        },
        has_tokens: {
            let (mut any, mut at) = (false, 0);
            while at < D::CALLS.len() {
                any |= matches!(D::CALLS[at].takes, Takes::Token);
                at += 1;
            }
            any
        },
        type_id: TypeId::of::<D>,
        each: |_, bits, cx, call, see| match call {
            Call::ENABLE => D::unpack(bits).enable(cx).each(D::pack, see),
            Call::DISABLE => D::unpack(bits).disable(cx).each(D::pack, see),
            Call::PAUSE => D::unpack(bits).pause(cx).each(D::pack, see),
            Call::RESUME => D::unpack(bits).resume(cx).each(D::pack, see),
            own => D::unpack(bits).own_call(cx, own).each(D::pack, see),
        },
        is_active: |_, bits| {
            [false, true].map(|in_interrupt| {
                D::unpack(bits).is_active(Context { in_interrupt, ..Context::default() })
            })
        },
        fields: |_, bits| D::unpack(bits).fields(),
        made: None,
    };
}

impl Design {
    /// Every design of the lab, in the order of their history.
    pub const LAB: &'static [Self] = &[
        Self::of::<direct::State>(),
        Self::of::<token::State>(),
        Self::of::<sketch::State>(),
        Self::of::<count_enabled_rfc::State>(),
        Self::of::<count_paused_rfc::State>(),
        Self::of::<count_enabled::State>(),
        Self::of::<nesting_active::State>(),
        Self::of::<independent::State>(),
        Self::of::<counts::State>(),
        Self::of::<counts_task::State>(),
        Self::of::<with_ptes::State>(),
    ];

    /// The design whose state is `D`; works for designs of one's own.
    #[must_use]
    pub const fn of<D: LazyMmuDesign>() -> Self {
        Self(&TableOf::<D>::TABLE)
    }

    /// A design that is made at run time, of what a program reads. It lives as long as the
    /// process.
    ///
    /// # Panics
    /// The tables of calls and hooks are not as [`LazyMmuDesign`] has them: those of the kernel
    /// come first, and no name is there twice.
    #[must_use]
    pub fn made(description: Description, code: impl Transitions + 'static) -> Self {
        Self(Box::leak(Box::new(Table::made(description, Box::leak(Box::new(code))))))
    }

    /// Tells whether a program made it at run time: no kernel had it, or just one that it was read
    /// from.
    #[must_use]
    pub const fn is_made(self) -> bool {
        self.0.made.is_some()
    }

    /// Tells whether both are designs of one state type, not merely of one id.
    pub(super) fn is_same(self, other: Self) -> bool {
        let types = || (self.0.type_id)() == (other.0.type_id)();
        std::ptr::eq(self.0, other.0) || self.0.made.is_none() && types()
    }

    /// The id that the command line and snapshots use.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.0.id
    }

    /// One line on what the design is and where it comes from.
    #[must_use]
    pub const fn about(self) -> &'static str {
        self.0.about
    }

    /// Where it was published: commits, or the ids of mails; empty for designs of one's own.
    #[must_use]
    pub const fn source(self) -> &'static str {
        self.0.source
    }

    /// The calls, the four of the kernel first.
    #[inline]
    #[must_use]
    pub const fn calls(self) -> &'static [CallInfo] {
        self.0.calls
    }

    /// The hooks, the three of the kernel first.
    #[inline]
    #[must_use]
    pub const fn hooks(self) -> &'static [HookInfo] {
        self.0.hooks
    }

    /// Tells whether the design has the call.
    #[must_use]
    pub fn has_call(self, call: Call) -> bool {
        self.0.calls.iter().any(|info| info.call == call)
    }

    /// Tells whether the design has the hook.
    #[must_use]
    pub fn has_hook(self, hook: Hook) -> bool {
        self.0.hooks.iter().any(|info| info.hook == hook)
    }

    /// What `call` is: in this design, else in another one.
    #[must_use]
    pub fn call_info(self, call: Call) -> Option<&'static CallInfo> {
        self.0.calls.iter().find(|info| info.call == call).or_else(|| call.info())
    }

    /// What `hook` is: in this design, else in another one.
    #[must_use]
    pub fn hook_info(self, hook: Hook) -> Option<&'static HookInfo> {
        self.0.hooks.iter().find(|info| info.hook == hook).or_else(|| hook.info())
    }

    /// What `call` does to brackets.
    #[must_use]
    pub fn role(self, call: Call) -> Role {
        self.call_info(call).map_or(Role::Neither, |info| info.role)
    }

    /// The call that the design answers where `call` is made: itself if the design has it, else
    /// what it is a variant of; none where nothing happens.
    #[inline]
    #[must_use]
    pub fn answers(self, call: Call) -> Option<&'static CallInfo> {
        let own = |call| self.0.calls.iter().find(|info| info.call == call);
        own(call).or_else(|| own(call.info()?.or?))
    }

    /// A hook that a transition of the design calls.
    ///
    /// # Panics
    /// The design does not declare it.
    #[inline]
    pub(crate) fn own_hook(self, hook: Hook) -> &'static HookInfo {
        let found = self.0.hooks.iter().find(|info| info.hook == hook);
        found.unwrap_or_else(|| panic!("design {} does not declare the hook {hook}", self.id()))
    }

    /// Tells whether a call that opens a section returns a token that the one that closes it takes.
    #[inline]
    #[must_use]
    pub const fn has_tokens(self) -> bool {
        self.0.has_tokens
    }

    /// Calls `see` with each effect of `call` from `state`, in program order.
    #[inline]
    pub fn each(
        self,
        state: StateBits,
        cx: Context,
        call: Call,
        see: &mut dyn FnMut(Effect<StateBits>),
    ) -> Token {
        (self.0.each)(self.0, state, cx, call, see)
    }

    /// The transition of `call` from `state`.
    #[must_use]
    pub fn step(self, state: StateBits, cx: Context, call: Call) -> Effects<StateBits> {
        let mut slots = [None; EFFECTS_MAX];
        let mut free = slots.iter_mut();
        let token = self.each(state, cx, call, &mut |effect| {
            if let Some(slot) = free.next() {
                *slot = Some(effect);
            }
        });
        Effects::of(slots).returning(token)
    }

    /// What arch code is told when it asks whether to batch: in task context, and in interrupt.
    #[inline]
    #[must_use]
    pub fn is_active(self, state: StateBits) -> [bool; 2] {
        (self.0.is_active)(self.0, state)
    }

    /// The fields of `state`, in the order of the kernel's structure.
    #[must_use]
    pub fn fields(self, state: StateBits) -> Fields {
        (self.0.fields)(self.0, state)
    }

    /// The state as traces show it: `enable=1 pause=0`.
    #[must_use]
    pub fn show(self, state: StateBits) -> String {
        self.fields(state).fold(String::new(), |text, Field { short, value, .. }| {
            let gap = if text.is_empty() { "" } else { " " };
            text + &format!("{gap}{short}={value}")
        })
    }
}

impl Default for Design {
    /// The merged design, `counts`.
    fn default() -> Self {
        Self::of::<counts::State>()
    }
}

impl PartialEq for Design {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Design {}
