//! Languages of call sequences: which brackets a client may open and close, and when.
//!
//! A to D are the taxonomy of 11 November 2025 (Kevin Brodsky). In all four the brackets nest, so a
//! sequence is a stack of open brackets that grows and shrinks at its end. What may be opened depends
//! on no more of the stack than its [`Phase`].
//!
//! What a call does to brackets is its [`Role`], and [`Open`] has the brackets that a client has open.
//!
//! ```
//! use emu_check::language::{Language, Open};
//! use lazy_mmu::design::Call;
//!
//! let mut open = Open::<()>::default();
//! open.took(Call::Enable, ());
//! assert!(Language::A.may(Call::Pause, &open) && !Language::D.may(Call::Resume, &open));
//! open.took(Call::Pause, ());
//! assert!(!Language::B.may(Call::Enable, &open) && Language::C.may(Call::Enable, &open));
//! // The section is not innermost: only crossing brackets close it here.
//! assert_eq!(Language::smallest(Call::Disable, &open), Some(Language::Crossing));
//! ```

use lazy_mmu::design::Call;

/// Which call sequences are compared.
///
/// Each contains those before it. A sequence may end anywhere: brackets may still be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// Nested sections; a pause only inside a section, nothing inside a pause.
    A,
    /// A, and pauses outside of every section.
    B,
    /// B, and sections inside a pause.
    C,
    /// C, and pauses inside a pause.
    D,
    /// Nothing is closed that is not open, but brackets may cross. A disable closes the innermost
    /// section, a resume the innermost pause.
    Crossing,
    /// Every call at any time.
    Any,
}

impl Language {
    /// Every language, the smallest first.
    pub const ALL: [Self; 6] = [Self::A, Self::B, Self::C, Self::D, Self::Crossing, Self::Any];

    /// The word of the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::Crossing => "crossing",
            Self::Any => "any",
        }
    }

    /// What the language adds to those before it.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::A => "nested sections; a pause only inside a section, nothing inside it",
            Self::B => "A, and pauses outside of every section",
            Self::C => "B, and sections inside a pause",
            Self::D => "C, and pauses inside a pause",
            Self::Crossing => "D, and crossing brackets; nothing is closed that is not open",
            Self::Any => "every call at any time",
        }
    }

    /// Whether the brackets of the language nest.
    #[must_use]
    pub const fn nests(self) -> bool {
        matches!(self, Self::A | Self::B | Self::C | Self::D)
    }

    /// Whether a client with the brackets `open` may make the call, or any call of the role.
    #[must_use]
    pub fn may<T: Copy>(self, call: impl Into<Role>, open: &Open<T>) -> bool {
        match call.into() {
            Role::Neither => true,
            Role::Opens(bracket) => self.may_open(bracket, open.phase()),
            Role::Closes(bracket) => match self {
                Self::Any => true,
                Self::Crossing => open.count(bracket) > 0,
                Self::A | Self::B | Self::C | Self::D => open.innermost() == Some(bracket),
            },
        }
    }

    /// The smallest language in which a client with the brackets `open` may make `call`.
    #[must_use]
    pub fn smallest<T: Copy>(call: impl Into<Role>, open: &Open<T>) -> Option<Self> {
        let role = call.into();
        Self::ALL.into_iter().find(|language| language.may(role, open))
    }

    /// Whether `bracket` may be opened in `phase`.
    const fn may_open(self, bracket: Bracket, phase: Phase) -> bool {
        let Phase { in_section, paused } = phase;
        match (bracket, self) {
            (Bracket::Section, Self::A | Self::B) => !paused,
            (Bracket::Pause, Self::A) => in_section && !paused,
            (Bracket::Pause, Self::B | Self::C) => !paused,
            (Bracket::Section, Self::C) | (_, Self::D | Self::Crossing | Self::Any) => true,
        }
    }

    /// The phase after `bracket` is opened in `phase`, or nothing where the language has no such
    /// sequence. A phase says no more than the language asks, so that no state is searched twice.
    pub(crate) const fn open(self, phase: Phase, bracket: Bracket) -> Option<Phase> {
        if !self.may_open(bracket, phase) {
            return None;
        }
        let Phase { in_section, paused } = phase;
        let is_pause = matches!(bracket, Bracket::Pause);
        Some(match self {
            Self::A => Phase { in_section: in_section || !is_pause, paused: is_pause },
            Self::B | Self::C => Phase { in_section: false, paused: paused || is_pause },
            Self::D | Self::Crossing | Self::Any => phase,
        })
    }

    /// The number of a phase.
    pub(crate) const fn number(self, phase: Phase) -> u32 {
        match self {
            Self::A => phase.in_section as u32 + 2 * phase.paused as u32,
            Self::B | Self::C => phase.paused as u32,
            Self::D | Self::Crossing | Self::Any => 0,
        }
    }

    /// The inverse of [`number`](Self::number).
    pub(crate) const fn phase(self, number: u32) -> Phase {
        match self {
            Self::A => Phase { in_section: number & 1 != 0, paused: number & 2 != 0 },
            Self::B | Self::C | Self::D | Self::Crossing | Self::Any => {
                Phase { in_section: false, paused: number != 0 }
            }
        }
    }
}

