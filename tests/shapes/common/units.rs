//! Larger units: `impl` blocks, traits and inline modules.

use std::future::Future;

use lazy_mmu::{is_lazy_mmu_mode_active, lazy_mmu, lazy_mmu_paused};

/// A type.
#[derive(Debug, Default)]
pub struct Table<T>(pub T);

#[lazy_mmu]
impl<T> Table<T> {
    /// Not a function.
    pub const N: u8 = { 1 };

    /// In it.
    #[inline]
    pub fn get(&self) -> (&T, bool) {
        (&self.0, is_lazy_mmu_mode_active())
    }
    /// A constant function stays one.
    pub const fn constant() -> u8 {
        Self::N
    }
    /// # Safety
    /// None needed.
    pub const unsafe extern "C" fn qualified() {}
    /// Left alone.
    #[lazy_mmu(skip)]
    pub fn skipped(&self) -> bool {
        is_lazy_mmu_mode_active()
    }
    /// Left alone by a condition.
    #[cfg_attr(not(any()), lazy_mmu(skip))]
    pub fn skipped_by_cfg(&self) -> bool {
        is_lazy_mmu_mode_active()
    }
    /// Not left alone, by a condition.
    #[cfg_attr(any(), lazy_mmu(skip))]
    pub fn not_skipped_by_cfg(&self) -> bool {
        is_lazy_mmu_mode_active()
    }
    /// Its own attribute wins.
    #[lazy_mmu(name = "own")]
    pub fn own(&self) {}
    /// A pause inside of the section.
    #[lazy_mmu_paused]
    pub fn paused(&self) -> bool {
        is_lazy_mmu_mode_active()
    }
    /// Async by choice.
    #[lazy_mmu(per_poll)]
    pub async fn polled(&self) {}
    #[cfg(any())]
    async fn gone(&self) -> Missing {}
    fn private(&self) -> bool
    where
        T: Default,
    {
        is_lazy_mmu_mode_active()
    }
}

impl<T: Default> Table<T> {
    /// Calls the private one.
    pub fn public(&self) -> bool {
        self.private()
    }
}

#[lazy_mmu(per_poll, allow_future)]
impl Table<u8> {
    /// Polled.
    pub async fn polled_by_block(&self) -> bool {
        is_lazy_mmu_mode_active()
    }
    /// Not polled.
    pub fn sync_in_block(&self) -> bool {
        is_lazy_mmu_mode_active()
    }
    /// The future runs outside.
    pub fn future(&self) -> impl Future<Output = bool> + use<> {
        async { is_lazy_mmu_mode_active() }
    }
}

#[lazy_mmu]
impl<T> Iterator for Table<T> {
    type Item = bool;

    fn next(&mut self) -> Option<bool> {
        Some(is_lazy_mmu_mode_active())
    }
}

/// A trait whose default bodies are in it.
#[lazy_mmu]
pub trait Walk {
    /// A type.
    type Entry;
    /// No body.
    fn entry(&self) -> Self::Entry;
    /// A body.
    fn active(&self) -> bool {
        is_lazy_mmu_mode_active()
    }
}

impl Walk for Table<u16> {
    type Entry = bool;

    fn entry(&self) -> bool {
        is_lazy_mmu_mode_active()
    }
}

/// A module.
#[lazy_mmu]
pub mod zap {
    //! With inner docs.
    #![allow(clippy::unused_self)]

    use lazy_mmu::{is_lazy_mmu_mode_active, lazy_mmu};
    pub use std::convert::{Infallible, identity};

    /// Not a function.
    pub static S: u8 = { 3 };
    /// Not a function.
    pub const EMPTY: &[u8] = &{ [] };
    /// A type.
    pub struct Local<F: Fn() -> u8 = fn() -> u8>(pub F);
    /// A type.
    pub struct Unit;
    /// A type.
    #[derive(Clone, Copy, Debug)]
    pub enum E {
        /// One.
        A = 1,
    }
    /// A type.
    pub type Alias = [u8; { 1 }];

    macro_rules! one {
        () => {
            1
        };
    }

    /// In it.
    pub fn active() -> [u32; 2] {
        [u32::from(is_lazy_mmu_mode_active()), one!()]
    }

    impl Unit {
        /// In it.
        pub fn active(&self) -> bool {
            is_lazy_mmu_mode_active()
        }
    }

    /// A block that is left alone.
    #[lazy_mmu(skip)]
    impl E {
        /// Not in it.
        pub fn active(&self) -> bool {
            is_lazy_mmu_mode_active()
        }
    }

    /// A module in the module.
    pub mod inner {
        /// In it.
        pub fn active() -> bool {
            lazy_mmu::is_lazy_mmu_mode_active()
        }
    }

    /// A trait in the module.
    pub trait T {
        /// In it.
        fn active(&self) -> bool {
            is_lazy_mmu_mode_active()
        }
    }
    impl T for u8 {}
}

/// A module in a pause.
#[lazy_mmu_paused]
pub mod paused {
    /// Paused.
    pub fn active() -> bool {
        lazy_mmu::is_lazy_mmu_mode_active()
    }
}

#[cfg(test)]
mod tests {
    use super::zap::T;
    use super::*;

    #[test]
    fn who_is_in_a_section() {
        let table = Table(3u8);
        assert_eq!(table.get(), (&3, true));
        assert_eq!(Table::<u8>::constant(), 1);
        assert_eq!([table.skipped(), table.skipped_by_cfg()], [false; 2]);
        assert!(table.not_skipped_by_cfg() && table.public());
        assert!(!table.paused(), "paused inside of the section");
        assert!(table.sync_in_block());
        assert_eq!(Table(1u8).next(), Some(true));
        assert!(Table(1u16).active() && !Table(1u16).entry());
        assert_eq!(zap::active(), [1, 1]);
        assert!(zap::Unit.active() && zap::inner::active() && T::active(&1u8));
        assert!(!zap::E::A.active());
        lazy_mmu::with_lazy_mmu(|| assert!(!paused::active()));
    }
}
