//! What the tests share: where things are, and one check per kind of test.

mod diff;
mod fold;
pub(crate) mod own_crate;
pub(crate) mod sheet;

use std::path::{Path, PathBuf};

use emu_arch::Arch;
use emu_lab::scenario::{self, Outcome, Scenario, Setup};
use lazy_mmu::design::Design;

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` whose name ends in `ending`, sorted; what is built or hidden is left
/// out.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
        for entry in entries {
            let path = entry.expect("an entry of a folder can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    walk(&path, ending, found);
                }
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), ending, &mut found);
    found.sort();
    found
}

/// `path` as the project names it.
pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("a path of the project").display().to_string()
}

/// The name of the scenario at `path`: its place below `folder`, in one word.
pub(crate) fn scenario_name(folder: &str, path: &Path) -> String {
    let name = relative(path);
    let name = name.trim_start_matches(folder).trim_start_matches('/').trim_end_matches(".scn");
    name.replace('/', "-")
}

/// The bytes of a file.
#[track_caller]
pub(crate) fn read_bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Reads a file of the project.
pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path:?}: {e}"))
}

/// Checks that a file of the project is what is `computed`, or writes it where snapshots are
/// written; `how` is the command that does.
#[track_caller]
pub(crate) fn check_file(path: &Path, computed: &str, how: &str) {
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(path, computed).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    }
    let kept = read(path);
    let differs = kept.lines().zip(computed.lines()).position(|(a, b)| a != b);
    assert!(
        kept == computed,
        "{path:?} is out of date from line {} on: `{how}`",
        differs.unwrap_or(kept.lines().count().min(computed.lines().count())) + 1
    );
}

/// Parses a scenario that is known to be right.
#[track_caller]
pub(crate) fn parse(text: &str) -> Scenario {
    scenario::parse(text).unwrap_or_else(|e| panic!("{e}"))
}

/// Runs a scenario in the newest kernel, or in the first that has the architecture.
pub(crate) fn run(scenario: &Scenario, arch: Arch) -> Outcome {
    let kernel = arch.default_kernel();
    scenario::run(scenario, Setup { arch, kernel, ..Setup::from(kernel.design()) })
}

/// Runs a scenario under `design` without an architecture that batches.
pub(crate) fn run_design(scenario: &Scenario, design: Design) -> Outcome {
    scenario::run(scenario, Setup { design, ..Setup::default() })
}

/// Whether `arch` keeps preemption off in a section: its batch is per CPU, and the context switch
/// does not look after it.
pub(crate) fn preemption_off(arch: Arch) -> bool {
    arch.facts().pins_task()
}

/// Compares a text with the snapshot of a name in the folder of a kind below /snapshots; a macro,
/// so that the snapshot says which test wrote it.
macro_rules! check_snapshot {
    ($kind:expr, $name:expr, $about:expr, $text:expr $(,)?) => {{
        let (name, text) = ($name.to_string(), $text.to_string());
        $crate::support::settings($kind, $about, std::any::type_name_of_val(&|| ()))
            .bind(|| insta::assert_snapshot!(name, text));
    }};
}
pub(crate) use check_snapshot;

/// The settings of a snapshot that the test around the closure `here` writes.
pub(crate) fn settings(kind: &str, about: &str, here: &str) -> insta::Settings {
    let test = here.replace("::{{closure}}", "");
    let test = test.rsplit("::").next().expect("a name has a last part");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("snapshots").join(kind));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(format!("{test}: {about}"));
    settings
}
