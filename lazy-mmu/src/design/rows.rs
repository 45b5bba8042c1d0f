//! What the table of a design's calls, and that of its hooks, must be: checked when it is compiled.

use super::call::{Call, CallInfo, Role, Takes};
use super::hook::{Hook, HookInfo};
use super::id::same_text;

/// The most calls, and the most hooks, of a design.
const ROWS_MAX: usize = 32;

/// Checks the calls of a design when it is compiled.
pub(super) const fn check_calls(calls: &[CallInfo]) {
    assert!(calls.len() >= 4, "a design has the four calls of the kernel");
    assert!(calls.len() <= ROWS_MAX, "a design has at most 32 calls");
    let mut at = 0;
    while at < calls.len() {
        let info = &calls[at];
        if at < 4 {
            let kernel = &CallInfo::KERNEL[at];
            assert!(info.same_word(kernel), "the calls of the kernel come first, in its order");
            assert!(info.or.is_none(), "a call of the kernel falls back to none");
        } else {
            let bracket = !matches!(info.role, Role::Neither);
            assert!(
                bracket == info.or.is_some(),
                "a bracket is a variant of the kernel's, and only that"
            );
        }
        let token = matches!(info.takes, Takes::Token);
        assert!(!token || matches!(info.role, Role::ClosesSection), "a token ends a section");
        let mut other = 0;
        while other < at {
            assert!(calls[other].call.bits() != info.call.bits(), "two calls with one name");
            assert!(!same_text(calls[other].short, info.short), "two calls with one short name");
            other += 1;
        }
        at += 1;
    }
}

/// Checks the hooks of a design when it is compiled.
pub(super) const fn check_hooks(hooks: &[HookInfo]) {
    assert!(hooks.len() >= 3, "a design has the three hooks of the kernel");
    assert!(hooks.len() <= ROWS_MAX, "a design has at most 32 hooks");
    let mut at = 0;
    while at < hooks.len() {
        let info = &hooks[at];
        if at < 3 {
            let kernel = &HookInfo::KERNEL[at];
            assert!(info.hook.bits() == kernel.hook.bits(), "the hooks of the kernel come first");
        }
        if let Some(or) = info.or {
            assert!(at >= 3, "a hook of the kernel falls back to none");
            let kernel = matches!(or, Hook::ENTER | Hook::LEAVE | Hook::FLUSH);
            assert!(kernel, "a hook falls back to one of the kernel's");
        }
        let mut other = 0;
        while other < at {
            assert!(hooks[other].hook.bits() != info.hook.bits(), "two hooks with one name");
            other += 1;
        }
        at += 1;
    }
}

/// The calls of the kernel differ in their digests, or no table compiles.
const _: () = check_calls(&CallInfo::KERNEL);
const _: () = check_hooks(&HookInfo::KERNEL);
const _: () = assert!(Call::ENABLE.bits() == CallInfo::ENABLE.call.bits());
