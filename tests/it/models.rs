//! An independent model of each design, in plain ifs from the published steps, run against the lab
//! on pseudo-random call sequences: ill-formed ones and interrupts included.

use emu_arch::Arch;
use emu_lab::scenario::{self, Setup};
use lazy_mmu::design::Design;
use lazy_mmu::trace::Event;

use crate::support::parse;

/// Two counters or a counter and a flag, whatever the design calls them.
#[derive(Default)]
struct Model {
    id: &'static str,
    /// `count`, `nesting_level`, `enable_count`; of the designs without one, the mode word.
    n: u8,
    /// `enabled`, `paused`, `active` as 0 and 1; `pause_count`.
    m: u8,
    /// What enables returned to the callers: the mode was on.
    tokens: Vec<bool>,
    /// How many interrupts and bh-offs are open.
    irq: u32,
    /// The architecture declines the mode.
    declined: bool,
    /// What the call did.
    did: Vec<String>,
}

impl Model {
    fn does(&mut self, cond: bool, what: &str) {
        if cond {
            self.did.push(what.to_owned());
        }
    }

    fn warns_once(&mut self, cond: bool, what: &str) {
        self.does(cond, &format!("VM_WARN_ON_ONCE({what})"));
    }

    fn warns(&mut self, cond: bool, what: &str) {
        self.does(cond, &format!("VM_WARN_ON({what})"));
    }

    fn active(&self) -> bool {
        let task = self.irq == 0;
        match self.id {
            "direct" | "token" => self.n == 1,
            "sketch" | "count-paused-rfc" | "independent" => self.n > 0 && self.m == 0,
            "count-enabled-rfc" => self.m == 1,
            "count-enabled" | "nesting-active" => task && self.m == 1,
            _ => task && self.n > 0 && self.m == 0,
        }
    }

    fn step(&mut self, call: &str) -> Vec<String> {
        self.did.clear();
        match self.id {
            "direct" => self.direct(call),
            "token" => self.token(call),
            "sketch" => self.sketch(call),
            "count-enabled-rfc" => self.proposal(call, false),
            "count-paused-rfc" => self.proposal(call, true),
            "count-enabled" if self.irq == 0 && !self.declined => self.v3(call),
            "nesting-active" if self.irq == 0 => self.v4(call),
            "independent" => self.independent(call),
            "counts" | "counts-task" | "with-ptes" if self.irq == 0 => self.merged(call),
            _ => {}
        }
        self.did.clone()
    }

    fn direct(&mut self, call: &str) {
        let on = call == "enable" || call == "resume";
        self.does(true, if on { "arch_enter()" } else { "arch_leave()" });
        self.n = u8::from(on);
    }

    fn token(&mut self, call: &str) {
        match call {
            "enable" => self.tokens.push(self.n == 1),
            "disable" => {
                let nested = self.tokens.pop().unwrap_or(false);
                self.does(true, "arch_leave()");
                self.n = if nested { self.n } else { 0 };
                return;
            }
            _ => {}
        }
        self.direct(call);
    }

    fn sketch(&mut self, call: &str) {
        self.warns_once(call != "resume" && self.m == 1, "paused");
        match call {
            "enable" => {
                self.n = self.n.wrapping_add(1);
                self.does(self.n == 1, "arch_enter()");
            }
            "disable" => {
                self.warns_once(self.n == 0, "enabled_count == 0");
                self.n = self.n.wrapping_sub(1);
                self.does(self.n == 0, "arch_leave()");
            }
            "pause" => {
                self.m = 1;
                self.does(self.n > 0, "arch_leave()");
            }
            _ => {
                self.warns_once(self.m == 0, "!paused");
                self.m = 0;
                self.does(self.n > 0, "arch_enter()");
            }
        }
    }

    fn proposal(&mut self, call: &str, paused: bool) {
        let enabled = |on: bool| u8::from(on != paused);
        match call {
            "enable" => {
                if self.n == 0 {
                    self.does(true, "arch_enter()");
                    self.m = if paused { self.m } else { 1 };
                }
                self.n = self.n.wrapping_add(1);
            }
            "disable" => {
                self.n = self.n.wrapping_sub(1);
                if self.n == 0 {
                    self.m = if paused { self.m } else { 0 };
                    self.does(true, "arch_leave()");
                } else {
                    self.does(true, "arch_flush()");
                }
            }
            "pause" => {
                self.m = enabled(false);
                self.does(true, "arch_leave()");
            }
            _ => {
                self.does(true, "arch_enter()");
                self.m = enabled(true);
            }
        }
    }

