//! Logs from files, line by line, plain or compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::io::reason;
use crate::report::Failure;

/// The first bytes of a file of gzip.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// The first bytes of a file of xz.
const XZ: &[u8] = b"\xfd7zXZ\0";

/// The lines of a file, of which no more is kept than one.
pub(super) struct Lines {
    /// The name that messages use.
    pub(super) name: String,
    from: Box<dyn BufRead>,
    /// How it is compressed, if it is.
    form: Option<&'static str>,
    line: Vec<u8>,
}

/// A line that is longer is cut: the reader of logs refuses it by its length.
const KEPT_MAX: u64 = 1 << 20;

impl Lines {
    /// Opens a file, or standard input for `-`.
    pub(super) fn open(file: &Path) -> Result<Self, Failure> {
        let (name, plain): (_, Box<dyn Read>) = if file == Path::new("-") {
            ("<stdin>".to_owned(), Box::new(io::stdin()))
        } else {
            let name = file.display().to_string();
            let opened = File::open(file).map_err(|error| Failure::about(&name, reason(&error)))?;
            (name, Box::new(opened))
        };
        let mut plain = BufReader::with_capacity(1 << 16, plain);
        let head = plain.fill_buf().map_err(|error| Failure::about(&name, reason(&error)))?;
        let (form, from): (_, Box<dyn BufRead>) = if head.starts_with(GZIP) {
            (Some("gzip"), Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(plain))))
        } else if head.starts_with(XZ) {
            (Some("xz"), Box::new(BufReader::new(lzma_rust2::XzReader::new(plain, true))))
        } else {
            (None, Box::new(plain))
        };
        Ok(Self { name, from, form, line: Vec::new() })
    }

    fn failed(&self, error: &io::Error) -> Failure {
        match self.form {
            Some(form) => {
                let what =
                    format!("expected a whole file of {form}, found one that is cut: {error}");
                Failure::about(&self.name, what)
            }
            None => Failure::about(&self.name, reason(error)),
        }
    }

    /// The next line, without its end; none where there is no other.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, Failure> {
        self.line.clear();
        let mut part = (&mut self.from).take(KEPT_MAX);
        let read = part.read_until(b'\n', &mut self.line);
        if read.map_err(|error| self.failed(&error))? == 0 {
            return Ok(None);
        }
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        } else if self.line.len() as u64 == KEPT_MAX {
            let skipped = skip_line(&mut self.from);
            skipped.map_err(|error| self.failed(&error))?;
        }
        Ok(Some(&self.line))
    }

    /// All of it as text.
    pub(super) fn text(file: &Path) -> Result<(String, String), Failure> {
        let mut lines = Self::open(file)?;
        let mut bytes = Vec::new();
        let read = lines.from.read_to_end(&mut bytes);
        read.map_err(|error| lines.failed(&error))?;
        let text = emu_input::text_lossy(&bytes);
        let text = text.map_err(|error| Failure::input(&lines.name, &bytes, error))?.into_owned();
        Ok((lines.name, text))
    }
}

/// Skips the rest of a line.
fn skip_line(from: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = from.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let len = end.map_or(buffer.len(), |end| end + 1);
        from.consume(len);
        if end.is_some() || len == 0 {
            return Ok(());
        }
    }
}
