//! Which definitions a C file has, and under which conditions of the preprocessor they stand.

use std::collections::BTreeSet;
use std::ops::Range;

use tree_sitter::{Node, Parser, Tree as SyntaxTree};

/// What a definition defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A function with a body.
    Function,
    /// A structure, a union, an enumeration or a `typedef`.
    Type,
    /// A macro.
    Macro,
    /// A variable of each CPU.
    PerCpu,
}

/// A definition at file level.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) kind: Kind,
    /// Its name; of an enumeration those of the enumerators too.
    pub(crate) names: Vec<String>,
    /// Where it stands in the text.
    pub(crate) bytes: Range<usize>,
    /// Where its body begins; its end where it has none.
    pub(crate) body: usize,
    /// The lines of the conditions around it: `#ifdef CONFIG_MMU`, `#else`.
    pub(crate) conditions: Vec<String>,
    /// How many of the conditions need an `#endif`.
    pub(crate) depth: usize,
    /// The names that it uses and does not declare itself.
    pub(crate) uses: BTreeSet<String>,
    /// The types of the parameters, of a function.
    pub(crate) parameters: Vec<String>,
}

/// Words that the grammar does not know as what they are: attributes behind macros.
const ATTRIBUTES: [&str; 10] = [
    "__always_inline",
    "noinline",
    "noinstr",
    "notrace",
    "asmlinkage",
    "__init",
    "__sched",
    "__ref",
    "__must_check",
    "__maybe_unused",
];

/// The definitions of a file.
pub(crate) fn definitions(text: &str) -> Vec<Definition> {
    let mut found = Vec::new();
    let variables = per_cpu(text);
    let blank = variables.iter().fold(text.to_owned(), |mut text, found| {
        let lines = text[found.bytes.clone()].matches('\n').count();
        let blanks = found.bytes.len() - lines;
        text.replace_range(found.bytes.clone(), &(" ".repeat(blanks) + &"\n".repeat(lines)));
        text
    });
    items(parsed(&blank).root_node(), &blank, &mut found);
    found.extend(variables);
    found
}

fn parsed(text: &str) -> SyntaxTree {
    let mut parser = Parser::new();
    let language = tree_sitter_c::LANGUAGE.into();
    parser.set_language(&language).expect("the grammar fits the parser");
    parser.parse(without_attributes(text), None).expect("a language is set, and no limit is")
}

/// The variables that `DEFINE_PER_CPU()` defines, for which C has no grammar.
fn per_cpu(text: &str) -> Vec<Definition> {
    const MACRO: &str = "DEFINE_PER_CPU(";
    let mut found = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let begin = at;
        at += line.len();
        let Some(arguments) = line.trim_start_matches("static ").strip_prefix(MACRO) else {
            continue;
        };
        let rest = &text[begin..];
        let Some(end) = rest.find(");") else { continue };
        let inside = &rest[line.len() - arguments.len()..end];
        let Some((kind, name)) = inside.rsplit_once(',') else { continue };
        found.push(Definition {
            kind: Kind::PerCpu,
            names: vec![name.trim().to_owned()],
            bytes: begin..begin + end + 2,
            body: begin + end + 2,
            conditions: Vec::new(),
            depth: 0,
            uses: words(kind).map(str::to_owned).collect(),
            parameters: Vec::new(),
        });
    }
    found
}

/// The text with blanks in place of attributes, each byte where it was.
fn without_attributes(text: &str) -> String {
    ATTRIBUTES.iter().fold(text.to_owned(), |text, word| {
        if !text.contains(word) {
            return text;
        }
        let alone = |at: usize| {
            let part =
                |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
            let bytes = text.as_bytes();
            !part(at.checked_sub(1).and_then(|at| bytes.get(at)))
                && !part(bytes.get(at + word.len()))
        };
        let places: Vec<_> =
            text.match_indices(word).map(|(at, _)| at).filter(|at| alone(*at)).collect();
        let mut text = text;
        for at in places {
            text.replace_range(at..at + word.len(), &" ".repeat(word.len()));
        }
        text
    })
}

/// Walks the items of a node; bodies have none.
fn items(node: Node<'_>, text: &str, found: &mut Vec<Definition>) {
    let of = |kind, names: Vec<String>, node: Node<'_>| {
        let (conditions, depth) = conditions(node, text);
        let body = node.child_by_field_name("body").map_or(node.end_byte(), |n| n.start_byte());
        Definition {
            kind,
            names,
            bytes: node.byte_range(),
            body,
            conditions,
            depth,
            uses: uses(node, text),
            parameters: parameters(node, text),
        }
    };
    match node.kind() {
        "function_definition" => {
            let declarator = node.child_by_field_name("declarator");
            let name = declarator.and_then(|declarator| declared(declarator, text));
            found.extend(name.map(|name| of(Kind::Function, vec![name], node)));
            return;
        }
        "preproc_def" | "preproc_function_def" => {
            let name = node.child_by_field_name("name").map(|name| part(name, text));
            found.extend(name.map(|name| of(Kind::Macro, vec![name], node)));
            return;
        }
        "type_definition" => {
            let mut names: Vec<_> =
                fields(node, "declarator").filter_map(|d| declared(d, text)).collect();
            names.extend(node.child_by_field_name("type").into_iter().flat_map(|t| tags(t, text)));
            found.push(of(Kind::Type, names, node));
            return;
        }
        "struct_specifier" | "union_specifier" | "enum_specifier" => {
            if node.child_by_field_name("body").is_some() {
                found.push(of(Kind::Type, tags(node, text), node));
            }
            return;
        }
        "compound_statement" | "parameter_list" => return,
        _ => {}
    }
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        items(child, text, found);
    }
}

