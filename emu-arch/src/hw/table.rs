//! Page tables in memory: tables of 512 entries and pointers into them.

use std::cell::Cell;

use super::addr::PTRS_PER_PTE;
use super::pte::Pte;

/// One page table: 512 entries in memory.
pub struct Table(Box<[Cell<u64>; PTRS_PER_PTE]>);

impl Table {
    /// A table of empty entries.
    #[must_use]
    pub fn new() -> Self {
        Self(Box::new([const { Cell::new(0) }; PTRS_PER_PTE]))
    }

    /// The pointer to entry `index`, below 512.
    #[inline]
    #[must_use]
    pub fn ptep(&self, index: u16) -> Ptep<'_> {
        Ptep { table: self, index }
    }

    /// How many entries are not empty.
    #[must_use]
    pub fn populated(&self) -> usize {
        self.0.iter().filter(|entry| entry.get() != 0).count()
    }
}

impl Default for Table {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table({} of {PTRS_PER_PTE} populated)", self.populated())
    }
}

/// A pointer to a page table entry: the kernel's `pte_t *ptep`.
#[derive(Clone, Copy, Debug)]
pub struct Ptep<'t> {
    table: &'t Table,
    index: u16,
}

impl Ptep<'_> {
    /// The entry as it is in memory: a raw `*ptep`.
    #[inline]
    #[must_use]
    pub fn read(self) -> Pte {
        Pte(self.table.0[usize::from(self.index) % PTRS_PER_PTE].get())
    }

    /// Writes the entry in memory.
    #[inline]
    pub fn write(self, pte: Pte) {
        self.table.0[usize::from(self.index) % PTRS_PER_PTE].set(pte.0);
    }

    /// The pointer `n` entries further on; wraps at the end of the table.
    #[inline]
    #[must_use]
    pub const fn add(self, n: u16) -> Self {
        Self { table: self.table, index: self.index + n }
    }
}
