//! Pages of reports: a file for each kind.

mod check;
mod compare;
mod conform;
mod prove;
mod run;
mod workload;

pub use check::{Found, check, check_all};
pub use compare::compare;
pub use conform::conform;
pub use prove::{prove, prove_all};
pub use run::run;
pub use workload::workload;
