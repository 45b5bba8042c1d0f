//! API designs as pure transition functions from a task's state and a call to effects.
//!
//! A design answers each of the four calls of the lazy MMU mode with an ordered, bounded list of
//! [`Effect`]s. It executes nothing: a shell (the thread-local one in [`crate::pgtable`], an
//! emulated machine, a checker) stores, calls the hooks and reports the warnings, in that order.
//! Order is observable: arch code asks inside a hook whether the mode is active, and a task may be
//! preempted between any two effects.
//!
//! Key types: [`Call`], [`Hook`], [`Warn`], [`Effects`], the trait [`LazyMmuDesign`] that a design
//! implements on its state, and [`Design`], the same as a value chosen at run time.

pub mod direct;
pub mod token;
pub mod sketch;
pub mod count_enabled_rfc;
pub mod count_paused_rfc;
pub mod count_enabled;
pub mod nesting_active;
pub mod independent;
pub mod counts;
pub mod counts_task;
pub mod with_ptes;

mod effects;
mod erased;

pub use effects::{EFFECTS_MAX, Effect, Effects, hook_if, store, store_if, warn_if};
pub use erased::{Design, StateBits};

/// A call of the generic API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    /// `lazy_mmu_mode_enable()`
    Enable,
    /// `lazy_mmu_mode_disable()`
    Disable,
    /// `lazy_mmu_mode_pause()`
    Pause,
    /// `lazy_mmu_mode_resume()`
    Resume,
    /// `lazy_mmu_mode_enable_with_ptes()`: an enable that comes with a range hint. Designs answer it
    /// as [`Enable`](Self::Enable).
    EnableWithPtes,
}

impl Call {
    /// The calls that every design answers, in the order of the kernel header.
    pub const ALL: [Self; 4] = [Self::Enable, Self::Disable, Self::Pause, Self::Resume];

    /// The kernel's name of the call.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enable => "lazy_mmu_mode_enable",
            Self::Disable => "lazy_mmu_mode_disable",
            Self::Pause => "lazy_mmu_mode_pause",
            Self::Resume => "lazy_mmu_mode_resume",
            Self::EnableWithPtes => "lazy_mmu_mode_enable_with_ptes",
        }
    }

    /// Tells whether the call opens a bracket that another call closes.
    #[must_use]
    pub const fn opens(self) -> bool {
        matches!(self, Self::Enable | Self::Pause | Self::EnableWithPtes)
    }
}

/// A hook of the architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hook {
    /// `arch_enter_lazy_mmu_mode()`
    Enter,
    /// `arch_leave_lazy_mmu_mode()`
    Leave,
    /// `arch_flush_lazy_mmu_mode()`
    Flush,
    /// `arch_enter_lazy_mmu_mode_with_ptes()`: an enter with a range hint.
    EnterWithPtes,
}

impl Hook {
    /// The hooks that every architecture has.
    pub const ALL: [Self; 3] = [Self::Enter, Self::Leave, Self::Flush];
    /// Every hook, with that of the range hint, in the order of the declaration.
    pub const WITH_HINT: [Self; 4] = [Self::Enter, Self::Leave, Self::Flush, Self::EnterWithPtes];

    /// The kernel's name of the hook.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enter => "arch_enter_lazy_mmu_mode",
            Self::Leave => "arch_leave_lazy_mmu_mode",
            Self::Flush => "arch_flush_lazy_mmu_mode",
            Self::EnterWithPtes => "arch_enter_lazy_mmu_mode_with_ptes",
        }
    }

    /// The short form that commit messages use.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::Enter => "arch_enter()",
            Self::Leave => "arch_leave()",
            Self::Flush => "arch_flush()",
            Self::EnterWithPtes => "arch_enter_with_ptes()",
        }
    }
}

/// The macro that a sanity check of the kernel is written with.
///
/// The first three exist only under `CONFIG_DEBUG_VM`; the emulated kernels have it on. Each firing is
/// in a record, those of `VM_WARN_ON_ONCE` after the first too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Check {
    /// `VM_WARN_ON_ONCE`: reports the first time only; execution goes on.
    VmWarnOnOnce,
    /// `VM_WARN_ON`: reports each time; execution goes on.
    VmWarnOn,
    /// `VM_BUG_ON`: the rest of the call does not happen.
    VmBugOn,
    /// `DEBUG_LOCKS_WARN_ON`: what the preempt count checks are written with.
    DebugLocksWarnOn,
    /// `BUG_ON`: the kernel stops here.
    BugOn,
}

