//! Groups without delimiters, which `macro_rules!` leaves around `$e:expr`, `$t:ty` and the like.
//!
//! The compiler honours such a group where a macro hands it on unseen inside of a larger group or
//! stream. One that a macro has taken out of its stream is ignored when it comes back
//! (rust-lang/rust#67062): `$e * 3` with `1 + 2` for `$e` would become 7. Most bodies are handed on
//! unseen; in what had to be taken apart, parentheses stand in.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

/// Opens a group without delimiters.
pub(crate) fn open(tree: &TokenTree) -> Option<TokenStream> {
    match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => Some(group.stream()),
        _ => None,
    }
}

/// `tree`, with parentheses for missing delimiters that keep an expression or a type together.
pub(crate) fn keep_together(tree: TokenTree) -> TokenTree {
    match open(&tree) {
        Some(inner) if falls_apart(&inner) => {
            let mut group = Group::new(Delimiter::Parenthesis, inner);
            group.set_span(Span::mixed_site());
            group.into()
        }
        _ => tree,
    }
}

/// Tells whether `tokens` have an operator that binds looser than what may stand around them.
///
/// Paths, generic types, calls and statements do not.
fn falls_apart(tokens: &TokenStream) -> bool {
    const STATEMENT: &[&str] =
        &["let", "use", "mod", "struct", "enum", "trait", "static", "type", "fn", "pub"];
    const BLOCK_LIKE: &[&str] = &["if", "match", "loop", "while", "for", "unsafe", "impl"];
    let trees: Vec<_> = tokens.clone().into_iter().collect();
    let word = |tree: &TokenTree, words: &[&str]| match tree {
        TokenTree::Ident(ident) => words.iter().any(|word| ident == word),
        _ => false,
    };
    let ends_in_braces = matches!(trees.last(), Some(TokenTree::Group(group))
        if group.delimiter() == Delimiter::Brace);
    let first = |words| trees.first().is_some_and(|tree| word(tree, words));
    if first(STATEMENT)
        || first(BLOCK_LIKE) && ends_in_braces
        || trees.iter().any(|tree| is_punct(tree, ';') || is_punct(tree, '#'))
    {
        return false;
    }
    let mut angles = 0i32;
    let mut operator = false;
    for (at, tree) in trees.iter().enumerate() {
        let next = trees.get(at + 1);
        match tree {
            TokenTree::Ident(_) if angles == 0 => {
                operator |= word(tree, &["as", "return", "break", "move"]);
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                '<' => angles += 1,
                '>' if at > 0 && is_punct(&trees[at - 1], '-') => {}
                '>' => angles -= 1,
                '-' => operator |= !next.is_some_and(|next| is_punct(next, '>')),
                // A call of a macro.
                '!' => operator |= !matches!(next, Some(TokenTree::Group(_))) || at == 0,
                '.' => operator |= next.is_some_and(|next| is_punct(next, '.')),
                ':' | ',' | '?' | '\'' => {}
                _ => operator = true,
            },
            TokenTree::Ident(_) | TokenTree::Group(_) | TokenTree::Literal(_) => {}
        }
    }
    operator || angles != 0
}

fn is_punct(tree: &TokenTree, char: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == char)
}

#[cfg(test)]
mod tests {
    use super::{TokenStream, falls_apart};

    fn check(texts: &[&str], expected: bool) {
        for text in texts {
            let tokens: TokenStream = text.parse().expect("the test's own text is made of tokens");
            assert_eq!(falls_apart(&tokens), expected, "{text}");
        }
    }

    #[test]
    fn expressions_and_sums_of_types_fall_apart() {
        check(&["1 + 2", "-1", "!x", "a < b", "a == b", "x as u8", "0..3", "|x| x + 1"], true);
        check(&["dyn A + B", "impl A<u8> + 'static", "return x", "a = b", "*x", "&x"], true);
    }

    #[test]
    fn paths_calls_statements_and_items_do_not() {
        check(
            &["x", "3", "a.b(1)?", "f::<u8>(1 + 2)", "vec![1 + 2]", "{ 1 + 2 }", "(1 + 2)"],
            false,
        );
        check(&["Vec<Option<u8>>", "a::b::<C>", "fn(u8) -> u8", "<A as B>::C"], false);
        check(&["let x = 1 + 2", "if a < b { 1 } else { 2 }", "const N: u8 = 1 + 2;"], false);
        check(&["pub(crate)", "struct S<T>(T);", "fn f() -> u8 { 1 }", "doc"], false);
    }
}
