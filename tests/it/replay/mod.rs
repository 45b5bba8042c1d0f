//! Logs of strace: how lines are read, what mappings become of them, what the work of calls costs.

mod bad;
mod command;
mod lines;
mod logs;
mod maps;
mod work;

use emu_replay::life::{Life, Snapshots, Touch};
use emu_replay::strace::Reader;

/// The lives that the lines of `log`, which are all well-formed, tell.
#[track_caller]
fn lives(log: &str, touch: Touch) -> Life {
    let (mut reader, mut life) = (Reader::default(), Life::new(touch, Snapshots::default()));
    for line in log.lines() {
        let event = reader.line(line.as_bytes()).expect("a line of strace");
        life.event(reader.number(), &event, reader.names());
    }
    life.end(reader.names());
    life
}
