//! The API as annotated code uses it: thread-locals, policies, guards, costs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use emu_arch::{Arch, Machine};
use lazy_mmu::design::StateBits;
use lazy_mmu::machine_api;
use lazy_mmu::sched::{self, TaskStruct};
use lazy_mmu::trace::Event;
use lazy_mmu::{
    LazyMmuPause, LazyMmuSection, OnWarn, assert_hooks, in_interrupt, is_lazy_mmu_mode_active,
    lazy_mmu_mode_disable, lazy_mmu_mode_enable, record_hooks, with_lazy_mmu, with_lazy_mmu_paused,
};

#[test]
fn counters_move_outside_any_machine() {
    lazy_mmu_mode_enable();
    assert!(is_lazy_mmu_mode_active());
    sched::hardirq_enter();
    assert!(in_interrupt() && !is_lazy_mmu_mode_active());
    sched::hardirq_exit();
    with_lazy_mmu_paused(|| assert!(!is_lazy_mmu_mode_active()));
    lazy_mmu_mode_disable();
    assert_eq!(sched::current_task(), TaskStruct::default());
}

/// The calls are statements in every configuration: what returns something is no `fn()` (BC-14).
#[test]
fn the_calls_are_statements() {
    let calls: [fn(); 4] = [
        lazy_mmu_mode_enable,
        lazy_mmu::lazy_mmu_mode_pause,
        lazy_mmu::lazy_mmu_mode_resume,
        lazy_mmu_mode_disable,
    ];
    // The design in which an enable does return something keeps it for the disable.
    let token = lazy_mmu::design::Design::by_id("token").expect("a design of v2");
    let ((), record) =
        sched::with_design(token, || record_hooks(|| calls.iter().for_each(|f| f())));
    let warned = |event| matches!(event, Event::Warn { .. });
    assert!(!record.events().any(|seen| warned(seen.event)), "{record}");
    assert_eq!(record.hooks().count(), 4);
}

#[test]
fn a_call_without_a_watcher_allocates_nothing() {
    let info = allocation_counter::measure(|| {
        for _ in 0..100 {
            let _section = LazyMmuSection::new();
            let _pause = LazyMmuPause::new();
        }
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn a_call_on_a_machine_allocates_nothing_either() {
    let machine = Machine::new(Arch::POWERPC_HASH);
    machine.run(|| {
        let info = allocation_counter::measure(|| with_lazy_mmu(|| {}));
        assert_eq!(info.count_total, 0);
    });
}

#[test]
fn threads_are_tasks() {
    lazy_mmu_mode_enable();
    let other = std::thread::spawn(is_lazy_mmu_mode_active).join();
    assert!(!other.expect("the thread ends") && is_lazy_mmu_mode_active());
    lazy_mmu_mode_disable();
}

#[test]
fn a_panic_in_a_section_leaves_it() {
    let ((), record) = record_hooks(|| {
        let caught = catch_unwind(|| with_lazy_mmu(|| std::panic::resume_unwind(Box::new("x"))));
        assert!(caught.is_err());
    });
    insta::assert_snapshot!(record, @r"
    lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
    lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
    enable=0 pause=0, nothing pending
    ");
}

#[test]
fn a_panic_in_a_record_ends_it() {
    let caught = catch_unwind(|| record_hooks(|| std::panic::resume_unwind(Box::new("x"))));
    assert!(caught.is_err() && !sched::recording());
}

#[test]
fn records_nest() {
    let ((), outer) = record_hooks(|| {
        lazy_mmu_mode_enable();
        let ((), inner) = record_hooks(lazy_mmu_mode_disable);
        assert_eq!(inner.events().next().map(|seen| seen.seq), Some(0));
        assert_eq!(inner.hooks().count(), 1);
    });
    assert_eq!(outer.hooks().count(), 2);
    assert_eq!(outer.events().filter(|s| matches!(s.event, Event::End { .. })).count(), 1);
}

#[test]
fn warnings_follow_the_policy() {
    let disable = AssertUnwindSafe(lazy_mmu_mode_disable);
    let ((), record) = record_hooks(lazy_mmu_mode_disable);
    assert!(record.to_string().contains("WARNING: VM_WARN_ON_ONCE(state->enable_count == 0)"));
    machine_api::swap_current(TaskStruct::default());
    let panic = catch_unwind(|| sched::with_on_warn(OnWarn::Panic, disable.0));
    let text = *panic.expect_err("the policy is to panic").downcast::<String>().expect("a text");
    assert_eq!(text, "WARNING: VM_WARN_ON_ONCE(state->enable_count == 0)");
    machine_api::swap_current(TaskStruct::default());
    sched::with_on_warn(OnWarn::Record, disable.0);
    assert_eq!(sched::current_task().lazy_mmu_state, StateBits(255));
    machine_api::swap_current(TaskStruct::default());
}

#[test]
fn a_leak_shows_in_the_last_line() {
    let machine = Machine::new(Arch::POWERPC_HASH);
    let ((), record) = machine.run(|| record_hooks(lazy_mmu_mode_enable));
    let text = record.to_string();
    assert_eq!(text.lines().last(), Some("enable=1 pause=0, nothing pending, preempt_count=1"));
    machine_api::swap_current(TaskStruct::default());
}

#[test]
fn snapshots_in_place_return_the_value() {
    let value = assert_hooks!(with_lazy_mmu(|| 7), @r"
    lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
    lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
    enable=0 pause=0, nothing pending
    ");
    assert_eq!(value, 7);
    let nested = catch_unwind(|| {
        record_hooks(|| assert_hooks!((), @""));
    });
    assert!(nested.is_err(), "a text in place inside a recorded body is refused");
}

#[test]
fn records_cost_sixteen_bytes_an_event() {
    let ((), record) = record_hooks(|| (0..1000).for_each(|_| with_lazy_mmu(|| ())));
    assert_eq!(record.len(), 8 * 1000 + 1);
    assert_eq!(record.bytes(), 16 * record.len());
}
