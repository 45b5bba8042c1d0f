//! Splits items into what stands before the body and the body, without parsing either.
//!
//! The body of a function is its last token, a `{}` group. Groups without delimiters come from
//! `macro_rules!` (`$v:vis`, `$i:item`, `$b:block`); where an item begins or ends they are opened.

use std::collections::VecDeque;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::invisible;

/// Tokens still to be read.
pub(crate) type Trees = VecDeque<TokenTree>;

/// An item: its tokens, and what is known of them.
#[derive(Default)]
pub(crate) struct Item {
    /// All tokens before the body.
    pub(crate) head: Vec<TokenTree>,
    /// How many tokens of `head` are outer attributes.
    pub(crate) attrs_len: usize,
    /// The words between the visibility and the keyword: `const`, `async`, `unsafe` and the like.
    pub(crate) qualifiers: Vec<Ident>,
    /// `fn`, `impl`, `mod`; nothing for a macro call or a syntax that is not known here.
    pub(crate) keyword: Option<(String, Span)>,
    /// The word after the keyword.
    pub(crate) name: Option<Ident>,
    /// How many tokens of `head` stand before what follows the name.
    pub(crate) name_end: usize,
    /// The braces at the end.
    pub(crate) body: Option<Group>,
    /// The `;` at the end, for an item without a body.
    pub(crate) end: Option<TokenTree>,
}

