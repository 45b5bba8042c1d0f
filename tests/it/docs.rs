//! The computed documents in docs/ are what the project computes today.

use emu_check::explore::nobody;
use emu_lab::scenario;
use lazymmu_docs::{designs, equivalence, fidelity, findings, mm};

use crate::support::{check_file, read, root};

#[track_caller]
fn check_document(name: &str, computed: &str) {
    check_file(&root().join("docs").join(name), computed, "cargo run --release -p lazymmu-docs");
}

#[test]
fn designs_are_up_to_date() {
    let kunit = scenario::find_builtin("kunit").expect("they are scenarios");
    let kunit = kunit.expect("the KUnit test");
    check_document("designs.md", &designs::markdown(kunit));
}

#[test]
fn equivalence_is_up_to_date() {
    check_document("equivalence.md", &equivalence::markdown());
}

#[test]
fn findings_are_up_to_date() {
    let computed = findings::markdown(&mut nobody());
    check_document("findings.md", &computed);
    assert!(!computed.contains("not found"), "a bug of the corpus is not found");
}

#[test]
fn call_sites_are_up_to_date() {
    check_document("mm.md", &mm::markdown());
}

#[test]
fn fidelity_is_up_to_date() {
    let kept = read(&root().join("docs/fidelity.md"));
    check_document("fidelity.md", &fidelity::renew(&kept, root()).expect("sources"));
}

#[test]
fn every_fidelity_tag_is_in_one_table() {
    let document = read(&root().join("docs/fidelity.md"));
    for (name, _) in fidelity::listed(root()).expect("sources") {
        let parts = fidelity::parts(&document);
        let tables = parts.filter(|folder| name.starts_with(*folder)).count();
        assert_eq!(tables, 1, "tables of docs/fidelity.md with the tags of {name}");
    }
}
