//! Methods: every receiver, inherent and trait impls, default bodies, the traits of std.

use std::fmt;
use std::future::Future;
use std::ops::{Add, AddAssign, Deref, DerefMut, Index, IndexMut, Neg};
use std::pin::Pin;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};

use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

/// A structure with two fields.
#[derive(Debug, Default)]
pub struct Table {
    /// A number.
    pub len: u64,
    /// Entries.
    pub ptes: Vec<u64>,
}

impl Table {
    /// No receiver.
    #[lazy_mmu]
    pub fn new(len: u64) -> Self {
        Self { len, ptes: vec![0; 8] }
    }
    #[lazy_mmu]
    pub fn by_value(self) -> Vec<u64> {
        self.ptes
    }
    #[lazy_mmu]
    pub fn by_mut_value(mut self) -> Self {
        self.len += 1;
        self
    }
    #[lazy_mmu]
    pub fn by_ref(&self) -> u64 {
        self.len
    }
    #[lazy_mmu]
    pub fn by_mut(&mut self) {
        self.len += 1;
    }
    #[lazy_mmu]
    pub fn reborrowed(&mut self) -> &mut u64 {
        &mut self.len
    }
    #[lazy_mmu]
    pub fn named_lifetime<'a>(&'a mut self, other: &'a mut u64) -> [&'a mut u64; 2] {
        [&mut self.len, other]
    }
    #[lazy_mmu]
    pub fn conditional(&mut self, i: usize) -> Option<&mut u64> {
        if i > 3 {
            return None;
        }
        self.ptes.get_mut(i)
    }
    #[lazy_mmu]
    pub fn boxed(self: Box<Self>) -> u64 {
        self.len
    }
    #[lazy_mmu]
    pub fn counted(self: Rc<Self>) -> Rc<Self> {
        self
    }
    #[lazy_mmu]
    pub fn shared(self: &Arc<Self>) -> Arc<Self> {
        Arc::clone(self)
    }
    #[lazy_mmu]
    pub fn pinned(mut self: Pin<&mut Self>) {
        self.len = 7;
    }
    #[lazy_mmu]
    pub fn pinned_ref<'a>(self: Pin<&'a Self>) -> &'a u64 {
        &self.get_ref().len
    }
    #[lazy_mmu]
    pub fn typed(self: &Self) -> u64 {
        self.len
    }
    #[lazy_mmu]
    pub fn closure_over_self(&mut self) -> impl FnMut() -> u64 + '_ {
        move || {
            self.len += 1;
            self.len
        }
    }
    #[lazy_mmu]
    pub fn chain(&mut self) -> &mut Self {
        self.by_mut();
        self
    }
    #[lazy_mmu_paused]
    pub fn paused(&mut self, by: u64) -> &mut Self {
        self.len += by;
        self
    }
}

/// A trait with every kind of method.
pub trait Walk {
    /// A type.
    type Entry: Copy;
    /// A type with a lifetime.
    type Iter<'a>: Iterator<Item = &'a Self::Entry>
    where
        Self: 'a;
    /// A constant.
    const STEP: usize;

    /// Required.
    fn entry(&self, i: usize) -> Option<Self::Entry>;
    /// Required, with a generic associated type.
    fn iter<'a>(&'a self) -> Self::Iter<'a>;
    /// A default body.
    #[lazy_mmu]
    fn first(&self) -> Option<Self::Entry> {
        self.entry(0 * Self::STEP)
    }
    /// A default body with a bound on `Self`.
    #[lazy_mmu]
    fn into_first(self) -> Option<Self::Entry>
    where
        Self: Sized,
    {
        self.first()
    }
    /// A default body without a receiver.
    #[lazy_mmu]
    fn step() -> usize {
        Self::STEP
    }
    /// A return type in the trait.
    #[lazy_mmu]
    fn evens(&self) -> impl Iterator<Item = usize> {
        let step = Self::STEP;
        (0..4).filter(move |i| i % (2 * step) == 0)
    }
}

impl Walk for Table {
    type Entry = u64;
    type Iter<'a> = std::slice::Iter<'a, u64>;
    const STEP: usize = 1;

