//! Runs the compiler on a text, against the facade as this test binary was built with it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What to compile.
pub(crate) struct Job<'a> {
    /// `rustc`, or another driver of the same toolchain.
    pub(crate) driver: &'a str,
    /// The edition of the text.
    pub(crate) edition: &'a str,
    /// A name for the file, one per text.
    pub(crate) name: &'a str,
    /// The text of the crate's root.
    pub(crate) text: &'a str,
    /// More arguments.
    pub(crate) args: &'a [&'a str],
}

impl Job<'_> {
    /// Compiles to a binary and returns its path.
    pub(crate) fn binary(&self) -> PathBuf {
        let file = self.write();
        let binary = file.with_extension(std::env::consts::EXE_EXTENSION);
        let output = self.command(&file).arg("-o").arg(&binary).output();
        let output = output.expect("the compiler runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        binary
    }

    /// The command without what it should emit.
    pub(crate) fn command(&self, file: &Path) -> Command {
        let deps = deps();
        let mut command = Command::new(self.driver);
        command.arg(file).arg("--edition").arg(self.edition).args(self.args);
        command.arg("-L").arg(format!("dependency={}", deps.display()));
        command.arg("--extern").arg(format!("lazy_mmu={}", facade(&deps).display()));
        command.arg("--out-dir").arg(scratch());
        command
    }

    /// Writes the text to its file.
    pub(crate) fn write(&self) -> PathBuf {
        let file = scratch().join(format!("{}_{}.rs", self.name, self.edition));
        std::fs::write(&file, self.text).unwrap_or_else(|e| panic!("{file:?}: {e}"));
        file
    }
}

/// A folder of these tests in the target folder.
pub(crate) fn scratch() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("macros");
    std::fs::create_dir_all(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
    folder
}

/// Where cargo put what this test binary was linked with.
fn deps() -> PathBuf {
    let binary = std::env::current_exe().expect("a test binary has a path");
    binary.parent().expect("it is in a folder").to_owned()
}

/// The facade: of several builds the latest, which is at least as new as this binary's.
fn facade(deps: &Path) -> PathBuf {
    let entries = std::fs::read_dir(deps).unwrap_or_else(|e| panic!("{deps:?}: {e}"));
    let paths = entries.map(|entry| entry.expect("an entry of a folder can be read").path());
    let is_facade = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("liblazy_mmu-") && name.ends_with(".rlib")
    };
    let time = |path: &PathBuf| path.metadata().and_then(|data| data.modified()).ok();
    paths.filter(is_facade).max_by_key(time).expect("the facade was built")
}
