//! The contract of a design: the state that it keeps, and a transition per call.

use super::call::{Call, CallInfo};
use super::context::Context;
use super::effects::Effects;
use super::hook::HookInfo;

/// The packed state of some design; only that design can read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateBits(pub u64);

/// One field of a design's state, for people and for records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name of the field in the kernel's structure.
    pub name: &'static str,
    /// The short name that traces use.
    pub short: &'static str,
    /// The value; booleans are 0 and 1.
    pub value: Value,
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A counter: eight bits in the designs of the lab, whatever a kernel tree has.
    Count(i64),
    /// A flag.
    Flag(bool),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Count(n) => write!(f, "{n}"),
            Self::Flag(b) => write!(f, "{}", u8::from(b)),
        }
    }
}

/// The fields of a state, in the order of the kernel's structure: at most eight.
#[derive(Clone, Debug)]
pub struct Fields(std::iter::Flatten<std::array::IntoIter<Option<Field>, 8>>);

impl Fields {
    /// The given fields.
    #[must_use]
    pub fn of<const N: usize>(fields: [Field; N]) -> Self {
        const { assert!(N <= 8, "a state is one word: at most eight fields of eight bits") };
        let all: [Option<Field>; 8] = std::array::from_fn(|at| fields.get(at).copied());
        Self(all.into_iter().flatten())
    }
}

/// The first eight fields of those given.
impl FromIterator<Field> for Fields {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        let mut fields = fields.into_iter();
        let all: [Option<Field>; 8] = std::array::from_fn(|_| fields.next());
        Self(all.into_iter().flatten())
    }
}

impl Iterator for Fields {
    type Item = Field;

    fn next(&mut self) -> Option<Field> {
        self.0.next()
    }
}

/// The state that a design keeps in `task_struct`: small, comparable, and one word when packed.
///
/// [`lazy_mmu_state!`](crate::lazy_mmu_state) writes an implementation from a list of fields.
pub trait LazyMmuState: Copy + Default + Eq + std::hash::Hash + std::fmt::Debug + 'static {
    /// Packs the state into one word; the default state packs to 0.
    fn pack(self) -> StateBits;
    /// The inverse of [`pack`](Self::pack).
    fn unpack(bits: StateBits) -> Self;
    /// The fields, in the order of the kernel's structure.
    fn fields(self) -> Fields;
}

/// An API design: its identity and one pure transition per call.
///
/// A transition must be total: it answers every call in every state, those that no correct caller
/// reaches too, since a check or a proof asks for them. Counters wrap, saturate or report, as the
/// design wants; a plain `count - 1` panics in a debug build.
///
/// ```
/// use lazy_mmu::design::*;
///
/// lazy_mmu::lazy_mmu_state! { struct State { depth: u8 = "depth" } }
///
/// /// `lazy_mmu_mode_sync()`, which no kernel has: what is pending is done on return.
/// const SYNC: CallInfo = CallInfo::new("lazy_mmu_mode_sync", "sync");
///
/// impl LazyMmuDesign for State {
///     const ID: &'static str = "with-sync";
///     const ABOUT: &'static str = "one counter, and a call that completes what is pending";
///     const CALLS: &'static [CallInfo] =
///         &[CallInfo::ENABLE, CallInfo::DISABLE, CallInfo::PAUSE, CallInfo::RESUME, SYNC];
///
///     fn enable(self, _: Context) -> Effects<Self> {
///         let more = Self { depth: self.depth.wrapping_add(1) };
///         Effects::of([store(more), hook_if(self.depth == 0, Hook::ENTER)])
///     }
///     fn disable(self, _: Context) -> Effects<Self> {
///         let less = Self { depth: self.depth.wrapping_sub(1) };
///         Effects::of([store(less), hook_if(less.depth == 0, Hook::LEAVE)])
///     }
///     fn pause(self, cx: Context) -> Effects<Self> {
///         self.disable(cx)
///     }
///     fn resume(self, cx: Context) -> Effects<Self> {
///         self.enable(cx)
///     }
///     fn own_call(self, _: Context, _: Call) -> Effects<Self> {
///         Effects::of([hook_if(self.depth > 0, Hook::FLUSH)])
///     }
///     fn is_active(self, _: Context) -> bool {
///         self.depth > 0
///     }
/// }
///
/// let ((), record) = lazy_mmu::sched::with_design(Design::of::<State>(), || {
///     lazy_mmu::record_hooks(|| {
///         let _section = lazy_mmu::LazyMmuSection::new();
///         lazy_mmu::pgtable::call(SYNC.call);
///     })
/// });
/// let hooks: Vec<Hook> = record.hooks().collect();
/// assert_eq!(hooks, [Hook::ENTER, Hook::FLUSH, Hook::LEAVE]);
/// ```
pub trait LazyMmuDesign: LazyMmuState {
    /// The id that the command line and snapshots use; never changes.
    const ID: &'static str;
    /// One line on what the design is and where it comes from.
    const ABOUT: &'static str;