    fn v3(&mut self, call: &str) {
        match call {
            "enable" if self.n == 255 => self.does(true, "VM_BUG_ON(state->count == U8_MAX)"),
            "disable" if self.n == 0 => self.does(true, "VM_BUG_ON(state->count == 0)"),
            "enable" => {
                self.warns(self.n > 0 && self.m == 0, "state->count > 0 && !state->enabled");
                if self.n == 0 {
                    self.does(true, "arch_enter()");
                    self.m = 1;
                }
                self.n += 1;
            }
            "disable" => {
                self.warns(self.m == 0, "!state->enabled");
                self.n -= 1;
                if self.n == 0 {
                    self.m = 0;
                }
                self.does(self.n == 0, "arch_leave()");
                self.does(self.n > 0, "arch_flush()");
            }
            "pause" => {
                self.warns(self.n == 0 || self.m == 0, "state->count == 0 || !state->enabled");
                self.m = 0;
                self.does(true, "arch_leave()");
            }
            _ => {
                self.warns(self.n == 0 || self.m == 1, "state->count == 0 || state->enabled");
                self.does(true, "arch_enter()");
                self.m = 1;
            }
        }
    }

    fn v4(&mut self, call: &str) {
        match call {
            "enable" => {
                self.warns_once(self.n == 255, "state->nesting_level == U8_MAX");
                self.warns(self.n > 0 && self.m == 0, "state->nesting_level > 0 && !state->active");
                self.n = self.n.wrapping_add(1);
                if self.n == 1 {
                    self.m = 1;
                    self.does(true, "arch_enter()");
                }
            }
            "disable" => {
                self.warns_once(self.n == 0, "state->nesting_level == 0");
                self.warns(self.m == 0, "!state->active");
                self.n = self.n.wrapping_sub(1);
                if self.n == 0 {
                    self.m = 0;
                    self.does(true, "arch_leave()");
                } else {
                    self.does(true, "arch_flush()");
                }
            }
            "pause" => {
                self.warns(
                    self.n == 0 || self.m == 0,
                    "state->nesting_level == 0 || !state->active",
                );
                self.m = 0;
                self.does(true, "arch_leave()");
            }
            _ => {
                self.warns(
                    self.n == 0 || self.m == 1,
                    "state->nesting_level == 0 || state->active",
                );
                self.m = 1;
                self.does(true, "arch_enter()");
            }
        }
    }

    fn independent(&mut self, call: &str) {
        match call {
            "enable" => {
                self.n = self.n.wrapping_add(1);
                self.does(self.n == 1 && self.m == 0, "arch_enter()");
            }
            "disable" => {
                self.n = self.n.wrapping_sub(1);
                self.does(self.n == 0 && self.m == 0, "arch_leave()");
                self.does(self.n > 0 && self.m == 0, "arch_flush()");
            }
            "pause" => {
                self.m = self.m.wrapping_add(1);
                self.does(self.m == 1 && self.n >= 1, "arch_leave()");
            }
            _ => {
                self.m = self.m.wrapping_sub(1);
                self.does(self.m == 0 && self.n >= 1, "arch_enter()");
            }
        }
    }

    fn merged(&mut self, call: &str) {
        match call {
            "enable" if self.m == 0 => {
                self.warns_once(self.n == 255, "state->enable_count == U8_MAX");
                self.n = self.n.wrapping_add(1);
                self.does(self.n == 1, "arch_enter()");
            }
            "disable" if self.m == 0 => {
                self.warns_once(self.n == 0, "state->enable_count == 0");
                self.n = self.n.wrapping_sub(1);
                self.does(true, if self.n == 0 { "arch_leave()" } else { "arch_flush()" });
            }
            "pause" => {
                self.warns_once(self.m == 255, "state->pause_count == U8_MAX");
                self.m = self.m.wrapping_add(1);
                self.does(self.m == 1 && self.n > 0, "arch_leave()");
            }
            "resume" => {
                self.warns_once(self.m == 0, "state->pause_count == 0");
                self.m = self.m.wrapping_sub(1);
                self.does(self.m == 0 && self.n > 0, "arch_enter()");
            }
            _ => {}
        }
    }
}

