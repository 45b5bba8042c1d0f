//! A guest: C that runs as a child process, which is spoken to over two pipes.
//!
//! The child may do what it wants: crash, run in circles, answer garbage, be killed. Each of these
//! is an error with the call that was under way and, where the child knew, the line of the C.

mod build;

use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(crate) use build::build;
pub use build::{clean_up, notes};

use crate::error::Error;
use crate::tree::reason;

/// A child process with its pipes.
#[derive(Debug)]
pub(crate) struct Guest {
    program: PathBuf,
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

/// Why a guest does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// It crashed, or its watchdog barked: what happened, and where.
    Crashed(String),
    /// It ended without a word.
    Ended(String),
    /// It said what is no answer.
    Garbage,
}

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Crashed(how) | Self::Ended(how) => f.write_str(how),
            Self::Garbage => f.write_str("answers garbage"),
        }
    }
}

impl Guest {
    /// Starts `program`.
    ///
    /// # Errors
    /// It cannot be executed.
    pub(crate) fn start(program: &Path) -> Result<Self, Error> {
        let started =
            Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(
                |why| Error::about(program.display(), format!("cannot run: {}", reason(&why))),
            );
        let mut child = started?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (to, from) = pipes.ok_or_else(|| Error::about(program.display(), "has no pipes"))?;
        Ok(Self {
            program: program.to_owned(),
            child,
            to,
            from: BufReader::with_capacity(1 << 16, from),
        })
    }

    /// Starts the program again, after it ended.
    ///
    /// # Errors
    /// It cannot be executed.
    pub(crate) fn restart(&mut self) -> Result<(), Error> {
        *self = Self::start(&self.program)?;
        Ok(())
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, request: &[u8]) -> Result<(), Gone> {
        // A child that has ended says why in what it wrote before.
        self.to.write_all(request).map_err(|_| self.ended())
    }

    /// The next byte of the answer: the tag of a record.
    pub(crate) fn tag(&mut self) -> Result<u8, Gone> {
        let [tag] = self.bytes()?;
        if tag != b'X' {
            return Ok(tag);
        }
        let [signal] = self.bytes()?;
        let pc = u64::from_ne_bytes(self.bytes()?);
        Err(Gone::Crashed(format!("{}{}", signal_text(signal), self.place(pc))))
    }

    /// The next bytes of the answer.
    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Gone> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes).map_err(|_| self.ended())?;
        Ok(bytes)
    }

    /// A text whose length stands before it in one byte.
    pub(crate) fn text(&mut self) -> Result<String, Gone> {
        let [len] = self.bytes()?;
        let mut text = vec![0; len.into()];
        self.from.read_exact(&mut text).map_err(|_| self.ended())?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// So many of the next bytes of the answer.
    pub(crate) fn many(&mut self, len: usize) -> Result<Vec<u8>, Gone> {
        let mut bytes = vec![0; len.min(1 << 20)];
        self.from.read_exact(&mut bytes).map_err(|_| self.ended())?;
        Ok(bytes)
    }

    /// A text whose length stands before it in two bytes, the lower one first.
    pub(crate) fn long_text(&mut self) -> Result<String, Gone> {
        let mut text = vec![0; usize::from(u16::from_le_bytes(self.bytes()?))];
        self.from.read_exact(&mut text).map_err(|_| self.ended())?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// How the child ended.
    fn ended(&mut self) -> Gone {
        use std::os::unix::process::ExitStatusExt;
        // It closed its pipe, so that this is the end of it.
        let status = self.child.wait().ok();
        Gone::Ended(match status.and_then(|status| status.signal()) {
            Some(signal) => format!("was killed by signal {signal}"),
            None => "ended without an answer".to_owned(),
        })
    }

    /// The line of the C that an address belongs to, as ` at FILE:LINE`; nothing where it is not
    /// known.
    fn place(&self, pc: u64) -> String {
        let loaded = addr2line::Loader::new(&self.program).ok();
        let found = loaded.as_ref().and_then(|loaded| loaded.find_location(pc).ok().flatten());
        let place = found.and_then(|found| Some((found.file?.to_owned(), found.line?)));
        place.map_or(String::new(), |(file, line)| {
            // The compiler puts the folder that it ran in before a relative path.
            let folder = self.program.parent().map(|folder| format!("{}/", folder.display()));
            let file = folder
                .and_then(|folder| file.strip_prefix(&folder).map(str::to_owned))
                .unwrap_or(file);
            format!(" at {}:{line}", tree_relative(&file))
        })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path behind the temporary folder that a guest was compiled in.
fn tree_relative(file: &str) -> &str {
    let begins = ["include/", "arch/", "mm/", "kernel/"];
    let at = begins.iter().filter_map(|begin| file.find(&format!("/{begin}")));
    at.min().filter(|_| file.starts_with('/')).map_or(file, |at| &file[at + 1..])
}

fn signal_text(signal: u8) -> String {
    match signal {
        11 => "crashes (segmentation fault)".to_owned(),
        8 => "crashes (arithmetic error)".to_owned(),
        4 | 5 => "crashes (trap)".to_owned(),
        6 => "crashes (abort)".to_owned(),
        7 => "crashes (bus error)".to_owned(),
        26 => "does not end: stopped after 1 s of computing".to_owned(),
        other => format!("crashes (signal {other})"),
    }
}
