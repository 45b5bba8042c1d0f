//! The languages of call sequences that a proof is about.
//!
//! A to D are the taxonomy of 11 November 2025 (Kevin Brodsky). In all four the brackets nest, so a
//! sequence is a stack of open brackets that grows and shrinks at its end. What may be opened depends
//! on no more of the stack than its [`Phase`].

use lazy_mmu::design::Role;

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

    /// Tells whether the brackets of the language nest.
    #[must_use]
    pub const fn nests(self) -> bool {
        matches!(self, Self::A | Self::B | Self::C | Self::D)
    }

    /// How many phases the language tells apart.
    pub(super) const fn phases(self) -> u32 {
        match self {
            Self::A => 4,
            Self::B | Self::C => 2,
            Self::D | Self::Crossing | Self::Any => 1,
        }
    }

    /// The number of a phase, below [`phases`](Self::phases).
    pub(super) const fn number(self, phase: Phase) -> u32 {
        match self {
            Self::A => phase.in_section as u32 + 2 * phase.paused as u32,
            Self::B | Self::C => phase.paused as u32,
            Self::D | Self::Crossing | Self::Any => 0,
        }
    }

    /// The inverse of [`number`](Self::number).
    pub(super) const fn phase(self, number: u32) -> Phase {
        match self {
            Self::A => Phase { in_section: number & 1 != 0, paused: number & 2 != 0 },
            _ => Phase { in_section: false, paused: number != 0 },
        }
    }

    /// The phase after a call with that `role`, which closes nothing, is made in `phase`, or nothing where
    /// the language has no such sequence. A phase says no more than the language asks, so that no state
    /// is searched twice. A call that is no bracket may be made where a section may begin.
    pub(super) const fn open(self, phase: Phase, role: Role) -> Option<Phase> {
        let Phase { in_section, paused } = phase;
        let is_pause = role.is_pause();
        let allowed = match (self, is_pause) {
            (Self::A | Self::B, false) => !paused,
            (Self::A, true) => in_section && !paused,
            (Self::B | Self::C, true) => !paused,
            (Self::C, false) | (Self::D | Self::Crossing | Self::Any, _) => true,
        };
        if !allowed {
            return None;
        }
        if !role.opens() {
            return Some(phase);
        }
        Some(match self {
            Self::A => Phase { in_section: in_section || !is_pause, paused: is_pause },
            Self::B | Self::C => Phase { in_section: false, paused: paused || is_pause },
            Self::D | Self::Crossing | Self::Any => phase,
        })
    }
}

/// What a language remembers of the open brackets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Phase {
    /// A section is open. Asked by language A only.
    pub(super) in_section: bool,
    /// A pause is open. Asked by A, B and C.
    pub(super) paused: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tells whether the openings, one inside the other, are of the language.
    fn has(language: Language, openings: &[Role]) -> bool {
        let open = |phase, role: &Role| language.open(phase, *role);
        openings.iter().try_fold(Phase::default(), open).is_some()
    }

    #[test]
    fn each_language_adds_what_it_says() {
        use Role::{OpensPause as P, OpensSection as E};
        let rows: [(&[Role], [bool; 4]); 6] = [
            (&[E, E, P], [true; 4]),
            (&[P], [false, true, true, true]),
            (&[E, P, E], [false, false, true, true]),
            (&[P, E], [false, false, true, true]),
            (&[P, P], [false, false, false, true]),
            (&[P, E, P], [false, false, false, true]),
        ];
        for (openings, expected) in rows {
            let found = [Language::A, Language::B, Language::C, Language::D];
            assert_eq!(found.map(|language| has(language, openings)), expected, "{openings:?}");
        }
    }

    #[test]
    fn phases_have_numbers() {
        for language in Language::ALL {
            for number in 0..language.phases() {
                assert_eq!(language.number(language.phase(number)), number);
            }
        }
    }
}
