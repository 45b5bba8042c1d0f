//! Which file may import which: rooms, their layers, and no circles.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::imports::Imports;
use super::{archs, check_none, source, sources};
use crate::support::{files, read, relative};

/// What the files of a room may import from their own crate: files and folders beside its lib.rs or
/// main.rs. A room is a file or a folder, and a file is in the room with the longest name that
/// fits. The edges between crates are Cargo's.
///
/// A folder of emu-arch that implements `Backend` needs no row: it is an architecture, and has
/// [`ARCH`].
const ROOMS: &[(&str, &[&str])] = &[
    ("lazy-mmu/src/registry.rs", &[]),
    ("lazy-mmu/src/design/", &["design/", "preempt.rs", "registry.rs"]),
    ("lazy-mmu/src/preempt.rs", &[]),
    ("lazy-mmu/src/ptes.rs", &[]),
    ("lazy-mmu/src/trace/", &["trace/", "design/", "preempt.rs"]),
    ("lazy-mmu/src/arch.rs", &["design/", "trace/", "preempt.rs", "ptes.rs"]),
    ("lazy-mmu/src/call.rs", &["arch.rs", "design/", "ptes.rs", "trace/"]),
    ("lazy-mmu/src/sched/", &["sched/", "design/", "preempt.rs", "ptes.rs", "trace/", "arch.rs"]),
    ("lazy-mmu/src/", ANY),
    ("lazy-mmu-macros/src/", ANY),
    ("emu-arch/src/hw/", &["hw/"]),
    ("emu-arch/src/id.rs", &[]),
    ("emu-arch/src/era.rs", &["id.rs"]),
    ("emu-arch/src/backend/", &["backend/", "hw/", "era.rs"]),
    ("emu-arch/src/hazard/", &["hazard/", "backend/", "hw/", "id.rs"]),
    ("emu-arch/src/tracker/", &["tracker/", "hazard/", "backend/", "hw/"]),
    ("emu-arch/src/kernel/", &["kernel/", "tracker/", "hazard/", "backend/", "hw/", "id.rs"]),
    (
        "emu-arch/src/machine/",
        &["machine/", "kernel/", "tracker/", "hazard/", "backend/", "hw/", "era.rs"],
    ),
    ("emu-arch/src/machine/mod.rs", ANY),
    (
        "emu-arch/src/machine/mm.rs",
        &["machine/", "pgtable.rs", "kernel/", "backend/", "hw/", "era.rs"],
    ),
    ("emu-arch/src/machine/upper.rs", &["machine/", "pgtable.rs", "kernel/", "backend/", "hw/"]),
    ("emu-arch/src/replay/", &["replay/", "kernel/", "tracker/", "hazard/", "backend/", "hw/"]),
    ("emu-arch/src/replay/boot.rs", &["replay/", "arch.rs", "kernel/", "backend/", "hw/"]),
    (
        "emu-arch/src/conformance/",
        &[
            "conformance/",
            "replay/",
            "kernel/",
            "hazard/",
            "backend/",
            "hw/",
            "era.rs",
            "naive.rs",
            "arch.rs",
        ],
    ),
    ("emu-arch/src/pgtable.rs", &["machine/", "kernel/", "backend/", "hw/"]),
    ("emu-arch/src/arch.rs", ANY),
    ("emu-arch/src/snapshot.rs", &["machine/", "arch.rs"]),
    ("emu-arch/src/lib.rs", ANY),
    ("emu-input/src/", ANY),
    ("emu-mm/src/mm/", &["mm/"]),
    ("emu-mm/src/fs/", &["fs/", "mm/"]),
    ("emu-mm/src/arch/", &["arch/", "mm/"]),
    ("emu-mm/src/sites/", &["sites/", "fs/", "arch/", "mm/"]),
    ("emu-mm/src/proc/", &["proc/", "mm/"]),
    ("emu-mm/src/workload/", &["workload/", "proc/", "fs/", "arch/", "mm/"]),
    ("emu-mm/src/lib.rs", ANY),
    ("emu-replay/src/strace/", &["strace/"]),
    ("emu-replay/src/space/", &["space/", "strace/"]),
    ("emu-replay/src/pages.rs", &["space/"]),
    ("emu-replay/src/job.rs", &["pages.rs", "space/", "strace/"]),
    ("emu-replay/src/life/", &["life/", "job.rs", "pages.rs", "space/", "strace/"]),
    ("emu-replay/src/run/", &["run/", "job.rs", "space/"]),
    ("emu-replay/src/lib.rs", ANY),
    ("emu-lab/src/scenario/", &["scenario/"]),
    ("emu-lab/src/render/", &["render/", "scenario/"]),
    ("emu-lab/src/compare/", &["compare/", "scenario/", "render/"]),
    ("emu-lab/src/threads.rs", &[]),
    ("emu-lab/src/lib.rs", ANY),
    ("emu-check/src/explore/", &["explore/"]),
    ("emu-check/src/language.rs", &[]),
    ("emu-check/src/prove/", &["prove/", "explore/", "language.rs"]),
    ("emu-check/src/least/", &["least/", "language.rs"]),
    ("emu-check/src/check/", &["check/", "explore/", "language.rs"]),
    ("emu-check/src/lib.rs", ANY),
    ("emu-conform/src/trace/", &["trace/"]),
    ("emu-conform/src/moves.rs", &["trace/"]),
    ("emu-conform/src/runs.rs", &["moves.rs", "trace/"]),
    ("emu-conform/src/sites.rs", &["moves.rs", "runs.rs", "trace/"]),
    ("emu-conform/src/spaces.rs", &["moves.rs", "trace/"]),
    ("emu-conform/src/pairs.rs", &["moves.rs", "trace/"]),
    ("emu-conform/src/machine.rs", &["moves.rs", "trace/"]),
    ("emu-conform/src/probes/", &["probes/"]),
    ("emu-conform/src/probes/script.rs", &["probes/", "words/"]),
    (
        "emu-conform/src/words/",
        &[
            "words/",
            "moves.rs",
            "pairs.rs",
            "probes/",
            "runs.rs",
            "sites.rs",
            "spaces.rs",
            "trace/",
        ],
    ),
    ("emu-conform/src/compare.rs", &["words/", "machine.rs", "moves.rs", "trace/"]),
    ("emu-conform/src/candidates.rs", &["words/", "compare.rs", "trace/"]),
    ("emu-conform/src/report/", &["report/", "compare.rs", "moves.rs"]),
    ("emu-conform/src/lib.rs", ANY),
    ("emu-tree/src/error.rs", &[]),
    ("emu-tree/src/shims.rs", &[]),
    ("emu-tree/src/failure.rs", &["error.rs"]),
    ("emu-tree/src/tree.rs", &["error.rs"]),
    ("emu-tree/src/cut/", &["cut/", "tree.rs", "error.rs"]),
    ("emu-tree/src/guest/", &["guest/", "tree.rs", "error.rs", "shims.rs"]),
    (
        "emu-tree/src/arch/",
        &["arch/", "cut/", "guest/", "tree.rs", "error.rs", "failure.rs", "shims.rs"],
    ),
    (
        "emu-tree/src/design/",
        &["design/", "cut/", "guest/", "tree.rs", "error.rs", "failure.rs", "shims.rs"],
    ),
    ("emu-tree/src/kunit/", &["kunit/", "guest/", "error.rs", "shims.rs"]),
    ("emu-tree/src/review/", &["review/", "design/", "cut/", "tree.rs", "error.rs", "failure.rs"]),
    ("emu-tree/src/lib.rs", ANY),
    ("emu-view/src/view/", &["view/"]),
    ("emu-view/src/function_graph/", &["function_graph/", "view/"]),
    ("emu-view/src/ktap/", &["ktap/"]),
    ("emu-view/src/diagram/", &["diagram/", "view/"]),
    ("emu-view/src/perfetto/", &["perfetto/", "view/"]),
    ("emu-view/src/html/", &["html/", "view/"]),
    ("emu-view/src/terminal.rs", &[]),
    ("emu-view/src/lib.rs", ANY),
    ("cli/", ANY),
    ("docs/gen/", ANY),
    ("examples/", ANY),
    ("benches/", ANY),
    ("tests/", ANY),
];

