//! Page tables of processes: copied, emptied, filled and visited.
//!
//! Models mm/memory.c (v7.3), one file for each loop.

mod apply;
mod copy;
mod remap;
mod zap;

pub use apply::{Create, apply_to_page_range};
pub use copy::{PageCopy, copy_page_range};
pub use remap::remap_pfn_range;
pub use zap::{ZapDetails, unmap_page_range};
