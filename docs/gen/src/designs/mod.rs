//! docs/designs.md: what each design does, computed from its transitions.
//!
//! Nothing in it that can be computed is written by hand.

mod chapter;
mod irq;
mod kunit;
mod languages;
mod states;
mod task;

use std::fmt::Write;

use lazy_mmu::design::Design;

use emu_lab::scenario::Scenario;

/// The document; `kunit` is the KUnit test of the mode as a scenario.
#[must_use]
pub fn markdown(kunit: &Scenario) -> String {
    let mut text = String::from(INTRODUCTION);
    for design in Design::LAB {
        let _ = writeln!(text, "* [`{0}`](#{0}): {1}", design.id(), design.about());
    }
    languages::write(&mut text);
    kunit::write(&mut text, kunit);
    irq::write(&mut text);
    text.push_str(CHAPTERS);
    for design in Design::LAB {
        chapter::write(&mut text, *design);
    }
    text
}

const INTRODUCTION: &str = "\
# The designs of the lazy MMU mode

Every API design of the lab, as computed from its transition functions in `lazy-mmu/src/design/`. This
file is generated: `cargo run -- book > docs/designs.md` writes it, and a test compares it.

A *hook* is a call of the architecture: enter, leave or flush. The mode is *active* when arch code that
asks is told to batch. Counters have eight bits.

";

const CHAPTERS: &str = "
# The designs one by one

A transition is written as what happens in its order, and the state after it. A check that fires is
named WARN or BUG; its text is in the table of warnings. A dash stands for a call that does nothing.
The tables show the counter values 0, 1, 2 and 255 where calls can lead to them.
";
