//! What a module declares and names, read from the tokens of its file.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A name that a `use` brings into a module.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) line: usize,
    /// The path as written: it begins with `crate`, `self`, `super` or a name.
    pub(super) path: Vec<String>,
    /// The name in the module; `*` for all names there.
    pub(super) binds: String,
    /// It is a re-export.
    pub(super) public: bool,
}

/// A module: a file, or one in braces.
#[derive(Debug, Default)]
pub(super) struct Module {
    pub(super) file: String,
    pub(super) path: Vec<String>,
    /// The names of its items.
    pub(super) defines: BTreeSet<String>,
    /// Those of its items that are macros.
    pub(super) macros: BTreeSet<String>,
    /// The modules that have files of their own, and the path where `#[path = ..]` gives one.
    pub(super) declared: Vec<(String, Option<String>)>,
    pub(super) uses: Vec<Use>,
    /// The paths in its code, and their lines.
    pub(super) paths: Vec<(usize, Vec<String>)>,
    /// The single names in its code.
    pub(super) words: BTreeSet<String>,
}

/// What begins an item with a name.
const ITEMS: [&str; 9] =
    ["const", "enum", "fn", "macro_rules", "static", "struct", "trait", "type", "union"];

impl Module {
    /// The module of a file and the modules in braces within it, but for tests.
    pub(super) fn all_in(file: &str, text: &str, path: &[String]) -> Vec<Self> {
        let tokens = text.parse().unwrap_or_else(|e| panic!("{file}: {e}"));
        let mut found = Vec::new();
        Self::read(file, &tokens, path, &mut found);
        found
    }

    fn read(file: &str, tokens: &TokenStream, path: &[String], found: &mut Vec<Self>) {
        let mut module = Self { file: file.into(), path: path.to_vec(), ..Self::default() };
        let tokens: Vec<TokenTree> = without_tests(tokens);
        for (at, token) in tokens.iter().enumerate() {
            let next = |n: usize| tokens.get(at + n);
            let item = ITEMS.iter().any(|word| is(token, word));
            if let (true, Some(TokenTree::Ident(name))) = (item, next(1)) {
                module.defines.insert(name.to_string());
            } else if let (true, Some(TokenTree::Ident(name))) = (item, next(2)) {
                module.defines.insert(name.to_string());
                module.macros.insert(name.to_string());
            } else if let (true, Some(TokenTree::Ident(name))) = (is(token, "mod"), next(1)) {
                match next(2) {
                    Some(TokenTree::Group(body)) => {
                        let path = [path, &[name.to_string()]].concat();
                        Self::read(file, &body.stream(), &path, found);
                    }
                    _ => module.declared.push((name.to_string(), path_before(&tokens[..at]))),
                }
            }
        }
        module.walk(&tokens);
        found.push(module);
    }

    /// Collects uses, paths and names, at any depth but in modules in braces.
    fn walk(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while at < tokens.len() {
            if is(&tokens[at], "mod") && matches!(tokens.get(at + 2), Some(TokenTree::Group(_))) {
                at += 3;
            } else if is(&tokens[at], "use") && !tokens.get(at + 1).is_none_or(|t| is(t, "<")) {
                let end =
                    tokens[at..].iter().position(|t| is(t, ";")).map_or(tokens.len(), |n| at + n);
                let public = (at.saturating_sub(2)..at).any(|before| is(&tokens[before], "pub"));
                self.tree(&tokens[at + 1..end], &[], public);
                at = end;
            } else if let TokenTree::Group(group) = &tokens[at] {
                self.walk(&group.stream().into_iter().collect::<Vec<_>>());
                at += 1;
            } else {
                let path = path_at(&tokens[at..]);
                let line = tokens[at].span().start().line;
                at += path.len().max(1) * 3 - 2;
                match &path[..] {
                    [] => {}
                    [name] => drop(self.words.insert(name.clone())),
                    [first, ..] => {
                        self.words.insert(first.clone());
                        self.paths.push((line, path));
                    }
                }
            }
        }
    }