impl Item {
    /// Splits `tokens`, which are one item.
    pub(crate) fn whole(tokens: TokenStream) -> Self {
        let mut trees: Trees = tokens.into_iter().collect();
        let mut item = Self::default();
        match pop_last(&mut trees) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                item.body = Some(group);
            }
            Some(TokenTree::Punct(punct)) if punct.as_char() == ';' => {
                item.end = Some(punct.into());
            }
            Some(tree) => trees.push_back(tree),
            None => {}
        }
        item.take_start(&mut trees);
        item.head.extend(trees.into_iter().map(invisible::keep_together));
        item
    }

    /// Takes the next item off `trees`; at least one token if there is one.
    pub(crate) fn next(trees: &mut Trees) -> Self {
        let mut item = Self::default();
        item.take_start(trees);
        let only_semi = item.is_any(&["use", "const", "static", "type"]);
        let mut angles = Angles::default();
        while let Some(tree) = trees.pop_front() {
            let outside = angles.outside(&tree);
            match open_block(tree) {
                TokenTree::Punct(punct) if punct.as_char() == ';' => {
                    item.end = Some(punct.into());
                    break;
                }
                TokenTree::Group(group)
                    if group.delimiter() == Delimiter::Brace && outside && !only_semi =>
                {
                    item.body = Some(group);
                    break;
                }
                tree => item.head.push(invisible::keep_together(tree)),
            }
        }
        item
    }

    /// Tells whether the keyword is one of `words`.
    pub(crate) fn is_any(&self, words: &[&str]) -> bool {
        self.keyword.as_ref().is_some_and(|keyword| words.contains(&keyword.0.as_str()))
    }

    /// The qualifier `word`, if it is there.
    pub(crate) fn qualifier(&self, word: &str) -> Option<&Ident> {
        self.qualifiers.iter().find(|found| *found == word)
    }

    /// The `[..]` of each outer attribute.
    pub(crate) fn attrs(&self) -> impl Iterator<Item = &Group> {
        self.head[..self.attrs_len].iter().filter_map(|tree| match tree {
            TokenTree::Group(group) => Some(group),
            _ => None,
        })
    }

    /// The type that a function returns: the tokens between `->` and `where`.
    pub(crate) fn output(&self) -> &[TokenTree] {
        let mut angles = Angles::default();
        let rest = &self.head[self.name_end..];
        let params = rest
            .iter()
            .position(|tree| angles.outside(tree) && is_group(tree, Delimiter::Parenthesis));
        let Some(params) = params else { return &[] };
        let rest = &rest[params + 1..];
        let [TokenTree::Punct(minus), TokenTree::Punct(_), output @ ..] = rest else { return &[] };
        if minus.as_char() != '-' {
            return &[];
        }
        let end = output.iter().position(|tree| is_word(tree, "where"));
        &output[..end.unwrap_or(output.len())]
    }

    /// The names of the type parameters of a function.
    pub(crate) fn type_params(&self) -> Vec<Ident> {
        let (mut params, mut angles, mut first) = (vec![], Angles::default(), true);
        for tree in &self.head[self.name_end..] {
            angles.outside(tree);
            match tree {
                _ if angles.depth == 0 => break,
                TokenTree::Punct(punct) if ['#', '<'].contains(&punct.as_char()) => {}
                TokenTree::Punct(punct) if punct.as_char() == ',' => first |= angles.depth == 1,
                TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {}
                TokenTree::Ident(param) if first && param != "const" => {
                    params.push(param.clone());
                    first = false;
                }
                _ => first = false,
            }
        }
        params
    }

    /// All tokens, with `attr` after the other outer attributes.
    pub(crate) fn with_attr(self, attr: TokenStream) -> TokenStream {
        let mut head = self.head.into_iter();
        let mut tokens: TokenStream = head.by_ref().take(self.attrs_len).collect();
        tokens.extend(attr);
        tokens.extend(head);
        tokens.extend(self.body.map(TokenTree::Group));
        tokens.extend(self.end);
        tokens
    }

    /// Moves all up to the word after the keyword from `trees` to the head.
    fn take_start(&mut self, trees: &mut Trees) {
        while open_first(trees) && next_is_attr(trees) {
            self.take(trees);
            self.take(trees);
        }
        self.attrs_len = self.head.len();
        if trees.front().is_some_and(|tree| is_word(tree, "pub")) {
            self.take(trees);
            if trees.front().is_some_and(|tree| is_group(tree, Delimiter::Parenthesis)) {
                self.take(trees);
            }
        }
        while open_first(trees) && self.take_qualifier(trees) {}
        if let Some(TokenTree::Ident(word)) = trees.front()
            && let span = word.span()
            && let word = word.to_string()
            && is_keyword(&word, trees.get(1))
        {
            self.keyword = Some((word, span));
            self.take(trees);
            if let Some(TokenTree::Ident(name)) = trees.front() {
                self.name = Some(name.clone());
                self.take(trees);
            }
        }
        self.name_end = self.head.len();
    }

    /// Takes a word that qualifies the keyword to come, if one is next.
    fn take_qualifier(&mut self, trees: &mut Trees) -> bool {
        let Some(TokenTree::Ident(word)) = trees.front() else { return false };
        let next = trees.get(1);
        let literal = matches!(next, Some(TokenTree::Literal(_)));
        let text = word.to_string();
        if text != "extern" && !is_qualifier(&text) {
            return false;
        }
        let next_word =
            matches!(next, Some(TokenTree::Ident(word)) if is_qualified(&word.to_string()));
        // `const default: u8` is a constant of that name.
        let named = matches!(trees.get(2), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
        let next_word = next_word && !named;
        let foreign = trees.get(2).is_some_and(|tree| is_group(tree, Delimiter::Brace));
        let external = text == "extern" && literal && !foreign;
        if !external && !next_word {
            return false;
        }
        self.qualifiers.push(word.clone());
        self.take(trees);
        if external {
            self.take(trees);
        }
        true
    }

    fn take(&mut self, trees: &mut Trees) {
        self.head.extend(trees.pop_front());
    }
}

/// Follows the nesting of `<` and `>`, of which `->` is none.
#[derive(Default)]
struct Angles {
    depth: usize,
    minus: bool,
}