/// What two calls enclose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bracket {
    /// From an enable to its disable.
    Section,
    /// From a pause to its resume.
    Pause,
}

impl Bracket {
    /// Every bracket.
    pub const ALL: [Self; 2] = [Self::Section, Self::Pause];

    /// The plain call that opens it.
    #[must_use]
    pub const fn opener(self) -> Call {
        match self {
            Self::Section => Call::Enable,
            Self::Pause => Call::Pause,
        }
    }

    /// The call that closes it.
    #[must_use]
    pub const fn closer(self) -> Call {
        match self {
            Self::Section => Call::Disable,
            Self::Pause => Call::Resume,
        }
    }
}

/// What a call does to brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// It opens one.
    Opens(Bracket),
    /// It closes the innermost one of its kind.
    Closes(Bracket),
    /// Nothing.
    Neither,
}

impl Role {
    /// The bracket that it opens or closes.
    #[must_use]
    pub const fn bracket(self) -> Option<Bracket> {
        match self {
            Self::Opens(bracket) | Self::Closes(bracket) => Some(bracket),
            Self::Neither => None,
        }
    }
}

impl From<Call> for Role {
    fn from(call: Call) -> Self {
        match call {
            Call::Enable | Call::EnableWithPtes => Self::Opens(Bracket::Section),
            Call::Disable => Self::Closes(Bracket::Section),
            Call::Pause => Self::Opens(Bracket::Pause),
            Call::Resume => Self::Closes(Bracket::Pause),
        }
    }
}

/// What a language remembers of the open brackets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phase {
    /// A section is open. Asked by language A only.
    pub in_section: bool,
    /// A pause is open. Asked by A, B and C.
    pub paused: bool,
}

impl Phase {
    /// Nothing is open.
    pub const NONE: Self = Self { in_section: false, paused: false };
}

/// The brackets that a client has open, each with what the client keeps for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Open<T> {
    /// The innermost last.
    brackets: Vec<(Bracket, T)>,
}

impl<T> Default for Open<T> {
    fn default() -> Self {
        Self { brackets: Vec::new() }
    }
}

impl<T: Copy> Open<T> {
    /// Whether nothing is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.brackets.is_empty()
    }

    /// The number of open brackets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.brackets.len()
    }

    /// The number of open brackets of one kind.
    #[must_use]
    pub fn count(&self, bracket: Bracket) -> usize {
        self.brackets.iter().filter(|(open, _)| *open == bracket).count()
    }

    /// The innermost bracket.
    #[must_use]
    pub fn innermost(&self) -> Option<Bracket> {
        self.brackets.last().map(|(bracket, _)| *bracket)
    }

    /// What the client keeps for the innermost bracket of one kind.
    #[must_use]
    pub fn kept(&self, bracket: Bracket) -> Option<T> {
        self.brackets.iter().rev().find(|(open, _)| *open == bracket).map(|(_, kept)| *kept)
    }

    /// What languages ask.
    #[must_use]
    pub fn phase(&self) -> Phase {
        let has = |bracket| self.brackets.iter().any(|(open, _)| *open == bracket);
        Phase { in_section: has(Bracket::Section), paused: has(Bracket::Pause) }
    }

    /// The client has made the call, or one of that role: a bracket that it opens keeps `kept`. A call
    /// that closes what is not open closes nothing.
    pub fn took(&mut self, call: impl Into<Role>, kept: T) {
        match call.into() {
            Role::Opens(bracket) => self.brackets.push((bracket, kept)),
            Role::Closes(bracket) => {
                if let Some(at) = self.brackets.iter().rposition(|(open, _)| *open == bracket) {
                    self.brackets.remove(at);
                }
            }
            Role::Neither => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the openings, one inside the other, are of the language.
    fn has(language: Language, openings: &[Bracket]) -> bool {
        let open = |phase, bracket: &Bracket| language.open(phase, *bracket);
        openings.iter().try_fold(Phase::NONE, open).is_some()
    }

    #[test]
    fn each_language_adds_what_it_says() {
        use Bracket::{Pause as P, Section as S};
        let rows: [(&[Bracket], [bool; 4]); 6] = [
            (&[S, S, P], [true; 4]),
            (&[P], [false, true, true, true]),
            (&[S, P, S], [false, false, true, true]),
            (&[P, S], [false, false, true, true]),
            (&[P, P], [false, false, false, true]),
            (&[P, S, P], [false, false, false, true]),
        ];
        for (openings, expected) in rows {
            let found = [Language::A, Language::B, Language::C, Language::D];
            assert_eq!(found.map(|language| has(language, openings)), expected, "{openings:?}");
            // A client that keeps all brackets follows the same rules.
            let follows = |language: Language| {
                let mut open = Open::<()>::default();
                openings.iter().all(|bracket| {
                    let may = language.may(bracket.opener(), &open);
                    open.took(bracket.opener(), ());
                    may
                })
            };
            assert_eq!(found.map(follows), expected, "{openings:?}");
        }
    }

    #[test]
    fn phases_have_numbers() {
        for (language, phases) in [(Language::A, 4), (Language::B, 2), (Language::C, 2)] {
            for number in 0..phases {
                assert_eq!(language.number(language.phase(number)), number);
            }
        }
    }
}
