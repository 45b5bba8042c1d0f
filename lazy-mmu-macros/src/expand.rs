//! What the attributes write.
//!
//! Every token of ours is `Span::mixed_site()`: the guard cannot be named by the user, and paths
//! are absolute.

use proc_macro2::{Delimiter, Group, Literal, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use crate::args::{Args, Errors, Mode};
use crate::invisible;
use crate::item::{Item, Trees, is_group, is_word, may_begin_item};
use crate::valid;

/// A place in the user's source.
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// Expands one attribute; `place` tells where a span is.
///
/// On an error the item is emitted as it came, so that it does not vanish while someone types.
pub(crate) fn attribute(
    mode: Mode,
    args: TokenStream,
    item: TokenStream,
    place: fn(Span) -> Place,
) -> TokenStream {
    let mut errors = Errors::default();
    let args = Args::parse(mode, args, &mut errors);
    let bare = item.clone();
    let mut item = Item::whole(item);
    let is_block = item.is_any(&["impl", "mod", "trait"]) && item.body.is_some();
    if args.skip.is_some() {
        valid::skip(&args, &mut errors);
    } else if item.is_any(&["fn"]) {
        valid::function(mode, &args, &item, &mut errors);
    } else if is_block {
        valid::block(&args, &mut errors);
    } else {
        valid::other(mode, &item, &mut errors);
    }
    if let Some(mut errors) = errors.tokens() {
        errors.extend([bare]);
        return errors;
    }
    let Some(body) = item.body.take() else { return bare };
    if args.skip.is_some() {
        return without_attr(mode, item, body);
    }
    let body = if is_block {
        Some(block_body(mode, &args, &body))
    } else {
        function_body(mode, &args, &item, &body, place)
    };
    let Some(body) = body else { return bare };
    item.body = Some(body);
    item.with_attr(TokenStream::new())
}

/// The braces of a function, unless its last statement has no end yet.
fn function_body(
    mode: Mode,
    args: &Args,
    item: &Item,
    body: &Group,
    place: fn(Span) -> Place,
) -> Option<Group> {
    let (mut first, rest) = split_body(body).filter(|_| !is_unfinished(body))?;
    let krate = krate(args);
    let rest = filled(rest, item, &krate);
    let site = site(args, item, &krate, place);
    // As streams: what is unseen in them stays as it is.
    if args.per_poll.is_some() {
        first.extend([polled(mode, item, body, rest, &krate, &site)]);
    } else {
        first.extend([guard(mode, args, &krate, &site), rest]);
    }
    Some(braces(body, first))
}

/// Tells whether a body surely does not compile since its last statement has no end yet.
///
/// The braces of ours have one span for both; as they came, the compiler finds the error where it
/// has already reported it.
fn is_unfinished(body: &Group) -> bool {
    let trees: Vec<_> = body.stream().into_iter().collect();
    let is = |tree: Option<&TokenTree>, chars: &str| match tree {
        Some(TokenTree::Punct(punct)) => chars.contains(punct.as_char()),
        _ => false,
    };
    let before_last = trees.len().checked_sub(2).and_then(|at| trees.get(at));
    let range = is(trees.last(), ".") && is(before_last, ".");
    let mut open_let = false;
    for (at, tree) in trees.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| &trees[at]);
        let first =
            before.is_none_or(|before| is(Some(before), ";") || is_group(before, Delimiter::Brace));
        open_let = (open_let || first && is_word(tree, "let")) && !is(Some(tree), ";");
    }
    open_let || is(trees.last(), ".+-*/%^&=<:,#!$~@") && !range
}