    /// Where it was published: commits of the kernel and the message ids of mails, with words
    /// between.
    const SOURCE: &'static str = "";

    /// The calls: the four of the kernel, in its order, then those of the design itself.
    const CALLS: &'static [CallInfo] = &CallInfo::KERNEL;
    /// The hooks that transitions may call: the three of the kernel, then those of the design
    /// itself.
    const HOOKS: &'static [HookInfo] = &HookInfo::KERNEL;

    /// `lazy_mmu_mode_enable()`
    fn enable(self, cx: Context) -> Effects<Self>;
    /// `lazy_mmu_mode_disable()`
    fn disable(self, cx: Context) -> Effects<Self>;
    /// `lazy_mmu_mode_pause()`
    fn pause(self, cx: Context) -> Effects<Self>;
    /// `lazy_mmu_mode_resume()`
    fn resume(self, cx: Context) -> Effects<Self>;
    /// What arch code is told when it asks whether to batch.
    fn is_active(self, cx: Context) -> bool;

    /// A call of the design itself; by default what the call is a variant of, or nothing.
    fn own_call(self, cx: Context, call: Call) -> Effects<Self> {
        let info = Self::CALLS.iter().find(|info| info.call == call);
        info.and_then(|info| info.or).map_or(Effects::NONE, |or| self.step(cx, or))
    }

    /// The transition of `call`.
    #[inline(always)]
    fn step(self, cx: Context, call: Call) -> Effects<Self> {
        match call {
            Call::ENABLE => self.enable(cx),
            Call::DISABLE => self.disable(cx),
            Call::PAUSE => self.pause(cx),
            Call::RESUME => self.resume(cx),
            own => self.own_call(cx, own),
        }
    }
}

/// Declares the state of a design: a structure of `u8` counters and `bool` flags, at most eight,
/// each with the short name that traces use.
///
/// ```
/// lazy_mmu::lazy_mmu_state! {
///     /// A counter and nothing else.
///     pub struct State { depth: u8 = "depth" }
/// }
/// use lazy_mmu::design::LazyMmuState;
/// assert_eq!(State::unpack(State { depth: 3 }.pack()), State { depth: 3 });
/// ```
#[macro_export]
macro_rules! lazy_mmu_state {
    ($(#[$meta:meta])* $vis:vis struct $State:ident {
        $($(#[$fmeta:meta])* $field:ident: $ty:tt = $short:literal),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis struct $State { $($(#[$fmeta])* pub $field: $ty,)+ }

        const _: () = assert!(
            [$(stringify!($field)),+].len() <= 8,
            "a state is one word: at most eight fields of eight bits"
        );

        impl $crate::design::LazyMmuState for $State {
            #[inline(always)]
            fn pack(self) -> $crate::design::StateBits {
                let mut bits = 0u64;
                let mut at = 0;
                $(bits |= u64::from(self.$field) << at; at += 8;)+
                let _ = at;
                $crate::design::StateBits(bits)
            }
            #[inline(always)]
            fn unpack(bits: $crate::design::StateBits) -> Self {
                let mut at = 0;
                $(let $field = $crate::lazy_mmu_state!(@get $ty, bits.0 >> at); at += 8;)+
                let _ = at;
                Self { $($field,)+ }
            }
            fn fields(self) -> $crate::design::Fields {
                $crate::design::Fields::of([$($crate::design::Field {
                    name: stringify!($field),
                    short: $short,
                    value: $crate::lazy_mmu_state!(@value $ty, self.$field),
                }),+])
            }
        }
    };
    (@get u8, $e:expr) => { ($e & 0xff) as u8 };
    (@get bool, $e:expr) => { $e & 1 != 0 };
    (@value u8, $e:expr) => { $crate::design::Value::Count(i64::from($e)) };
    (@value bool, $e:expr) => { $crate::design::Value::Flag($e) };
}
