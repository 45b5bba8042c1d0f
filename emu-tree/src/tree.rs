//! A folder with the source of a kernel.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A folder that a user calls a kernel tree.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
    /// What the user calls it.
    name: String,
}

impl Tree {
    /// The tree in `folder`.
    ///
    /// # Errors
    /// There is no such folder, or it has none of the files of a kernel.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let tree = Self { root: folder.to_owned(), name: folder.display().to_string() };
        let kind = std::fs::metadata(folder).map_err(|why| tree.error(reason(&why)))?;
        if !kind.is_dir() {
            return Err(tree.error("is a file, expected the folder of a kernel tree"));
        }
        if !folder.join("include/linux").is_dir() {
            return Err(tree.error("no kernel tree: it has no folder include/linux"));
        }
        Ok(tree)
    }

    /// The name of the tree, as the user gave it.
    #[must_use]
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// The same folder under another name.
    pub(crate) fn called(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The text of a file, none where there is no such file. Bytes that are no UTF-8 are in
    /// comments of old kernels.
    pub(crate) fn read(&self, path: &str) -> Result<Option<String>, Error> {
        match std::fs::read(self.root.join(path)) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(Error::about(self.root.join(path).display(), reason(&why))),
        }
    }

    pub(crate) fn error(&self, why: impl std::fmt::Display) -> Error {
        Error::about(self.name(), why)
    }
}

/// The error of the system in words, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    let known = [
        (io::ErrorKind::NotFound, "no such file or folder"),
        (io::ErrorKind::PermissionDenied, "permission denied"),
        (io::ErrorKind::ReadOnlyFilesystem, "read-only file system"),
    ];
    let words = known.iter().find(|(kind, _)| *kind == error.kind());
    words.map_or_else(|| error.to_string(), |(_, words)| (*words).to_owned())
}
