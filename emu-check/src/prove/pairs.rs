//! Numbers for pairs of states: exact, without a hash.
//!
//! A table of three levels. States that differ in the first counter have neighbouring numbers, and
//! designs in lockstep are near each other, so a page of 256 pairs is seldom all but empty.

/// How many pairs a page has.
const PAGE: usize = 256;
const NONE: u32 = u32::MAX;

/// Pairs of numbers, each with a number of its own; numbers are given in order.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    /// How many pages a first number may have.
    pages_per_row: usize,
    /// Where the pages of a first number begin in `row_pages`.
    rows: Vec<u32>,
    row_pages: Vec<u32>,
    pages: Vec<u32>,
    /// The pairs in the order of their numbers.
    known: Vec<[u32; 2]>,
}

impl Pairs {
    /// No pairs yet, of numbers below `bounds`.
    pub(super) fn new(bounds: [u32; 2]) -> Self {
        Self {
            pages_per_row: bounds[1] as usize / PAGE + 1,
            rows: vec![NONE; bounds[0] as usize],
            row_pages: Vec::new(),
            pages: Vec::new(),
            known: Vec::new(),
        }
    }

    /// The number of a pair, a new one if it has none yet.
    #[inline]
    pub(super) fn number(&mut self, pair: [u32; 2]) -> u32 {
        let [first, second] = pair.map(|n| n as usize);
        if self.rows[first] == NONE {
            self.rows[first] = (self.row_pages.len() / self.pages_per_row) as u32;
            self.row_pages.resize(self.row_pages.len() + self.pages_per_row, NONE);
        }
        let row = self.rows[first] as usize * self.pages_per_row;
        let page = &mut self.row_pages[row + second / PAGE];
        if *page == NONE {
            *page = (self.pages.len() / PAGE) as u32;
            self.pages.resize(self.pages.len() + PAGE, NONE);
        }
        let slot = &mut self.pages[*page as usize * PAGE + second % PAGE];
        if *slot == NONE {
            *slot = self.known.len() as u32;
            self.known.push(pair);
        }
        *slot
    }

    /// The pair with this number.
    #[inline]
    pub(super) fn pair(&self, number: u32) -> [u32; 2] {
        self.known[number as usize]
    }

    /// How many pairs have a number.
    pub(super) fn len(&self) -> u32 {
        self.known.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::Pairs;

    #[test]
    fn numbers_are_exact_and_in_order() {
        let mut pairs = Pairs::new([1000, 1000]);
        let all = || (0..1000).step_by(7).flat_map(|a| (0..1000).step_by(11).map(move |b| [b, a]));
        for (number, pair) in (0..).zip(all()) {
            assert_eq!(pairs.number(pair), number);
        }
        for (number, pair) in (0..).zip(all()) {
            assert_eq!((pairs.number(pair), pairs.pair(number)), (number, pair));
        }
        assert_eq!(pairs.len() as usize, all().count());
    }
}
