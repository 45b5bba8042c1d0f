//! The result of a conformance test, for people and programs.

use std::fmt::{self, Display, Formatter};

use lazy_mmu::design::Role;

use super::act::Act;
use super::duty::Duty;
use crate::kernel::PteArgs;
use crate::{Arch, Kernel};

/// The result of a conformance test.
#[derive(Clone, Debug)]
#[must_use]
pub struct Report {
    pub(super) arch: Arch,
    /// The kernels whose code was tested.
    pub(super) kernels: Vec<Kernel>,
    pub(super) sequences: u64,
    pub(super) exercised: [u64; Duty::ALL.len()],
    pub(super) found: Vec<Found>,
}

/// A duty that is broken, and the shortest sequence found that breaks it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) duty: Duty,
    pub(super) kernel: Kernel,
    /// What is mapped before.
    pub(super) mapped: Vec<PteArgs>,
    pub(super) acts: Vec<Act>,
    pub(super) found: String,
    pub(super) expected: String,
}

/// What a test says of one duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It held, as often as it was put to the test.
    Holds(u64),
    /// It is broken.
    Broken,
    /// Nothing put it to the test, which is no proof: the backend never does what it is about.
    NotExercised,
}

impl Report {
    /// The architecture.
    #[must_use]
    pub const fn arch(&self) -> Arch {
        self.arch
    }

    /// Tells whether no duty is broken.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.found.is_empty()
    }

    /// What the test says of `duty`.
    #[must_use]
    pub fn verdict(&self, duty: Duty) -> Verdict {
        if self.broken().any(|(broken, _)| broken == duty) {
            return Verdict::Broken;
        }
        match self.exercised[duty as usize] {
            0 => Verdict::NotExercised,
            n => Verdict::Holds(n),
        }
    }

    /// The duties that are broken, and the kernels whose code breaks them; the oldest kernel first.
    pub fn broken(&self) -> impl Iterator<Item = (Duty, Kernel)> + '_ {
        self.found.iter().map(|found| (found.duty, found.kernel))
    }

    /// The scenario that breaks `duty`, if one does.
    #[must_use]
    pub fn scenario(&self, duty: Duty) -> Option<String> {
        let found = self.found.iter().find(|found| found.duty == duty)?;
        (!found.acts.is_empty()).then(|| found.scenario(""))
    }
}

impl Found {
    /// The lines of a scenario, each behind `indent`.
    fn scenario(&self, indent: &str) -> String {
        let mut text = String::new();
        for args in &self.mapped {
            text += &format!("{indent}{}\n", args.line("map", false));
        }
        let moves = self.acts.contains(&Act::Migrate);
        let (mut depth, mut cpu) = (0_usize, 0);
        for act in &self.acts {
            let role = act.role();
            if role.is_some_and(Role::closes) {
                depth = depth.saturating_sub(1);
            }
            cpu = if *act == Act::Migrate { 1 - cpu } else { cpu };
            let who = if moves { format!("A@cpu{cpu}: ") } else { String::new() };
            text += &format!("{indent}{who}{}{act}\n", "    ".repeat(depth));
            depth += usize::from(role.is_some_and(Role::opens));
        }
        text
    }
}

impl Display for Found {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} is broken: {}", self.duty, self.duty.about())?;
        if self.acts.is_empty() {
            writeln!(f, "on {}:", self.kernel)?;
        } else {
            write!(f, "on {}, at the end of\n\n{}\n", self.kernel, self.scenario("    "))?;
        }
        writeln!(f, "found:    {}\nexpected: {}", self.found, self.expected)
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kernels: Vec<_> = self.kernels.iter().map(|kernel| kernel.id()).collect();
        let (arch, kernels) = (self.arch, kernels.join(", "));
        let tried = format!("{} sequences on {kernels}", self.sequences);
        if self.holds() {
            writeln!(f, "{arch} conforms: {tried}\n")?;
        } else {
            let broken = |duty: &Duty| self.verdict(*duty) == Verdict::Broken;
            let (n, all) = (Duty::ALL.iter().filter(|duty| broken(duty)).count(), Duty::ALL.len());
            writeln!(f, "{arch}: {n} of {all} duties broken; {tried}\n")?;
        }
        for found in &self.found {
            writeln!(f, "{found}")?;
        }
        for duty in Duty::ALL {
            match self.verdict(duty) {
                Verdict::Holds(n) => writeln!(f, "{duty:<22} holds, exercised {n} times")?,
                Verdict::Broken => writeln!(f, "{duty:<22} broken")?,
                Verdict::NotExercised => writeln!(f, "{duty:<22} not exercised")?,
            }
        }
        Ok(())
    }
}
