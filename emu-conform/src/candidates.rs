//! Which kernels a trace is compared with: the one that is asked for, the one that the text says,
//! or all that can have written the events, of which the one that fits best is taken.

use emu_arch::{Kernel, NoEra};
use emu_input::InputError;

use crate::compare::{Checked, Verdict};
use crate::trace::Trace;
use crate::words::Words;

/// The kernels that a trace is compared with.
pub(crate) struct Candidates {
    /// One of each code, the newest first.
    compared: Vec<Kernel>,
    /// All, each with the one of `compared` that has the same code.
    all: Vec<(Kernel, usize)>,
    /// How they were told, where they were not given.
    why: Option<String>,
}

impl Candidates {
    /// The kernels of `trace`, or `asked`.
    ///
    /// # Errors
    /// The text says a version that is none, or one older than all eras.
    pub(crate) fn of(
        trace: &Trace<'_>,
        words: &Words,
        asked: Option<Kernel>,
    ) -> Result<Self, InputError> {
        if let Some(kernel) = asked {
            return Ok(Self::one(kernel, None));
        }
        let (oldest, newest, why) = (words.kernels)(trace);
        if let Some(said) = trace.says {
            let (kernel, note) = Kernel::of_version(said.version).map_err(|error| {
                let what = match error {
                    NoEra::Unknown(_) => format!("expected a version, found {:?}", said.version),
                    NoEra::TooOld(_) => error.to_string(),
                };
                InputError::at(said.line as usize, said.text, said.version, what)
            })?;
            let says = note.unwrap_or_else(|| format!("it says {}", said.version));
            let fits =
                kernel == Kernel::V6_12Y && oldest < kernel || (oldest..=newest).contains(&kernel);
            let odd = if fits { String::new() } else { format!("; but {why}") };
            return Ok(Self::one(kernel, Some(format!("line {}, {says}{odd}", said.line))));
        }
        let had = |kernel: &Kernel| {
            let eras = kernel.id().starts_with('v') && words.arch.is_in(*kernel).is_ok();
            eras && (oldest..=newest).contains(kernel)
        };
        let mut kernels: Vec<Kernel> = Kernel::ALL.into_iter().filter(had).collect();
        kernels.reverse();
        let code = |kernel: Kernel| (words.arch.version(kernel), kernel.design().id());
        let (mut compared, mut all) = (Vec::new(), Vec::new());
        for kernel in kernels {
            let same = |known: &Kernel| code(*known) == code(kernel);
            let at = compared.iter().position(same).unwrap_or(compared.len());
            if at == compared.len() {
                compared.push(kernel);
            }
            all.push((kernel, at));
        }
        Ok(Self { compared, all, why: Some(why.to_owned()) })
    }

    fn one(kernel: Kernel, why: Option<String>) -> Self {
        Self { compared: vec![kernel], all: vec![(kernel, 0)], why }
    }

    /// The kernels to compare with.
    pub(crate) fn compared(&self) -> &[Kernel] {
        &self.compared
    }

    /// The kernel that fits best, why it was taken, and what it makes of the operations; `checked`
    /// has those of each.
    ///
    /// Fewest operations differ; of several the one that explains why the trace ends, then the
    /// newest.
    pub(crate) fn fittest(
        self,
        mut checked: Vec<Vec<Checked>>,
    ) -> (Kernel, Option<String>, Vec<Checked>) {
        let fit = |all: &[Checked]| {
            let is = |one: &&Checked| matches!(one.verdict, Verdict::Different(_));
            let bugs = all.iter().filter(|one| one.bug.is_some()).count();
            (all.iter().filter(is).count(), usize::MAX - bugs)
        };
        let fits: Vec<_> = checked.iter().map(|all| fit(all)).collect();
        let best = (0..fits.len()).min_by_key(|at| fits[*at]).unwrap_or(0);
        let kernel = self.compared[best];
        let others =
            self.all.iter().filter(|(one, at)| *one != kernel && fits[*at].0 == fits[best].0);
        let others: Vec<&str> = others.map(|(one, _)| one.id()).collect();
        let why = self.why.map(|why| match others.as_slice() {
            [] => why,
            [one] => format!("{why}; {one} fits as well (--kernel)"),
            [several @ .., last] => {
                format!("{why}; {} and {last} fit as well (--kernel)", several.join(", "))
            }
        });
        (kernel, why, checked.swap_remove(best))
    }
}
