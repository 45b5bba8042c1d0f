//! What options take: architectures, kernels, designs and languages by their ids.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use emu_arch::{Arch, Kernel};
use emu_check::prove::Language;
use lazy_mmu::design::Design;

use crate::report::Failure;

/// A parser that knows the list of architectures.
pub(crate) fn arch_parser() -> impl TypedValueParser<Value = Arch> {
    PossibleValuesParser::new(archs())
        .map(|id| id.parse().expect("the parser accepts the listed ids only"))
}

/// A parser that knows the list of kernels.
pub(crate) fn kernel_parser() -> impl TypedValueParser<Value = Kernel> {
    PossibleValuesParser::new(kernels())
        .map(|id| id.parse().expect("the parser accepts the listed ids only"))
}

/// A parser that knows the list of designs.
pub(crate) fn design_parser() -> impl TypedValueParser<Value = Design> {
    PossibleValuesParser::new(designs())
        .map(|id| Design::by_id(&id).expect("the parser accepts the listed ids only"))
}

/// A parser that knows the languages.
pub(crate) fn language_parser() -> impl TypedValueParser<Value = Language> {
    let value = |language: Language| PossibleValue::new(language.name()).help(language.about());
    PossibleValuesParser::new(Language::ALL.map(value)).map(|name| {
        let mut all = Language::ALL.into_iter();
        all.find(|language| language.name() == name).expect("the parser accepts listed names only")
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

/// A parser of the ids in `values` and of `all`.
pub(crate) fn choice_parser<T: Clone + Send + Sync + 'static>(
    values: impl IntoIterator<Item = PossibleValue>,
    by_id: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = Choice<T>> {
    let all = PossibleValue::new("all").help("every one of them");
    PossibleValuesParser::new(values.into_iter().chain([all]))
        .map(move |id| by_id(&id).map_or(Choice::All, Choice::One))
}

/// Refuses an architecture that the kernel does not have.
pub(crate) fn check_era(kernel: Kernel, arch: Arch) -> Result<(), Failure> {
    arch.is_in(kernel).map_err(|why| {
        let what = format!("--kernel {} has no --arch {}: {why}", kernel.id(), arch.id());
        Failure::Usage(what)
    })
}
