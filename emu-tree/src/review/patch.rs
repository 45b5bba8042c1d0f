//! A patch as a tree: applied to a copy of the files that matter.

use std::fs;
use std::path::{Path, PathBuf};

use diffy::patch_set::{FileOperation, ParseOptions, PatchKind, PatchSet};
use tempfile::TempDir;

use super::files::{is_looked_at, looked_at};
use crate::error::Error;
use crate::tree::{Tree, reason};

/// A tree with a patch on it, in a folder for the time of the review.
#[derive(Debug)]
pub struct Patched {
    /// The tree.
    pub tree: Tree,
    /// Files that the patch touches beside those that are looked at.
    pub elsewhere: Vec<PathBuf>,
    _folder: TempDir,
}

/// Applies `patch`, which the user calls `name`, to the files of `old` that a review looks at.
///
/// # Errors
/// It is no patch, touches nothing that is looked at, or does not apply.
pub fn apply(old: &Tree, name: &str, patch: &str) -> Result<Patched, Error> {
    let folder = tempfile::Builder::new()
        .prefix("lazymmu-review-")
        .tempdir()
        .map_err(|why| Error::new(format!("cannot make a folder: {}", reason(&why))))?;
    fs::create_dir_all(folder.path().join("include/linux"))
        .map_err(|why| Error::about(folder.path().display(), reason(&why)))?;
    for path in looked_at() {
        if let Some(text) = old.read(path)? {
            write(folder.path(), path, &text)?;
        }
    }
    let tree = Tree::open(folder.path())?.called(format!("{} with {name}", old.name()));
    let git = patch.contains("diff --git ");
    let options = if git { ParseOptions::gitdiff() } else { ParseOptions::unidiff() };
    let (mut elsewhere, mut touched) = (Vec::new(), 0);
    for file in PatchSet::parse(patch, options) {
        let file = file.map_err(|why| Error::about(name, format!("no patch: {why}")))?;
        let operation =
            if git { file.operation().clone() } else { file.operation().strip_prefix(1) };
        // Both sides have a prefix, `a/` and `b/`, unless git has taken it off.
        let path = match &operation {
            FileOperation::Modify { modified: path, .. }
            | FileOperation::Create(path)
            | FileOperation::Delete(path)
            | FileOperation::Rename { to: path, .. }
            | FileOperation::Copy { to: path, .. } => path,
        };
        let path = path.strip_prefix("b/").or_else(|| path.strip_prefix("a/")).unwrap_or(path);
        touched += 1;
        if !is_looked_at(path) {
            elsewhere.push(PathBuf::from(path));
            continue;
        }
        let PatchKind::Text(hunks) = file.patch() else { continue };
        let before = tree.read(path)?.unwrap_or_default();
        let after = diffy::apply(&before, hunks)
            .map_err(|why| Error::about(name, format!("does not apply to {path}: {why}")))?;
        if operation.is_delete() {
            let _ = fs::remove_file(folder.path().join(path));
        } else {
            write(folder.path(), path, &after)?;
        }
    }
    if touched == 0 {
        return Err(Error::about(name, "no patch: expected a unified diff"));
    }
    Ok(Patched { tree, elsewhere, _folder: folder })
}

fn write(folder: &Path, path: &str, text: &str) -> Result<(), Error> {
    let place = folder.join(path);
    let parent = place.parent().unwrap_or(folder);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(&place, text))
        .map_err(|why| Error::about(place.display(), reason(&why)))
}
