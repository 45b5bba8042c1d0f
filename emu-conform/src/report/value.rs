//! All operations of a trace, compared, as a value.

use emu_arch::{Arch, Kernel};

use crate::compare::{Checked, Verdict};
use crate::moves::Tally;

/// All operations of a trace, compared.
#[derive(Clone, Debug)]
pub struct Report {
    /// The architecture.
    pub arch: Arch,
    /// The kernel that is emulated.
    pub kernel: Kernel,
    /// How the kernel was told, where it was not given.
    pub why: Option<String>,
    /// What the reader of this architecture's traces decides.
    pub assumes: &'static [&'static str],
    /// The operations.
    pub checked: Vec<Checked>,
    /// Events outside of all operations.
    pub outside: u64,
    /// The last line has no end and was left out.
    pub cut: bool,
}

impl Report {
    /// How many operations are the same, different, and left out.
    #[must_use]
    pub fn verdicts(&self) -> [usize; 3] {
        let count =
            |is: fn(&Verdict) -> bool| self.checked.iter().filter(|one| is(&one.verdict)).count();
        [
            count(|verdict| matches!(verdict, Verdict::Same)),
            count(|verdict| matches!(verdict, Verdict::Different(_))),
            count(|verdict| matches!(verdict, Verdict::LeftOut(_))),
        ]
    }

    /// Whether nothing is different.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.verdicts()[1] == 0
    }

    /// The sums of what the operations have counted under `of`.
    pub(super) fn sum(&self, of: fn(&Checked) -> &Tally) -> Tally {
        let mut sum = Tally::new();
        for (what, n) in self.checked.iter().flat_map(of) {
            *sum.entry(what).or_default() += n;
        }
        sum
    }
}
