//! Scenarios that come with the lab, parsed on first use.

use once_cell::sync::OnceCell;

use super::parse::parse;
use super::value::Scenario;
use emu_input::InputError;

/// The texts, by the name that the command knows them by.
const TEXTS: [(&str, &str); 4] = [
    ("nested", include_str!("../../../scenarios/nesting/nested.scn")),
    ("kernel-ptes", include_str!("../../../scenarios/worked/kernel-ptes.scn")),
    ("hashed-ptes", include_str!("../../../scenarios/worked/hashed-ptes.scn")),
    ("kunit", include_str!("../../../scenarios/kunit/lazy-mmu-mode-active.scn")),
];

/// The scenarios that come with the lab, by name.
///
/// # Errors
/// One of the texts is no scenario; a test sees to it that none is.
pub fn builtin() -> Result<&'static [(&'static str, Scenario)], InputError> {
    static PARSED: OnceCell<Vec<(&str, Scenario)>> = OnceCell::new();
    let parse_all = || TEXTS.iter().map(|(name, text)| Ok((*name, parse(text)?))).collect();
    PARSED.get_or_try_init(parse_all).map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_parse() {
        assert_eq!(super::builtin().map(<[_]>::len), Ok(super::TEXTS.len()));
    }
}
