//! `lazymmu list`: what there is to choose from.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use emu_arch::hazard::Hazard;
use emu_arch::replay::Fault;
use emu_arch::{Arch, Kernel, effects};
use emu_check::check::Property;
use emu_lab::scenario;
use lazy_mmu::design::Design;
use serde_json::{Value, json};

use crate::format::{self, Format};
use crate::io::print;
use crate::report::Failure;

/// Arguments of `lazymmu list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// What to list; everything by default
    #[arg(value_name = "WHAT")]
    what: Option<What>,
    /// How to print the list
    #[arg(long, default_value = "text", value_parser = format::parser(format::LIST))]
    format: Format,
}

/// What there is to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Architectures, for --arch
    Arch,
    /// Kernels, for --kernel
    Kernel,
    /// API designs, for --design
    Design,
    /// Properties that `check` looks at, for --property
    Property,
    /// Mistakes, for `check --fault`
    Fault,
    /// Scenarios that come along, for `run @NAME`
    Scenario,
    /// Calls of a scenario
    Call,
    /// Hazards that a scenario can expect
    Hazard,
    /// Effects that a scenario can count
    Effect,
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::Arch => "arch",
            Self::Kernel => "kernel",
            Self::Design => "design",
            Self::Property => "property",
            Self::Fault => "fault",
            Self::Scenario => "scenario",
            Self::Call => "call",
            Self::Hazard => "hazard",
            Self::Effect => "effect",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Arch => "Architectures (--arch)",
            Self::Kernel => "Kernels (--kernel)",
            Self::Design => "Designs (--design)",
            Self::Property => "Properties (lazymmu check --property)",
            Self::Fault => "Faults (lazymmu check --fault)",
            Self::Scenario => "Scenarios that come along (lazymmu run @NAME)",
            Self::Call => "Calls of a scenario",
            Self::Hazard => "Hazards that it can expect (expect hazard NAME)",
            Self::Effect => "Effects that it can count (expect NAME 3)",
        }
    }

    /// Each id with a sentence about it, or with nothing where the id says it.
    fn entries(self) -> Vec<(&'static str, String)> {
        let own = |id: &'static str, about: &str| (id, about.to_owned());
        match self {
            Self::Arch => Arch::all().map(|one| own(one.id(), one.about())).collect(),
            Self::Kernel => Kernel::ALL.map(|one| own(one.id(), one.about())).to_vec(),
            Self::Design => Design::all().map(|one| own(one.id(), one.about())).collect(),
            Self::Property => Property::all().map(|one| own(one.id(), one.about())).collect(),
            Self::Fault => Fault::ALL.iter().map(|one| own(one.id(), one.about())).collect(),
            Self::Scenario => {
                let all = scenario::builtin().into_iter().flatten();
                all.map(|(name, scenario)| (*name, scenario.what.clone())).collect()
            }
            Self::Call => scenario::words().map(|word| own(word, "")).collect(),
            Self::Hazard => Hazard::ALL.map(|one| own(one.id(), one.about())).to_vec(),
            Self::Effect => effects().into_iter().map(|one| own(one.name, "")).collect(),
        }
    }

    /// The entries of the list of everything: there, what has many names shows these alone.
    fn overview(self) -> Vec<(&'static str, String)> {
        let mut entries = self.entries();
        match self {
            Self::Property => {
                entries.retain(|(id, _)| !id.starts_with("no-"));
                let all = "it does not appear (lazymmu list property)".to_owned();
                entries.push(("no-, and a hazard below", all));
            }
            Self::Scenario | Self::Hazard => {
                entries.iter_mut().for_each(|(_, about)| about.clear());
            }
            Self::Arch | Self::Kernel | Self::Design | Self::Fault | Self::Call | Self::Effect => {}
        }
        entries
    }
}

/// Prints what there is to choose from.
pub(crate) fn list(args: &ListArgs) -> Result<ExitCode, Failure> {
    let asked = args.what.map_or_else(|| What::value_variants().to_vec(), |what| vec![what]);
    print(|to| {
        if args.format == Format::Json {
            let lists = asked.iter().map(|what| {
                let entry = |(id, about)| json!({ "id": id, "about": about });
                let list: Vec<Value> = what.entries().into_iter().map(entry).collect();
                (what.name().to_owned(), Value::from(list))
            });
            return writeln!(to, "{:#}", Value::Object(lists.collect()));
        }
        for (n, what) in asked.iter().enumerate() {
            if args.what.is_some() {
                entries(to, &what.entries(), "")?;
                continue;
            }
            let gap = if n > 0 { "\n" } else { "" };
            writeln!(to, "{gap}{}:", what.title())?;
            entries(to, &what.overview(), "  ")?;
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Prints entries: a line each, or the ids alone where nothing is said about them.
fn entries(to: &mut dyn Write, entries: &[(&'static str, String)], indent: &str) -> io::Result<()> {
    if entries.iter().all(|(_, about)| about.is_empty()) {
        return words(to, entries.iter().map(|(id, _)| *id));
    }
    let width = entries.iter().map(|(id, _)| id.len()).max().unwrap_or(0);
    entries.iter().try_for_each(|(id, about)| writeln!(to, "{indent}{id:<width$} {about}"))
}

/// Prints words in lines of at most 80 columns.
fn words(to: &mut dyn Write, words: impl Iterator<Item = &'static str>) -> io::Result<()> {
    let mut line = String::new();
    for word in words {
        if line.len() + word.len() > 74 {
            writeln!(to, " {line}")?;
            line.clear();
        }
        line += " ";
        line += word;
    }
    writeln!(to, " {line}")
}
