//! The README: what its blocks show is what a reader gets.

use std::path::PathBuf;

use crate::cli::lazymmu;
use crate::support::own_crate::{cargo, own_crate};
use crate::support::{read, root};

/// The most lines of the demo: a screen and a half.
const DEMO_LINES_MAX: usize = 64;

/// The text of the first block of `language` below the heading `section`.
fn block(section: &str, language: &str) -> String {
    let readme = read(&root().join("README.md"));
    let (_, below) = readme.split_once(&format!("\n## {section}\n")).expect("the section");
    let below = below.split("\n## ").next().unwrap_or_default();
    let (_, text) = below.split_once(&format!("```{language}\n")).expect("a block");
    text.split("```").next().unwrap_or_default().to_owned()
}

#[test]
fn the_demo_prints_what_the_readme_shows() {
    let output = lazymmu(&["demo"], b"");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(text.starts_with(&block("Two commands", "text")), "{text}");
    assert!(text.lines().count() <= DEMO_LINES_MAX, "{} lines", text.lines().count());
    let wide = text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);
}

#[test]
fn the_demo_shows_a_mode_that_saves_most() {
    let output = lazymmu(&["demo"], b"");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let saved = text.lines().filter_map(|line| line.strip_prefix("the mode saved "));
    let saved: Vec<(&str, u32)> = saved
        .map(|line| {
            let percent = line.rsplit_once('(').and_then(|(_, percent)| percent.split_once('.'));
            let percent = percent.and_then(|(percent, _)| percent.parse().ok());
            (line.split(' ').nth(3).unwrap_or_default(), percent.expect("a percentage"))
        })
        .collect();
    let what: Vec<_> = saved.iter().map(|(what, _)| *what).collect();
    assert_eq!(what, ["barriers", "hash"], "{text}");
    assert!(saved.iter().all(|(_, percent)| *percent >= 80), "{text}");
}

/// A crate of its own with the README's `src/lib.rs`, below the target folder.
fn crate_with(name: &str, dependencies: &str) -> PathBuf {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         {dependencies}\n[workspace]\n"
    );
    let files = [("Cargo.toml", manifest), ("src/lib.rs", block("Annotate code", "rust"))];
    own_crate(&format!("readme/{name}"), "../lazymmu", &files)
}

#[test]
fn the_code_of_the_readme_passes_in_a_crate_of_its_own() {
    let folder = crate_with("annotated", &block("Annotate code", "toml"));
    let output = cargo(&folder, &["test"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("test tests::one_section ... ok"), "{text}");
}

#[test]
fn without_the_feature_the_error_says_what_to_add() {
    let dependencies = block("Annotate code", "toml");
    let line = dependencies.lines().find(|line| line.contains("features")).expect("a feature");
    let folder = crate_with("without-insta", &dependencies.replace(line, ""));
    let output = cargo(&folder, &["test"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("assert_hooks! needs feature `insta` of lazy-mmu"), "{said}");
    assert!(said.contains(line), "{line} is not in:\n{said}");
}
