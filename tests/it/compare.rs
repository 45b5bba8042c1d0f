//! Designs side by side: a table for each scenario on nesting and on interrupts, and the command.

use emu_arch::{Arch, Kernel};
use emu_lab::compare::{check_size, compare, json, markdown, text};
use emu_lab::scenario::Setup;
use lazy_mmu::design::Design;

use crate::cli::{check_refused, lazymmu};
use crate::support::{check_snapshot, files, parse, read, scenario_name};

/// Every design in the default kernel.
fn all_designs(arch: Arch) -> Vec<Setup> {
    let setup = |design: &Design| Setup { design: *design, arch, ..Setup::default() };
    Design::LAB.iter().map(setup).collect()
}

#[test]
fn every_design_over_nesting_and_interrupts() {
    for folder in ["scenarios/nesting", "scenarios/irq", "scenarios/kunit"] {
        for path in files(folder, ".scn") {
            let scenario = parse(&read(&path));
            let text = text::plain(&compare(&scenario, &all_designs(Arch::NAIVE)));
            let name = scenario_name("scenarios", &path);
            check_snapshot!("compare", &name, &scenario.what, &text);
        }
    }
}

#[test]
fn plain_tables_fit_a_mail() {
    for path in files("scenarios", ".scn") {
        let scenario = parse(&read(&path));
        for arch in Arch::all() {
            for line in text::plain(&compare(&scenario, &all_designs(arch))).lines() {
                assert!(line.chars().count() <= text::WIDTH, "{path:?}: {line}");
                assert_eq!(line, line.trim_end(), "{path:?}");
            }
        }
    }
}

#[test]
fn other_formats_have_the_same_content() {
    let scenario = parse("what: a|b\n---\nenable\nset_pte_at 0xffff800008000000\ndisable\ndisable");
    let design = |id| Design::by_id(id).expect("a design of the lab");
    let setups = ["counts", "count-enabled"].map(|id| Setup {
        design: design(id),
        arch: Arch::ARM64,
        ..Setup::default()
    });
    let comparison = compare(&scenario, &setups);
    check_snapshot!("compare", "format-markdown", "", &markdown::render(&comparison));
    let value = json::render(&comparison);
    check_snapshot!("compare", "format-json", "", &value.replace("},{", "},\n{"));
}

#[test]
fn kernels_bring_their_own_designs() {
    let args = ["compare", "-", "--kernel", "v6.19,v7.0", "--arch", "arm64", "--format", "json"];
    let output = lazymmu(&args, b"enable\ndisable\n");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for kernel in [Kernel::V6_19, Kernel::V7_0] {
        let (design, kernel) = (kernel.design().id(), kernel.id());
        assert!(
            text.contains(&format!(r#""design":"{design}","existed":true,"kernel":"{kernel}""#))
        );
    }
    assert_eq!(text.matches("\"existed\"").count(), 2);
}

#[test]
fn what_never_existed_is_marked() {
    let args = ["compare", "-", "--design", "counts,independent,counts", "--kernel", "v6.19,v7.0"];
    let output = lazymmu(&args, b"enable\npause\nenable\nresume\n");
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout), @r"
    arch naive

    call         | + counts           | + independent      |   counts
                 |   v6.19            |   v6.19            |   v7.0
    -------------+--------------------+--------------------+-------------------
    enable       |   arch_enter()     |   arch_enter()     |   arch_enter()
      pause      |   arch_leave()     |   arch_leave()     |   arch_leave()
        enable   |   ø                |   ø                |   ø
        resume   |   arch_enter()     |   arch_enter()     |   arch_enter()
    -------------+--------------------+--------------------+-------------------
    arch_enter() |   2                |   2                |   2
    arch_leave() |   1                |   1                |   1
    at the end   |   enable=1 pause=0 |   enable=2 pause=0 |   enable=1 pause=0

    call         | + independent
                 |   v7.0
    -------------+-------------------
    enable       |   arch_enter()
      pause      |   arch_leave()
        enable   |   ø
        resume   |   arch_enter()
    -------------+-------------------
    arch_enter() |   2
    arch_leave() |   1
    at the end   |   enable=2 pause=0

    + this kernel never had this design
    ");
}

#[test]
fn a_kernel_without_the_architecture() {
    let refused = ["compare", "-", "--kernel", "v6.0", "--arch", "arm64"];
    check_refused(&refused, b"enable\n", &["arm64 has the mode since v6.16"]);
    let output = lazymmu(&["compare", "-", "--kernel", "v6.0", "--arch", "all"], b"enable\n");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("left out: v6.0 on arm64: "), "{text}");
}

#[test]
fn what_is_left_out_fits_a_mail_and_is_said_once() {
    let all = ["compare", "-", "--kernel", "all", "--arch", "all", "--format"];
    let run = |format| lazymmu(&[&all[..], &[format]].concat(), b"enable\n");
    let table = String::from_utf8_lossy(&run("table").stdout).into_owned();
    let long = table.lines().find(|line| line.chars().count() > text::WIDTH);
    assert_eq!(long, None);
    assert_eq!(table.matches("left out: v6.0, v6.14, v6.12.y on arm64: ").count(), 1);
    let json = run("json");
    assert_eq!(json.stdout.iter().filter(|byte| **byte == b'\n').count(), 1, "JSON Lines");
    assert!(
        String::from_utf8_lossy(&json.stderr).contains("left out: v6.0, v6.14, v6.12.y on arm64: ")
    );
    let markdown = String::from_utf8_lossy(&run("markdown").stdout).into_owned();
    assert!(
        markdown.contains("\n\nleft out: v6.0, v6.14, v6.12.y on arm64: "),
        "a paragraph of its own"
    );
}

#[test]
fn a_comparison_is_bounded() {
    let scenario = parse(&format!("map 0x1000\n{}", "enable\n".repeat(500_001)));
    let two = &all_designs(Arch::NAIVE)[..2];
    let error = check_size(&scenario, two).expect_err("a line too many");
    assert_eq!((error.line, error.column), (500_002, 1));
    assert!(error.message.contains("at most 500000 lines to compare in 2 columns"), "{error}");
    assert_eq!(check_size(&scenario, &two[..1]), Ok(()));
    let lines = "enable\n".repeat(100_000);
    let said = ["at most 90909 lines", "<stdin>:90910:1", "list fewer designs"];
    check_refused(&["compare", "-"], lines.as_bytes(), &said);
}

#[test]
fn wrong_lists_get_the_nearest_name() {
    let said = ["'count-paused-rfc'", "with-ptes", "all"];
    check_refused(&["compare", "-", "--design", "counts,count-pause-rfc"], b"", &said);
    check_refused(&["compare", "-", "--kernel", "v7.o"], b"", &["'v7.3'", "s390-v6"]);
    check_refused(&["compare", "-"], b"enabel\n", &["did you mean \"enable\"?", "<stdin>:1:1"]);
    check_refused(&["compare", "no.scn"], b"", &["no.scn: no such file"]);
}
