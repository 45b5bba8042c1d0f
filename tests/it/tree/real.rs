//! The C of real kernels beside the lab, where `LAZYMMU_TREES` names a folder of trees.

use std::path::PathBuf;

use super::{check_says, text};
use crate::cli::lazymmu;

/// The trees in the folder that LAZYMMU_TREES names; without it the test says so and passes.
fn real_trees(versions: &[&str]) -> Vec<PathBuf> {
    let Some(folder) = std::env::var_os("LAZYMMU_TREES").map(PathBuf::from) else {
        return Vec::new();
    };
    versions.iter().map(|version| folder.join(version)).filter(|tree| tree.is_dir()).collect()
}

#[test]
fn real_trees_are_the_designs_of_the_lab() {
    for tree in real_trees(&["7.2", "7.3"]) {
        let path = tree.to_str().expect("a name in UTF-8");
        for compare in ["hooks", "active", "effects"] {
            let args = [
                "prove",
                "--tree",
                path,
                "--against",
                "counts-task",
                "--irq",
                "--compare",
                compare,
            ];
            check_says(&args, 0, &["are equivalent", "holds for sequences of any length"]);
        }
        let test = tree.join("mm/tests/lazy_mmu_mode_kunit.c");
        let test = test.to_str().expect("a name in UTF-8");
        check_says(&["kunit", test, "--tree", path], 0, &["ok 1 lazy_mmu_mode_active"]);
    }
    for tree in real_trees(&["6.1", "6.12"]) {
        let path = tree.to_str().expect("a name in UTF-8");
        let output = lazymmu(&["run", "@nested", "--tree", path], b"");
        assert!(text(&output.stderr).contains("its design is direct"));
        assert_eq!(output.stdout, lazymmu(&["run", "@nested", "--design", "direct"], b"").stdout);
    }
}

/// Every scenario, and what a search finds, on the real code.
#[test]
fn real_trees_are_the_architectures_of_the_lab() {
    for tree in real_trees(&["7.2", "7.3"]) {
        let version = tree.file_name().expect("a name").to_string_lossy().into_owned();
        let kernel = format!("v{version}");
        let path = tree.to_str().expect("a name in UTF-8");
        for scenario in crate::support::files("scenarios", ".scn") {
            let file = scenario.to_str().expect("a name in UTF-8");
            let args = ["run", file, "--arch", "sparc64", "--kernel", &kernel];
            let own = lazymmu(&args, b"");
            let real = lazymmu(&[&args[..], &["--tree", path]].concat(), b"");
            // A claim is made of a kernel with its own design.
            let lines = |output: &std::process::Output| {
                let text = text(&output.stdout);
                text.lines()
                    .filter(|line| !line.starts_with('#'))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            assert_eq!(lines(&real), lines(&own), "{file} on {version}");
        }
        let args = ["check", "--arch", "sparc64", "--kernel", &kernel];
        let states = |output: std::process::Output| {
            let text = text(&output.stdout);
            text.lines()
                .filter(|line| line.starts_with("  "))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let real = states(lazymmu(&[&args[..], &["--tree", path]].concat(), b""));
        assert_eq!(real, states(lazymmu(&args, b"")), "{version}");
    }
}

/// The kernel's file fails under the designs under which the scenario of the book does.
#[test]
fn real_trees_have_the_kunit_test_of_the_book() {
    use lazy_mmu::design::Design;

    let book = crate::support::read(&crate::support::root().join("docs/designs.md"));
    for tree in real_trees(&["7.2", "7.3"]) {
        let test = tree.join("mm/tests/lazy_mmu_mode_kunit.c");
        let test = test.to_str().expect("a name in UTF-8");
        for design in Design::LAB {
            let status = lazymmu(&["kunit", test, "--design", design.id()], b"").status.code();
            let holds = book.contains(&format!("| `{}` | holds |", design.id()));
            assert_eq!(status, Some(i32::from(!holds)), "{design}");
        }
    }
}