/// The statement that begins a section.
fn guard(mode: Mode, args: &Args, krate: &TokenStream, site: &TokenStream) -> TokenStream {
    let at = Span::mixed_site();
    let value = match (mode, &args.with_ptes) {
        (Mode::Section, None) => quote_spanned!(at=> #krate::section(#site)),
        (Mode::Pause, _) => quote_spanned!(at=> #krate::paused_section(#site)),
        (Mode::Section, Some(ptes)) => {
            // A part of a type that does not convert is reported where it stands.
            let parts = ptes.parts.iter().map(|part| {
                let span = part.clone().into_iter().next().map_or(at, |first| first.span());
                quote_spanned!(at.located_at(span)=> &(#part))
            });
            quote_spanned!(at=> #krate::section_with_ptes(#site, #krate::pte_range(#(#parts),*)))
        }
    };
    // Without a name, no constant of the user's can be meant; a borrowed temporary lives as long
    // as a local.
    quote_spanned!(at=> let _ = &#value;)
}

/// The expression that polls `rest`, the body of an `async fn`, inside of sections.
fn polled(
    mode: Mode,
    item: &Item,
    body: &Group,
    rest: TokenStream,
    krate: &TokenStream,
    site: &TokenStream,
) -> TokenStream {
    let at = Span::mixed_site();
    // A block does not know what it returns, so that `?` and coercions would fail: tell it.
    let output = item.output();
    let unnameable = output.iter().any(|tree| is_word(tree, "impl"))
        || matches!(output, [TokenTree::Punct(never)] if never.as_char() == '!');
    let output: TokenStream = output.iter().cloned().collect();
    let mut inner = match (unnameable, output.is_empty()) {
        (true, _) => TokenStream::new(),
        (false, true) => quote_spanned!(at=> if false { return #krate::never::<()>(); }),
        (false, false) => quote_spanned!(at=> if false { return #krate::never::<#output>(); }),
    };
    inner.extend([rest]);
    let inner = braces(body, inner);
    let enter = match mode {
        Mode::Section => quote_spanned!(at=> per_poll),
        Mode::Pause => quote_spanned!(at=> per_poll_paused),
    };
    quote_spanned!(at=> #krate::#enter(#site, async move #inner).await)
}

/// `rest` of a body, or a use of the type parameters, which clippy lets pass unused where there is
/// nothing in a body.
fn filled(rest: TokenStream, item: &Item, krate: &TokenStream) -> TokenStream {
    if !rest.is_empty() {
        return rest;
    }
    let at = Span::mixed_site();
    let params = item.type_params().into_iter();
    params.map(|param| quote_spanned!(at=> #krate::mention::<#param>();)).collect()
}

/// The braces of an `impl` block, module or trait, with the attribute on each function that has a
/// body; `const` and naked functions have no room for a guard and stay as they are.
fn block_body(mode: Mode, args: &Args, body: &Group) -> Group {
    let mut tokens = TokenStream::new();
    let mut trees: Trees = body.stream().into_iter().collect();
    take_inner_attrs(&mut trees, &mut tokens);
    while !trees.is_empty() {
        let item = Item::next(&mut trees);
        let attr = if own_attr(mode, &item) { TokenStream::new() } else { attr(mode, args, &item) };
        tokens.extend(item.with_attr(attr));
    }
    braces(body, tokens)
}

/// The attribute to put on `item` of a block.
fn attr(mode: Mode, args: &Args, item: &Item) -> TokenStream {
    let is_fn = item.is_any(&["fn"]);
    let wanted =
        if is_fn { valid::takes_guard(item) } else { item.is_any(&["impl", "mod", "trait"]) };
    if item.body.is_none() || !wanted {
        return TokenStream::new();
    }
    let at = Span::mixed_site();
    let krate = args.krate.clone().unwrap_or_else(|| quote_spanned!(at=> ::lazy_mmu));
    let name = proc_macro2::Ident::new(mode.name(), at);
    let mut list = args.krate.as_ref().map(|krate| quote_spanned!(at=> crate = #krate,));
    let mut add = |more| list.get_or_insert_default().extend::<TokenStream>(more);
    if args.per_poll.is_some() && (!is_fn || item.qualifier("async").is_some()) {
        add(quote_spanned!(at=> per_poll,));
    }
    if args.allow_future.is_some() {
        add(quote_spanned!(at=> allow_future,));
    }
    match list {
        Some(list) => quote_spanned!(at=> #[#krate::#name(#list)]),
        None => quote_spanned!(at=> #[#krate::#name]),
    }
}

/// Tells whether `item` has the attribute of `mode`, be it to skip it.
fn own_attr(mode: Mode, item: &Item) -> bool {
    item.attrs().any(|attr| is_attr(mode, attr))
}

/// Tells whether `attr`, brackets and all, is the attribute of `mode` under any path.
fn is_attr(mode: Mode, attr: &Group) -> bool {
    let path = attr.stream().into_iter().take_while(|tree| match tree {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    });
    path.last().is_some_and(|tree| is_word(&tree, mode.name()))
}

/// The item of `skip`, without the attribute that a block may have put below.
fn without_attr(mode: Mode, mut item: Item, body: Group) -> TokenStream {
    let mut at = 0;
    while at + 1 < item.attrs_len {
        if matches!(&item.head[at + 1], TokenTree::Group(attr) if is_attr(mode, attr)) {
            item.head.drain(at..at + 2);
            item.attrs_len -= 2;
        } else {
            at += 2;
        }
    }
    item.body = Some(body);
    item.with_attr(TokenStream::new())
}

/// The path of the hidden module that the output calls.
fn krate(args: &Args) -> TokenStream {
    let at = Span::mixed_site();
    match &args.krate {
        Some(krate) => quote_spanned!(at=> #krate::__private),
        None => quote_spanned!(at=> ::lazy_mmu::__private),
    }
}

/// The place of the function, as a constant that is promoted to a static.
fn site(args: &Args, item: &Item, krate: &TokenStream, place: fn(Span) -> Place) -> TokenStream {
    let at = Span::mixed_site();
    let span = item.name.as_ref().map_or_else(Span::call_site, proc_macro2::Ident::span);
    let name = match (&args.name, &item.name) {
        (Some(name), _) => name.value(),
        (None, Some(name)) => name.to_string().trim_start_matches("r#").to_owned(),
        (None, None) => String::new(),
    };
    let Place { file, line } = place(span);
    let spanned = |mut literal: Literal| {
        literal.set_span(at);
        literal
    };
    let (name, file) = (spanned(Literal::string(&name)), spanned(Literal::string(&file)));
    let line = spanned(Literal::u32_unsuffixed(u32::try_from(line).unwrap_or(0)));
    quote_spanned!(at=> &#krate::Site { name: #name, file: #file, line: #line })
}

/// Splits a body into what must stay in front of the guard and the rest: inner attributes, and
/// leading items, since clippy wants items before statements. An item without an end has no rest.
fn split_body(body: &Group) -> Option<(TokenStream, TokenStream)> {
    let mut first = TokenStream::new();
    let stream = body.stream();
    if !stream.clone().into_iter().next().is_some_and(|tree| may_begin_item(&tree)) {
        return Some((first, stream));
    }
    let mut trees: Trees = stream.clone().into_iter().collect();
    take_inner_attrs(&mut trees, &mut first);
    while trees.front().is_some_and(may_begin_item) {
        let mut after = trees.clone();
        let item = Item::next(&mut after);
        if item.keyword.is_none() {
            break;
        }
        if item.body.is_none() && item.end.is_none() {
            return None;
        }
        first.extend(item.with_attr(TokenStream::new()));
        trees = after;
    }
    if first.is_empty() {
        return Some((first, stream));
    }
    Some((first, trees.into_iter().map(invisible::keep_together).collect()))
}

/// Moves `#![..]` and inner docs.
fn take_inner_attrs(trees: &mut Trees, to: &mut TokenStream) {
    let punct = |tree: Option<&TokenTree>, it| matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == it);
    while punct(trees.front(), '#')
        && punct(trees.get(1), '!')
        && trees.get(2).is_some_and(|tree| is_group(tree, Delimiter::Bracket))
    {
        to.extend(trees.drain(..3));
    }
}

/// `tokens` in the user's own braces.
fn braces(user: &Group, tokens: TokenStream) -> Group {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(user.span());
    group
}
