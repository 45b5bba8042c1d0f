//! The graph of imports between the files of a crate, and the circles in it.
//!
//! A file imports another when it names an item of it: in a `use`, or by a path in its code.
//! Re-exports are followed to the file that defines the item, so `crate::Arch` is an import of
//! `arch.rs` and not of `lib.rs`. A `mod x;` is no import, and neither is a `pub use` of a name
//! that the file does not use itself. So a `mod.rs` may import its children, or its children may
//! import it, but not both.

use std::collections::{BTreeMap, BTreeSet};

use super::module::{Module, Use};

/// How many re-exports are followed to find an item.
const DEPTH_MAX: usize = 16;

/// A path that a file names, and its line.
pub(super) type Reason = (usize, Vec<String>);

/// The files of a crate and what each imports.
pub(super) struct Imports {
    modules: BTreeMap<Vec<String>, Module>,
    /// The files, and for each file that they import the first reason.
    pub(super) files: BTreeMap<String, BTreeMap<String, Reason>>,
}

impl Imports {
    /// Reads the crate with the file `root` and everything that it declares; `read` has the texts.
    pub(super) fn of(root: &str, read: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut modules = BTreeMap::new();
        let mut wanted = vec![(Vec::new(), vec![root.to_owned()])];
        while let Some((path, candidates)) = wanted.pop() {
            let found = candidates.iter().find_map(|file| Some((file, read(file)?)));
            let Some((file, text)) = found else { panic!("none of {candidates:?} exists") };
            for module in Module::all_in(file, &text, &path) {
                for (child, at) in &module.declared {
                    let path = [&module.path[..], std::slice::from_ref(child)].concat();
                    wanted.push((path, module.files_of(child, at.as_deref(), root)));
                }
                modules.insert(module.path.clone(), module);
            }
        }
        let mut imports = Self { modules, files: BTreeMap::new() };
        imports.files = imports.edges();
        imports
    }

    fn edges(&self) -> BTreeMap<String, BTreeMap<String, Reason>> {
        let mut files: BTreeMap<String, BTreeMap<String, Reason>> = BTreeMap::new();
        for module in self.modules.values() {
            let edges = files.entry(module.file.clone()).or_default();
            for (line, path) in module.named() {
                let Some(target) = self.resolve(module, &path, 0) else { continue };
                if target.file != module.file {
                    edges.entry(target.file.clone()).or_insert((line, path));
                }
            }
        }
        files
    }

    /// The module that defines what `path` in `from` names; none for an item of another crate, a
    /// local name, or a module.
    fn resolve(&self, from: &Module, path: &[String], depth: usize) -> Option<&Module> {
        let (mut at, rest) = self.start(from, path)?;
        let mut rest = rest;
        while let [name, further @ ..] = rest {
            let inner = [&at[..], std::slice::from_ref(name)].concat();
            let module = &self.modules[&at];
            if self.modules.contains_key(&inner) {
                (at, rest) = (inner, further);
            } else if let Some(found) = module.uses.iter().find(|used| used.binds == *name) {
                let path = [&found.path[..], further].concat();
                let again = (depth < DEPTH_MAX).then(|| self.resolve(module, &path, depth + 1));
                return again.flatten();
            } else {
                let found = self.behind_globs(module, rest, depth);
                return found.or_else(|| self.exported(module, name)).or(Some(module));
            }
        }
        None
    }

    /// The module that `path` in `from` begins in, and the rest of the path.
    fn start<'p>(&self, from: &Module, path: &'p [String]) -> Option<(Vec<String>, &'p [String])> {
        let mut at = from.path.clone();
        match path.first()?.as_str() {
            "crate" => return Some((Vec::new(), &path[1..])),
            "self" => return Some((at, &path[1..])),
            "super" => {}
            name => {
                let known = from.uses.iter().any(|used| used.binds == name)
                    || self.modules.contains_key(&[&at[..], &[name.to_owned()]].concat());
                return known.then_some((at, path));
            }
        }
        let ups = path.iter().take_while(|part| *part == "super").count();
        at.truncate(at.len().checked_sub(ups)?);
        Some((at, &path[ups..]))
    }

    /// The module of the macro `name`, where `module` is the root of the crate and has no such
    /// item.
    fn exported(&self, module: &Module, name: &str) -> Option<&Module> {
        let of = |found: &&Module| found.macros.contains(name);
        let elsewhere = module.path.is_empty() && !module.defines.contains(name);
        self.modules.values().find(of).filter(|_| elsewhere)
    }

    /// The module behind a `use x::*` of `module` that has the first name of `rest`.
    fn behind_globs(&self, module: &Module, rest: &[String], depth: usize) -> Option<&Module> {
        if depth >= DEPTH_MAX || module.defines.contains(&rest[0]) {
            return None;
        }
        let globs = module.uses.iter().filter(|used| used.binds == "*");
        globs.filter(|glob| glob.public).find_map(|glob| {
            let path = [&glob.path[..], rest].concat();
            let found = self.resolve(module, &path, depth + 1)?;
            found.defines.contains(&rest[0]).then_some(found)
        })
    }

    /// The circles: every set of files of which each imports all others, over some of them.
    pub(super) fn circles(&self) -> Vec<BTreeSet<&str>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.files.keys().map(|file| (file.as_str(), self.reached(file))).collect();
        let mut circles = BTreeSet::new();
        for (file, far) in &reached {
            if far.contains(file) {
                circles.insert(far.iter().copied().filter(|o| reached[o].contains(file)).collect());
            }
        }
        circles.into_iter().collect()
    }

    /// The files that `file` imports, and those that they import, and so on.
    fn reached(&self, file: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![file];
        while let Some(file) = open.pop() {
            for next in self.files[file].keys() {
                if reached.insert(next.as_str()) {
                    open.push(next);
                }
            }
        }
        reached
    }

    /// The shortest circle among `files`, as lines that say where each import is.
    pub(super) fn shortest(&self, files: &BTreeSet<&str>) -> Vec<String> {
        let paths = files.iter().filter_map(|file| self.path_back(file, files));
        let Some(path) = paths.min_by_key(Vec::len) else { return Vec::new() };
        let steps = path.iter().zip(path.iter().cycle().skip(1));
        let line = |(from, to): (&&str, &&str)| {
            let (line, path) = &self.files[*from][*to];
            format!("    {from}:{line}: imports {to} ({})", path.join("::"))
        };
        steps.map(line).collect()
    }

    /// The shortest path from `file` back to it within `files`.
    fn path_back<'f>(&'f self, file: &'f str, files: &BTreeSet<&str>) -> Option<Vec<&'f str>> {
        let mut paths = std::collections::VecDeque::from([vec![file]]);
        let mut seen = BTreeSet::new();
        while let Some(path) = paths.pop_front() {
            let last = *path.last()?;
            for next in self.files[last].keys() {
                if next == file {
                    return Some(path);
                }
                if files.contains(next.as_str()) && seen.insert(next) {
                    paths.push_back([&path[..], &[next]].concat());
                }
            }
        }
        None
    }
}

impl Module {
    /// What the module imports: the paths in its code, and its uses but for mere re-exports.
    fn named(&self) -> impl Iterator<Item = Reason> {
        let needed = |used: &&Use| !used.public || self.words.contains(&used.binds);
        let uses = self.uses.iter().filter(needed).map(|used| match used.binds.as_str() {
            "*" => (used.line, [&used.path[..], &["*".to_owned()]].concat()),
            _ => (used.line, used.path.clone()),
        });
        uses.chain(self.paths.iter().cloned())
    }
}
