//! Nothing that clippy knows fires on what the attributes write.
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(let_underscore_drop, unused_qualifications, unused_results, single_use_lifetimes)]

use std::sync::{Mutex, PoisonError};

use lazy_mmu::{lazy_mmu, lazy_mmu_paused, lazy_mmu_paused_section, lazy_mmu_section};

/// A type.
#[derive(Debug, Default)]
pub struct Table {
    ptes: Vec<u64>,
}

impl Table {
    /// Adds.
    #[lazy_mmu]
    pub fn push(&mut self, pte: u64) {
        self.ptes.push(pte);
    }

    /// Gets.
    #[lazy_mmu]
    #[must_use]
    pub fn get(&self, i: usize) -> Option<u64> {
        let pte = self.ptes.get(i)?;
        Some(*pte)
    }
}

/// Begins with items.
#[lazy_mmu]
#[must_use]
pub fn items(x: u8) -> u8 {
    use std::convert::identity;
    const N: u8 = 3;
    const fn inner(x: u8) -> u8 {
        x.wrapping_add(N)
    }
    identity(inner(x))
}

/// Locks.
///
/// # Errors
/// When the text is not a number.
#[lazy_mmu_paused]
pub fn parse(total: &Mutex<u64>, text: &str) -> Result<u64, std::num::ParseIntError> {
    let n: u64 = text.parse()?;
    *total.lock().unwrap_or_else(PoisonError::into_inner) += n;
    Ok(n)
}

/// Sums.
#[lazy_mmu(name = "sum", with_ptes(all, 0, 1, 2))]
#[must_use]
pub fn sum(all: &u64) -> u64 {
    all.wrapping_mul(2)
}

/// Waits.
#[lazy_mmu(per_poll)]
pub async fn wait() -> u8 {
    std::future::ready(3).await
}

/// In blocks.
pub fn blocks(table: &mut Table) -> Option<u64> {
    lazy_mmu_section! {
        table.push(1);
        lazy_mmu_paused_section! { table.push(2) }
    }
    lazy_mmu_section! { table.get(0) }
}

/// In a block.
#[lazy_mmu]
pub mod zap {
    /// Nothing.
    pub const fn nothing() {}

    /// Adds.
    #[must_use]
    pub fn add(x: u64, y: u64) -> u64 {
        x.wrapping_add(y)
    }
}
