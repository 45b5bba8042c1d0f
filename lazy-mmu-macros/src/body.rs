//! Splits the body of a function into what must stay in front of the guard and the rest.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::invisible;
use crate::item::{Item, Trees, is_group, is_word, may_begin_item};

/// Splits a body: inner attributes stay in front, and leading items, since clippy wants items
/// before statements.
///
/// Nothing comes back for a body whose last statement has no end yet. It does not compile anyway;
/// as it came, the compiler finds the error where it has already reported it, while the braces of
/// ours have one span for both.
pub(crate) fn split(body: &Group) -> Option<(TokenStream, TokenStream)> {
    let mut first = TokenStream::new();
    let mut trees: Trees = body.stream().into_iter().collect();
    if is_unfinished(&trees) {
        return None;
    }
    if !trees.front().is_some_and(may_begin_item) {
        return Some((first, body.stream()));
    }
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
        return Some((first, body.stream()));
    }
    Some((first, trees.into_iter().map(invisible::keep_together).collect()))
}

/// Moves `#![..]` and inner docs.
pub(crate) fn take_inner_attrs(trees: &mut Trees, to: &mut TokenStream) {
    let punct = |tree: Option<&TokenTree>, it| matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == it);
    while punct(trees.front(), '#')
        && punct(trees.get(1), '!')
        && trees.get(2).is_some_and(|tree| is_group(tree, Delimiter::Bracket))
    {
        to.extend(trees.drain(..3));
    }
}

/// Tells whether a body surely ends inside of a statement.
fn is_unfinished(trees: &Trees) -> bool {
    let (mut open_let, mut begins) = (false, true);
    for tree in trees {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == ';' => (open_let, begins) = (false, true),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => begins = true,
            tree => {
                open_let |= begins && is_word(tree, "let");
                begins = false;
            }
        }
    }
    let from_last = |n: usize| match trees.len().checked_sub(n).and_then(|at| trees.get(at)) {
        Some(TokenTree::Punct(punct)) => punct.as_char(),
        _ => ' ',
    };
    let is_range = from_last(1) == '.' && from_last(2) == '.';
    open_let || ".+-*/%^&=<:,#!$~@".contains(from_last(1)) && !is_range
}
