//! Traces from files, plain or compressed.

use std::io::Read;
use std::path::Path;

use crate::io;
use crate::report::Failure;

/// The first bytes of a file of gzip.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// The first bytes of a file of xz.
const XZ: &[u8] = b"\xfd7zXZ\0";

/// How many bytes a trace may have, decompressed.
const BYTES_MAX: u64 = 4 << 30;

/// Reads a file, and decompresses it where its first bytes say that it is compressed; returns the
/// name that messages use.
pub(super) fn read(file: &Path) -> Result<(String, Vec<u8>), Failure> {
    let (name, bytes) = io::read(file)?;
    let bytes = if bytes.starts_with(GZIP) {
        whole(&name, "gzip", flate2::read::MultiGzDecoder::new(&*bytes))?
    } else if bytes.starts_with(XZ) {
        whole(&name, "xz", lzma_rust2::XzReader::new(&*bytes, true))?
    } else {
        bytes
    };
    Ok((name, bytes))
}

fn whole(name: &str, form: &str, from: impl Read) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    match from.take(BYTES_MAX).read_to_end(&mut bytes) {
        Err(error) => {
            let what = format!("expected a whole file of {form}, found one that is cut: {error}");
            Err(Failure::about(name, what))
        }
        Ok(_) if bytes.len() as u64 == BYTES_MAX => {
            Err(Failure::about(name, format!("more than {} GiB of text", BYTES_MAX >> 30)))
        }
        Ok(_) => Ok(bytes),
    }
}
