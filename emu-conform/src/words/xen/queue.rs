//! What a trace says of the multicall queue of a CPU.

use emu_input::InputError;

use crate::trace::Event;

/// Bytes of a `struct mmu_update`.
const MMU_UPDATE: u64 = 16;
/// Bytes of a `struct mmuext_op`.
const MMUEXT_OP: u64 = 24;
/// The most bytes of a mask of CPUs behind one: 512 CPUs.
const CPUMASK_MAX: u64 = 64;

/// The queue of a CPU.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Queue {
    /// Updates that wait.
    pub(super) updates: u64,
    /// Calls that wait.
    calls: u64,
    /// `struct mmuext_op`s that wait.
    mmuext: u64,
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
            "xen_mc_batch" | "xen_mc_entry" | "xen_mc_entry_alloc" | "xen_mc_extend_args"
                | "xen_mc_flush_reason" | "xen_mc_issue" | "xen_mc_callback"
        ) || event.name == "xen_mc_flush"
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

    /// Follows `event`; an error in the text is what contradicts the events before.
    pub(super) fn follow(&mut self, event: &Event<'_>) -> Result<Result<Said, String>, InputError> {
        match event.name {
            "xen_mc_entry" => {
                self.calls += 1;
                let updates = op(event)? == "mmu_update";
                self.updates += u64::from(updates);
                self.mmuext += u64::from(op(event)? == "mmuext_op");
                Ok(Ok(if updates { Said::Queued } else { Said::Other }))
            }
            "xen_mc_extend_args" if event.word_after("res ")? == "OK" => {
                let bytes = event.number_after(" by ")?;
                if op(event)? != "mmu_update" {
                    self.other += bytes;
                    return Ok(Ok(Said::Other));
                }
                if bytes != MMU_UPDATE {
                    return Ok(Err(format!("an update of {bytes} bytes, which has {MMU_UPDATE}")));
                }
                self.updates += 1;
                Ok(Ok(Said::Queued))
            }
            "xen_mc_flush" if event.args.starts_with("flushing") => self.flush(event),
            _ => Ok(Ok(Said::Other)),
        }
    }

    fn flush(&mut self, event: &Event<'_>) -> Result<Result<Said, String>, InputError> {
        let calls = event.number_after("flushing ")?;
        let bytes = event.number_after("hypercalls, ")?;
        let queue = std::mem::take(self);
        if calls != queue.calls {
            return Ok(Err(format!("a flush of {calls} calls, where {} are queued", queue.calls)));
        }
        let least = queue.updates * MMU_UPDATE + queue.mmuext * MMUEXT_OP + queue.other;
        let most = least + queue.mmuext * CPUMASK_MAX;
        if bytes < least || bytes > most {
            let what = format!("a flush of {bytes} bytes, where {least} are queued");
            return Ok(Err(what));
        }
        Ok(Ok(Said::Flushed(queue.updates)))
    }
}
