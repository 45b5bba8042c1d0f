//! The command `lazymmu`.
fn main() {}
