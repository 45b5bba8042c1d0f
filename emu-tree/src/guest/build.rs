//! C to a program: compiled by the user's `cc`, kept in a cache by content.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use tempfile::TempDir;

use crate::error::Error;
use crate::shims::RUNTIME;
use crate::tree::reason;

/// How guests are compiled: debug lines for the places of crashes, addresses as in the file, and
/// what a newer compiler calls an error anyway.
const FLAGS: [&str; 11] = [
    "-std=gnu11",
    "-O1",
    "-g",
    "-fno-pie",
    "-no-pie",
    "-fwrapv",
    "-fno-strict-aliasing",
    "-fno-toplevel-reorder",
    "-Werror=implicit-function-declaration",
    "-Werror=int-conversion",
    "-Werror=incompatible-pointer-types",
];

/// Folders for the time of this process, where no cache can be written.
static TEMPORARY: Mutex<Vec<TempDir>> = Mutex::new(Vec::new());

/// Compiles `guest`, or finds it compiled; `what` is what the user calls it.
///
/// # Errors
/// There is no compiler, it refuses the code, or nothing can be written anywhere.
pub(crate) fn build(what: &str, guest: &str) -> Result<PathBuf, Error> {
    let cc = std::env::var("CC").ok().filter(|cc| !cc.trim().is_empty());
    let cc = cc.unwrap_or_else(|| "cc".to_owned());
    let name = format!("{:016x}", digest([&cc, RUNTIME, guest].into_iter().chain(FLAGS)));
    let mut folder = cache().filter(|folder| fs::create_dir_all(folder).is_ok());
    if let Some(found) = folder.as_ref().map(|folder| folder.join(&name))
        && is_built(&found, guest)
    {
        return Ok(found.join("guest"));
    }
    let made = folder.as_ref().and_then(|folder| tempfile::tempdir_in(folder).ok());
    let made = match made {
        Some(made) => made,
        None => {
            folder = None;
            tempfile::Builder::new()
                .prefix("lazymmu-")
                .tempdir()
                .map_err(|why| Error::new(unwritable(&reason(&why))))?
        }
    };
    compile(what, &cc, guest, made.path())?;
    if let Some(folder) = folder {
        let place = folder.join(&name);
        // What is there under the name is of another text, or half of one.
        if place.exists() && !is_built(&place, guest) {
            let _ = fs::remove_dir_all(&place);
        }
        if fs::rename(made.path(), &place).is_ok() || is_built(&place, guest) {
            return Ok(place.join("guest"));
        }
    }
    let path = made.path().join("guest");
    TEMPORARY.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(made);
    Ok(path)
}

/// What is worth knowing of how guests were compiled.
#[must_use]
pub fn notes() -> Option<String> {
    let made = TEMPORARY.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let cache = cache().map_or("no cache folder".to_owned(), |cache| cache.display().to_string());
    let note = format!("{cache} cannot be written: what `cc` made is not kept for the next time");
    (!made.is_empty()).then_some(note)
}

/// Removes what was made for this process alone.
pub fn clean_up() {
    TEMPORARY.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
}

/// The folder that guests are kept in; none where the environment names no place for it.
fn cache() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let absolute = |path: &PathBuf| path.is_absolute();
    let own = named("XDG_CACHE_HOME").map(PathBuf::from).filter(absolute);
    let home = || named("HOME").map(|home| Path::new(&home).join(".cache"));
    own.or_else(home).map(|folder| folder.join("lazymmu"))
}

fn unwritable(why: &str) -> String {
    let cache = cache().map_or(String::new(), |cache| format!("{} and ", cache.display()));
    let temporary = std::env::temp_dir();
    format!("cannot write a compiled guest: {cache}{}: {why}", temporary.display())
}

/// Tells whether `folder` has the program of just this text.
fn is_built(folder: &Path, guest: &str) -> bool {
    let same = |name: &str, text: &str| {
        fs::read(folder.join(name)).is_ok_and(|old| old == text.as_bytes())
    };
    same("guest.c", guest) && same("runtime.c", RUNTIME) && folder.join("guest").is_file()
}

fn compile(what: &str, cc: &str, guest: &str, folder: &Path) -> Result<(), Error> {
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).map_err(|why| Error::new(unwritable(&reason(&why))))
    };
    write("guest.c", guest)?;
    write("runtime.c", RUNTIME)?;
    // A compiler with arguments, as in `ccache gcc`.
    let mut words = cc.split_whitespace();
    let program = words.next().unwrap_or("cc");
    let output = Command::new(program)
        .args(words)
        .args(FLAGS)
        .args(["guest.c", "runtime.c", "-o", "guest"])
        .current_dir(folder)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|why| {
            let why = reason(&why);
            Error::new(format!(
                "{what} needs a C compiler: cannot run {program}: {why}; CC names another"
            ))
        })?;
    if output.status.success() {
        return Ok(());
    }
    Err(refused(what, program, &String::from_utf8_lossy(&output.stderr)))
}

/// The first error of the compiler, which says where; and how many follow.
fn refused(what: &str, program: &str, said: &str) -> Error {
    let is_error = |line: &&str| line.contains(" error: ") || line.contains("undefined reference");
    // What the shims say of the user's code is a sentence.
    const SAID: &str = "static assertion failed: \"";
    if let Some((_, text)) = said.split_once(SAID) {
        return Error::about(what, text.split('"').next().unwrap_or(text));
    }
    let errors: Vec<_> = said.lines().filter(is_error).collect();
    let first =
        errors.first().copied().or_else(|| said.lines().find(|line| !line.trim().is_empty()));
    let first = first.unwrap_or("it says nothing").trim();
    let first = first.replacen(" error: ", " ", 1);
    let more = match errors.len().saturating_sub(1) {
        0 => String::new(),
        1 => ", and 1 more error".to_owned(),
        n => format!(", and {n} more errors"),
    };
    Error::new(format!("{what} does not compile: {program}: {first}{more}"))
}

/// FNV-1a over the texts: a name for a folder; what is in it is compared.
fn digest<'t>(texts: impl Iterator<Item = &'t str>) -> u64 {
    texts.flat_map(|text| text.bytes().chain([0])).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
