//! What options take: architectures, kernels, designs and languages by their ids.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command};
use emu_arch::{Arch, Kernel, NoEra};
use emu_check::prove::Language;
use lazy_mmu::design::Design;

use crate::report::{self, Failure};

/// A parser that knows the list of architectures.
pub(crate) fn arch_parser() -> impl TypedValueParser<Value = Arch> {
    PossibleValuesParser::new(archs())
        .map(|id| id.parse().expect("the parser accepts the listed ids only"))
}

/// A parser that knows the list of kernels, and takes any other version as one of them.
pub(crate) fn kernel_parser() -> impl TypedValueParser<Value = Kernel> {
    KernelParser
}

#[derive(Clone)]
struct KernelParser;

impl TypedValueParser for KernelParser {
    type Value = Kernel;

    /// Says on standard error as which era a version is taken.
    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Kernel, clap::Error> {
        match Kernel::of_version(&value.to_string_lossy()) {
            Ok((kernel, note)) => {
                note.iter().for_each(|note| report::note(note));
                Ok(kernel)
            }
            Err(NoEra::Unknown(_)) => PossibleValuesParser::new(kernels())
                .map(|id| id.parse().expect("the parser accepts the listed ids only"))
                .parse_ref(command, arg, value),
            Err(why) => StringValueParser::new()
                .try_map(move |_| Err(why.clone()))
                .parse_ref(command, arg, value),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(kernels()))
    }
}

/// A parser that knows the list of designs.
pub(crate) fn design_parser() -> impl TypedValueParser<Value = Design> {
    PossibleValuesParser::new(designs())
        .map(|id| Design::by_id(&id).expect("the parser accepts the listed ids only"))
}

/// A parser that knows the languages.
pub(crate) fn language_parser() -> impl TypedValueParser<Value = Language> {
    rows_parser(&Language::ALL, Language::name, Language::about)
}

/// A parser of the rows of an enum, by what `name` says of each; help has what `about` says.
pub(crate) fn rows_parser<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
    about: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let value = |row: &T| PossibleValue::new(name(*row)).help(about(*row));
    PossibleValuesParser::new(all.iter().map(value)).map(move |text| {
        let row = all.iter().find(|row| name(**row) == text);
        *row.expect("the parser accepts the listed names only")
    })
}

/// The ids of the architectures, with what help says of each.
pub(crate) fn archs() -> impl Iterator<Item = PossibleValue> {
    Arch::all().map(|arch| PossibleValue::new(arch.id()).help(arch.about()))
}

/// The ids of the kernels.
pub(crate) fn kernels() -> impl Iterator<Item = PossibleValue> {
    Kernel::ALL.into_iter().map(|kernel| PossibleValue::new(kernel.id()).help(kernel.about()))
}

/// The ids of the designs.
pub(crate) fn designs() -> impl Iterator<Item = PossibleValue> {
    Design::all().map(|design| PossibleValue::new(design.id()).help(design.about()))
}

/// One entry of a list in which `all` stands for everything there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice<T> {
    /// `all`
    All,
    /// One by its id.
    One(T),
}

/// A parser of what `one` parses and of `all`.
pub(crate) fn choice_parser<P: TypedValueParser>(
    one: P,
) -> impl TypedValueParser<Value = Choice<P::Value>> {
    ChoiceParser(one)
}

#[derive(Clone)]
struct ChoiceParser<P>(P);

impl<P: TypedValueParser> TypedValueParser for ChoiceParser<P> {
    type Value = Choice<P::Value>;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        if value == "all" {
            return Ok(Choice::All);
        }
        self.0.parse_ref(command, arg, value).map(Choice::One).map_err(|error| {
            // A list that is printed has `all`, too.
            let listed = error.kind() == ErrorKind::InvalidValue;
            let all = self.possible_values().filter(|_| listed).map(PossibleValuesParser::new);
            all.and_then(|all| all.parse_ref(command, arg, value).err()).unwrap_or(error)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let all = PossibleValue::new("all").help("every one of them");
        Some(Box::new(self.0.possible_values()?.chain([all])))
    }
}

/// Refuses an architecture that the kernel does not have.
pub(crate) fn check_era(kernel: Kernel, arch: Arch) -> Result<(), Failure> {
    arch.is_in(kernel).map_err(|why| {
        let what = format!("--arch {} is not in --kernel {}: {why}", arch.id(), kernel.id());
        Failure::Usage(what)
    })
}