fn part(node: Node<'_>, text: &str) -> String {
    text[node.byte_range()].to_owned()
}

fn fields<'t>(node: Node<'t>, name: &'static str) -> impl Iterator<Item = Node<'t>> {
    let mut cursor = node.walk();
    node.children_by_field_name(name, &mut cursor).collect::<Vec<_>>().into_iter()
}

/// The name that a declarator declares.
fn declared(mut node: Node<'_>, text: &str) -> Option<String> {
    while !matches!(node.kind(), "identifier" | "type_identifier" | "field_identifier") {
        let inner = node.child_by_field_name("declarator");
        node = inner.or_else(|| {
            (node.kind() == "parenthesized_declarator").then(|| node.named_child(0)).flatten()
        })?;
    }
    Some(part(node, text))
}

/// The tag of a type and, of an enumeration, the names in it.
fn tags(node: Node<'_>, text: &str) -> Vec<String> {
    let mut names: Vec<_> =
        node.child_by_field_name("name").map(|name| part(name, text)).into_iter().collect();
    if node.kind() == "enum_specifier"
        && let Some(body) = node.child_by_field_name("body")
    {
        let mut cursor = body.walk();
        let rows =
            body.named_children(&mut cursor).filter_map(|row| row.child_by_field_name("name"));
        names.extend(rows.map(|name| part(name, text)));
    }
    names
}

/// The conditions around a node from the outside in, and how many need an `#endif`.
fn conditions(node: Node<'_>, text: &str) -> (Vec<String>, usize) {
    let mut lines = Vec::new();
    let mut depth = 0;
    let mut node = node;
    while let Some(parent) = node.parent() {
        let is_alternative = Some(node) == parent.child_by_field_name("alternative");
        if matches!(parent.kind(), "preproc_if" | "preproc_ifdef" | "preproc_elif") {
            let first = text[parent.byte_range()].lines().next().unwrap_or("");
            // An alternative follows the condition that did not hold.
            if node.kind() == "preproc_else" && is_alternative {
                lines.push("#else".to_owned());
            }
            lines.push(logical_line(text, parent.start_byte()).unwrap_or(first).to_owned());
            depth += usize::from(parent.kind() != "preproc_elif");
        }
        node = parent;
    }
    lines.reverse();
    (lines, depth)
}

/// The line at `at`, with those that it goes on in.
fn logical_line(text: &str, at: usize) -> Option<&str> {
    let rest = text.get(at..)?;
    let ends = rest.match_indices('\n').map(|(at, _)| at);
    let end = ends.into_iter().find(|at| !rest[..*at].ends_with('\\')).unwrap_or(rest.len());
    Some(&rest[..end])
}

/// The names that a definition uses: those that are not its own and not members.
fn uses(node: Node<'_>, text: &str) -> BTreeSet<String> {
    let (mut used, mut own) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match node.kind() {
            "identifier" | "type_identifier" => {
                used.insert(part(node, text));
            }
            // What a macro stands for is plain text.
            "preproc_arg" => used.extend(words(&text[node.byte_range()]).map(str::to_owned)),
            "declaration" | "parameter_declaration" | "init_declarator" => {
                own.extend(fields(node, "declarator").filter_map(|d| declared(d, text)));
            }
            _ => {}
        }
        let mut cursor = node.walk();
        open.extend(node.children(&mut cursor));
    }
    used.retain(|name| !own.contains(name));
    used
}

/// The words of a piece of C.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let split = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    split.filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

/// The parameters of a function as they are written; none for `void`.
fn parameters(node: Node<'_>, text: &str) -> Vec<String> {
    let mut at = node.child_by_field_name("declarator");
    while let Some(declarator) = at {
        if let Some(list) = declarator.child_by_field_name("parameters") {
            let mut cursor = list.walk();
            let each =
                list.named_children(&mut cursor).filter(|n| n.kind() == "parameter_declaration");
            let texts: Vec<_> = each.map(|n| part(n, text)).collect();
            return texts.into_iter().filter(|text| text != "void").collect();
        }
        at = declarator.child_by_field_name("declarator");
    }
    Vec::new()
}

/// The members of the structure that `text` is, and whether each is a flag: `bool`, or one bit.
pub(crate) fn members(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let tree = parsed(text);
    let mut nodes = vec![tree.root_node()];
    while let Some(node) = nodes.pop() {
        if node.kind() == "field_declaration" {
            let kind = node.child_by_field_name("type").map(|kind| part(kind, text));
            let bits = |child: &Node<'_>| child.kind() == "bitfield_clause";
            let mut cursor = node.walk();
            let one_bit = node
                .children(&mut cursor)
                .find(bits)
                .is_some_and(|bits| part(bits, text).trim_start_matches(':').trim() == "1");
            let is_flag = kind.as_deref() == Some("bool") || one_bit;
            let names = fields(node, "declarator").filter_map(|d| declared(d, text));
            found.extend(names.map(|name| (name, is_flag)));
            continue;
        }
        let mut cursor = node.walk();
        let mut children: Vec<_> = node.children(&mut cursor).collect();
        children.reverse();
        nodes.extend(children);
    }
    found
}
