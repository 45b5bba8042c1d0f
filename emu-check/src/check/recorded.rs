//! Records as programs: what kernel functions did once, in every interleaving with others.

use std::collections::BTreeSet;

use emu_arch::{Pte, VirtAddr};
use lazy_mmu::Record;
use lazy_mmu::trace::{Event, PteEvent, PteOp};

use emu_arch::kernel::{self, Prot, PteArgs};
use emu_lab::scenario::{Line, Scenario, Step, context_change};

/// A scenario whose tasks do what each of `records` shows, A the first, and whose interrupts do
/// what `handler` shows. Pages that a record reads or changes before it sets them are mapped.
///
/// Calls, primitives and spin locks count; what the architecture did is the checker's business.
#[must_use]
pub fn recorded(records: &[&Record], handler: Option<&Record>) -> Scenario {
    let mut scenario = Scenario::default();
    for (record, task) in records.iter().zip(1..) {
        push(&mut scenario.steps, record, task);
    }
    if let Some(handler) = handler {
        let mut around = |name| {
            let step = context_change(name).map(kernel::Step::Context);
            scenario.steps.extend(step.map(|step| line(Step::Kernel(step), 0)));
        };
        around("hardirq_enter");
        around("hardirq_exit");
        let last = scenario.steps.pop();
        push(&mut scenario.steps, handler, 0);
        scenario.steps.extend(last);
    }
    scenario
}

fn line(step: Step, task: u8) -> Line {
    Line { number: 0, task, cpu: None, step, inside: None }
}

fn push(steps: &mut Vec<Line>, record: &Record, task: u8) {
    let mut known = BTreeSet::new();
    for seen in record.events() {
        let step = match seen.event {
            Event::Call(call) => {
                let info = record.design().call_info(call);
                info.map(|info| kernel::Step::Call(info, None))
            }
            Event::Context { name: "spin_lock", .. } => {
                context_change("preempt_disable").map(kernel::Step::Context)
            }
            Event::Context { name: "spin_unlock", .. } => {
                context_change("preempt_enable").map(kernel::Step::Context)
            }
            Event::Context { name, by_arch: false, .. } => {
                context_change(name).map(kernel::Step::Context)
            }
            Event::Pte(event) => args(event).map(|args| {
                for page in 0..u64::from(event.nr) {
                    let new = known.insert((event.mm, args.addr.add_pages(page)));
                    if new && page == 0 && !event.op.sets() && event.pte != 0 {
                        steps.push(line(Step::Map(args), task));
                    }
                }
                kernel::Step::Pte(event.op, PteArgs { pfn: entry_pfn(event), ..args })
            }),
            _ => None,
        };
        steps.extend(step.map(|step| line(Step::Kernel(step), task)));
    }
}

/// The page frame of an entry that the primitive writes.
fn entry_pfn(event: PteEvent) -> Option<u64> {
    (event.op.sets() || event.op == PteOp::ptep_set_access_flags).then(|| Pte(event.pte).pfn().0)
}

fn args(event: PteEvent) -> Option<PteArgs> {
    let pte = Pte(event.pte);
    let prot = match event.op {
        op if op.sets() && event.pte == 0 => Some(Prot::None),
        PteOp::flush_tlb_range | PteOp::tlb_flush => None,
        _ if pte.has(Pte::WRITE) => Some(Prot::ReadWrite),
        _ => Some(Prot::ReadOnly),
    };
    let addr = VirtAddr::page(event.addr).ok()?;
    Some(PteArgs { addr, nr: event.nr, mm: event.mm, prot, pfn: Some(pte.pfn().0), psize: None })
}
