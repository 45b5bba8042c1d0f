//! What is compared on powerpc.

use emu_arch::ArchEffect;
use emu_arch::powerpc::{FLUSH_HASH_PAGE, FLUSH_HASH_RANGE};

use crate::moves::Effect;

/// An entry joins the batch.
pub(super) const BATCHED: Effect = Effect::new("batched");
/// `flush_hash_page()`
pub(super) const PAGE: Effect = Effect::new("flush_hash_page()");
/// `flush_hash_range()`
pub(super) const RANGE: Effect = Effect::new("flush_hash_range");

/// What an effect of the emulated kernel is in a trace, where it is compared.
pub(super) fn effect(effect: &ArchEffect) -> Option<Effect> {
    match effect.name {
        "ppc64_tlb_batch.index=" => Some(BATCHED),
        name if name == FLUSH_HASH_PAGE.name => Some(PAGE),
        name if name == FLUSH_HASH_RANGE.name => {
            Some(effect.n.map_or(RANGE, |n| RANGE.of(n.into())))
        }
        _ => None,
    }
}
