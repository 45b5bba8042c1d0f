//! Writes a path as the lines of a scenario: a block opens where something interrupts a call.
//!
//! A block stands for one point of one call, and blocks nest. Scenarios cannot express two calls
//! that interleave mid-call; such a path has a record only.

use super::render::name;

/// A line, and the block inside it.
struct Node {
    text: String,
    block: Option<Block>,
}

struct Block {
    /// The point, as it stands behind `before`; none for an interrupt.
    point: Option<String>,
    lines: Vec<Node>,
    /// The CPU on which the call goes on, if it is another one.
    back_on: Option<u8>,
    /// The CPU on which the block began.
    cpu: u8,
}

/// The lines so far.
pub(super) struct Lines {
    top: Vec<Node>,
    /// How many blocks are open: each in the last line of the one around it.
    open: usize,
    /// A CPU went to that task, which has done nothing yet.
    arrived: Option<(u8, u8)>,
    lost: bool,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self { top: Vec::new(), open: 0, arrived: None, lost: false }
    }

    /// The path has no lines.
    pub(super) fn lose(&mut self) {
        self.lost = true;
    }

    fn here(&mut self) -> &mut Vec<Node> {
        let mut lines = &mut self.top;
        for _ in 0..self.open {
            let block = lines.last_mut().and_then(|node| node.block.as_mut());
            lines = &mut block.expect("as many blocks are open as were opened").lines;
        }
        lines
    }

    fn push(&mut self, cpu: u8, pid: u8, text: &str) {
        let at = if cpu > 0 { format!("@cpu{cpu}") } else { String::new() };
        let text = format!("{}{at}: {text}", name(pid));
        self.here().push(Node { text, block: None });
    }

    /// Task `pid` does something on `cpu`.
    pub(super) fn step(&mut self, cpu: u8, pid: u8, text: &str) {
        self.arrive(Some((cpu, pid)));
        self.push(cpu, pid, text);
    }

    /// The CPU goes to task `pid`.
    pub(super) fn switch(&mut self, cpu: u8, pid: u8) {
        self.arrive(None);
        self.arrived = Some((cpu, pid));
    }

    /// A task that has arrived and done nothing runs for a while, unless it is the one of the next
    /// line.
    fn arrive(&mut self, next: Option<(u8, u8)>) {
        if let Some((cpu, pid)) = self.arrived.take()
            && next != Some((cpu, pid))
        {
            if pid > 26 {
                // No line sends a CPU to its idle task and nothing else.
                self.lose();
            }
            self.push(cpu, pid, "run");
        }
    }

    pub(super) fn interrupt(&mut self, cpu: u8, pid: u8) {
        self.arrive(None);
        self.push(cpu, pid, "hardirq");
        self.open_block(None, cpu);
    }

    pub(super) fn interrupt_ends(&mut self) {
        self.arrive(None);
        self.open = self.open.saturating_sub(1);
    }

    /// Something else happens inside the call of the last line, at `stop`.
    pub(super) fn go_away(&mut self, cpu: u8, stop: Option<(&'static str, u32)>) {
        let Some((point, nth)) = stop else { return self.lose() };
        let point = if nth > 1 { format!("{point} {nth}") } else { point.to_owned() };
        if self.here().last().is_none_or(|node| node.block.is_some()) {
            // A call has one block.
            self.lose();
            return;
        }
        self.open_block(Some(point), cpu);
    }

    fn open_block(&mut self, point: Option<String>, cpu: u8) {
        if let Some(node) = self.here().last_mut() {
            node.block = Some(Block { point, lines: Vec::new(), back_on: None, cpu });
            self.open += 1;
        }
    }

    /// The call around the innermost block goes on, with task `pid` on `cpu`.
    pub(super) fn back(&mut self, cpu: u8, pid: u8) {
        if self.lost || self.open == 0 {
            return;
        }
        self.arrive(Some((cpu, pid)));
        self.open -= 1;
        if let Some(block) = self.here().last_mut().and_then(|node| node.block.as_mut())
            && block.cpu != cpu
        {
            block.back_on = Some(cpu);
        }
    }

    /// The text, if the path has one.
    pub(super) fn end(mut self) -> Option<String> {
        self.arrive(None);
        let mut text = String::new();
        write(&self.top, 0, &mut text);
        (!self.lost).then_some(text)
    }
}

fn write(lines: &[Node], depth: usize, text: &mut String) {
    let indent = "    ".repeat(depth);
    for node in lines {
        let Some(block) = &node.block else {
            *text += &format!("{indent}{}\n", node.text);
            continue;
        };
        match &block.point {
            Some(point) => *text += &format!("{indent}{} before {point} {{\n", node.text),
            None => *text += &format!("{indent}{} {{\n", node.text),
        }
        write(&block.lines, depth + 1, text);
        match block.back_on {
            Some(cpu) => *text += &format!("{indent}}} @cpu{cpu}\n"),
            None => *text += &format!("{indent}}}\n"),
        }
    }
}
