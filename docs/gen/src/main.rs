//! Writes the computed documents to docs/.

#![warn(clippy::wildcard_enum_match_arm)]

use std::fs;
use std::io;
use std::path::Path;

use emu_check::explore::nobody;
use emu_lab::scenario;
use lazymmu_docs::{designs, equivalence, fidelity, findings, mm};

fn main() -> io::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = docs.join("..");
    let kunit = scenario::find_builtin("kunit").map_err(io::Error::other)?;
    let kunit = kunit.ok_or_else(|| io::Error::other("no scenario kunit"))?;
    fs::write(docs.join("designs.md"), designs::markdown(kunit))?;
    fs::write(docs.join("equivalence.md"), equivalence::markdown())?;
    fs::write(docs.join("mm.md"), mm::markdown())?;
    fs::write(docs.join("findings.md"), findings::markdown(&mut nobody()))?;
    let fidelity = docs.join("fidelity.md");
    fs::write(&fidelity, fidelity::renew(&fs::read_to_string(&fidelity)?, &root)?)
}
