//! The machine as a value against the machine of a thread: the same record on every scenario.

use emu_arch::{Arch, Kernel};
use emu_lab::scenario::{self, Setup};
use lazy_mmu::Record;
use lazy_mmu::design::Design;
use lazy_mmu::trace::Event;

use crate::support::{files, parse, read, relative};

/// The events but for remarks on claims, which only the other shell makes.
fn without_claims(record: &Record) -> Record {
    let mut rest = Record::new(record.design());
    for seen in record.events() {
        if !matches!(seen.event, Event::Note(text) if text.starts_with("line ")) {
            rest.push(seen.cpu, seen.task, seen.event);
        }
    }
    rest
}

#[test]
fn the_value_gives_the_record_of_the_machine_on_every_scenario() {
    let mut runs = 0;
    for path in files("scenarios", ".scn") {
        let scenario = parse(&read(&path));
        for arch in Arch::all() {
            for kernel in Kernel::ALL {
                for design in [kernel.design(), Design::by_id("token").unwrap()] {
                    let setup = Setup { arch, kernel, design, panic_on_warn: false, mended: false };
                    let machine = scenario::run(&scenario, setup).record;
                    let value = scenario::run_replayed(&scenario, setup);
                    // The numbers of causes move where a remark is missing.
                    if machine == value {
                        runs += 1;
                        continue;
                    }
                    let name = relative(&path);
                    let at = format!("{name} on {} {} {design:?}", arch.id(), kernel.id());
                    assert_eq!(without_claims(&machine).to_string(), value.to_string(), "{at}");
                    runs += 1;
                }
            }
        }
    }
    assert!(runs > 6000, "only {runs} runs");
}
