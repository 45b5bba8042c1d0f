//! What a replayed log cannot say, and what the lab takes instead: sentences behind its tables.

use emu_lab::render::text::grouped;
use emu_replay::life::TOUCHED_MAX;

use super::replayed::Replayed;
use crate::workload::notes::{count, mode_is_off};

/// The sentences, the most important first.
pub(super) fn of(replayed: &Replayed<'_>) -> Vec<String> {
    let told = replayed.told;
    let mut notes = Vec::new();
    if !told.checkpoints.is_empty() {
        notes.push(checkpoints(replayed));
    }
    if replayed.left > 0 {
        notes.push(format!("{} of --maps belong to no stop of the log", replayed.left));
    }
    if replayed.bad > 0 {
        let bad = count(replayed.bad, "line");
        notes.push(format!("{bad} left out that strace does not print so (--strict stops there)"));
    }
    let (differing, first) = &told.differing;
    if let Some(first) = first.first() {
        notes.push(format!(
            "{} succeeded that would not here, first {} in line {}: {}; the log has gaps, or the \
             order of threads in it is not that of the kernel",
            count(*differing, "call"),
            first.call,
            first.line,
            first.why
        ));
    }
    if told.unknown_images > 0 {
        notes.push(format!(
            "what execve mapped is not known for {}: a range that a call changes is taken as \
             private and written, all else is left out",
            count(told.unknown_images, "program")
        ));
    }
    if told.unknown_segments > 0 {
        let segments = count(told.unknown_segments, "segment");
        notes.push(format!("{segments} of shared memory of unknown size: one page each"));
    }
    if told.cut > 0 {
        let (cut, most) = (count(told.cut, "mapping"), grouped(TOUCHED_MAX));
        notes.push(format!("{cut} of more than {most} pages: only as many count as touched"));
    }
    for report in replayed.reports.iter().filter(|report| report.mode_is_off) {
        let off = mode_is_off(replayed.args.generation);
        notes.push(format!("{}: {off}", report.arch.id()));
    }
    notes.push(model(replayed));
    notes
}

fn checkpoints(replayed: &Replayed<'_>) -> String {
    let all = &replayed.told.checkpoints;
    let agree = all.iter().filter(|checkpoint| checkpoint.differs.is_none()).count();
    let first = all.iter().find_map(|point| Some((point, point.differs.as_ref()?)));
    let first = first.map_or(String::new(), |(point, differs)| {
        format!("; first difference in line {}, task {}: {differs}", point.line, point.pid)
    });
    format!("the mappings agree with the real ones at {agree} of {} moments{first}", all.len())
}

fn model(replayed: &Replayed<'_>) -> String {
    let touch = replayed.args.touch.display();
    format!(
        "which pages are touched is a model (--touch {touch}); faults themselves are not counted, \
         since they run outside of sections"
    )
}
