//! What the attributes refuse, each with one message at the offending token.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use crate::args::{Args, Errors, Mode};
use crate::item::{Item, is_word};

/// Traits of values that run later; they count where the type says `impl` or `dyn`.
const LATER_TRAITS: [&str; 8] = [
    "Future",
    "IntoFuture",
    "FusedFuture",
    "TryFuture",
    "Stream",
    "FusedStream",
    "TryStream",
    "AsyncIterator",
];

/// Names of types that run later.
const LATER_TYPES: [&str; 4] = ["BoxFuture", "LocalBoxFuture", "BoxStream", "LocalBoxStream"];

/// Checks a use on a function.
pub(crate) fn function(mode: Mode, args: &Args, item: &Item, errors: &mut Errors) {
    if let Some(word) = item.qualifier("const") {
        errors.at(word.span(), "a `const fn` has no task whose mode could change: remove `const`");
    }
    if let Some(word) = item.qualifier("gen") {
        errors.at(
            word.span(),
            "a `gen fn` suspends inside of its body, but a section belongs to the task that \
             entered it: put a section around the loop that consumes it",
        );
    }
    if let Some(attr) = item.attrs().find(|attr| is_naked(&attr.stream())) {
        errors.at(
            attr.span(),
            "a naked function is assembly alone: call `lazy_mmu_mode_enable()` around it",
        );
    }
    if item.body.is_none() {
        errors.at(
            keyword_span(item),
            "a function without a body has nothing to run in a section: put the attribute on the \
             implementation",
        );
    }
    futures(mode, args, item, errors);
}

/// Checks what a function may have to do with futures.
fn futures(mode: Mode, args: &Args, item: &Item, errors: &mut Errors) {
    let name = mode.name();
    match (item.qualifier("async"), args.per_poll) {
        (Some(word), None) if item.qualifier("gen").is_none() => errors.at(
            word.span(),
            &format!(
                "a section belongs to the task that entered it, and an `async fn` may be \
                 suspended inside: `#[{name}(per_poll)]` enters on each poll and leaves when the \
                 poll returns"
            ),
        ),
        (None, Some(per_poll)) => errors.at(per_poll, "`per_poll` needs an `async fn`"),
        _ => {}
    }
    if let (Some(_), Some(ptes)) = (args.per_poll, &args.with_ptes) {
        errors.at(ptes.span, "`with_ptes` names one range, but `per_poll` enters many times");
    }
    let output = item.output();
    if args.allow_future.is_none() && item.qualifier("async").is_none() && runs_later(output) {
        errors.push(syn::Error::new_spanned(
            output.iter().cloned().collect::<TokenStream>(),
            format!(
                "the section would end before the returned future or stream runs; if only the \
                 making of it belongs inside, say `#[{name}(allow_future)]`"
            ),
        ));
    }
}

/// Checks a use on an `impl` block, an inline module or a trait.
pub(crate) fn block(args: &Args, errors: &mut Errors) {
    if let Some(name) = &args.name {
        errors.at(name.span(), "`name` is of one function: put it on the function");
    }
    if let Some(ptes) = &args.with_ptes {
        errors.at(ptes.span, "`with_ptes` is of one function: put it on the function");
    }
}

/// Tells whether the body of a function has room for a guard.
pub(crate) fn takes_guard(item: &Item) -> bool {
    item.body.is_some()
        && item.qualifier("const").is_none()
        && !item.attrs().any(|attr| is_naked(&attr.stream()))
}

/// Refuses an item that is neither.
pub(crate) fn other(mode: Mode, item: &Item, errors: &mut Errors) {
    let name = mode.name();
    let message = if item.is_any(&["mod"]) {
        format!("`#[{name}]` sees a module only if its body is here: expected `mod name {{ .. }}`")
    } else {
        format!("`#[{name}]` expected a function, an `impl` block, a trait or an inline module")
    };
    errors.at(Span::call_site(), &message);
}

/// Refuses other arguments beside `skip`.
pub(crate) fn skip(args: &Args, errors: &mut Errors) {
    if let Some(skip) = args.skip
        && args.tokens.clone().into_iter().filter(|tree| !is_comma(tree)).count() > 1
    {
        errors.at(skip, "`skip` stands alone: there is no section that another argument is for");
    }
}

/// Tells whether `attr`, the inside of its brackets, is `naked` or `unsafe(naked)`.
fn is_naked(attr: &TokenStream) -> bool {
    let trees: Vec<_> = attr.clone().into_iter().collect();
    match trees.as_slice() {
        [only] => is_word(only, "naked"),
        [word, TokenTree::Group(group)] => is_word(word, "unsafe") && is_naked(&group.stream()),
        _ => false,
    }
}

/// Tells whether a return type names a future or a stream.
fn runs_later(output: &[TokenTree]) -> bool {
    let mut words = vec![];
    collect_words(output.iter().cloned(), &mut words);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    has(&LATER_TYPES) || has(&["impl", "dyn"]) && has(&LATER_TRAITS)
}

fn collect_words(trees: impl Iterator<Item = TokenTree>, words: &mut Vec<String>) {
    for tree in trees {
        match tree {
            TokenTree::Ident(word) => words.push(word.to_string()),
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {
                collect_words(group.stream().into_iter(), words);
            }
            _ => {}
        }
    }
}

fn keyword_span(item: &Item) -> Span {
    item.keyword.as_ref().map_or_else(Span::call_site, |keyword| keyword.1)
}

fn is_comma(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',')
}
