//! The two hosts of the kernel's code against each other, and the replaying host against itself.

use std::collections::BTreeSet;

use emu_arch::kernel::Step;
use emu_arch::replay::{Code, Local, Progress, Seen, Stop};
use emu_arch::{Arch, Kernel};
use emu_lab::scenario::{self, Scenario, Setup};
use lazy_mmu::Record;
use lazy_mmu::design::Design;
use lazy_mmu::sched::TaskStruct;
use lazy_mmu::trace::Event;

use crate::support::{files, parse, read, relative};

/// The events but for remarks on claims, which only the machine of a thread makes.
fn without_claims(record: &Record) -> Record {
    let mut rest = Record::new(record.design());
    for seen in record.events() {
        if !matches!(seen.event, Event::Note(text) if text.starts_with("line ")) {
            rest.push(seen.cpu, seen.task, seen.event);
        }
    }
    rest
}

/// Every scenario of the repository, by the name of its file.
fn scenarios() -> impl Iterator<Item = (String, Scenario)> {
    files("scenarios", ".scn").into_iter().map(|path| (relative(&path), parse(&read(&path))))
}

#[test]
fn both_hosts_write_the_same_record_of_every_scenario() {
    let token = Design::by_id("token").unwrap();
    for (name, scenario) in scenarios() {
        for (arch, kernel) in Arch::all().flat_map(|arch| Kernel::ALL.map(|kernel| (arch, kernel)))
        {
            for design in [kernel.design(), token] {
                let setup = Setup { arch, kernel, design, panic_on_warn: false, mended: false };
                let live = scenario::run(&scenario, setup).record;
                let replayed = scenario::run_replayed(&scenario, setup);
                // The numbers of causes move where a remark is missing.
                if live != replayed {
                    let at = format!("{name} on {arch} {kernel} {design:?}");
                    assert_eq!(without_claims(&live).to_string(), replayed.to_string(), "{at}");
                }
            }
        }
    }
}

/// Code that does each part of a step twice, and a step that nothing comes between also as a whole:
/// whatever it is asked again, it must do again.
pub(crate) struct Twice {
    code: Box<dyn Code>,
    /// The step under way: the machine and what was seen as it was left, and at the end if nothing
    /// comes between.
    left: Option<(Local, Seen)>,
    whole: Option<(Local, Seen)>,
}

impl Twice {
    /// The code of `setup`.
    pub(crate) fn of(setup: Setup) -> Box<dyn Code> {
        let code = setup.arch.replay(setup.kernel, setup.design, None);
        Box::new(Self { code, left: None, whole: None })
    }
}

impl Code for Twice {
    fn step(
        &mut self,
        local: &mut Local,
        step: &Step,
        from: &Progress,
        seen: &mut Seen,
    ) -> Option<Stop> {
        if *from == Progress::default() {
            let (mut local, mut seen) = (local.clone(), seen.clone());
            self.code.whole_step(&mut local, step, &mut seen);
            self.whole = Some((local, seen));
        } else if self.left.take().is_none_or(|left| left != (local.clone(), seen.clone())) {
            // An interrupt or another task has come between.
            self.whole = None;
        }
        let (mut again, mut seen_again) = (local.clone(), seen.clone());
        let stop = self.code.step(local, step, from, seen);
        let second = self.code.step(&mut again, step, from, &mut seen_again);
        assert_eq!(second, stop, "{step:?} from {from:?}: another stop");
        assert_eq!(again, *local, "{step:?} from {from:?}: another machine");
        assert_eq!(seen_again, *seen, "{step:?} from {from:?}: something else was seen");
        match stop {
            Some(_) => self.left = Some((local.clone(), seen.clone())),
            None => {
                if let Some((whole, seen_whole)) = self.whole.take() {
                    assert_eq!(whole, *local, "{step:?}: another machine than as a whole");
                    assert_eq!(seen_whole, *seen, "{step:?}: something else than as a whole");
                }
            }
        }
        stop
    }

    fn whole_step(&mut self, local: &mut Local, step: &Step, seen: &mut Seen) {
        self.code.whole_step(local, step, seen);
    }

    fn switch_out(&mut self, local: &mut Local, next: u8, seen: &mut Seen) {
        self.code.switch_out(local, next, seen);
    }

    fn switch_in(&mut self, local: &mut Local, seen: &mut Seen) {
        self.code.switch_in(local, seen);
    }

    fn switched_out(&self, task: TaskStruct) -> TaskStruct {
        self.code.switched_out(task)
    }

    fn is_active(&self, task: &TaskStruct) -> bool {
        self.code.is_active(task)
    }

    fn lazy_mode(&mut self, local: &mut Local) -> Option<bool> {
        self.code.lazy_mode(local)
    }

    fn pending(&mut self, local: &mut Local) -> Option<(u32, &'static str)> {
        self.code.pending(local)
    }

    fn note_end(&mut self, local: &mut Local, seen: &mut Seen) {
        self.code.note_end(local, seen);
    }
}

#[test]
fn a_step_that_is_left_at_any_point_and_resumed_does_the_same_again() {
    for (name, scenario) in scenarios() {
        for arch in Arch::all() {
            let mut versions = BTreeSet::new();
            for kernel in arch.kernels() {
                let design = kernel.design();
                if !versions.insert((arch.version(kernel), design.id())) {
                    continue;
                }
                let setup = Setup { arch, kernel, design, panic_on_warn: false, mended: false };
                let twice = scenario::run_on_code(&scenario, setup, Twice::of(setup));
                let once = scenario::run_replayed(&scenario, setup);
                assert_eq!(twice, once, "{name} on {arch} {kernel}");
            }
        }
    }
}
