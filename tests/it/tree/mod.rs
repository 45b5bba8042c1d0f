//! `--tree` and `kunit`: the C of a kernel tree as a design. Ordinary tests use a small tree of our
//! own and need `cc` alone; those of real trees run where `LAZYMMU_TREES` names a folder of them.

mod arch;
mod real;
mod review;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cli::lazymmu;
use crate::support::root;

const TREE: &str = "tests/fixtures/tree";
const KUNIT: &str = "tests/fixtures/tree/mm/tests/toy_kunit.c";

/// A copy of the tree in which `edits` of a header are made.
struct Edited(tempfile::TempDir);

impl Edited {
    #[track_caller]
    fn new(file: &str, edits: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("tree").tempdir().expect("a folder");
        copy(&root().join(TREE), folder.path());
        let place = folder.path().join("include/linux").join(file);
        let mut text = fs::read_to_string(&place).expect("a header");
        for (old, new) in edits {
            assert!(text.contains(old), "{old:?} is not in {file}");
            text = text.replace(old, new);
        }
        fs::write(&place, text).expect("a header");
        Self(folder)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().expect("a name in UTF-8")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// Checks the status of a command and that standard output has each of `expected`.
#[track_caller]
fn check_says(args: &[&str], status: i32, expected: &[&str]) {
    let output = lazymmu(args, b"");
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{said}{errors}");
    for text in expected {
        assert!(said.contains(text), "{text:?} is not in:\n{said}");
    }
}

/// Checks that a command is refused with one error that has each of `expected`.
#[track_caller]
fn check_refused(command: &mut Command, expected: &[&str]) {
    let output = command.current_dir(root()).output().expect("the command runs");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(text(&output.stdout), "");
    assert_eq!(said.matches("error:").count(), 1, "one error, not more:\n{said}");
    for text in expected {
        assert!(said.contains(text), "{text:?} is not in:\n{said}");
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lazymmu"));
    command.args(args);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Checks what `prove` says of the tree with edits against the design `counts`.
#[track_caller]
fn check_edit(edits: &[(&str, &str)], status: i32, expected: &[&str]) {
    let tree = Edited::new("pgtable.h", edits);
    let args = ["prove", "--tree", tree.path(), "--against", "counts", "--compare", "effects"];
    check_says(&args, status, expected);
}

#[test]
fn the_tree_is_the_design_that_it_is_written_as() {
    for compare in ["hooks", "active", "effects"] {
        let args = ["prove", "--tree", TREE, "--against", "counts", "--compare", compare, "--irq"];
        check_says(
            &args,
            0,
            &["tree and counts are equivalent", "holds for sequences of any length"],
        );
    }
}

#[test]
fn a_scenario_shows_the_fields_by_their_names() {
    let output = lazymmu(&["run", "@nested", "--tree", TREE], b"");
    let counts = lazymmu(&["run", "@nested", "--design", "counts"], b"");
    let renamed = text(&counts.stdout).replace("enable=", "open=").replace("pause=", "hold=");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&text(&output.stdout)), words(&renamed));
    let json = text(&lazymmu(&["run", "@nested", "--tree", TREE, "--format", "json"], b"").stdout);
    assert!(json.contains("\"open_count\":1"), "{json}");
}

#[test]
fn edits_are_found_or_change_nothing() {
    let swapped = [
        ("	toy->open_count += 1;\n", ""),
        (
            "	if (toy->open_count == TOY_FIRST)\n		arch_enter_lazy_mmu_mode();",
            "	if (toy->open_count == 0)\n		arch_enter_lazy_mmu_mode();\n	toy->open_count += 1;",
        ),
    ];
    check_edit(&swapped, 1, &["shortest sequence: 1 call", "while inactive"]);
    let no_flush = [("arch_flush_lazy_mmu_mode()", "barrier()")];
    check_edit(&no_flush, 1, &["lazy_mmu_mode_disable()", "arch_flush()"]);
    let guard = [(
        "toy->open_count == 0);\n	toy->open_count -= 1;",
        "toy->open_count == 1);\n	toy->open_count -= 1;",
    )];
    check_edit(&guard, 1, &["shortest sequence: 2 calls", "toy->open_count == 1)", "the warnings"]);
    let renamed = [
        ("toy->", "state->"),
        ("*toy", "*state"),
        ("(toy)", "(state)"),
        ("/*\n * Calls", "/* More.\n * Calls"),
    ];
    check_edit(&renamed, 0, &["are equivalent"]);
}

/// An interrupt test that is dropped shows where interrupts make calls.
#[test]
fn a_dropped_interrupt_test_is_found() {
    let tree = Edited::new(
        "pgtable.h",
        &[("return in_interrupt() || toy->hold_count", "return toy->hold_count")],
    );
    let irq = ["prove", "--tree", tree.path(), "--against", "counts", "--irq"];
    check_says(&irq, 1, &["interrupt"]);
    check_says(&irq[..5], 0, &["are equivalent"]);
}

#[test]
fn a_third_field_and_a_call_of_its_own() {
    let tree = Edited::new(
        "pgtable.h",
        &[
            ("toy->open_count += 1;", "toy->open_count += 1;\n	toy->ever = true;"),
            (
                "#else\n",
                "static inline void lazy_mmu_mode_sync(void)\n{\n	\
          if (current->batching.open_count)\n		arch_sync_lazy_mmu_mode();\n}\n#else\n",
            ),
        ],
    );
    let types = tree.0.path().join("include/linux/mm_types_task.h");
    let text = fs::read_to_string(&types).expect("a header");
    fs::write(&types, text.replace("u8 hold_count;", "u8 hold_count;\n	bool ever;"))
        .expect("a header");
    let output = lazymmu(&["run", "-", "--tree", tree.path()], b"enable\n sync\ndisable\n");
    let said = self::text(&output.stdout);
    assert!(said.contains("lazy_mmu_mode_sync()            -> arch_sync()"), "{said}");
    assert!(said.contains("open=0 hold=0 ever=1"), "{said}");
}

/// The checks find in C what they find in Rust.
#[test]
fn check_runs_the_tree() {
    let args = |design: [&'static str; 2]| {
        let [option, value] = design;
        ["check", "--arch", "naive", "--client", "calls", "--tasks", "1", option, value]
    };
    let [tree, counts] = [["--tree", TREE], ["--design", "counts"]].map(|design| {
        let output = lazymmu(&args(design), b"");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let said = text(&output.stdout);
        let verdicts: Vec<_> =
            said.lines().filter(|line| line.contains("hold")).map(str::to_owned).collect();
        assert!(!verdicts.is_empty(), "{said}");
        verdicts
    });
    assert_eq!(tree, counts);
}

#[test]
fn kunit_is_ktap() {
    let output = lazymmu(&["kunit", KUNIT, "--tree", TREE], b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let ktap = "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: toy\n    # module: toy_kunit\n    \
                1..3\n    ok 1 toy_sections\n    ok 2 toy_interrupts\n    \
                ok 3 toy_skipped # SKIP needs 2 CPUs\n# toy: pass:2 fail:0 skip:1 total:3\n\
                # Totals: pass:2 fail:0 skip:1 total:3\nok 1 toy\n";
    assert_eq!(text(&output.stdout), ktap);
    let fails = "# toy_interrupts: tests/fixtures/tree/mm/tests/toy_kunit.c:24: expectation does not \
                 hold\n        is_lazy_mmu_mode_active() is true, not false\n";
    check_says(&["kunit", KUNIT, "--design", "sketch"], 1, &[fails, "not ok 2 toy_interrupts"]);
    check_says(&["kunit", KUNIT, "--arch", "xen-pv"], 0, &["pass:2 fail:0 skip:1 total:3"]);
}

#[test]
fn bad_trees_get_one_error() {
    let run = |tree: &str| command(&["run", "@nested", "--tree", tree]);
    let empty = tempfile::tempdir().expect("a folder");
    let empty = empty.path().to_str().expect("a name in UTF-8");
    check_refused(&mut run(empty), &["no kernel tree", "include/linux"]);
    check_refused(&mut run("no/such/folder"), &["no/such/folder: no such file or folder"]);
    check_refused(&mut run("Cargo.toml"), &["is a file, expected the folder of a kernel tree"]);
    let without = Edited::new("pgtable.h", &[("lazy_mmu", "other_mmu")]);
    check_refused(&mut run(without.path()), &["no lazy MMU mode", "lazy_mmu_mode_enable()"]);
    let no_state = Edited::new("mm_types_task.h", &[("struct lazy_mmu_state", "struct other")]);
    let expected = ["no definition of lazy_mmu_state in include/linux/mm_types_task.h", "needs it"];
    check_refused(&mut run(no_state.path()), &expected);
    let wide = Edited::new("mm_types_task.h", &[("u8 hold", "u64 hold")]);
    check_refused(&mut run(wide.path()), &["more than the 8 bytes"]);
    let broken = Edited::new("pgtable.h", &[("toy->hold_count -= 1;", "toy->hld_count -= 1;")]);
    let expected = ["does not compile", "include/linux/pgtable.h:61:", "hld_count"];
    check_refused(&mut run(broken.path()), &expected);
}

#[test]
fn no_compiler_and_no_cache() {
    let cache = tempfile::tempdir().expect("a folder");
    let nowhere = |name: &str| cache.path().join("none").join(name);
    let mut no_cc = command(&["run", "@nested", "--tree", TREE]);
    no_cc.env("CC", "/no/such/cc").env("XDG_CACHE_HOME", cache.path());
    check_refused(&mut no_cc, &["needs a C compiler: cannot run /no/such/cc", "CC names another"]);
    // A file stands where the folder should be: for root no folder is read-only.
    fs::write(cache.path().join("none"), "").expect("a file");
    let mut fallback = command(&["run", "@nested", "--tree", TREE]);
    let output = fallback.env("XDG_CACHE_HOME", nowhere("x")).current_dir(root()).output();
    let output = output.expect("the command runs");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("cannot be written"), "{}", text(&output.stderr));
    let mut none = command(&["run", "@nested", "--tree", TREE]);
    none.env("XDG_CACHE_HOME", nowhere("x")).env("TMPDIR", nowhere("tmp"));
    check_refused(&mut none, &["cannot write a compiled guest", "none"]);
}

#[test]
fn a_guest_that_goes_wrong_says_where() {
    let args = |tree: &Edited| command(&["prove", "--tree", tree.path(), "--against", "counts"]);
    let at = "toy->hold_count -= 1;";
    let crash = Edited::new("pgtable.h", &[(at, "toy->hold_count -= *(volatile int *)8;")]);
    let expected = [
        "lazy_mmu_mode_resume() crashes",
        "at include/linux/pgtable.h:61",
        "open_count=0 hold_count=0",
    ];
    check_refused(&mut args(&crash), &expected);
    let endless = Edited::new("pgtable.h", &[(at, "for (;;)\n		barrier();")]);
    check_refused(&mut args(&endless), &["lazy_mmu_mode_resume() does not end", "pgtable.h:6"]);
    let garbage = Edited::new("pgtable.h", &[(at, "lz_put(\"?\", 1);")]);
    check_refused(&mut args(&garbage), &["lazy_mmu_mode_resume() answers garbage"]);
    let killed = "extern int getpid(void), kill(int, int);\n	kill(getpid(), 9);";
    let killed = Edited::new("pgtable.h", &[(at, killed)]);
    check_refused(&mut args(&killed), &["lazy_mmu_mode_resume() was killed by signal 9"]);
}

/// A call that nobody makes may do what it wants.
#[test]
fn a_call_that_is_not_made_does_not_matter() {
    let at = "toy->hold_count -= 1;";
    let tree = Edited::new("pgtable.h", &[(at, "toy->hold_count -= *(volatile int *)8;")]);
    let output = lazymmu(&["run", "-", "--tree", tree.path()], b"enable\n pause\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}
