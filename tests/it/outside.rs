//! A crate that is no part of the workspace has an architecture and a design of its own, and every
//! right.

use std::path::PathBuf;

use crate::support::own_crate::{cargo, own_crate};
use crate::support::{files, read, relative, root};

/// Its sources.
const FOLDER: &str = "tests/fixtures/outside";

/// A copy of the crate below the target folder.
fn copy() -> PathBuf {
    let name = |path: &PathBuf| relative(path)[FOLDER.len() + 1..].to_owned();
    let sources = [files(FOLDER, ".rs"), files(FOLDER, ".toml")].concat();
    let sources: Vec<_> = sources.iter().map(|path| (name(path), read(path))).collect();
    let sources: Vec<_> = sources.iter().map(|(name, text)| (&**name, text.clone())).collect();
    own_crate("outside/crate", "../../..", &sources)
}

#[test]
fn it_has_path_dependencies_only() {
    let manifest = read(&root().join(FOLDER).join("Cargo.toml"));
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]");
    let named: Vec<_> = lines.filter(|line| line.contains(" = ")).collect();
    assert!(named.len() > 6 && named.iter().all(|line| line.contains("path = \"../../..")));
    let workspace = read(&root().join("Cargo.toml"));
    assert!(workspace.contains(&format!("exclude = [\"benches/oracle\", \"{FOLDER}\"]")));
}

#[test]
fn it_runs_compares_checks_proves_and_pins() {
    let folder = copy();
    let output = cargo(&folder, &["test", "--test", "all"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let passed = text.lines().filter(|line| line.ends_with(" ... ok")).count();
    assert_eq!(passed, read(&folder.join("tests/all.rs")).matches("#[test]").count(), "{text}");

    // The whole command, with both.
    let scenario = "bad: loongarch v7.1 with-sync\n---\nenable\nsync\ndisable\nexpect active\n";
    let file = folder.join("own.scn");
    std::fs::write(&file, scenario).expect("the folder can be written");
    let output = cargo(&folder, &["run", "--quiet", "--", "run", "own.scn"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("lazy_mmu_mode_sync()"), "{output:?}");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("own.scn:6: expected active, found inactive"), "{said}");
}
