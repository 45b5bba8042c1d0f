//! docs/mm.md: every function of the kernel with a section or a pause, and what one call does on
//! each architecture.

use std::fmt::Write;

use emu_arch::Arch;
use emu_mm::sites;

use crate::words::{code, table};

const HEAD: &str = "\
# Every call site of v7.3

25 functions of v7.3 have a section or a pause, beside the KUnit test and the context switch of Xen
PV. The lab has all of them as annotated code, under the kernel's names and files, in the crate
`emu-mm`. A function that takes a lock is two there: the outer one takes the lock, and the inner one
is annotated.

Assumptions that hold for all: there is no `struct page`, and frames that follow each other are one
folio; every folio is on the list of reclaim; a folio is mapped by one process unless the caller says
otherwise; nobody waits for a lock; no notifier is registered.

## What is modelled

E is `lazy_mmu_mode_enable()`, D `lazy_mmu_mode_disable()`, P `lazy_mmu_mode_pause()`, R
`lazy_mmu_mode_resume()`, with their lines. The architecture's own functions exist on one
architecture only.

";

const HOOKS: &str = "
## Hooks of one call

One call over the 512 pages of one table, which were written before, each a folio of its own, with
what its caller does behind it, such as the flush of a gather. Numbers behind an effect say how many
entries each time had, in order; `16x 31 16` is sixteen times 31 and once 16. Effects that no scenario
counts are not shown. Where a kernel does not build the function, the cell says why.
`lru_gen_look_around()` makes the page that it is called for old before the section.
";

/// The document.
#[must_use]
pub fn markdown() -> String {
    let mut text = HEAD.to_owned();
    let rows: Vec<_> = sites::all()
        .map(|site| {
            let left_out = if site.left_out.is_empty() { "nothing" } else { site.left_out };
            [code(site.function), site.file.to_owned(), site.models.to_owned(), left_out.to_owned()]
                .to_vec()
        })
        .collect();
    table(&mut text, &["function", "file", "modelled", "left out"], &rows);
    text.push_str(HOOKS);
    for site in sites::all() {
        let _ = writeln!(text, "\n### `{}`\n", site.function);
        // Equal cells once, with their architectures.
        let mut cells: Vec<(String, Vec<&str>)> = Vec::new();
        for arch in Arch::all() {
            let cell = site.hooks(arch).unwrap_or_else(|reason| format!("- ({reason})"));
            match cells.iter_mut().find(|(known, _)| *known == cell) {
                Some((_, archs)) => archs.push(arch.id()),
                None => cells.push((cell, vec![arch.id()])),
            }
        }
        let rows: Vec<_> =
            cells.into_iter().map(|(cell, archs)| vec![archs.join(", "), cell]).collect();
        table(&mut text, &["architectures", "hooks; effects"], &rows);
    }
    text
}
