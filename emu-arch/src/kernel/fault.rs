//! Faults: single mistakes that can be put into the kernel's code, to see what notices them.

use lazy_mmu::design::{Call, Design, Effect, Effects, Hook, HookInfo, Role, StateBits};

use crate::id::UnknownId;

lazy_mmu::rows! {
    /// A mistake in the generic layer or in the architecture's code.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum Fault, id, UnknownId::new("fault") {
        HookBeforeStore = "hook-before-store", "a call reaches the hook before it stores the state";
        NoEnter = "no-enter", "the enter hook is not called";
        NoLeave = "no-leave", "the leave hook is not called";
        NoFlush = "no-flush", "the flush hook is not called";
        FlushForLeave = "flush-for-leave", "the flush hook is called where leave is due";
        LeaveForFlush = "leave-for-flush", "the leave hook is called where flush is due";
        EnterTwice = "enter-twice", "the enter hook is called twice";
        LeaveTwice = "leave-twice", "the leave hook is called twice";
        EnableStoresNothing = "enable-stores-nothing", "an enable stores no state";
        DisableStoresNothing = "disable-stores-nothing", "a disable stores no state";
        PauseStoresNothing = "pause-stores-nothing", "a pause stores no state";
        ResumeStoresNothing = "resume-stores-nothing", "a resume stores no state";
        CallsInInterrupt = "calls-in-interrupt", "calls do not ask whether they are in interrupt";
        ActiveInInterrupt = "active-in-interrupt", "arch code does not ask whether it is in interrupt";
        AlwaysActive = "always-active", "arch code is told that the mode is active";
        NeverActive = "never-active", "arch code is told that the mode is not active";
        NoPreemptDisableInEnter = "no-preempt-disable-in-enter", "enter leaves preemption on";
        NoPreemptDisableInLeave = "no-preempt-disable-in-leave", "leave leaves preemption on";
        NoPreemptDisableInFlush = "no-preempt-disable-in-flush", "flush leaves preemption on";
        NoPreemptEnableInEnter = "no-preempt-enable-in-enter", "enter leaves preemption off";
        NoPreemptEnableInLeave = "no-preempt-enable-in-leave", "leave leaves preemption off";
        NoPreemptEnableInFlush = "no-preempt-enable-in-flush", "flush leaves preemption off";
        NothingToLeave = "nothing-to-leave", "leave does not see what is outstanding";
        NothingToFlush = "nothing-to-flush", "flush does not see what is outstanding";
        NoSwitchOut = "no-switch-out", "a switch does nothing for the outgoing task";
        NoSwitchIn = "no-switch-in", "a switch does nothing for the incoming task";
        NoTaskPause = "no-task-pause", "a switch does not pause the outgoing task";
        NoTaskResume = "no-task-resume", "a switch does not resume the incoming task";
        FlagNotSet = "flag-not-set", "thread flags are not set";
        FlagNotCleared = "flag-not-cleared", "thread flags are not cleared when they are tested";
        NoGetCpu = "no-get-cpu", "a primitive may leave its CPU";
        NoInvalidate = "no-invalidate", "CPUs keep translations that the code invalidates";
        LeaveLeaksPreempt = "leave-leaks-preempt", "leave turns preemption off once more";
        IrqsOn = "irqs-on", "interrupts stay on where they have to be off";
    }
}

impl Fault {
    /// What the fault makes of the effects of `call` under `design`.
    pub(crate) fn effects(
        self,
        design: Design,
        call: Call,
        effects: &Effects<StateBits>,
    ) -> Vec<Effect<StateBits>> {
        let mut list: Vec<_> = effects.iter().collect();
        if self == Self::HookBeforeStore {
            list.sort_by_key(|effect| matches!(effect, Effect::Store(_)));
        }
        let stores_nothing = matches!(
            (self, design.role(call)),
            (Self::EnableStoresNothing, Role::OpensSection)
                | (Self::DisableStoresNothing, Role::ClosesSection)
                | (Self::PauseStoresNothing, Role::OpensPause)
                | (Self::ResumeStoresNothing, Role::ClosesPause)
        );
        list.retain(|effect| !(stores_nothing && matches!(effect, Effect::Store(_))));
        list.into_iter().flat_map(|effect| self.effect(design, effect)).collect()
    }

    fn effect(self, design: Design, effect: Effect<StateBits>) -> Vec<Effect<StateBits>> {
        let Effect::Hook(hook) = effect else { return vec![effect] };
        let hooks = match (self, design.hook_info(hook).and_then(HookInfo::kernel)) {
            (Self::NoEnter, Some(Hook::ENTER)) | (Self::NoLeave, Some(Hook::LEAVE)) => vec![],
            (Self::NoFlush, Some(Hook::FLUSH)) => vec![],
            (Self::FlushForLeave, Some(Hook::LEAVE)) => vec![Hook::FLUSH],
            (Self::LeaveForFlush, Some(Hook::FLUSH)) => vec![Hook::LEAVE],
            (Self::EnterTwice, Some(Hook::ENTER)) | (Self::LeaveTwice, Some(Hook::LEAVE)) => {
                vec![hook, hook]
            }
            _ => vec![hook],
        };
        hooks.into_iter().map(Effect::Hook).collect()
    }

    /// Whether `preempt_disable()`, or enable, does nothing in `hook`.
    pub(crate) fn skips_preempt(self, hook: Option<Hook>, disable: bool) -> bool {
        match hook {
            Some(Hook::ENTER) => {
                self == Self::NoPreemptDisableInEnter && disable
                    || self == Self::NoPreemptEnableInEnter && !disable
            }
            Some(Hook::LEAVE) => {
                self == Self::NoPreemptDisableInLeave && disable
                    || self == Self::NoPreemptEnableInLeave && !disable
            }
            Some(Hook::FLUSH) => {
                self == Self::NoPreemptDisableInFlush && disable
                    || self == Self::NoPreemptEnableInFlush && !disable
            }
            _ => false,
        }
    }

    /// Whether code in `hook` does not see what is outstanding.
    pub(crate) fn blinds(self, hook: Option<Hook>) -> bool {
        match hook {
            Some(Hook::LEAVE) => self == Self::NothingToLeave,
            Some(Hook::FLUSH) => self == Self::NothingToFlush,
            _ => false,
        }
    }
}
