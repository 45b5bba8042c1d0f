//! Architectures are named in their folders and in the list of them; all other code asks their
//! facts.

use proc_macro2::{TokenStream, TokenTree};

use emu_arch::Arch;

use super::module::{is, without_tests};
use super::{archs, check_none, is_test, sources};

/// Where architectures may be named outside of their folders, and why.
const PLACES: &[(&str, &str)] = &[
    ("emu-arch/src/lib.rs", "the list of architectures"),
    ("emu-arch/src/conformance/", "naive is what every backend is compared with"),
    ("emu-arch/src/era.rs", "the list of eras, one of which is a proposal for one architecture"),
    ("lazy-mmu/src/design/with_ptes.rs", "says whose proposal it is"),
    ("docs/gen/", "the documents are about the architectures"),
    ("emu-mm/src/arch/", "models code of architectures that is not behind a primitive"),
    ("emu-mm/src/sites/own.rs", "the table of call sites has theirs"),
    ("emu-tree/src/arch/", "each file has what of a tree is one architecture"),
    ("emu-tree/src/shims.rs", "the list of the files of C"),
    ("emu-tree/src/review/files.rs", "the paths of architectures in a tree"),
    ("cli/args.rs", "help has examples"),
    ("cli/check/", "help has examples; the crash of v7.0 is what a search finds by default"),
    ("cli/compare.rs", "help has examples"),
    ("cli/demo.rs", "shows two architectures"),
    ("cli/replay/args.rs", "help has examples"),
    ("emu-conform/src/words/", "each folder has the words that the traces of one kernel use"),
    ("examples/", "a user's programs choose what they run on"),
    ("benches/", "measures one architecture beside another"),
];

/// What of `tokens` at index `at` names an architecture: its module in a path, its constant, its
/// id.
fn name(tokens: &[TokenTree], at: usize) -> Option<String> {
    let sign = |at: usize, text| tokens.get(at).is_some_and(|token| is(token, text));
    match &tokens[at] {
        TokenTree::Ident(ident) => {
            let ident = ident.to_string();
            let constant = |arch: &Arch| arch.id().to_uppercase().replace('-', "_") == ident;
            let of_arch = at > 2 && sign(at - 1, ":") && sign(at - 3, "Arch");
            let module = |room: &String| {
                let name = room.trim_start_matches("emu-arch/src/").trim_end_matches(".rs");
                name.trim_end_matches('/') == ident
            };
            let in_path = sign(at + 1, ":") && sign(at + 2, ":") || at > 0 && sign(at - 1, ":");
            let named = of_arch && Arch::BUILT_IN.iter().any(constant)
                || in_path && archs().keys().any(module);
            named.then_some(ident)
        }
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            let apart = |c: char| !c.is_alphanumeric() && c != '-' && c != '_';
            let id = |part: &&str| Arch::BUILT_IN.iter().any(|arch| arch.id() == *part);
            text.strip_prefix('"')?.split(apart).find(id).map(|id| format!("{id:?}"))
        }
        TokenTree::Group(_) | TokenTree::Punct(_) => None,
    }
}

/// The architectures that `text` names outside of comments and tests, with their lines.
fn named(text: &str) -> Vec<(usize, String)> {
    fn collect(tokens: &[TokenTree], found: &mut Vec<(usize, String)>) {
        for (at, token) in tokens.iter().enumerate() {
            if let TokenTree::Group(group) = token {
                // `#[doc = ".."]` is a comment.
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                if !inner.first().is_some_and(|first| is(first, "doc")) {
                    collect(&inner, found);
                }
            } else if let Some(name) = name(tokens, at) {
                found.push((token.span().start().line, name));
            }
        }
    }
    let tokens: TokenStream = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    let mut found = Vec::new();
    collect(&without_tests(&tokens), &mut found);
    found
}

#[test]
fn an_architecture_is_named_in_its_place_alone() {
    let mut broken = Vec::new();
    for (file, text) in sources() {
        let own = archs().keys().any(|room| file.starts_with(room.as_str()));
        let place = PLACES.iter().any(|(place, _)| file.starts_with(place));
        if own || place || is_test(file) {
            continue;
        }
        broken.extend(named(text).into_iter().map(|(line, name)| {
            format!("{file}:{line}: names the architecture {name}; ask for facts, or see PLACES")
        }));
    }
    let needless = |(place, _): &&(&str, &str)| {
        let mut texts = sources().iter().filter(|(file, _)| file.starts_with(place));
        !texts.any(|(_, text)| !named(text).is_empty())
    };
    let needless = PLACES.iter().filter(needless);
    broken.extend(needless.map(|(place, _)| format!("PLACES: {place} names no architecture")));
    check_none(&broken);
}

#[test]
fn names_are_found_in_code_and_not_in_comments_or_tests() {
    let code = |text: &str| named(text).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    assert_eq!(code("fn f() { g(Arch::XEN_PV) }"), ["XEN_PV"]);
    assert_eq!(code("use crate::{hw, x86_xen::MC_BATCH};"), ["x86_xen"]);
    assert_eq!(code("const A: &str = \"on powerpc-hash, or so\";"), ["\"powerpc-hash\""]);
    assert_eq!(code("/// `Arch::ARM64` of arm64\nfn f(arm64: u8) {}").len(), 0);
    assert_eq!(code("#[cfg(test)] mod tests { use super::arm64::Arm64; }").len(), 0);
}