/// What an architecture may import beside itself: no other architecture, no machine.
const ARCH: &[&str] = &["backend/", "hw/", "era.rs"];

/// Any file of the crate.
const ANY: &[&str] = &[""];

/// Files that belong to no crate, and why.
const APART: &[(&str, &str)] = &[("tests/ui/cases/", "each is a program that must not compile")];

/// The room of `file` and what it may import; none where no row has it.
fn room(file: &str) -> Option<(&str, Vec<String>)> {
    if let Some((arch, _)) = archs().iter().find(|(arch, _)| file.starts_with(arch.as_str())) {
        let own = arch.trim_start_matches("emu-arch/src/");
        return Some((arch, ARCH.iter().chain([&own]).map(|may| may.to_string()).collect()));
    }
    let rows = ROOMS.iter().filter(|(room, _)| file.starts_with(room));
    let (room, may) = rows.max_by_key(|(room, _)| room.len())?;
    Some((room, may.iter().map(|may| may.to_string()).collect()))
}

/// The first file of every crate of the repository: of its library, its programs, its tests, its
/// benches.
pub(super) fn crates() -> Vec<String> {
    let mut roots = BTreeSet::new();
    for manifest in files("", "Cargo.toml") {
        let folder = manifest.parent().expect("a manifest lies in a folder");
        let text = read(&manifest);
        let named = text.lines().filter_map(|line| line.strip_prefix("path = \""));
        let named = named.map(|path| path.trim_end_matches('"').to_owned());
        let named: Vec<String> =
            named.chain(["src/lib.rs", "src/main.rs"].map(str::to_owned)).collect();
        roots.extend(named.iter().map(|path| folder.join(path)).filter(|path| path.is_file()));
        for folder in ["benches", "examples", "tests"].map(|name| folder.join(name)) {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
            roots.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "rs")));
        }
    }
    roots.iter().map(|path| relative(path)).collect()
}

