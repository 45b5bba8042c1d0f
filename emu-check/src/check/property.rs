//! The properties: what must hold on every path through a model, and what must happen on some.

use emu_arch::hw::hazard::Hazard;
use lazy_mmu::design::Hook;

use super::client::Level;
use crate::language::Bracket;

/// What must hold on every path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Property {
    /// A task's enter and leave hooks take turns, and a flush comes between them.
    HooksAlternate,
    /// Nothing of a task is pending when its outermost disable returns.
    SettledAtDisable,
    /// Nothing of a task is pending when a nested disable returns.
    SettledAtNestedDisable,
    /// Nothing of a task is pending when a pause returns.
    SettledAtPause,
    /// No update of a paused task is deferred.
    ImmediateWhenPaused,
    /// After a resume the mode is as it was before the pause.
    ResumeRestores,
    /// The generic layer and the architecture agree whether the mode is active.
    ModeAgrees,
    /// Outside of every bracket the mode leaves no mark on the preempt count.
    PreemptBalanced,
    /// After a nested section the outer one goes on to batch; a matter of speed alone.
    BatchesAfterNested,
    /// The hazard does not appear.
    No(Hazard),
}

/// The hazards that other properties speak of with more precision.
const BY_NAME: [Hazard; 2] = [Hazard::PendingAtDisable, Hazard::PendingAtPause];

impl Property {
    /// Those that are no hazard of the machine.
    const NAMED: [Self; 9] = [
        Self::HooksAlternate,
        Self::SettledAtDisable,
        Self::SettledAtNestedDisable,
        Self::SettledAtPause,
        Self::ImmediateWhenPaused,
        Self::ResumeRestores,
        Self::ModeAgrees,
        Self::PreemptBalanced,
        Self::BatchesAfterNested,
    ];

    /// Every property.
    pub fn all() -> impl Iterator<Item = Self> {
        let hazards = Hazard::ALL.into_iter().filter(|hazard| !BY_NAME.contains(hazard));
        Self::NAMED.into_iter().chain(hazards.map(Self::No))
    }

    /// The name that the command and its output use; never changes.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::HooksAlternate => "hooks-alternate",
            Self::SettledAtDisable => "settled-at-disable",
            Self::SettledAtNestedDisable => "settled-at-nested-disable",
            Self::SettledAtPause => "settled-at-pause",
            Self::ImmediateWhenPaused => "immediate-when-paused",
            Self::ResumeRestores => "resume-restores",
            Self::ModeAgrees => "mode-agrees",
            Self::PreemptBalanced => "preempt-balanced",
            Self::BatchesAfterNested => "batches-after-nested",
            Self::No(hazard) => hazard.no(),
        }
    }

    /// Finds a property by its name.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        Self::all().find(|property| property.id() == id)
    }

    /// One line on what must hold.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::HooksAlternate => "enter and leave take turns, flush comes between",
            Self::SettledAtDisable => "nothing is pending after the outermost disable",
            Self::SettledAtNestedDisable => "nothing is pending after a nested disable",
            Self::SettledAtPause => "nothing is pending after a pause",
            Self::ImmediateWhenPaused => "no update of a paused task is put off",
            Self::ResumeRestores => "a resume restores what the pause found",
            Self::ModeAgrees => "generic layer and architecture agree on the mode",
            Self::PreemptBalanced => "no mark on the preempt count outside of brackets",
            Self::BatchesAfterNested => "the outer section batches after a nested one; speed",
            Self::No(hazard) => hazard.about(),
        }
    }

    /// The hazard of the machine that says that it does not hold, where one does.
    #[must_use]
    pub const fn hazard(self) -> Option<Hazard> {
        match self {
            Self::SettledAtDisable | Self::SettledAtNestedDisable => Some(Hazard::PendingAtDisable),
            Self::SettledAtPause => Some(Hazard::PendingAtPause),
            Self::No(hazard) => Some(hazard),
            _ => None,
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
        match hazard {
            Hazard::PendingAtDisable if nested => Self::SettledAtNestedDisable,
            Hazard::PendingAtDisable => Self::SettledAtDisable,
            Hazard::PendingAtPause => Self::SettledAtPause,
            other => Self::No(other),
        }
    }
}

/// What happened in a transition: [`Sometimes::bit`] of each.
pub(super) type Marks = u32;

/// What must happen on some path, or the search was vacuous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Sometimes {
    /// The enter hook is called.
    Entered,
    /// An update is deferred.
    PutOff,
    /// A deferred update is completed.
    Settled,
    /// An interrupt comes inside a call.
    InterruptInCall,
    /// A task is left inside a call.
    PreemptedInCall,
    /// A task is left in a section.
    PreemptedInSection,
    /// A section is entered inside a section.
    Nested,
    /// A task pauses.
    Paused,
}

impl Sometimes {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Entered,
        Self::PutOff,
        Self::Settled,
        Self::InterruptInCall,
        Self::PreemptedInCall,
        Self::PreemptedInSection,
        Self::Nested,
        Self::Paused,
    ];

    /// One line on what happens.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Entered => "the enter hook is called",
            Self::PutOff => "an update is put off",
            Self::Settled => "what was put off is done",
            Self::InterruptInCall => "an interrupt falls into a call",
            Self::PreemptedInCall => "a task is left inside a call",
            Self::PreemptedInSection => "a task is left in a section",
            Self::Nested => "sections nest",
            Self::Paused => "a task pauses",
        }
    }

    pub(super) const fn bit(self) -> Marks {
        1 << self as u32
    }
}

/// Enter and leave take turns: what the hooks called make of `entered`, or none where they do not.
pub(super) fn alternate(entered: bool, hooks: &[Hook]) -> Option<bool> {
    hooks.iter().try_fold(entered, |entered, hook| match (hook, entered) {
        (Hook::Enter | Hook::EnterWithPtes, false) => Some(true),
        (Hook::Leave, true) => Some(false),
        (Hook::Flush, true) => Some(true),
        _ => None,
    })
}

/// A resume that returns restores what the pause that it closes has found.
pub(super) fn restores(before: &Level, active: bool) -> bool {
    // A resume too many restores nothing.
    before.open.kept(Bracket::Pause).is_none_or(|found| found == active)
}

/// The generic layer says `active`, the architecture `mode` where it has a say.
pub(super) fn agrees(active: bool, mode: Option<bool>) -> bool {
    mode.is_none_or(|mode| mode == active)
}
