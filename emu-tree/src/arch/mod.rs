//! The code of an architecture from a tree: hooks, batch and primitives in its C, as an [`Arch`].
//!
//! An operation runs in a guest up to the first thing that it needs to know of the machine; the
//! answer is appended, and the operation is run again, with all answers up to there. So it can be
//! left at each of these places and go on by replay, as the lab's own backends do, and what was
//! asked once is not asked again. Per-CPU variables are handed in and out as bytes.

mod guest;
mod recipe;
mod sparc64;

use emu_arch::Arch;

use crate::cut::{Cut, File};
use crate::error::Error;
use crate::guest::{Guest, build};
use crate::shims::{ARCH, ARCH_HEAD, KERNEL};
use crate::tree::Tree;
use guest::ArchGuest;
use recipe::Recipe;

/// The architectures that are taken from trees.
const RECIPES: [&Recipe; 1] = [&sparc64::RECIPE];

/// The code that `tree` has for `arch`; none where the lab's own is to be used. A process runs the
/// code of one tree.
///
/// # Errors
/// A definition is missing, or the code does not compile.
pub fn of_tree(tree: &Tree, arch: Arch) -> Result<Option<Arch>, Error> {
    let Some(recipe) = RECIPES.into_iter().find(|recipe| recipe.id == arch.id()) else {
        return Ok(None);
    };
    let mut files = Vec::new();
    for path in recipe.files {
        files.extend(File::open(tree, path)?);
    }
    let (batch, member) = recipe.before;
    if files.is_empty() || has_member(&files, batch, member) {
        return Ok(None);
    }
    let [head, hardware, operations] = recipe.shims;
    let mut cut = Cut::new(&files, &[KERNEL, ARCH_HEAD, head, hardware]);
    let feature =
        format!("the architecture {arch} of --tree (run, check, compare, kunit, workload)");
    for root in recipe.roots {
        cut.need(tree, root, &feature)?;
    }
    let cut = cut.emit();
    let part = |name: &str, text: &str| format!("#line 1 \"{name}\"\n{text}");
    let unit = [
        part("kernel.h", KERNEL),
        part("arch.h", ARCH_HEAD),
        part("arch shim", head),
        cut.types,
        "extern u8 __start_lz_state[], __stop_lz_state[];\n".to_owned(),
        cut.variables,
        part("arch shim", hardware),
        cut.functions,
        part("arch.c", ARCH),
        part("arch shim", operations),
    ];
    let what = format!("{arch} of {}", tree.name());
    let program = build(&what, &unit.concat())?;
    let guest = ArchGuest::start(what, Guest::start(&program)?)?;
    recipe.guest.set(guest).map_err(|_| tree.error("a process runs the code of one tree"))?;
    Ok(Some((recipe.arch)()))
}

/// Whether the structure `name` has a member `member`.
fn has_member(files: &[File], name: &str, member: &str) -> bool {
    files.iter().any(|file| {
        let named =
            file.definitions.iter().filter(|found| found.names.iter().any(|known| known == name));
        named
            .map(|found| crate::cut::members(&file.text[found.bytes.clone()]))
            .any(|members| members.iter().any(|(known, _)| known == member))
    })
}