/// The imports of every crate, by the crate's first file.
fn all() -> &'static BTreeMap<String, Imports> {
    static ALL: OnceLock<BTreeMap<String, Imports>> = OnceLock::new();
    ALL.get_or_init(|| {
        let read = |file: &str| source(file).map(str::to_owned);
        crates().into_iter().map(|root| (root.clone(), Imports::of(&root, &read))).collect()
    })
}

#[test]
fn every_room_is_known_and_imports_what_it_may() {
    let mut broken = Vec::new();
    for (root, imports) in all() {
        let base = root.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (file, edges) in &imports.files {
            let Some((room, may)) = room(file) else {
                broken.push(format!(
                    "{file}: no row of ROOMS (tests/it/tidy/layers.rs) has it: add one that says \
                     what the files of its folder may import from their crate"
                ));
                continue;
            };
            let may: Vec<String> = may.iter().map(|may| format!("{base}/{may}")).collect();
            for (target, (line, path)) in edges {
                let ok =
                    may.iter().any(|may| target.starts_with(may)) || may == [format!("{base}/")];
                if !ok {
                    let path = path.join("::");
                    broken.push(format!("{file}:{line}: {room} may not import {target} ({path})"));
                }
            }
        }
    }
    let unused = |(room, _): &&(&str, _)| !sources().iter().any(|(file, _)| file.starts_with(room));
    let unused = ROOMS.iter().filter(unused);
    broken.extend(unused.map(|(room, _)| format!("ROOMS: no file lies in {room}")));
    check_none(&broken);
}

#[test]
fn every_file_belongs_to_a_crate() {
    let reached: BTreeSet<&String> =
        all().values().flat_map(|imports| imports.files.keys()).collect();
    let apart = |file: &str| APART.iter().any(|(folder, _)| file.starts_with(folder));
    let lost = sources().iter().filter(|(file, _)| !reached.contains(file) && !apart(file));
    let lost = lost.map(|(file, _)| format!("{file}: no `mod` of any crate leads here"));
    check_none(&lost.collect::<Vec<_>>());
}

#[test]
fn no_files_import_one_another() {
    let mut broken = Vec::new();
    for imports in all().values() {
        for circle in imports.circles() {
            broken.push(format!(
                "{} files import one another; put what they share into a file of its own:",
                circle.len()
            ));
            broken.extend(imports.shortest(&circle));
        }
    }
    check_none(&broken);
}

/// The imports of a crate made of `files`, the first of which is its root.
fn made_up(files: &[(&str, &str)]) -> Imports {
    let read = |name: &str| files.iter().find(|(file, _)| *file == name).map(|(_, t)| (*t).into());
    Imports::of(files[0].0, &read)
}

#[test]
fn a_circle_is_found_through_re_exports_globs_and_paths() {
    let imports = made_up(&[
        ("x/lib.rs", "mod a; mod b; mod c; pub use a::A; pub mod prelude { pub use crate::b::*; }"),
        ("x/a.rs", "use crate::prelude::B; pub struct A(B);"),
        ("x/b/mod.rs", "mod inner; pub struct B; fn f() { inner::g() }"),
        ("x/b/inner.rs", "pub fn g() { crate::c::h::<u8>() }"),
        ("x/c.rs", "pub fn h<T>() { let _: Vec<super::A> = Vec::new(); }"),
    ]);
    let circles = imports.circles();
    assert_eq!(circles, [BTreeSet::from(["x/a.rs", "x/b/inner.rs", "x/b/mod.rs", "x/c.rs"])]);
    let steps = imports.shortest(&circles[0]);
    assert_eq!(steps.len(), 4);
    assert!(steps.contains(&"    x/c.rs:1: imports x/a.rs (super::A)".to_owned()), "{steps:?}");
}

#[test]
fn declarations_re_exports_and_tests_are_no_imports() {
    let imports = made_up(&[
        ("x/lib.rs", "mod a; pub use a::A; pub struct Shared;"),
        (
            "x/a.rs",
            "use crate::Shared; pub struct A(Shared); #[cfg(test)] mod tests { use super::*; }",
        ),
    ]);
    assert_eq!(imports.files["x/lib.rs"].len(), 0);
    assert!(imports.files["x/a.rs"].contains_key("x/lib.rs"));
    assert!(imports.circles().is_empty());
    let used = made_up(&[
        ("x/lib.rs", "mod a; pub use a::A; pub struct Shared; fn f(_: A) {}"),
        ("x/a.rs", "use crate::Shared; pub struct A(Shared);"),
    ]);
    assert_eq!(used.circles().len(), 1, "the root uses what it re-exports");
}
