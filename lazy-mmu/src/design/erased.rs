//! A design as a value: chosen at run time, its state packed into one word.

use super::{Call, Context, EFFECTS_MAX, Effect, Effects, Field, LazyMmuDesign, Token};
use super::{
    count_enabled, count_enabled_rfc, count_paused_rfc, counts, counts_task, direct, independent,
    nesting_active, sketch, token, with_ptes,
};

/// The packed state of some design; only that design can read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateBits(pub u64);

/// An API design chosen at run time.
///
/// Two values are equal when they have the same id.
///
/// ```
/// use lazy_mmu::design::Design;
/// assert_eq!(Design::default().id(), "counts");
/// assert!(Design::ALL.iter().any(|design| design.id() == "count-paused-rfc"));
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
    has_tokens: bool,
    has_range_hint: bool,
    /// Calls the closure with each effect, in order. A list would have to be copied from one
    /// representation of the state to the other; here the slots of the design vanish.
    each: fn(StateBits, Context, Call, See<'_>) -> Token,
    is_active: fn(StateBits) -> [bool; 2],
    fields: fn(StateBits, &mut dyn FnMut(Field)),
}

/// The one table of `D`.
struct TableOf<D>(std::marker::PhantomData<D>);

impl<D: LazyMmuDesign> TableOf<D> {
    const TABLE: Table = Table {
        id: D::ID,
        about: D::ABOUT,
        source: D::SOURCE,
        has_tokens: D::HAS_TOKENS,
        has_range_hint: D::HAS_RANGE_HINT,
        each: |bits, cx, call, see| match call {
            Call::Enable | Call::EnableWithPtes => D::unpack(bits).enable(cx).each(D::pack, see),
            Call::Disable => D::unpack(bits).disable(cx).each(D::pack, see),
            Call::Pause => D::unpack(bits).pause(cx).each(D::pack, see),
            Call::Resume => D::unpack(bits).resume(cx).each(D::pack, see),
        },
        is_active: |bits| {
            [false, true].map(|in_interrupt| {
                D::unpack(bits).is_active(Context { in_interrupt, ..Context::default() })
            })
        },
        fields: |bits, see| D::unpack(bits).fields(see),
    };
}

impl Design {
    /// Every design of the lab, in the order of their history.
    pub const ALL: &'static [Self] = &[
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

    /// Finds a design of the lab by its id.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|design| design.id() == id)
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

    /// Tells whether an enable returns a token that the matching disable must be given.
    #[inline]
    #[must_use]
    pub const fn has_tokens(self) -> bool {
        self.0.has_tokens
    }

    /// Tells whether the design has `lazy_mmu_mode_enable_with_ptes()`.
    #[inline]
    #[must_use]
    pub const fn has_range_hint(self) -> bool {
        self.0.has_range_hint
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
        (self.0.each)(state, cx, call, see)
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
        (self.0.is_active)(state)
    }

    /// Calls `see` with each field of `state`, in the order of the kernel's structure.
    pub fn fields(self, state: StateBits, see: &mut dyn FnMut(Field)) {
        (self.0.fields)(state, see);
    }

    /// The state as traces show it: `enable=1 pause=0`.
    #[must_use]
    pub fn show(self, state: StateBits) -> String {
        let mut text = String::new();
        self.fields(state, &mut |field| {
            let gap = if text.is_empty() { "" } else { " " };
            text += &format!("{gap}{}={}", field.short, field.value);
        });
        text
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

impl std::fmt::Debug for Design {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Design({})", self.id())
    }
}