impl Check {
    /// The kernel's name of the macro.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VmWarnOnOnce => "VM_WARN_ON_ONCE",
            Self::VmWarnOn => "VM_WARN_ON",
            Self::VmBugOn => "VM_BUG_ON",
            Self::DebugLocksWarnOn => "DEBUG_LOCKS_WARN_ON",
            Self::BugOn => "BUG_ON",
        }
    }

    /// Tells whether the rest of the call does not happen where the check finds something.
    #[must_use]
    pub const fn ends_call(self) -> bool {
        matches!(self, Self::VmBugOn | Self::BugOn)
    }
}

/// A sanity check of the emulated kernel that found something: data in the record, never a panic
/// of ours unless the caller asked for one.
///
/// Displays like the line of kernel code that fires: `VM_WARN_ON_ONCE(enable_count == U8_MAX)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Warn {
    /// The macro of the check.
    pub check: Check,
    /// The condition that was true, in the design's own field names.
    pub cond: &'static str,
}

impl Warn {
    /// A check written with `VM_WARN_ON_ONCE`.
    #[must_use]
    pub const fn once(cond: &'static str) -> Self {
        Self { check: Check::VmWarnOnOnce, cond }
    }

    /// A check written with `VM_WARN_ON`.
    #[must_use]
    pub const fn each_time(cond: &'static str) -> Self {
        Self { check: Check::VmWarnOn, cond }
    }

    /// A check written with `VM_BUG_ON`.
    #[must_use]
    pub const fn bug(cond: &'static str) -> Self {
        Self { check: Check::VmBugOn, cond }
    }
}

impl std::fmt::Display for Warn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({})", self.check.name(), self.cond)
    }
}

/// What a transition may know of its surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    /// `in_interrupt()` at the moment of the call.
    pub in_interrupt: bool,
    /// `arch_wants_lazy_mmu_mode()`: false on powerpc with the radix MMU. Asked in v3 only.
    pub arch_wants: bool,
    /// What the caller kept from the matching enable, on a disable. Used in v1 and v2 only.
    pub token: Token,
}

impl Default for Context {
    /// Task context on an architecture that wants the mode.
    fn default() -> Self {
        Self { in_interrupt: false, arch_wants: true, token: Token::DEFAULT }
    }
}

/// What an enable returns and the matching disable takes: `lazy_mmu_state_t` of v1 and v2.
///
/// Every design returns one; all but [`token`] return `DEFAULT` and ignore what they are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Token(pub u8);

impl Token {
    /// `LAZY_MMU_DEFAULT`: the mode was off before.
    pub const DEFAULT: Self = Self(0);
    /// `LAZY_MMU_NESTED`: the mode was on already.
    pub const NESTED: Self = Self(1);
}

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
    /// A counter.
    Count(u8),
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

/// The state that a design keeps in `task_struct`: small, comparable, and one word when packed.
///
/// [`lazy_mmu_state!`](crate::lazy_mmu_state) writes an implementation from a list of fields.
pub trait LazyMmuState: Copy + Default + Eq + std::hash::Hash + std::fmt::Debug + 'static {
    /// Packs the state into one word; the default state packs to 0.
    fn pack(self) -> StateBits;
    /// The inverse of [`pack`](Self::pack).
    fn unpack(bits: StateBits) -> Self;
    /// Calls `see` with each field, in the order of the kernel's structure.
    fn fields(self, see: &mut dyn FnMut(Field));
}

/// An API design: its identity and one pure transition per call.
pub trait LazyMmuDesign: LazyMmuState {
    /// The id that the command line and snapshots use; never changes.
    const ID: &'static str;
    /// One line on what the design is and where it comes from.
    const ABOUT: &'static str;

    /// Where it was published: commits, or the ids of mails.
    const SOURCE: &'static str = "";

    /// An enable returns a token that the matching disable must be given.
    const HAS_TOKENS: bool = false;
    /// The design has `lazy_mmu_mode_enable_with_ptes()`.
    const HAS_RANGE_HINT: bool = false;

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

    /// The transition of `call`.
    #[inline(always)]
    fn step(self, cx: Context, call: Call) -> Effects<Self> {
        match call {
            Call::Enable | Call::EnableWithPtes => self.enable(cx),
            Call::Disable => self.disable(cx),
            Call::Pause => self.pause(cx),
            Call::Resume => self.resume(cx),
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
            fn fields(self, see: &mut dyn FnMut($crate::design::Field)) {
                $(see($crate::design::Field {
                    name: stringify!($field),
                    short: $short,
                    value: $crate::lazy_mmu_state!(@value $ty, self.$field),
                });)+
            }
        }
    };
    (@get u8, $e:expr) => { ($e & 0xff) as u8 };
    (@get bool, $e:expr) => { $e & 1 != 0 };
    (@value u8, $e:expr) => { $crate::design::Value::Count($e) };
    (@value bool, $e:expr) => { $crate::design::Value::Flag($e) };
}