    /// Collects the names of the use tree `tokens` below `prefix`.
    fn tree(&mut self, tokens: &[TokenTree], prefix: &[String], public: bool) {
        for tree in tokens.split(|token| is(token, ",")).filter(|tree| !tree.is_empty()) {
            // A `*` for everything below `prefix` is a tree of its own.
            let signs = tree.iter().take_while(|token| is(token, ":") || is(token, "$"));
            let tree = &tree[signs.count()..];
            let (Some(first), names) = (tree.first(), path_at(tree)) else { continue };
            let mut path = [prefix, &names].concat();
            let rest = &tree[(names.len() * 3).saturating_sub(2).min(tree.len())..];
            let rest: Vec<&TokenTree> = rest.iter().filter(|token| !is(token, ":")).collect();
            let line = first.span().start().line;
            let binds = match rest[..] {
                [] => path.last().cloned().unwrap_or_default(),
                [TokenTree::Group(group)] => {
                    self.tree(&group.stream().into_iter().collect::<Vec<_>>(), &path, public);
                    continue;
                }
                [star, ..] if is(star, "*") => "*".to_owned(),
                [.., name] => name.to_string(),
            };
            // `use a::b::{self}` brings in `b`.
            if path.len() > 1 && path.last().is_some_and(|name| name == "self") {
                path.pop();
            }
            let binds =
                if binds == "self" { path.last().cloned().unwrap_or_default() } else { binds };
            self.uses.push(Use { line, path, binds, public });
        }
    }

    /// The files that may be those of the module `child`; `root` is that of the crate.
    pub(super) fn files_of(&self, child: &str, path: Option<&str>, root: &str) -> Vec<String> {
        let (folder, name) = self.file.rsplit_once('/').unwrap_or(("", &self.file));
        if let Some(path) = path {
            return vec![joined(folder, path)];
        }
        let stem = name.trim_end_matches(".rs");
        let folder = match stem {
            "mod" => folder.to_owned(),
            _ if self.file == root => folder.to_owned(),
            _ => format!("{folder}/{stem}"),
        };
        vec![format!("{folder}/{child}.rs"), format!("{folder}/{child}/mod.rs")]
    }
}

/// The file at `path` as seen from `folder`.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// Tells whether `token` is the word or the sign `text`.
pub(super) fn is(token: &TokenTree, text: &str) -> bool {
    match token {
        TokenTree::Ident(ident) => ident == text,
        TokenTree::Punct(punct) => text.len() == 1 && text.starts_with(punct.as_char()),
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    }
}

/// The file that a `#[path = ..]` at the end of `tokens` names.
fn path_before(tokens: &[TokenTree]) -> Option<String> {
    let attributes = tokens.iter().rev().take(3).map(ToString::to_string);
    let mut paths = attributes.filter(|attribute| attribute.starts_with("[path = "));
    paths.next().and_then(|path| path.split('"').nth(1).map(str::to_owned))
}

/// The path that begins the tokens, empty if none does.
fn path_at(tokens: &[TokenTree]) -> Vec<String> {
    let mut path = Vec::new();
    let mut tokens = tokens;
    while let [TokenTree::Ident(name), rest @ ..] = tokens {
        path.push(name.to_string());
        match rest {
            [a, b, further @ ..] if is(a, ":") && is(b, ":") => tokens = further,
            _ => break,
        }
    }
    path
}

/// The tokens but for modules in braces with `#[cfg(test)]`.
pub(super) fn without_tests(tokens: &TokenStream) -> Vec<TokenTree> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let test = matches!(&tokens[at], TokenTree::Group(group)
            if group.delimiter() == Delimiter::Bracket && group.to_string() == "[cfg (test)]");
        let body = tokens[at..].iter().take(4).any(|t| is(t, "mod"));
        let end = tokens[at..].iter().position(|token| {
            is(token, ";")
                || matches!(token, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace)
        });
        let end = end.filter(|end| test && body && !is(&tokens[at + end], ";"));
        match end {
            Some(end) => at += end,
            None => kept.push(tokens[at].clone()),
        }
        at += 1;
    }
    kept
}