/// A linear congruential generator with the constants of MMIX.
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

const CALLS: [&str; 4] = ["enable", "disable", "pause", "resume"];
const CONTEXTS: [(&str, &str); 4] = [
    ("hardirq_enter", "hardirq_exit"),
    ("softirq_enter", "softirq_exit"),
    ("nmi_enter", "nmi_exit"),
    ("local_bh_disable", "local_bh_enable"),
];

/// A sequence of `len` lines in which `favourite` is frequent; contexts nest well, calls do not.
fn sequence(random: &mut Lcg, len: usize, favourite: Option<&'static str>) -> Vec<&'static str> {
    let mut open: Vec<&str> = Vec::new();
    let mut lines = Vec::with_capacity(len);
    for _ in 0..len {
        let line = match (random.below(12), favourite) {
            (0, None) if open.len() < 3 => {
                let (begin, end) = CONTEXTS[random.below(4) as usize];
                open.push(end);
                begin
            }
            (1 | 2, _) => open.pop().unwrap_or(CALLS[random.below(4) as usize]),
            (3.., Some(call)) => call,
            _ => CALLS[random.below(4) as usize],
        };
        lines.push(line);
    }
    lines
}

/// Runs `lines` in the lab and in the model; panics where they first differ.
#[track_caller]
fn check_sequence(design: Design, arch: Arch, lines: &[&str]) {
    let scenario: scenario::Scenario = parse(&lines.join("\n"));
    let record = scenario::run(&scenario, Setup { design, arch, ..Setup::default() }).record;
    // Only radix says that it does not want the mode, and only v3 asks.
    let declined = arch == Arch::POWERPC_RADIX;
    let mut model = Model { id: design.id(), declined, ..Model::default() };
    let mut lines = lines.iter().copied().enumerate();
    let mut did = Vec::new();
    for seen in record.events() {
        match seen.event {
            Event::Hook(hook) => did.extend(hook.info().map(|info| info.short.to_owned())),
            Event::Warn { check, cond, .. } => did.push(format!("{check}({cond})")),
            Event::Context { .. } => {
                let (_, name) = lines.next().expect("a line for each change");
                let begins = CONTEXTS.iter().any(|(begin, _)| *begin == name);
                model.irq = if begins { model.irq + 1 } else { model.irq - 1 };
            }
            Event::Return { active, .. } => {
                let (at, name) = lines.next().expect("a line for each call");
                let expected = (model.step(name), model.active());
                let found = (std::mem::take(&mut did), active);
                assert_eq!(found, expected, "{}: step {at}, {name}\n{record}", design.id());
            }
            _ => {}
        }
    }
    assert!(lines.next().is_none() && did.is_empty());
}

#[test]
fn every_design_is_what_was_published() {
    let mut random = Lcg(12);
    for number in 0..2000 {
        let lines = sequence(&mut random, 4 + number % 30, None);
        for design in Design::LAB {
            check_sequence(*design, Arch::NAIVE, &lines);
        }
    }
}

#[test]
fn every_design_where_the_architecture_declines_the_mode() {
    let mut random = Lcg(5);
    for number in 0..300 {
        let lines = sequence(&mut random, 4 + number % 30, None);
        for design in Design::LAB {
            check_sequence(*design, Arch::POWERPC_RADIX, &lines);
        }
    }
}

#[test]
fn every_design_at_the_ends_of_its_counters() {
    let mut random = Lcg(7);
    for number in 0..12 {
        let lines = sequence(&mut random, 600, Some(CALLS[number % 4]));
        // Tokens are not counters: they have no end, and the lab keeps 256 of them for raw calls.
        for design in Design::LAB.iter().filter(|design| !design.has_tokens()) {
            check_sequence(*design, Arch::NAIVE, &lines);
        }
    }
}
