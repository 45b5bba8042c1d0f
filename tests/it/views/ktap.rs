//! KTAP, read by a parser of its rules: Documentation/dev-tools/ktap.rst, version 1.

use emu_view::ktap::{Case, Outcome, document};

use crate::cli::lazymmu;
use crate::support::files;

/// A result, with those below it.
#[derive(Debug)]
struct Parsed {
    ok: bool,
    name: String,
    directive: Option<String>,
    said: Vec<String>,
    parts: Vec<Parsed>,
}

/// Parses a document at `indent`, and takes its lines.
fn parse_level(lines: &mut &[&str], indent: usize) -> Result<Vec<Parsed>, String> {
    let strip = |line: &str| -> Option<String> {
        let (head, rest) = line.split_at_checked(indent)?;
        head.trim().is_empty().then(|| rest.to_owned())
    };
    let version = lines.first().and_then(|line| strip(line));
    if version.as_deref() != Some("KTAP version 1") {
        return Err(format!("expected a version, found {version:?}"));
    }
    *lines = &lines[1..];
    let (mut plan, mut results, mut said) = (None, Vec::new(), Vec::new());
    let mut parts = Vec::new();
    while let Some(line) = lines.first().and_then(|line| strip(line)) {
        if line == "  KTAP version 1" {
            parts = parse_level(lines, indent + 2)?;
            continue;
        }
        if indent > 0 && results.len() == plan.unwrap_or(usize::MAX) {
            break;
        }
        *lines = &lines[1..];
        if let Some(n) = line.strip_prefix("1..") {
            plan = Some(n.parse().map_err(|_| format!("a plan without a number: {line}"))?);
        } else if let Some(text) = line.strip_prefix('#') {
            said.push(text.trim().to_owned());
        } else {
            let (said, parts) = (std::mem::take(&mut said), std::mem::take(&mut parts));
            results.push(result(&line, results.len() + 1, said, parts)?);
        }
    }
    if plan != Some(results.len()) {
        return Err(format!("a plan of {plan:?}, {} results", results.len()));
    }
    Ok(results)
}

fn result(
    line: &str,
    number: usize,
    said: Vec<String>,
    parts: Vec<Parsed>,
) -> Result<Parsed, String> {
    let (ok, rest) = match line.strip_prefix("not ok ") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok ").ok_or(format!("an unknown line: {line}"))?),
    };
    let (n, rest) = rest.split_once(' ').ok_or(format!("no description: {line}"))?;
    if n.parse() != Ok(number) {
        return Err(format!("number {n}, expected {number}"));
    }
    let (name, directive) = match rest.split_once(" # ") {
        Some((name, directive)) => (name, Some(directive.to_owned())),
        None => (rest, None),
    };
    let known = ["SKIP", "TODO", "XFAIL", "TIMEOUT", "ERROR"];
    let word = directive.as_deref().and_then(|text| text.split(' ').next());
    if name.contains('#') || word.is_some_and(|word| !known.contains(&word)) {
        return Err(format!("a directive that is none: {line}"));
    }
    if !parts.is_empty() && ok != parts.iter().all(|part| part.ok) {
        return Err(format!("a parent that does not agree with its parts: {line}"));
    }
    Ok(Parsed { ok, name: name.to_owned(), directive, said, parts })
}

#[track_caller]
fn parse(text: &str) -> Vec<Parsed> {
    let lines: Vec<&str> = text.lines().collect();
    let mut rest = &lines[..];
    let parsed = parse_level(&mut rest, 0).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert!(rest.is_empty(), "left: {rest:?}\n{text}");
    parsed
}

/// The parser notices what is wrong.
#[test]
fn the_parser_refuses_what_is_no_ktap() {
    for text in [
        "TAP\n",
        "KTAP version 1\n1..2\nok 1 a\n",
        "KTAP version 1\n1..1\nok 2 a\n",
        "KTAP version 1\n1..1\nokay 1 a\n",
        "KTAP version 1\n1..1\nok 1 a # LATER\n",
        "KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  not ok 1 b\nok 1 a\n",
    ] {
        let lines: Vec<&str> = text.lines().collect();
        assert!(parse_level(&mut &lines[..], 0).is_err(), "{text}");
    }
}

#[test]
fn what_ends_a_description_is_not_in_it() {
    let parsed = parse(&document(&[Case::new("a # b\nc", Outcome::Failed).say("x\ny")]));
    assert_eq!(parsed[0].name, "a _ b_c");
    assert_eq!((parsed[0].ok, parsed[0].said.len()), (false, 2));
}

/// Every scenario of the corpus is a test that passes; one that does not says why.
#[test]
fn many_scenarios_are_a_document() {
    let corpus = files("scenarios/bugs", ".scn");
    let names: Vec<String> = corpus.iter().map(|path| crate::support::relative(path)).collect();
    let mut args = vec!["run", "--format", "ktap"];
    args.extend(names.iter().map(String::as_str));
    let output = lazymmu(&args, b"");
    let parsed = parse(&String::from_utf8_lossy(&output.stdout));
    assert_eq!(parsed.len(), names.len());
    assert!(parsed.iter().all(|one| one.ok) && output.status.success(), "{parsed:?}");

    let output = lazymmu(&["run", "-", "--format", "ktap"], b"enable\nexpect inactive\n");
    let parsed = parse(&String::from_utf8_lossy(&output.stdout));
    assert_eq!((parsed[0].ok, output.status.code()), (false, Some(1)));
    let said = &parsed[0].said;
    assert!(said.iter().any(|line| line.contains(":2: expected inactive, found active")));
    assert!(said.iter().any(|line| line.contains("lazy_mmu_mode_enable()")), "{said:?}");
}

#[test]
fn properties_and_operations_are_tests() {
    let args = ["check", "scenarios/bugs/xen-preempted-in-enable.scn", "--format", "ktap"];
    let output = lazymmu(&args, b"");
    let parsed = parse(&String::from_utf8_lossy(&output.stdout));
    let parts = &parsed[0].parts;
    let bug = parts.iter().find(|one| one.name == "no-arch-bug").expect("a property");
    assert!(!bug.ok && bug.said.iter().any(|line| line.contains("switch to B")), "{bug:?}");
    let skipped = parts.iter().filter_map(|one| one.directive.as_deref());
    assert!(skipped.filter(|directive| directive.starts_with("SKIP not ")).count() > 3);

    let trace = "tests/fixtures/traces/xen-7.0.13-crash.trace.xz";
    let args = ["conform", trace, "--format", "ktap"];
    let output = lazymmu(&args, b"");
    let parsed = parse(&String::from_utf8_lossy(&output.stdout));
    assert!(!parsed[0].parts.is_empty(), "{parsed:?}");
}
