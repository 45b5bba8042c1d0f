//! What came of a KUnit file, as KTAP.

use std::fmt::{self, Display, Formatter};

/// The results of a file.
#[derive(Clone, Debug)]
pub struct Report {
    pub(super) module: String,
    pub(super) suites: Vec<Suite>,
}

/// The results of a suite.
#[derive(Clone, Debug)]
pub(super) struct Suite {
    name: String,
    pub(super) notes: Vec<String>,
    pub(super) cases: Vec<Case>,
}

/// The result of a test case.
#[derive(Clone, Debug)]
pub(super) struct Case {
    name: String,
    /// What it says on the way.
    pub(super) notes: Vec<String>,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Passes,
    Fails,
    Skips(String),
}

impl Suite {
    pub(super) const fn new(name: String) -> Self {
        Self { name, notes: Vec::new(), cases: Vec::new() }
    }

    fn fails(&self) -> bool {
        self.cases.iter().any(|case| case.outcome == Outcome::Fails)
    }

    fn skips(&self) -> bool {
        let skips = |case: &Case| matches!(case.outcome, Outcome::Skips(_));
        !self.cases.is_empty() && self.cases.iter().all(skips)
    }
}

impl Case {
    pub(super) const fn new(name: String) -> Self {
        Self { name, notes: Vec::new(), outcome: Outcome::Passes }
    }

    /// Takes a text of the test: a failure, a note, or why it is skipped.
    pub(super) fn say(&mut self, tag: u8, text: String) {
        match tag {
            b'F' => {
                self.notes.push(text);
                self.outcome = Outcome::Fails;
            }
            b'K' => self.outcome = Outcome::Skips(text),
            _ => self.notes.push(text),
        }
    }

    /// The test case has ended: 0 passed, 1 failed, 2 skipped.
    pub(super) fn done(&mut self, status: u8) {
        if status == 1 {
            self.outcome = Outcome::Fails;
        }
    }

    /// The architecture has stopped the task.
    pub(super) fn died(&mut self) {
        self.notes.push("the task is dead".to_owned());
        self.outcome = Outcome::Fails;
    }
}

impl Report {
    /// Whether no test case failed.
    #[must_use]
    pub fn passes(&self) -> bool {
        !self.suites.iter().any(Suite::fails)
    }

    /// What the failed test cases say, without the names of files: for tables.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let cases = self.suites.iter().flat_map(|suite| &suite.cases);
        let failed = cases.filter(|case| case.outcome == Outcome::Fails);
        failed.flat_map(|case| case.notes.clone()).collect()
    }
}

/// The text as the kernel prints it, without times.
impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "KTAP version 1\n1..{}", self.suites.len())?;
        for (at, suite) in self.suites.iter().enumerate() {
            writeln!(f, "    KTAP version 1\n    # Subtest: {}", suite.name)?;
            writeln!(f, "    # module: {}\n    1..{}", self.module, suite.cases.len())?;
            for (at, case) in suite.cases.iter().enumerate() {
                write_case(f, at + 1, case)?;
            }
            for note in &suite.notes {
                writeln!(f, "    # {}: {note}", suite.name)?;
            }
            let [pass, fail, skip] = count(suite);
            let total = suite.cases.len();
            if total > 1 {
                writeln!(f, "# {}: pass:{pass} fail:{fail} skip:{skip} total:{total}", suite.name)?;
            }
            writeln!(f, "# Totals: pass:{pass} fail:{fail} skip:{skip} total:{total}")?;
            let (not, skips) = (if suite.fails() { "not " } else { "" }, suite.skips());
            let skips = if skips { " # SKIP" } else { "" };
            writeln!(f, "{not}ok {} {}{skips}", at + 1, suite.name)?;
        }
        Ok(())
    }
}

fn write_case(f: &mut Formatter<'_>, number: usize, case: &Case) -> fmt::Result {
    for note in &case.notes {
        let mut lines = note.lines();
        writeln!(f, "    # {}: {}", case.name, lines.next().unwrap_or(""))?;
        for line in lines {
            writeln!(f, "    {line}")?;
        }
    }
    match &case.outcome {
        Outcome::Passes => writeln!(f, "    ok {number} {}", case.name),
        Outcome::Fails => writeln!(f, "    not ok {number} {}", case.name),
        Outcome::Skips(why) => writeln!(f, "    ok {number} {} # SKIP {why}", case.name),
    }
}

/// How many passed, failed and were skipped.
fn count(suite: &Suite) -> [usize; 3] {
    let count =
        |of: fn(&Outcome) -> bool| suite.cases.iter().filter(|case| of(&case.outcome)).count();
    [
        count(|outcome| *outcome == Outcome::Passes),
        count(|outcome| *outcome == Outcome::Fails),
        count(|outcome| matches!(outcome, Outcome::Skips(_))),
    ]
}
