//! Diagrams as text for other programs: Mermaid's sequence diagram, and a graph for dot.

mod dot;
mod drawn;
mod mermaid;

pub use dot::dot;
pub use mermaid::mermaid;
