//! What one does with the designs and the architectures: scenarios, workloads, renderers.

pub mod input;
pub mod render;
pub mod scenario;
