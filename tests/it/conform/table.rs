//! The table of docs/truth.md is what the fixtures give today.

use std::fmt::Write;

use super::FIXTURES;
use crate::support::{check_file, read, root};

/// The lines between which the table stands.
const BEGIN: &str = "<!-- computed by tests/it/conform/table.rs -->\n";
const END: &str = "<!-- end -->\n";

fn table() -> String {
    let mut table =
        "| trace | kernel | against | operations | same | different | left out | calls \
                     | effects | switches |\n|---|---|---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for fixture in &FIXTURES {
        let report = fixture.report(Some(fixture.kernel));
        let [same, different, left] = report.verdicts();
        let sum =
            |of: fn(&emu_conform::Checked) -> u64| -> u64 { report.checked.iter().map(of).sum() };
        let (calls, effects) = (sum(|one| one.calls), sum(|one| one.effects));
        let switches = sum(|one| one.counted.get("switches").copied().unwrap_or(0));
        let (arch, kernel, all) = (report.arch, report.kernel, report.checked.len());
        let (name, wrote) = (fixture.name, fixture.wrote);
        let _ = writeln!(
            table,
            "| {name} | {wrote} | {arch} {kernel} | {all} | {same} | {different} | {left} | \
             {calls} | {effects} | {switches} |"
        );
    }
    table
}

#[test]
fn the_table_is_up_to_date() {
    let path = root().join("docs/truth.md");
    let kept = read(&path);
    let (head, rest) = kept.split_once(BEGIN).expect("the table begins");
    let (_, tail) = rest.split_once(END).expect("the table ends");
    let computed = format!("{head}{BEGIN}\n{}\n{END}{tail}", table());
    check_file(&path, &computed, "INSTA_UPDATE=always cargo test conform");
}
