//! The properties: what must hold on every path through a model, and what must happen on some.

use emu_arch::backend::Facts;
use emu_arch::hazard::{Hazard, Trigger};
use lazy_mmu::design::Hook;

macro_rules! properties {
    ($($(#[$meta:meta])* $name:ident = $id:literal, $trigger:ident, $applies:expr, $about:literal;)*) => {
        /// What must hold on every path.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Property {
            $($(#[$meta])* $name,)*
            /// The hazard does not appear.
            No(Hazard),
            /// The mode is as the line of that number of a scenario expects it, on every path.
            Claim(u32),
        }

        impl Property {
            /// Those that are no hazard of the machine.
            const NAMED: &'static [Self] = &[$(Self::$name),*];

            /// The name that the command and its output use; never changes.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                    Self::No(hazard) => hazard.no(),
                    Self::Claim(_) => "claim-holds",
                }
            }

            /// One line on what must hold.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$name => $about,)*
                    Self::No(hazard) => hazard.about(),
                    Self::Claim(_) => "the mode is as the line of the scenario expects",
                }
            }

            /// What exercises the property: where it never happens, the property cannot break.
            #[must_use]
            pub const fn trigger(self) -> Trigger {
                match self {
                    $(Self::$name => Trigger::$trigger,)*
                    Self::No(hazard) => hazard.trigger(),
                    Self::Claim(_) => Trigger::Call,
                }
            }

            /// Tells why the property is void on an architecture, if so.
            ///
            /// # Errors
            /// What the architecture does not have.
            pub fn applies_to(self, facts: &Facts) -> Result<(), &'static str> {
                match self {
                    $(Self::$name => {
                        let applies: fn(&Facts) -> Result<(), &'static str> = $applies;
                        applies(facts)
                    })*
                    Self::No(hazard) => hazard.applies_to(facts),
                    Self::Claim(_) => Ok(()),
                }
            }
        }
    };
}

properties! {
    /// A task's enter and leave hooks alternate, and a flush comes between them.
    HooksAlternate = "hooks-alternate", Hook, |_| Ok(()),
        "enter and leave take turns, flush comes between";
    /// Nothing of a task is pending when its outermost disable returns.
    SettledAtDisable = "settled-at-disable", OutermostDisable, defers,
        "nothing is pending after the outermost disable";
    /// Nothing of a task is pending when a nested disable returns.
    SettledAtNestedDisable = "settled-at-nested-disable", NestedDisable, defers,
        "nothing is pending after a nested disable";
    /// Nothing of a task is pending when a pause returns.
    SettledAtPause = "settled-at-pause", Pause, defers, "nothing is pending after a pause";
    /// No update of a paused task is deferred.
    ImmediateWhenPaused = "immediate-when-paused", PausedUpdate, defers,
        "no update of a paused task is deferred";
    /// After a resume the mode is as it was before the pause.
    ResumeRestores = "resume-restores", RestoringResume, |_| Ok(()),
        "a resume restores what the pause found";
    /// The generic layer and the architecture agree whether the mode is active.
    ModeAgrees = "mode-agrees", OwnMode, own_mode,
        "generic layer and architecture agree on the mode";
    /// Outside of every bracket the mode leaves no mark on the preempt count.
    PreemptBalanced = "preempt-balanced", Outside, |_| Ok(()),
        "no mark on the preempt count outside of brackets";
    /// After a nested section the outer one still batches; a matter of speed alone.
    BatchesAfterNested = "batches-after-nested", BatchingDisable, |_| Ok(()),
        "the outer section batches after a nested one; speed";
}

fn defers(facts: &Facts) -> Result<(), &'static str> {
    facts.defers.map(|_| ()).ok_or("the architecture defers nothing")
}

fn own_mode(facts: &Facts) -> Result<(), &'static str> {
    facts.own_mode.then_some(()).ok_or("the architecture itself remembers no mode")
}

/// The hazards that other properties speak of with more precision.
const BY_NAME: [Hazard; 2] = [Hazard::PendingAtDisable, Hazard::PendingAtPause];

impl Property {
    /// Every property but the claims of scenarios.
    pub fn all() -> impl Iterator<Item = Self> {
        let hazards = Hazard::ALL.into_iter().filter(|hazard| !BY_NAME.contains(hazard));
        Self::NAMED.iter().copied().chain(hazards.map(Self::No))
    }

    /// Finds a property by its name.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        Self::all().find(|property| property.id() == id)
    }

    /// The hazard of the machine that says that it does not hold, where one does.
    #[must_use]
    pub const fn hazard(self) -> Option<Hazard> {
        match self {
            Self::SettledAtDisable | Self::SettledAtNestedDisable => Some(Hazard::PendingAtDisable),
            Self::SettledAtPause => Some(Hazard::PendingAtPause),
            Self::No(hazard) => Some(hazard),
            Self::HooksAlternate
            | Self::ImmediateWhenPaused
            | Self::ResumeRestores
            | Self::ModeAgrees
            | Self::PreemptBalanced
            | Self::BatchesAfterNested
            | Self::Claim(_) => None,
        }
    }

    /// Whether it is a matter of speed alone.
    #[must_use]
    pub const fn is_performance(self) -> bool {
        matches!(self, Self::BatchesAfterNested)
    }

    /// What the hazard `hazard`, found at the end of a disable or elsewhere, says does not hold;
    /// `nested` where brackets are open still.
    pub(super) fn of_hazard(hazard: Hazard, nested: bool) -> Self {
        if hazard == Hazard::PendingAtPause {
            Self::SettledAtPause
        } else if hazard != Hazard::PendingAtDisable {
            Self::No(hazard)
        } else if nested {
            Self::SettledAtNestedDisable
        } else {
            Self::SettledAtDisable
        }
    }
}

/// What happened in a transition: [`Sometimes::bit`] of each.
pub(super) type Marks = u32;

lazy_mmu::rows! {
    /// What must happen on some path, or the search was vacuous.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum Sometimes, about {
        Entered = "the enter hook is called";
        Deferred = "an update is deferred";
        Completed = "a deferred update is completed";
        InterruptInCall = "an interrupt arrives inside a call";
        PreemptedInCall = "a task is left inside a call";
        PreemptedInSection = "a task is left in a section";
        Nested = "sections nest";
        Paused = "a task pauses";
    }
}

impl Sometimes {
    pub(super) const fn bit(self) -> Marks {
        1 << self as u32
    }
}

/// Enter and leave take turns: what the hooks called make of `entered`, or none where they do not.
pub(super) fn alternate(entered: bool, hooks: &[Hook]) -> Option<bool> {
    hooks.iter().try_fold(entered, |entered, hook| match (hook, entered) {
        (&Hook::ENTER, false) => Some(true),
        (&Hook::LEAVE, true) => Some(false),
        (&Hook::FLUSH, true) => Some(true),
        _ => None,
    })
}

/// A resume that returns restores what the pause that it closes has found; one too many restores
/// nothing.
pub(super) fn restores(found: Option<bool>, active: bool) -> bool {
    found.is_none_or(|found| found == active)
}

/// The generic layer says `active`, the architecture `mode` where it has a say.
pub(super) fn agrees(active: bool, mode: Option<bool>) -> bool {
    mode.is_none_or(|mode| mode == active)
}
