//! The translation unit of a KUnit file: our shims around the file.

use std::fmt::Write;
use std::path::Path;

use lazy_mmu::machine_api::CONTEXT_CHANGES;

use crate::shims::{KERNEL, KUNIT_DRIVER, KUNIT_HEAD};

/// The unit of the file `text`, which the user calls `name`.
pub(super) fn text(name: &str, text: &str) -> String {
    let mut unit = format!("#line 1 \"kernel.h\"\n{KERNEL}\n#line 1 \"kunit.h\"\n{KUNIT_HEAD}\n");
    for (at, info) in lazy_mmu::design::calls().enumerate() {
        let _ = writeln!(unit, "#define {}(...) lz_ask('C', {at})", info.name);
    }
    for (at, (change, ..)) in CONTEXT_CHANGES.iter().enumerate() {
        let _ = writeln!(unit, "#define {change}(...) lz_ask('P', {at})");
    }
    let shown = name.replace('\\', "\\\\").replace('"', "\\\"");
    let _ = writeln!(unit, "#line 1 \"{shown}\"");
    for line in text.lines() {
        // The shim stands for all headers; the line stays, so that the others keep their numbers.
        let is_include = line.trim_start().strip_prefix('#');
        let is_include = is_include.is_some_and(|rest| rest.trim_start().starts_with("include"));
        unit += if is_include { "" } else { line };
        unit.push('\n');
    }
    unit + "#line 1 \"kunit.c\"\n" + KUNIT_DRIVER
}

/// The name of the module that the file would be.
pub(super) fn module(name: &str) -> String {
    let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    stem.unwrap_or_else(|| name.to_owned())
}
