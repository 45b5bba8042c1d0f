//! The cutter: takes named definitions out of the files of a tree and emits them as they are.
//!
//! A definition is emitted verbatim, behind a `#line` that names its file relative to the tree, and
//! inside the conditions of the preprocessor that it stands in; so the compiler chooses among
//! alternatives as the kernel's build does, and its errors name the user's file and line. Callees
//! that the same files define come along. A parser made for C (tree-sitter) finds the definitions.

mod parse;

use std::collections::BTreeSet;
use std::fmt::Write;

pub(crate) use parse::{Definition, Kind, definitions, members};

use crate::error::Error;
use crate::tree::Tree;

/// A file of a tree with what it defines.
#[derive(Debug)]
pub(crate) struct File {
    /// Its path in the tree.
    pub(crate) path: &'static str,
    pub(crate) text: String,
    pub(crate) definitions: Vec<Definition>,
}

impl File {
    /// Reads a file of `tree`; none where the tree does not have it.
    pub(crate) fn open(tree: &Tree, path: &'static str) -> Result<Option<Self>, Error> {
        let text = tree.read(path)?;
        Ok(text.map(|text| Self { path, definitions: definitions(&text), text }))
    }
}

/// Definitions on their way into a translation unit.
#[derive(Debug)]
pub(crate) struct Cut<'f> {
    files: &'f [File],
    /// Names that something else provides: they are not looked for.
    provided: BTreeSet<String>,
    /// What is taken, by the place of its file and its own.
    taken: BTreeSet<(usize, usize)>,
}

impl<'f> Cut<'f> {
    /// Nothing of `files` yet; `shims` are the texts that provide names of their own.
    pub(crate) fn new(files: &'f [File], shims: &[&str]) -> Self {
        let names = shims.iter().flat_map(|shim| definitions(shim)).flat_map(|found| found.names);
        Self { files, provided: names.collect(), taken: BTreeSet::new() }
    }

    /// Something else provides `name`.
    pub(crate) fn provide(&mut self, name: &str) {
        self.provided.insert(name.to_owned());
    }

    /// The definitions of `name`, with their places.
    pub(crate) fn find(&self, name: &str) -> impl Iterator<Item = (usize, usize, &'f Definition)> {
        let files = self.files;
        files.iter().enumerate().flat_map(move |(at, file)| {
            let each = file.definitions.iter().enumerate();
            let named: Vec<_> = each
                .filter(|(_, found)| found.names.iter().any(|known| known == name))
                .map(|(nth, found)| (at, nth, found))
                .collect();
            named
        })
    }

    /// Takes all definitions of `name` and what they use. Returns whether there is one.
    pub(crate) fn take(&mut self, name: &str) -> bool {
        let found: Vec<_> = self.find(name).collect();
        for &(at, nth, definition) in &found {
            if self.taken.insert((at, nth)) {
                for used in &definition.uses {
                    if !self.provided.contains(used) {
                        self.take(used);
                    }
                }
            }
        }
        !found.is_empty()
    }

    /// Takes a definition that a feature cannot do without.
    ///
    /// # Errors
    /// None of the files has it; the error names them and the feature.
    pub(crate) fn need(&mut self, tree: &Tree, name: &str, feature: &str) -> Result<(), Error> {
        if self.take(name) {
            return Ok(());
        }
        let paths: Vec<_> = self.files.iter().map(|file| file.path).collect();
        let why = format!("no definition of {name} in {}; {feature} needs it", paths.join(", "));
        Err(Error::about(tree.name(), why))
    }

    /// The names of what was taken.
    pub(crate) fn taken(&self) -> BTreeSet<String> {
        let taken = self.taken.iter().map(|(at, nth)| &self.files[*at].definitions[*nth]);
        taken.flat_map(|found| found.names.iter().cloned()).collect()
    }

    /// The definitions as C. Files come in the order in which they were named.
    pub(crate) fn emit(&self) -> Emitted {
        let all = |kind, form| {
            let mut text = String::new();
            for (at, nth) in &self.taken {
                let (file, found) = (&self.files[*at], &self.files[*at].definitions[*nth]);
                if found.kind == kind {
                    emit(&mut text, file, found, form);
                }
            }
            text
        };
        Emitted {
            types: all(Kind::Macro, Form::Whole) + &all(Kind::Type, Form::Whole),
            variables: all(Kind::PerCpu, Form::Whole),
            functions: all(Kind::Function, Form::Prototype) + &all(Kind::Function, Form::Whole),
        }
    }
}

/// What was cut, as C.
#[derive(Clone, Debug)]
pub(crate) struct Emitted {
    /// Macros and types.
    pub(crate) types: String,
    /// Variables of each CPU.
    pub(crate) variables: String,
    /// Prototypes, then functions.
    pub(crate) functions: String,
}

/// How a definition is emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Whole,
    /// A function without its body, so that functions may use each other in any order.
    Prototype,
}

/// Emits one definition inside its conditions.
fn emit(text: &mut String, file: &File, found: &Definition, form: Form) {
    for line in &found.conditions {
        text.push_str(line);
        text.push('\n');
    }
    let line = file.text[..found.bytes.start].matches('\n').count() + 1;
    let end = match (form, found.kind) {
        (Form::Whole, Kind::Type) | (Form::Prototype, _) => ";",
        (Form::Whole, Kind::Function | Kind::Macro | Kind::PerCpu) => "",
    };
    let bytes = match form {
        Form::Whole => found.bytes.clone(),
        Form::Prototype => found.bytes.start..found.body,
    };
    let _ = writeln!(text, "#line {line} \"{}\"\n{}{end}", file.path, file.text[bytes].trim_end());
    text.push_str(&"#endif\n".repeat(found.depth));
}
