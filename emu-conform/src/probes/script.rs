//! A recording as commands of a shell.

use std::fmt::Write;

use emu_arch::{Arch, Kernel};

use super::probe::Probe;
use super::symbols::Symbols;
use crate::words;

/// The commands that record what `arch` does in `kernel`, whose binary is `symbols`; none where the
/// traces of the architecture cannot be read.
#[must_use]
pub fn script(arch: Arch, kernel: Kernel, symbols: &Symbols<'_>) -> Option<String> {
    let words = words::ALL.into_iter().find(|words| words.arch == arch)?;
    let recording = (words.recording)(kernel, symbols);
    let mut text = format!("# Records what `lazymmu conform` reads: {arch} {kernel}\n");
    text += WARNING;
    if let Some(missing) = recording.missing {
        text += "#\n# Not complete:\n";
        missing.lines().for_each(|line| text += &format!("# {line}\n"));
    }
    if !recording.watched.is_empty() {
        text += "#\n# The list that the TCG plugin reads; switches and markers are a trace:\n";
        for line in &recording.watched {
            let _ = writeln!(text, "{line}");
        }
        return Some(text);
    }
    text += "cd /sys/kernel/tracing\necho 0 > tracing_on\necho 30000 > buffer_size_kb\n";
    let known = |probe: &&Probe| symbols.may_have(&probe.at);
    let functions = recording.functions.iter().filter(known);
    for probe in functions.chain(&recording.stores) {
        let kind = if probe.returns { 'r' } else { 'p' };
        let Probe { event, at, reads, .. } = probe;
        let line = format!("{kind}:lz/{event} {at} {reads}");
        let _ = writeln!(text, "echo '{}' >> kprobe_events", line.trim_end());
    }
    if !recording.functions.is_empty() {
        text += "echo 1 > events/lz/enable\n";
    }
    for event in recording.events {
        let _ = writeln!(text, "echo 1 > events/{event}/enable");
    }
    text += END;
    Some(text)
}

const WARNING: &str = "\
# On a test machine only. Kprobes widen windows: v7.0 under Xen PV crashes sooner
# with them. A ppc64 kernel may panic where a task is preempted in a probe and goes
# on on another CPU: pin what is probed (taskset).
";

const END: &str = "\
echo 1 > tracing_on
# Mark each operation, do it, and take the trace with you:
echo 'BEGIN name' > trace_marker
echo END > trace_marker
echo 0 > tracing_on
xz -c trace > /tmp/trace.xz
";
