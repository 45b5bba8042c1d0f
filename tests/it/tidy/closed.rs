//! Closed sets: every `ALL` names every variant, and no `match` on one ends in `_ =>`.
//!
//! The second is held by a lint of clippy, which every crate turns on.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::module::is;
use super::{check_none, sources};

/// The enums and the lists `ALL` of some files: the variants of each enum by its file and name, and
/// for each list where it is and what it names.
#[derive(Default)]
struct Sets {
    enums: BTreeMap<(String, String), BTreeSet<String>>,
    lists: Vec<(String, String, BTreeSet<String>)>,
}

impl Sets {
    /// Reads `tokens` of `file`, which are those of `impl` of some type or of none.
    fn read(&mut self, file: &str, tokens: TokenStream, of: Option<&str>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut subject = None;
        for (at, token) in tokens.iter().enumerate() {
            let next = tokens.get(at + 1);
            match (token, next) {
                (TokenTree::Ident(word), Some(TokenTree::Ident(name))) if word == "enum" => {
                    if let Some(TokenTree::Group(body)) = tokens.get(at + 2) {
                        let of = (file.to_owned(), name.to_string());
                        self.enums.insert(of, variants(body.stream()));
                    }
                }
                (TokenTree::Ident(word), Some(TokenTree::Ident(name))) if word == "impl" => {
                    subject = Some(name.to_string());
                }
                (TokenTree::Ident(word), Some(name)) if word == "const" && is(name, "ALL") => {
                    let value = tokens[at..].split(|token| is(token, "=")).nth(1).unwrap_or(&[]);
                    let value: TokenStream = value.iter().take(2).cloned().collect();
                    if let Some(of) = of.filter(|_| !value.to_string().contains('$')) {
                        let names = named(value);
                        self.lists.push((file.to_owned(), of.to_owned(), names));
                    }
                }
                (TokenTree::Group(group), _) => {
                    let of = subject.take().filter(|_| group.delimiter() == Delimiter::Brace);
                    self.read(file, group.stream(), of.as_deref());
                }
                _ => {}
            }
        }
    }

    /// The variants of the enum `name` that `file` means: one of its own, or the one of its crate.
    fn variants(&self, file: &str, name: &str) -> Option<&BTreeSet<String>> {
        let crate_of = |file: &str| file.split('/').next().map(str::to_owned);
        let mut named = self
            .enums
            .iter()
            .filter(|((of, known), _)| known == name && crate_of(of) == crate_of(file));
        let own = self.enums.get(&(file.to_owned(), name.to_owned()));
        own.or_else(|| named.next().filter(|_| named.next().is_none()).map(|(_, found)| found))
    }

    /// The lists that leave out a variant.
    fn broken(&self) -> Vec<String> {
        let left_out = |(file, of, names): &(String, String, BTreeSet<String>)| {
            let variants = self.variants(file, of)?;
            let missing: Vec<&String> = variants.difference(names).collect();
            (!missing.is_empty()).then(|| format!("{file}: {of}::ALL leaves out {missing:?}"))
        };
        self.lists.iter().filter_map(left_out).collect()
    }
}

/// The names of the variants of an enum with the body `body`.
fn variants(body: TokenStream) -> BTreeSet<String> {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let variant = |part: &[TokenTree]| {
        part.iter().find_map(|token| match token {
            TokenTree::Ident(name) => Some(name.to_string()),
            _ => None,
        })
    };
    tokens.split(|token| is(token, ",")).filter_map(variant).collect()
}

/// The last name of each path in `tokens`.
fn named(tokens: TokenStream) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for token in tokens {
        match token {
            TokenTree::Ident(name) => drop(names.insert(name.to_string())),
            TokenTree::Group(group) => names.extend(named(group.stream())),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    names
}

/// What makes clippy complain about `_ =>` where the variants could be named.
const LINT: &str = "#![warn(clippy::wildcard_enum_match_arm)]";

/// Crates without the lint, and why.
const UNLINTED: &[(&str, &str)] = &[
    ("emu-check/", "not gone through yet: 17 matches on steps, hazards and roles"),
    ("docs/gen/", "its matches look for single events of a record"),
    ("lazy-mmu-macros/", "its matches are on the enums of proc-macro2"),
    ("tests/", "a test says what it looks at"),
];

#[test]
fn no_match_on_a_closed_set_ends_in_a_wildcard() {
    let unlinted = |file: &str| UNLINTED.iter().any(|(folder, _)| file.starts_with(folder));
    let root = |file: &str| file.ends_with("src/lib.rs") || file.ends_with("main.rs");
    let roots = sources().iter().filter(|(file, _)| root(file) && !file.starts_with("benches/"));
    let without = roots.filter(|(file, text)| !unlinted(file) && !text.contains(LINT));
    check_none(&without.map(|(file, _)| format!("{file}: turn on {LINT}")).collect::<Vec<_>>());
}

#[test]
fn all_is_all() {
    let mut sets = Sets::default();
    for (file, text) in sources() {
        sets.read(file, text.parse().unwrap_or_else(|e| panic!("{file}: {e}")), None);
    }
    check_none(&sets.broken());
}

#[test]
fn a_list_that_leaves_out_a_variant_is_found() {
    let mut sets = Sets::default();
    let text = "enum E { #[default] A, B { x: u8 }, C(u8) } \
                impl E { pub const ALL: [Self; 2] = [Self::A, Self::C(1)]; }";
    sets.read("x.rs", text.parse().unwrap(), None);
    assert_eq!(sets.broken(), ["x.rs: E::ALL leaves out [\"B\"]"]);
}
