//! The guide: each command in it prints what it shows, on a machine that has the command alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{check_file, read, root};

const FENCE: &str = "```";

/// A folder of its own for the files that a chapter makes.
fn folder(chapter: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide").join(chapter);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
    folder
}

/// What the shell prints for `command`, in `folder`, with `lazymmu` on the path.
fn printed(command: &str, folder: &Path) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_lazymmu")).parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", &format!("{command}\n")])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("NO_COLOR", "1")
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("not found"), "{command}: {said}");
    said.into_owned() + &String::from_utf8_lossy(&output.stdout)
}

/// The text of a console block as a terminal shows it: commands behind `$ `, their further lines
/// behind `> `, and below each what it prints.
fn renewed(block: &str, folder: &Path) -> String {
    let mut text = String::new();
    let mut lines = block.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(first) = line.strip_prefix("$ ") else { continue };
        let mut command = first.to_owned();
        text += &format!("{line}\n");
        while let Some(more) = lines.next_if(|line| line.starts_with("> ")) {
            command += &format!("\n{}", &more[2..]);
            text += &format!("{more}\n");
        }
        let printed = printed(&command, folder);
        for line in printed.trim_matches('\n').lines().filter(|line| !is_time(line)) {
            text += &format!("{line}\n");
        }
    }
    text
}

/// Whether a line says how long something took, which no two runs agree on.
fn is_time(line: &str) -> bool {
    line.strip_suffix(" s").is_some_and(|time| time.parse::<f64>().is_ok())
}

/// Compares the console blocks of a chapter with what their commands print, or writes them where
/// snapshots are written. Returns the number of commands.
fn check_chapter(path: &Path) -> usize {
    let kept = read(path);
    let chapter = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
    let folder = folder(chapter);
    let (mut text, mut commands) = (String::new(), 0);
    let mut rest = kept.as_str();
    while let Some((before, from)) = rest.split_once(&format!("{FENCE}console\n")) {
        let (block, behind) = from.split_once(FENCE).expect("the block ends");
        let renewed = renewed(block, &folder);
        commands += renewed.lines().filter(|line| line.starts_with("$ ")).count();
        text += &format!("{before}{FENCE}console\n{renewed}{FENCE}");
        rest = behind;
    }
    text += rest;
    check_file(path, &text, "INSTA_UPDATE=always cargo test guide");
    commands
}

#[test]
fn every_command_of_the_guide_prints_what_is_shown() {
    let chapters = std::fs::read_dir(root().join("docs/guide/src")).expect("the guide");
    let mut chapters: Vec<PathBuf> =
        chapters.map(|entry| entry.expect("an entry").path()).collect();
    chapters.sort();
    let commands: usize = chapters.iter().map(|path| check_chapter(path)).sum();
    assert!(commands >= 8, "{commands} commands in the guide");
}

#[test]
fn every_chapter_is_in_the_summary() {
    let folder = root().join("docs/guide/src");
    let summary = read(&folder.join("SUMMARY.md"));
    for entry in std::fs::read_dir(&folder).expect("the guide") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        assert!(name == "SUMMARY.md" || summary.contains(&format!("({name})")), "{name}");
    }
}
