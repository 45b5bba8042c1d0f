//! What the attributes write.
//!
//! Every token of ours is `Span::mixed_site()`: the guard cannot be named by the user, and paths
//! are absolute.

use proc_macro2::{Delimiter, Group, Literal, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use crate::args::{Args, Errors, Mode};
use crate::body;
use crate::item::{Item, Trees, is_word};
use crate::valid;

/// Expands one attribute.
///
/// On an error the item is emitted as it came, so that it does not vanish while someone types.
pub(crate) fn attribute(mode: Mode, args: TokenStream, item: TokenStream) -> TokenStream {
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
        function_body(mode, &args, &item, &body)
    };
    let Some(body) = body else { return bare };
    item.body = Some(body);
    item.with_attr(TokenStream::new())
}

/// The braces of a function, unless its last statement has no end yet.
fn function_body(mode: Mode, args: &Args, item: &Item, body: &Group) -> Option<Group> {
    let (mut first, rest) = body::split(body)?;
    let rest = filled(rest, args, item);
    let name = name(args, item);
    // As streams: what is unseen in them stays as it is.
    if args.per_poll.is_some() {
        first.extend([polled(mode, args, item, body, rest, &name)]);
    } else {
        first.extend([guard(mode, args, &name), rest]);
    }
    Some(braces(body, first))
}

/// The statement that begins a section.
///
/// The guard has no name, so that no constant of the user's can be meant by it; a borrowed
/// temporary lives as long as a local.
fn guard(mode: Mode, args: &Args, name: &Literal) -> TokenStream {
    let at = Span::mixed_site();
    let Some(ptes) = &args.with_ptes else {
        return match (mode, &args.krate) {
            // The usual case is one template, which the compiler is handed at once.
            (Mode::Section, None) => {
                quote_spanned!(at=> let _ = &::lazy_mmu::__private::section(#name);)
            }
            (Mode::Pause, None) => {
                quote_spanned!(at=> let _ = &::lazy_mmu::__private::paused_section(#name);)
            }
            (Mode::Section, Some(krate)) => {
                quote_spanned!(at=> let _ = &#krate::__private::section(#name);)
            }
            (Mode::Pause, Some(krate)) => {
                quote_spanned!(at=> let _ = &#krate::__private::paused_section(#name);)
            }
        };
    };
    let krate = krate(args);
    // A part of a type that does not convert is reported where it stands.
    let parts = ptes.parts.iter().map(|part| {
        let span = part.clone().into_iter().next().map_or(at, |first| first.span());
        quote_spanned!(at.located_at(span)=> &(#part))
    });
    let range = quote_spanned!(at=> #krate::pte_range(#(#parts),*));
    quote_spanned!(at=> let _ = &#krate::section_with_ptes(#name, #range);)
}

/// The expression that polls `rest`, the body of an `async fn`, inside of sections.
fn polled(
    mode: Mode,
    args: &Args,
    item: &Item,
    body: &Group,
    rest: TokenStream,
    name: &Literal,
) -> TokenStream {
    let at = Span::mixed_site();
    let krate = krate(args);
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
    quote_spanned!(at=> #krate::#enter(#name, async move #inner).await)
}

/// `rest` of a body, or a use of the type parameters, which clippy lets pass unused where there is
/// nothing in a body.
fn filled(rest: TokenStream, args: &Args, item: &Item) -> TokenStream {
    if !rest.is_empty() {
        return rest;
    }
    let (at, krate) = (Span::mixed_site(), krate(args));
    let params = item.type_params().into_iter();
    params.map(|param| quote_spanned!(at=> #krate::mention::<#param>();)).collect()
}

/// The braces of an `impl` block, module or trait, with the attribute on each function that has a
/// body; `const` and naked functions have no room for a guard and stay as they are.
fn block_body(mode: Mode, args: &Args, body: &Group) -> Group {
    let mut tokens = TokenStream::new();
    let mut trees: Trees = body.stream().into_iter().collect();
    body::take_inner_attrs(&mut trees, &mut tokens);
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

/// The name of the function, or the one given to the attribute.
fn name(args: &Args, item: &Item) -> Literal {
    let name = match (&args.name, &item.name) {
        (Some(name), _) => name.value().replace('\n', " "),
        (None, Some(name)) => name.to_string(),
        (None, None) => String::new(),
    };
    let name = name.strip_prefix("r#").unwrap_or(&name);
    let mut literal = Literal::string(name);
    literal.set_span(Span::mixed_site());
    literal
}

/// `tokens` in the user's own braces.
fn braces(user: &Group, tokens: TokenStream) -> Group {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(user.span());
    group
}
