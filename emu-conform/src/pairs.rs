//! Changes of protection come in pairs: each `ptep_modify_prot_start()` has its commit.

use std::collections::{BTreeMap, BTreeSet};

use emu_arch::VirtAddr;
use emu_arch::backend::At;
use lazy_mmu::trace::PteOp;

use crate::moves::Reduced;
use crate::trace::{Event, Operation, Task};

/// What has begun and not ended.
#[derive(Clone, Debug)]
pub(crate) struct Pairs {
    /// Nothing was under way as the trace began.
    bounded: bool,
    /// By task, address space and address: the line.
    begun: BTreeMap<(Task, u8, VirtAddr), u32>,
    /// Tasks of which a start was seen: before it, the trace may begin between the two.
    known: BTreeSet<Task>,
    /// The last line of each task.
    last: BTreeMap<Task, u32>,
}

impl Pairs {
    /// The changes of an operation.
    pub(crate) fn new(op: &Operation<'_, '_>) -> Self {
        let (begun, known, last) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self { bounded: op.bounded, begun, known, last }
    }

    /// `event` begins or ends a change.
    pub(crate) fn see(&mut self, event: &Event<'_>, op: PteOp, at: At, out: &mut Reduced) {
        let task = event.task();
        let key = (task, at.mm, at.addr);
        if op == PteOp::ptep_modify_prot_start {
            self.known.insert(task);
            if self.begun.insert(key, event.line).is_some() {
                out.breaks(event.line, || {
                    "ptep_modify_prot_start twice, without commit".to_owned()
                });
            }
        } else if op == PteOp::ptep_modify_prot_commit
            && self.begun.remove(&key).is_none()
            && (self.bounded || self.known.contains(&task))
        {
            out.breaks(event.line, || "ptep_modify_prot_commit without start".to_owned());
        }
        self.last.insert(task, event.line);
    }

    /// A section of `task` ends, or the trace does after other calls of it: nothing may be open.
    pub(crate) fn section_ends(&mut self, task: Task, out: &mut Reduced) {
        let open = self.begun.iter().filter(|((of, ..), _)| *of == task).map(|(_, line)| *line);
        if let Some(line) = open.min() {
            out.breaks(line, || "ptep_modify_prot_start without commit".to_owned());
        }
    }

    /// The trace ends: what another change of its task follows had to be ended.
    pub(crate) fn end(&mut self, out: &mut Reduced) {
        let open = self.begun.iter().filter(|((task, ..), line)| self.last.get(task) > Some(line));
        if let Some(line) = open.map(|(_, line)| *line).min() {
            out.breaks(line, || "ptep_modify_prot_start without commit".to_owned());
        }
    }
}
