//! What annotated functions leave in the record: drop order in both editions, async functions,
//! names, and what unwinding does.

use std::process::Command;
use std::rc::Rc;

use lazy_mmu::PteRange;
use lazy_mmu::arch::Arch;
use lazy_mmu::design::HookInfo;
use lazy_mmu::sched::with_arch;
use lazy_mmu::{LazyMmuSection, is_lazy_mmu_mode_active, lazy_mmu, record_hooks};
use shapes_2024::polled::{drive, paused, poll_once, twice};

use crate::macros_rustc::Job;
use crate::support::check_snapshot;
use crate::support::sheet::{Entry, sheet};

#[test]
fn drop_order_in_both_editions() {
    let cases = shapes_2021::drop_order::CASES.iter().zip(shapes_2024::drop_order::CASES);
    let mut text = String::new();
    for ((name, in_2021), (same, in_2024)) in cases {
        assert_eq!(name, same);
        let [in_2021, in_2024] = [in_2021, in_2024].map(|case| record_hooks(case).1.to_string());
        let entries = [Entry::new("edition 2021", in_2021), Entry::new("edition 2024", in_2024)];
        text += &format!("\n# {name}\n\n{}", sheet(&entries));
    }
    let about = "what is dropped inside of the section, and what after it";
    check_snapshot!("macros", "drop-order", about, text);
}

#[test]
fn an_async_function_has_a_section_per_poll() {
    let (values, record) = record_hooks(|| {
        let twice = drive(twice());
        let paused = lazy_mmu::with_lazy_mmu(|| drive(paused()));
        (twice, paused)
    });
    assert_eq!(values, ((true, 2), (false, 2)));
    check_snapshot!(
        "macros",
        "per-poll",
        "two polls each; the second is held",
        &record.to_string()
    );
}

#[test]
fn a_suspended_future_leaves_nothing_in_the_record() {
    let ((), record) = record_hooks(|| {
        let mut leaked = Box::pin(twice());
        assert!(poll_once(leaked.as_mut()).is_pending());
        std::mem::forget(leaked);
        let mut dropped = Box::pin(twice());
        assert!(poll_once(dropped.as_mut()).is_pending());
    });
    let about = "one future leaked, one dropped, each polled once";
    check_snapshot!("macros", "per-poll-suspended", about, &record.to_string());
}

#[lazy_mmu]
fn zap() {
    inner();
}

#[lazy_mmu(name = "the inner one")]
fn inner() {}

#[test]
fn sections_carry_the_names_of_their_functions() {
    let ((), record) = record_hooks(zap);
    check_snapshot!("macros", "names", "two annotated functions, nested", &record.to_string());
}

#[test]
fn an_attribute_does_what_the_guard_does() {
    #[lazy_mmu]
    fn annotated() -> bool {
        is_lazy_mmu_mode_active()
    }
    let hooks = |f: fn() -> bool| {
        let (active, record) = record_hooks(f);
        assert!(active);
        record.hooks().collect::<Vec<_>>()
    };
    let guarded = || {
        let _section = LazyMmuSection::new();
        is_lazy_mmu_mode_active()
    };
    assert_eq!(hooks(annotated), hooks(guarded));
}

/// Prints the hooks, so that they are seen even when the process aborts.
struct Print;

impl Arch for Print {
    #[expect(clippy::print_stderr, reason = "the parent process reads it")]
    fn hook(&self, hook: &'static HookInfo, _: Option<&PteRange>) {
        eprintln!("{}", hook.name);
    }
}

/// The body of the child process of the next test; does nothing without its variable.
#[test]
fn child_unwinds_out_of_extern_c() {
    if std::env::var_os("LAZYMMU_CHILD").is_some() {
        with_arch(Rc::new(Print), || shapes_2024::drop_order::aborts());
    }
}

#[test]
fn unwinding_out_of_extern_c_leaves_the_section_and_aborts() {
    let mut child = Command::new(std::env::current_exe().expect("a test binary has a path"));
    child.args(["--exact", "macros::child_unwinds_out_of_extern_c", "--nocapture"]);
    let output = child.env("LAZYMMU_CHILD", "1").output().expect("the binary runs again");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "the child aborts");
    let hooks: Vec<_> = text.lines().filter(|line| line.starts_with("arch_")).collect();
    assert_eq!(hooks, ["arch_enter_lazy_mmu_mode", "arch_leave_lazy_mmu_mode"], "{text}");
}

#[test]
fn with_panic_abort_a_panic_leaves_the_section_on() {
    let text = "
        struct Print;
        impl lazy_mmu::arch::Arch for Print {
            fn hook(
                &self,
                hook: &'static lazy_mmu::design::HookInfo,
                _: Option<&lazy_mmu::PteRange>,
            ) {
                eprintln!(\"{}\", hook.name);
            }
        }
        #[lazy_mmu::lazy_mmu]
        fn panics() { panic!(\"as planned\") }
        fn main() { lazy_mmu::sched::with_arch(std::rc::Rc::new(Print), panics); }
    ";
    let args = ["-Cpanic=abort", "--crate-name=abort"];
    let job = Job { driver: "rustc", edition: "2024", name: "abort", text, args: &args };
    let output = Command::new(job.binary()).output().expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stderr);
    let hooks: Vec<_> = text.lines().filter(|line| line.starts_with("arch_")).collect();
    assert_eq!(hooks, ["arch_enter_lazy_mmu_mode"], "{text}");
}
