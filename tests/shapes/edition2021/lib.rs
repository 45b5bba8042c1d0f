//! The shapes of functions that the attributes must not disturb, in edition 2021.
#![deny(warnings)]
#![allow(clippy::all, reason = "shapes are odd on purpose; a test compares clippy on them")]
#![allow(missing_abi, redundant_semicolons, unused_braces, reason = "the same")]

#[path = "../common/attributes.rs"]
pub mod attributes;
#[path = "../common/bodies.rs"]
pub mod bodies;
#[path = "../common/drop_order.rs"]
pub mod drop_order;
#[path = "../common/first_tokens.rs"]
pub mod first_tokens;
#[path = "../common/hygiene.rs"]
pub mod hygiene;
#[path = "../common/macro_rules.rs"]
pub mod macro_rules;
#[path = "../common/polled.rs"]
pub mod polled;
#[path = "../common/receivers.rs"]
pub mod receivers;
#[path = "../common/signatures.rs"]
pub mod signatures;
#[path = "../common/strict.rs"]
pub mod strict;
#[path = "../common/stubs.rs"]
pub mod stubs;
#[path = "../common/units.rs"]
pub mod units;
