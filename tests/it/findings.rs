//! docs/findings.md is what the checker finds today.

use emu_check::check::findings;

use crate::support::{read, root};

#[test]
fn the_findings_are_what_the_checker_finds() {
    let path = root().join("docs/findings.md");
    let now = findings::markdown(&mut emu_check::check::nobody());
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(&path, &now).expect("docs/ can be written");
    }
    let same = now == read(&path);
    assert!(same, "write it again: lazymmu check --all --format markdown > docs/findings.md");
    assert!(!now.contains("not found"), "a bug of the corpus is not found");
}
