//! A crate of its own below the target folder, as a user has one beside a clone of the project.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{read, root};

/// Writes the files of a crate to the folder `name`; `beside` is how they call the path of the
/// project.
pub(crate) fn own_crate(name: &str, beside: &str, files: &[(&str, String)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let project = root().to_str().expect("a path in Unicode").replace('\\', "/");
    let write = |file: &str, text: &str| {
        let file = folder.join(file);
        let parent = file.parent().unwrap_or(&folder);
        std::fs::create_dir_all(parent).unwrap_or_else(|e| panic!("{parent:?}: {e}"));
        std::fs::write(&file, text).unwrap_or_else(|e| panic!("{file:?}: {e}"));
    };
    for (file, text) in files {
        let manifest = *file == "Cargo.toml";
        write(file, &if manifest { text.replace(beside, &project) } else { text.clone() });
    }
    write("Cargo.lock", &read(&root().join("Cargo.lock")));
    folder
}

/// Runs cargo in `folder`, without the network, with warnings as errors and a target folder beside
/// it.
pub(crate) fn cargo(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO"))
        .arg("--offline")
        .args(args)
        .current_dir(folder)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", "-Dwarnings")
        .env("CARGO_TARGET_DIR", folder.with_file_name("target"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0")
        .env("INSTA_UPDATE", "no")
        .env("INSTA_FORCE_PASS", "0")
        .output()
        .expect("cargo runs")
}
