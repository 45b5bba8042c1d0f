//! The messages of the compiler on a text, with their places.

use crate::macros_rustc::Job;

/// A message of the compiler.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Message {
    /// Where its first span is: file, line, column.
    pub(crate) place: (String, u64, u64),
    /// The level and the text.
    pub(crate) text: String,
}

/// Compiles and returns all messages with a place, sorted.
pub(crate) fn messages(job: &Job<'_>) -> Vec<Message> {
    let file = job.write();
    let mut command = job.command(&file);
    command.args(["--emit=metadata", "--error-format=json"]);
    let output = command.output().expect("the compiler runs");
    let text = String::from_utf8_lossy(&output.stderr);
    let mut messages: Vec<_> = text.lines().filter_map(message).collect();
    messages.sort();
    messages.dedup();
    messages
}

/// Reads one line of the compiler's JSON.
fn message(line: &str) -> Option<Message> {
    let json: serde_json::Value = serde_json::from_str(line).ok()?;
    let span = json["spans"].as_array()?.iter().find(|span| span["is_primary"] == true)?;
    let code = json["code"]["code"].as_str().unwrap_or("");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
    Some(Message {
        place: (
            text(&span["file_name"]),
            span["line_start"].as_u64().unwrap_or(0),
            span["column_start"].as_u64().unwrap_or(0),
        ),
        text: format!("{}: {} [{code}]", text(&json["level"]), text(&json["message"])),
    })
}