    #[lazy_mmu]
    fn entry(&self, i: usize) -> Option<u64> {
        Some(*self.ptes.get(i)?)
    }
    #[lazy_mmu]
    fn iter<'a>(&'a self) -> Self::Iter<'a> {
        self.ptes.iter()
    }
}

/// A generic trait with a supertrait.
pub trait Visit<T: ?Sized>: fmt::Debug {
    /// Takes a closure by reference.
    fn visit(&self, with: &mut dyn FnMut(&T));
}

impl Visit<[u64]> for Table {
    #[lazy_mmu]
    fn visit(&self, with: &mut dyn FnMut(&[u64])) {
        with(&self.ptes);
    }
}

impl<T: fmt::Debug> Visit<T> for Option<T> {
    #[lazy_mmu]
    fn visit(&self, with: &mut dyn FnMut(&T)) {
        self.iter().for_each(with);
    }
}

impl dyn Visit<[u64]> + '_ {
    #[lazy_mmu]
    pub fn count(&self) -> usize {
        let mut n = 0;
        self.visit(&mut |all| n += all.len());
        n
    }
}

/// A type that is dropped.
#[derive(Debug)]
pub struct Dropped(pub Vec<u64>);

impl Drop for Dropped {
    #[lazy_mmu]
    fn drop(&mut self) {
        self.0.clear();
    }
}

impl Clone for Table {
    #[lazy_mmu]
    fn clone(&self) -> Self {
        Self { len: self.len, ptes: self.ptes.clone() }
    }
}

impl fmt::Display for Table {
    #[lazy_mmu]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.len)?;
        f.write_str("!")
    }
}

impl FromStr for Table {
    type Err = std::num::ParseIntError;

    #[lazy_mmu]
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(s.parse()?))
    }
}

impl TryFrom<i8> for Table {
    type Error = <u64 as TryFrom<i8>>::Error;

    #[lazy_mmu]
    fn try_from(len: i8) -> Result<Self, <Self as TryFrom<i8>>::Error> {
        u64::try_from(len).map(Self::new)
    }
}

impl Index<usize> for Table {
    type Output = u64;

    #[lazy_mmu]
    fn index(&self, i: usize) -> &u64 {
        &self.ptes[i]
    }
}

impl IndexMut<usize> for Table {
    #[lazy_mmu]
    fn index_mut(&mut self, i: usize) -> &mut Self::Output {
        &mut self.ptes[i]
    }
}

/// A newtype.
#[derive(Clone, Copy, Debug)]
pub struct Addr(pub i64);

impl Add for Addr {
    type Output = Self;

    #[lazy_mmu]
    fn add(self, Self(other): Self) -> Self {
        Self(self.0 + other)
    }
}

impl AddAssign<i64> for Addr {
    #[lazy_mmu]
    fn add_assign(&mut self, by: i64) {
        self.0 += by
    }
}

impl Neg for &Addr {
    type Output = Addr;

    #[lazy_mmu]
    fn neg(self) -> Addr {
        Addr(-self.0)
    }
}

impl PartialEq for Addr {
    #[lazy_mmu]
    fn eq(&self, other: &Self) -> bool {
        matches!((self, other), (Addr(a), Addr(b)) if a == b)
    }
}

impl From<Addr> for i64 {
    #[lazy_mmu]
    fn from(Addr(addr): Addr) -> i64 {
        addr
    }
}

impl Deref for Addr {
    type Target = i64;

    #[lazy_mmu]
    fn deref(&self) -> &i64 {
        &self.0
    }
}

impl DerefMut for Addr {
    #[lazy_mmu]
    fn deref_mut(&mut self) -> &mut i64 {
        &mut self.0
    }
}

impl Iterator for Addr {
    type Item = Self;

    #[lazy_mmu]
    fn next(&mut self) -> Option<Self> {
        (self.0 < 3).then(|| {
            self.0 += 1;
            *self
        })
    }
}

impl Extend<u64> for Table {
    #[lazy_mmu]
    fn extend<I: IntoIterator<Item = u64>>(&mut self, iter: I) {
        for pte in iter {
            self.ptes.push(pte);
        }
    }
}

impl Future for Addr {
    type Output = i64;

    #[lazy_mmu]
    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(self.0)
    }
}
