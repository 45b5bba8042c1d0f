//! `lazymmu run`: one scenario to a record.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use emu_arch::{Arch, Kernel};
use emu_input::InputError;
use emu_lab::render::{hazards, json};
use emu_lab::scenario::Scenario;
use emu_lab::{input, scenario};

use crate::args::{Format, OnWarn, RunArgs};
use crate::report::Failure;

/// Runs the scenario and prints its record; status 1 where a warning stopped it or a claim of the
/// scenario did not hold.
pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let source = Source::open(&args.file)?;
    let setup = setup(args, &source);
    check_era(setup.kernel, setup.arch)?;
    if args.mended && source.scenario.mended.is_none() {
        let what = format!("--mended: {} has no block `mended {{` or `bug {{`", source.name);
        return Err(Failure::Usage(what));
    }
    if !setup.kernel.had(setup.design) {
        let (design, kernel) = (setup.design.id(), setup.kernel.id());
        let _ = writeln!(
            anstream::stderr(),
            "note: {kernel} never had the design {design}; the backends are those of {kernel}"
        );
    }
    let outcome = scenario::run(&source.scenario, setup);
    let name = &source.name;
    print(|to| match args.format {
        Format::Tree => {
            write!(to, "{}", outcome.record)?;
            let line_of = |seq| outcome.line_of(seq);
            let hazards = hazards::summary(&outcome.record, &outcome.hazards, line_of);
            if hazards.is_empty() { Ok(()) } else { write!(to, "\n{hazards}") }
        }
        Format::Json => json::scenario_lines(&outcome).try_for_each(|line| writeln!(to, "{line}")),
    })?;
    for unmet in &outcome.unmet {
        let _ = writeln!(anstream::stderr(), "{name}:{}: {}", unmet.line, unmet.message);
    }
    for found in &outcome.unexpected {
        let line = outcome.line_of(found.seq).map_or(String::new(), |line| format!(":{line}"));
        let hazard = found.hazard.id();
        let _ = writeln!(anstream::stderr(), "{name}{line}: unexpected hazard {hazard}");
    }
    let Some(line) = outcome.stopped else {
        let met = outcome.unmet.is_empty() && outcome.unexpected.is_empty();
        return Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    };
    let _ = writeln!(
        anstream::stderr(),
        "{name}:{line}: Kernel panic - not syncing: kernel: panic_on_warn set ..."
    );
    Ok(ExitCode::FAILURE)
}

/// What the scenario runs on: as the arguments say or, where they say nothing, as its header does.
fn setup(args: &RunArgs, source: &Source) -> scenario::Setup {
    let nothing = args.arch.is_none() && args.kernel.is_none() && args.design.is_none();
    let bad = source.scenario.bad.first().filter(|_| nothing).copied();
    let usual = bad.map_or_else(scenario::Setup::default, scenario::Setup::from);
    if bad.is_some() {
        let (arch, kernel) = (usual.arch.id(), usual.kernel.id());
        let _ = writeln!(
            anstream::stderr(),
            "note: on {arch} {kernel}, the first run that {} calls bad",
            source.name
        );
    }
    let kernel = args.kernel.unwrap_or(usual.kernel);
    let design = if nothing { usual.design } else { kernel.design() };
    scenario::Setup {
        arch: args.arch.unwrap_or(usual.arch),
        kernel,
        design: args.design.unwrap_or(design),
        panic_on_warn: args.on_warn == OnWarn::Panic,
        mended: args.mended,
    }
}

/// A scenario and where it comes from.
pub(crate) struct Source {
    /// The name that messages use.
    pub(crate) name: String,
    /// The text; none of a built-in one.
    bytes: Vec<u8>,
    pub(crate) scenario: Scenario,
}

impl Source {
    /// Reads the scenario in a file, or takes the built-in one called `@NAME`.
    pub(crate) fn open(file: &Path) -> Result<Self, Failure> {
        if let Some(name) = file.to_str().and_then(|file| file.strip_prefix('@')) {
            let scenario = builtin(name)?.clone();
            return Ok(Self { name: file.display().to_string(), bytes: Vec::new(), scenario });
        }
        let (name, bytes) = read(file)?;
        let parsed = input::text(&bytes).and_then(scenario::parse);
        let scenario = parsed.map_err(|error| Failure::input(&name, &bytes, error))?;
        Ok(Self { name, bytes, scenario })
    }

    /// A failure at line `number`, as a whole.
    pub(crate) fn wrong_line(&self, number: u32, message: &str) -> Failure {
        let text = String::from_utf8_lossy(&self.bytes);
        let index = (number as usize).saturating_sub(1);
        let line = text.lines().nth(index).unwrap_or("");
        self.wrong(InputError::at(number as usize, line, line.trim(), message))
    }

    /// A failure at a place of the text.
    pub(crate) fn wrong(&self, error: InputError) -> Failure {
        Failure::input(&self.name, &self.bytes, error)
    }
}

/// The scenario that comes with the lab under `name`.
pub(crate) fn builtin(name: &str) -> Result<&'static Scenario, Failure> {
    let all = scenario::builtin().map_err(|error| Failure::about(format!("@{name}"), error))?;
    let names = || all.iter().map(|(known, _)| *known);
    let found = all.iter().find(|(known, _)| *known == name).map(|(_, scenario)| scenario);
    found.ok_or_else(|| {
        let near = input::nearest(name, names())
            .map_or(String::new(), |n| format!("; did you mean @{n}?"));
        let list = names().map(|n| format!("@{n}")).collect::<Vec<_>>().join(", ");
        Failure::Usage(format!("unknown scenario @{name}, expected one of {list}{near}"))
    })
}

/// Refuses an architecture that the kernel does not have.
pub(crate) fn check_era(kernel: Kernel, arch: Arch) -> Result<(), Failure> {
    arch.is_in(kernel).map_err(|why| {
        let what = format!("--kernel {} has no --arch {}: {why}", kernel.id(), arch.id());
        Failure::Usage(what)
    })
}

/// Reads a file, or standard input for `-`; returns the name that messages use.
pub(crate) fn read(file: &Path) -> Result<(String, Vec<u8>), Failure> {
    let (name, read) = if file == Path::new("-") {
        let mut bytes = Vec::new();
        (
            "<stdin>".to_owned(),
            io::Read::read_to_end(&mut io::stdin().lock(), &mut bytes).map(|_| bytes),
        )
    } else {
        (file.display().to_string(), std::fs::read(file))
    };
    let bytes = read.map_err(|e| Failure::about(&name, reason(&e)))?;
    Ok((name, bytes))
}

/// The error of the system in words, without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory, expected a file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// Prints to standard output; a reader that has seen enough is no failure.
pub(crate) fn print(body: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut to = BufWriter::new(io::stdout().lock());
    match body(&mut to).and_then(|()| to.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::about("standard output", e))
        }
        _ => Ok(()),
    }
}
