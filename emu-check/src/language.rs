//! Languages of call sequences: which brackets a client may open and close, and when.
//!
//! A to D are the taxonomy of 11 November 2025 (Kevin Brodsky). In all four the brackets nest, so a
//! sequence is a stack of open brackets that grows and shrinks at its end. What may be opened
//! depends on no more of the stack than its [`Phase`].
//!
//! What a call does to brackets is its [`Role`], a [`Bracket`] is what it opens or closes, and
//! [`Open`] has the brackets that a client has open.
//!
//! ```
//! use emu_check::language::{Language, Open};
//! use lazy_mmu::design::Role::{ClosesPause, ClosesSection, OpensPause, OpensSection};
//!
//! let mut open = Open::<()>::default();
//! open.took(OpensSection, ());
//! assert!(Language::A.may(OpensPause, &open) && !Language::D.may(ClosesPause, &open));
//! open.took(OpensPause, ());
//! assert!(!Language::B.may(OpensSection, &open) && Language::C.may(OpensSection, &open));
//! // The section is not innermost: only crossing brackets close it here.
//! assert_eq!(Language::smallest(ClosesSection, &open), Some(Language::Crossing));
//! ```

use lazy_mmu::design::Role;

lazy_mmu::rows! {
    /// Which call sequences are compared.
    ///
    /// Each contains those before it. A sequence may end anywhere: brackets may still be open.
    /// Where brackets cross, a disable closes the innermost section and a resume the innermost
    /// pause.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Language, name {
        A = "A", "nested sections; a pause only inside a section, nothing inside it";
        B = "B", "A, and pauses outside of every section";
        C = "C", "B, and sections inside a pause";
        D = "D", "C, and pauses inside a pause";
        Crossing = "crossing", "D, and crossing brackets; nothing is closed that is not open";
        Any = "any", "every call at any time";
    }
}

impl Language {
    /// Whether the brackets of the language nest.
    #[must_use]
    pub const fn nests(self) -> bool {
        matches!(self, Self::A | Self::B | Self::C | Self::D)
    }

    /// Whether a client with the brackets `open` may make a call of the role.
    #[must_use]
    pub fn may<T: Copy>(self, role: Role, open: &Open<T>) -> bool {
        match (Bracket::of(role), self) {
            (Some(bracket), Self::Crossing) if role.closes() => open.count(bracket) > 0,
            (Some(bracket), Self::A | Self::B | Self::C | Self::D) if role.closes() => {
                open.innermost() == Some(bracket)
            }
            _ => self.may_make(role, open.phase()),
        }
    }

    /// The smallest language in which a client with the brackets `open` may make a call of the
    /// role.
    #[must_use]
    pub fn smallest<T: Copy>(role: Role, open: &Open<T>) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.may(role, open))
    }

    /// Whether a call of the role may be made in `phase`, where it closes nothing. One that is no
    /// bracket may be made where a section may begin.
    const fn may_make(self, role: Role, phase: Phase) -> bool {
        let Phase { in_section, paused } = phase;
        match self {
            Self::A => !paused && (in_section || !role.is_pause()),
            Self::B => !paused,
            Self::C => !paused || !role.is_pause(),
            Self::D | Self::Crossing | Self::Any => true,
        }
    }

    /// The phase after a call of the role, which closes nothing, is made in `phase`, or nothing
    /// where the language has no such sequence. A phase says no more than the language asks, so
    /// that no state is searched twice.
    pub(crate) const fn open(self, phase: Phase, role: Role) -> Option<Phase> {
        if !self.may_make(role, phase) {
            return None;
        }
        if !role.opens() {
            return Some(phase);
        }
        let Phase { in_section, paused } = phase;
        let is_pause = role.is_pause();
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
    /// What a call of the role opens or closes.
    #[must_use]
    pub const fn of(role: Role) -> Option<Self> {
        match role {
            Role::OpensSection | Role::ClosesSection => Some(Self::Section),
            Role::OpensPause | Role::ClosesPause => Some(Self::Pause),
            Role::Neither => None,
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

    /// The client has made a call of the role: a bracket that it opens keeps `kept`. A call that
    /// closes what is not open closes nothing.
    pub fn took(&mut self, role: Role, kept: T) {
        let Some(bracket) = Bracket::of(role) else { return };
        if role.opens() {
            self.brackets.push((bracket, kept));
        } else if let Some(at) = self.brackets.iter().rposition(|(open, _)| *open == bracket) {
            self.brackets.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the openings, one inside the other, are of the language.
    fn has(language: Language, openings: &[Role]) -> bool {
        let open = |phase, role: &Role| language.open(phase, *role);
        openings.iter().try_fold(Phase::NONE, open).is_some()
    }

    #[test]
    fn each_language_adds_what_it_says() {
        use Role::{Neither as N, OpensPause as P, OpensSection as S};
        let rows: [(&[Role], [bool; 4]); 8] = [
            (&[S, S, P], [true; 4]),
            (&[P], [false, true, true, true]),
            (&[S, P, S], [false, false, true, true]),
            (&[P, S], [false, false, true, true]),
            (&[P, P], [false, false, false, true]),
            (&[P, S, P], [false, false, false, true]),
            (&[N, S, N, P], [true; 4]),
            (&[S, P, N], [false, false, true, true]),
        ];
        for (openings, expected) in rows {
            let found = [Language::A, Language::B, Language::C, Language::D];
            assert_eq!(found.map(|language| has(language, openings)), expected, "{openings:?}");
            // A client that keeps all brackets follows the same rules.
            let follows = |language: Language| {
                let mut open = Open::<()>::default();
                openings.iter().all(|role| {
                    let may = language.may(*role, &open);
                    open.took(*role, ());
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
