//! `lazymmu check --all`: a row for each architecture and kernel.

use std::process::ExitCode;

use emu_arch::{Arch, Kernel};
use emu_check::check::{Report, check, overview};
use emu_view::{html, ktap};
use lazymmu_docs::findings;

use super::args::CheckArgs;
use super::output::{json, status, verdicts};
use crate::format::Format;
use crate::io::print;
use crate::progress::Progress;
use crate::report::Failure;

/// Searches every architecture and kernel and prints what holds where. The exit status is that of
/// the worst: a property that does not hold, then a search that gave up.
pub(super) fn run(args: &CheckArgs) -> Result<ExitCode, Failure> {
    if args.format == Format::Markdown {
        let mut progress = Progress::new("")?;
        let text = findings::markdown(&mut progress);
        let ended = progress.was_ended();
        progress.done();
        if ended {
            return Ok(ExitCode::from(3));
        }
        print(|to| to.write_all(text.as_bytes()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut reports: Vec<Report> = Vec::new();
    'all: for arch in Arch::all() {
        for kernel in Kernel::ALL.into_iter().filter(|kernel| arch.is_in(*kernel).is_ok()) {
            let what = format!("{} {}", arch.id(), kernel.id());
            let mut progress = Progress::new(&what)?;
            let report = check(&args.options(arch, kernel), &mut progress);
            let ended = progress.was_ended();
            let time = progress.done();
            if args.format == Format::Json {
                let line = json(&report, time);
                print(|to| writeln!(to, "{line}"))?;
            }
            reports.push(report);
            if ended {
                break 'all;
            }
        }
    }
    if args.format == Format::Ktap {
        let case = |report: &Report| {
            let name = format!("{} {}", report.options.arch, report.options.kernel);
            let found: Vec<_> = report.broken.iter().collect();
            ktap::check(&name, verdicts(report), &found)
        };
        let text = ktap::document(&reports.iter().map(case).collect::<Vec<_>>());
        print(|to| to.write_all(text.as_bytes()))?;
    } else if args.format == Format::Html {
        let text = html::check_all(&reports);
        print(|to| to.write_all(text.as_bytes()))?;
    } else if args.format == Format::Text {
        let text = overview(&reports);
        print(|to| to.write_all(text.as_bytes()))?;
    }
    let worst = reports.iter().find(|report| report.is_violated());
    let worst = worst.or_else(|| reports.iter().find(|report| !report.is_exhaustive()));
    Ok(worst
        .or(reports.first())
        .map_or(ExitCode::SUCCESS, |report| status(report, !report.is_violated())))
}