impl Angles {
    /// Tells whether `tree` stands outside of all angle brackets; call it on each in turn.
    fn outside(&mut self, tree: &TokenTree) -> bool {
        let outside = self.depth == 0;
        let punct = if let TokenTree::Punct(punct) = tree { punct.as_char() } else { ' ' };
        match punct {
            '<' => self.depth += 1,
            '>' if !self.minus => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.minus = punct == '-';
        outside
    }
}

/// Takes the last token, out of groups without delimiters.
fn pop_last(trees: &mut Trees) -> Option<TokenTree> {
    while let Some(inner) = trees.back().and_then(invisible::open) {
        trees.pop_back();
        trees.extend(inner);
    }
    trees.pop_back()
}

/// Replaces groups without delimiters at the front by what is in them.
///
/// The item begins where `$v:vis` stands, and there its lints look whether a macro made it: the
/// first token takes that place, be the visibility empty or not.
fn open_first(trees: &mut Trees) -> bool {
    while let Some(inner) = trees.front().and_then(invisible::open) {
        let inner: Vec<_> = inner.into_iter().collect();
        let place = trees.pop_front().map(|group| group.span());
        let is_vis = match inner.as_slice() {
            [] => true,
            [word] => is_word(word, "pub"),
            [word, path] => is_word(word, "pub") && is_group(path, Delimiter::Parenthesis),
            _ => false,
        };
        inner.into_iter().rev().for_each(|tree| trees.push_front(tree));
        if let (true, Some(place), Some(first)) = (is_vis, place, trees.front_mut()) {
            first.set_span(place);
        }
    }
    true
}

/// The braces in a group without delimiters: `$b:block`.
fn open_block(tree: TokenTree) -> TokenTree {
    if let Some(inner) = invisible::open(&tree) {
        let mut inner = inner.into_iter();
        if let (Some(only), None) = (inner.next(), inner.next())
            && is_group(&only, Delimiter::Brace)
        {
            return only;
        }
    }
    tree
}

fn next_is_attr(trees: &Trees) -> bool {
    matches!(trees.front(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#')
        && trees.get(1).is_some_and(|tree| is_group(tree, Delimiter::Bracket))
}

/// Tells whether `word` may stand before the keyword of an item.
fn is_qualifier(word: &str) -> bool {
    ["default", "const", "async", "gen", "unsafe", "safe", "auto"].contains(&word)
}

/// Tells whether a word before `word` may be a qualifier of it.
fn is_qualified(word: &str) -> bool {
    const KEYWORDS: [&str; 8] =
        ["fn", "extern", "impl", "trait", "static", "type", "const", "unsafe"];
    is_qualifier(word) || KEYWORDS.contains(&word)
}

/// Tells whether `word` is the keyword of an item, given the token after it.
fn is_keyword(word: &str, next: Option<&TokenTree>) -> bool {
    const ALWAYS: [&str; 10] =
        ["fn", "struct", "enum", "trait", "impl", "mod", "use", "type", "extern", "static"];
    let name_next = matches!(next, Some(TokenTree::Ident(name)) if name != "move");
    match word {
        "static" | "const" | "union" | "macro" => name_next,
        "macro_rules" => matches!(next, Some(TokenTree::Punct(punct)) if punct.as_char() == '!'),
        word => ALWAYS.contains(&word),
    }
}

/// Tells whether `tree` is the word `word`.
pub(crate) fn is_word(tree: &TokenTree, word: &str) -> bool {
    matches!(tree, TokenTree::Ident(ident) if ident == word)
}

/// Tells whether `tree` is a group in `delimiter`.
pub(crate) fn is_group(tree: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(tree, TokenTree::Group(group) if group.delimiter() == delimiter)
}

/// Tells whether `tree` may be the first token of an item; most statements begin otherwise.
pub(crate) fn may_begin_item(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Punct(punct) => punct.as_char() == '#',
        TokenTree::Group(group) => group.delimiter() == Delimiter::None,
        TokenTree::Ident(word) => {
            const FIRST: [&str; 8] =
                ["pub", "struct", "enum", "union", "mod", "use", "macro", "macro_rules"];
            let word = word.to_string();
            is_qualified(&word) || FIRST.contains(&word.as_str())
        }
        TokenTree::Literal(_) => false,
    }
}
