//! Page tables in memory: tables of 512 entries and pointers into them.

use std::cell::Cell;

use super::Slot;
use super::addr::PTRS_PER_PTE;
use super::pte::Pte;

/// One page table: 512 entries in memory.
pub struct Table {
    entries: [Cell<u64>; PTRS_PER_PTE],
    /// The number of the table in its machine.
    id: u32,
}

impl Table {
    /// A table of empty entries; `id` is its number in its machine.
    #[must_use]
    pub fn new(id: u32) -> Self {
        Self { entries: [const { Cell::new(0) }; PTRS_PER_PTE], id }
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
        self.entries.iter().filter(|entry| entry.get() != 0).count()
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

impl<'t> Ptep<'t> {
    /// The entries from this one on: `n`, or as many as the table has.
    #[inline]
    pub(crate) fn entries(self, n: usize) -> &'t [Cell<u64>] {
        let (first, entries) = (usize::from(self.index) % PTRS_PER_PTE, &self.table.entries);
        &entries[first..PTRS_PER_PTE.min(first + n)]
    }

    /// The entry as it is in memory: a raw `*ptep`.
    #[inline]
    #[must_use]
    pub fn read(self) -> Pte {
        Pte(self.table.entries[usize::from(self.index) % PTRS_PER_PTE].get())
    }

    /// Writes the entry in memory.
    #[inline]
    pub fn write(self, pte: Pte) {
        self.table.entries[usize::from(self.index) % PTRS_PER_PTE].set(pte.0);
    }

    /// The place as a number: the table's, and the index in it.
    #[inline]
    #[must_use]
    pub const fn slot(self) -> Slot {
        Slot::new(self.table.id, self.index)
    }

    /// The pointer `n` entries further on; wraps at the end of the table.
    #[inline]
    #[must_use]
    pub const fn add(self, n: u16) -> Self {
        Self { table: self.table, index: self.index + n }
    }
}
