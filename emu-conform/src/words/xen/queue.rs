//! What a trace says of the multicall queue of a CPU.

use emu_input::InputError;

use crate::trace::Event;

/// Bytes of a `struct mmu_update`.
const MMU_UPDATE: u64 = 16;
/// Bytes of a `struct mmuext_op`.
const MMUEXT_OP: u64 = 24;
/// Bytes of a mask of up to 64 CPUs behind one.
const CPUMASK: u64 = 8;
/// The most bytes of such a mask: 512 CPUs.
const CPUMASK_MAX: u64 = 64;

/// The queue of a CPU.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    /// Updates that wait.
    pub(super) updates: u64,
    /// Calls that wait.
    calls: u64,
    /// `struct mmuext_op`s that wait.
    mmuext: u64,
    /// The line of an update for which there was no room: a new call follows it.
    failed: Option<u32>,
    /// No event was seen yet.
    pub(super) begins: bool,
    /// What contradicts the events before.
    pub(super) broken: Option<(u32, String)>,
    /// Bytes by which calls other than of updates were extended.
    other: u64,
}

/// What an event says of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// An update was queued.
    Queued,
    /// Something else was, or there was no room for an update.
    Other,
    /// All was sent: that many updates.
    Flushed(u64),
}

/// What kind of call an event names: `op 1(mmu_update)`.
fn op<'t>(event: &Event<'t>) -> Result<&'t str, InputError> {
    event.word_after("(")
}

impl Queue {
    /// Whether `event` is one of the queue's.
    pub(super) fn is_about(event: &Event<'_>) -> bool {
        matches!(
            event.name,
            "xen_mc_batch"
                | "xen_mc_entry"
                | "xen_mc_entry_alloc"
                | "xen_mc_extend_args"
                | "xen_mc_flush_reason"
                | "xen_mc_issue"
                | "xen_mc_callback"
        ) || event.name == "xen_mc_flush"
    }

    /// Whether `event` queues an update, or tries to.
    pub(super) fn is_about_update(event: &Event<'_>) -> bool {
        matches!(event.name, "xen_mc_entry" | "xen_mc_extend_args")
            && event.args.contains("(mmu_update)")
    }

    /// Whether `event` has queued an update.
    pub(super) fn joins(event: &Event<'_>) -> bool {
        let fits = event.name == "xen_mc_entry" || event.args.ends_with("res OK");
        Self::is_about_update(event) && fits
    }

    /// Whether the queue was not empty before `event`, the first one of its CPU about it.
    pub(super) fn was_filled(event: &Event<'_>) -> Result<bool, InputError> {
        Ok(match event.name {
            "xen_mc_extend_args" => event.args.ends_with("res OK"),
            "xen_mc_flush" if event.args.starts_with("flushing") => {
                event.number_after("flushing ")? > 0
            }
            _ => false,
        })
    }

    /// Follows `event`.
    pub(super) fn follow(&mut self, event: &Event<'_>) -> Result<Said, InputError> {
        let failed = self.failed.take();
        match event.name {
            "xen_mc_entry" => {
                self.calls += 1;
                let updates = op(event)? == "mmu_update";
                if updates && failed.is_none() && !self.begins {
                    let what = "a call of updates, and no update that did not fit before it";
                    self.breaks(event.line, what.to_owned());
                }
                self.updates += u64::from(updates);
                self.mmuext += u64::from(op(event)? == "mmuext_op");
                self.begins = false;
                Ok(if updates { Said::Queued } else { Said::Other })
            }
            _ if failed.is_some()
                && matches!(event.name, "xen_mc_extend_args" | "xen_mc_issue") =>
            {
                let what = "an update that does not fit, and no call of updates behind it";
                self.breaks(failed.unwrap_or(event.line), what.to_owned());
                Ok(Said::Other)
            }
            "xen_mc_extend_args" if event.word_after("res ")? == "OK" => {
                let bytes = event.number_after(" by ")?;
                if op(event)? != "mmu_update" {
                    self.other += bytes;
                    return Ok(Said::Other);
                }
                if bytes != MMU_UPDATE {
                    let what = format!("an update of {bytes} bytes, which has {MMU_UPDATE}");
                    self.breaks(event.line, what);
                }
                self.updates += 1;
                Ok(Said::Queued)
            }
            "xen_mc_flush" if event.args.starts_with("flushing") => {
                self.failed = failed;
                self.flush(event)
            }
            "xen_mc_extend_args" => {
                if op(event)? == "mmu_update" {
                    self.failed = Some(event.line);
                }
                Ok(Said::Other)
            }
            _ => {
                self.failed = failed;
                Ok(Said::Other)
            }
        }
    }

    fn flush(&mut self, event: &Event<'_>) -> Result<Said, InputError> {
        let calls = event.number_after("flushing ")?;
        let bytes = event.number_after("hypercalls, ")?;
        let queue = std::mem::take(self);
        (self.failed, self.broken) = (queue.failed, queue.broken);
        if calls != queue.calls {
            let what = format!("a flush of {calls} calls, where {} are queued", queue.calls);
            self.breaks(event.line, what);
        }
        let least = queue.updates * MMU_UPDATE + queue.mmuext * MMUEXT_OP + queue.other;
        // A mask stands behind the operation that flushes the TLBs of several CPUs.
        let most = if queue.mmuext == 1 { least + CPUMASK_MAX } else { least };
        if bytes < least || bytes > most || !(bytes - least).is_multiple_of(CPUMASK) {
            let what = format!("a flush of {bytes} bytes, where {least} are queued");
            self.breaks(event.line, what);
        }
        Ok(Said::Flushed(queue.updates))
    }

    fn breaks(&mut self, line: u32, what: String) {
        self.broken.get_or_insert((line, what));
    }
}
