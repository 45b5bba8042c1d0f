//! What the attributes write.
//!
//! Every token of ours is `Span::mixed_site()`: the guard cannot be named by the user, and paths
//! are absolute.

use proc_macro2::{Delimiter, Group, Literal, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use crate::args::{Args, Errors, Mode};
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
        errors.extend(bare);
        return errors;
    }
    let Some(body) = item.body.take() else { return bare };
    let body = if args.skip.is_some() {
        return without_attr(mode, item, body);
    } else if is_block {
        block_body(mode, &args, &body)
    } else if args.per_poll.is_some() {
        per_poll_body(mode, &args, &item, &body, place)
    } else {
        body_with_guard(mode, &args, &item, &body, place)
    };
    item.body = Some(body);
    item.with_attr(TokenStream::new())
}

/// The braces of a function with a guard in front.
fn body_with_guard(
    mode: Mode,
    args: &Args,
    item: &Item,
    body: &Group,
    place: fn(Span) -> Place,
) -> Group {
    let at = Span::mixed_site();
    let (krate, site) = (krate(args), site(args, item, place));
    let value = match (mode, &args.with_ptes) {
        (Mode::Section, None) => quote_spanned!(at=> #krate::section(#site)),
        (Mode::Pause, _) => quote_spanned!(at=> #krate::paused_section(#site)),
        (Mode::Section, Some(ptes)) => {
            let parts = ptes.parts.iter().map(|part| quote_spanned!(at=> &(#part)));
            quote_spanned!(at=> #krate::section_with_ptes(#site, #krate::pte_range(#(#parts),*)))
        }
    };
    let guard = quote_spanned!(at=> let __guard = #value;);
    let (mut first, rest) = split_body(body);
    first.extend(guard);
    first.extend(rest);
    braces(body, first)
}

/// The braces of an `async fn` whose body is polled inside of sections.
fn per_poll_body(
    mode: Mode,
    args: &Args,
    item: &Item,
    body: &Group,
    place: fn(Span) -> Place,
) -> Group {
    let at = Span::mixed_site();
    let (krate, site) = (krate(args), site(args, item, place));
    let (mut first, rest) = split_body(body);
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
    inner.extend(rest);
    let inner = braces(body, inner);
    let enter = match mode {
        Mode::Section => quote_spanned!(at=> per_poll),
        Mode::Pause => quote_spanned!(at=> per_poll_paused),
    };
    first.extend(quote_spanned!(at=> #krate::#enter(#site, async move #inner).await));
    braces(body, first)
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
fn site(args: &Args, item: &Item, place: fn(Span) -> Place) -> TokenStream {
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
    let krate = krate(args);
    quote_spanned!(at=> &#krate::Site { name: #name, file: #file, line: #line })
}

/// Splits a body into what must stay in front of the guard and the rest: inner attributes, and
/// leading items, since clippy wants items before statements.
fn split_body(body: &Group) -> (TokenStream, TokenStream) {
    let mut first = TokenStream::new();
    let stream = body.stream();
    if !stream.clone().into_iter().next().is_some_and(|tree| may_begin_item(&tree)) {
        return (first, stream);
    }
    let mut trees: Trees = stream.into_iter().collect();
    take_inner_attrs(&mut trees, &mut first);
    while trees.front().is_some_and(may_begin_item) {
        let mut after = trees.clone();
        let item = Item::next(&mut after);
        if item.keyword.is_none() {
            break;
        }
        first.extend(item.with_attr(TokenStream::new()));
        trees = after;
    }
    (first, trees.into_iter().collect())
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
