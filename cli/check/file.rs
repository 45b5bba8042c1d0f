//! `lazymmu check FILE`: the programs of a scenario in every interleaving, judged by its claims.

use std::io::Write;
use std::process::ExitCode;

use emu_arch::Kernel;
use emu_check::check::{Claims, check_programs};
use emu_lab::scenario::Setup;

use super::args::{CheckArgs, Format};
use super::output::{counterexamples, json, status, summary};
use super::save;
use crate::io::{Source, print};
use crate::progress::Progress;
use crate::report::Failure;
use crate::values::check_era;

/// What the programs run on: as the arguments say or, where they say nothing, as the header does.
fn setup(args: &CheckArgs, source: &Source) -> Setup {
    let nothing = args.arch.is_none() && args.kernel.is_none() && args.design.is_none();
    let header = source.scenario.bad.first().filter(|_| nothing && !args.mended).copied();
    let why = if header.is_some() {
        format!("the first run that {} calls bad", source.name)
    } else if args.arch.is_none() && !nothing {
        "the default of --arch".to_owned()
    } else {
        format!("since {} names no bad run: --arch and --kernel choose", source.name)
    };
    let kernel = args.kernel();
    let usual = Setup {
        arch: args.arch(),
        kernel,
        design: args.design.unwrap_or_else(|| Kernel::design(kernel)),
        mended: args.mended,
        ..Setup::default()
    };
    let setup = header.map_or(usual, Setup::from);
    if args.arch.is_none() {
        let (arch, kernel) = (setup.arch.id(), setup.kernel.id());
        let _ = writeln!(anstream::stderr(), "note: on {arch} {kernel}, {why}");
    }
    setup
}

/// Searches the interleavings and prints what they show.
pub(super) fn run(args: &CheckArgs, source: &Source) -> Result<ExitCode, Failure> {
    if args.mended && source.scenario.mended.is_none() {
        let what = format!("--mended: {} has no block `mended {{` or `bug {{`", source.name);
        return Err(Failure::Usage(what));
    }
    let setup = setup(args, source);
    check_era(setup.kernel, setup.arch)?;
    let mut options = args.options(setup.arch, setup.kernel);
    options.design = setup.design;
    let mut progress = Progress::new("")?;
    let report = check_programs(source.scenario.code(setup.mended), &options, &mut progress)
        .map_err(|refused| source.wrong_line(refused.line, refused.why))?;
    let time = progress.done();
    let claims = Claims::of(&source.scenario, setup);
    let saved = args.save.as_deref().map(|folder| save::save(folder, &report));
    let (saved, failed) = match saved.transpose() {
        Ok(saved) => (saved.unwrap_or_default(), None),
        Err(failure) => (Vec::new(), Some(failure)),
    };
    let text = match args.format {
        Format::Text | Format::Markdown => {
            counterexamples(&report, &saved, |found| match claims.expects(found) {
                true => ", as the scenario expects",
                false => "",
            }) + &summary(&report, time)
        }
        Format::Json => format!("{}\n", json(&report, time)),
    };
    print(|to| to.write_all(text.as_bytes()))?;
    let missing = claims.missing(&report);
    for (hazard, line) in &missing {
        let name = &source.name;
        let what = format!("{name}:{line}: expected the hazard {hazard}, no interleaving shows it");
        let _ = writeln!(anstream::stderr(), "{what}");
    }
    let met = missing.is_empty() && claims.unexpected(&report).is_empty();
    failed.map_or_else(|| Ok(status(&report, met)), Err)
}
