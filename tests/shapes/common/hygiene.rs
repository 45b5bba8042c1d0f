//! User items with the names that the expansion might have used.

/// Nothing of the prelude means what it says.
pub mod shadowed {
    use ::lazy_mmu::{lazy_mmu as section, lazy_mmu_paused as pause};

    /// Not the facade.
    pub mod lazy_mmu {
        /// Not ours.
        pub mod __private {
            /// Not ours.
            pub fn section() -> u8 {
                0
            }
        }
    }
    /// Not the standard library.
    pub mod std {}
    /// Not the standard library.
    pub mod core {}
    /// Not the standard library.
    pub mod alloc {}
    /// Not the trait.
    pub trait Drop {
        /// Not ours.
        fn drop(&self) {}
    }
    impl<T> Drop for T {}
    /// Not the type.
    pub struct Option;
    /// Not the variant.
    pub struct Some;
    /// Not the variant.
    pub struct None;
    /// Not the type.
    pub struct Result;
    /// Not the variant.
    pub struct Ok;
    /// Not the variant.
    pub struct Err;
    /// Not ours.
    pub struct Site;
    /// Not the trait.
    pub trait Future {}
    /// Not the primitive.
    #[allow(non_camel_case_types)]
    pub struct u32;
    /// Not the primitive.
    #[allow(non_camel_case_types)]
    pub struct str;
    /// Not the function.
    pub fn drop() {}
    /// Not ours.
    #[allow(non_upper_case_globals)]
    pub const __guard: u8 = 3;
    /// Not ours.
    #[allow(non_upper_case_globals)]
    pub static section: u8 = 4;
    #[allow(unused_macros)]
    macro_rules! line {
        () => {
            compile_error!("not ours")
        };
    }
    #[allow(unused_macros)]
    macro_rules! file {
        () => {
            compile_error!("not ours")
        };
    }

    #[section]
    pub fn in_section(x: u8) -> u8 {
        x + __guard + section
    }

    #[pause]
    pub fn in_pause(_x: Option) -> Some {
        Some
    }

    #[section(per_poll)]
    pub async fn polled(x: u8) -> u8 {
        x + __guard
    }

    #[section(with_ptes(mm, 1, 2, 3))]
    pub fn with_ptes(mm: u8) {
        let _ = mm;
    }

    #[section]
    /// A unit.
    pub mod unit {
        /// In it.
        pub fn inside() {}
    }

    /// The block macros.
    pub fn blocks() -> u8 {
        ::lazy_mmu::lazy_mmu_section! { ::lazy_mmu::lazy_mmu_paused_section! { __guard } }
    }
}

/// There is no prelude.
#[no_implicit_prelude]
pub mod no_prelude {
    #[::lazy_mmu::lazy_mmu]
    pub fn in_section() {}

    #[::lazy_mmu::lazy_mmu_paused]
    pub fn in_pause() {}

    #[::lazy_mmu::lazy_mmu(per_poll)]
    pub async fn polled() {}

    #[::lazy_mmu::lazy_mmu(with_ptes(mm, 1, 2, 3))]
    pub fn with_ptes(mm: u8) -> u8 {
        mm
    }

    /// The block macro.
    pub fn block() {
        ::lazy_mmu::lazy_mmu_section! {}
    }
}

/// The locals of the user and ours do not meet.
pub mod locals {
    use lazy_mmu::{lazy_mmu, lazy_mmu_section};

    /// A type.
    pub struct Unit;

    #[lazy_mmu]
    pub fn local(x: u8) -> u8 {
        let __guard = x;
        __guard
    }

    #[lazy_mmu]
    pub fn dropped() -> bool {
        let __guard = 1;
        let _ = __guard;
        lazy_mmu::is_lazy_mmu_mode_active()
    }

    /// A block between two of the user's.
    pub fn block(__guard: u8) -> u8 {
        lazy_mmu_section! {
            let __guard = __guard + 1;
            __guard
        }
    }
}

/// The facade by another name only.
pub mod elsewhere {
    use lazy_mmu as mmu;

    #[mmu::lazy_mmu(crate = mmu)]
    pub fn in_section() {}

    #[mmu::lazy_mmu(crate = super::elsewhere::mmu, per_poll)]
    pub async fn polled() {}

    /// A unit hands the path on.
    #[mmu::lazy_mmu(crate = crate::hygiene::elsewhere::mmu)]
    impl super::locals::Unit {
        /// In it.
        pub fn inside(&self) -> bool {
            mmu::is_lazy_mmu_mode_active()
        }
    }
}

impl locals::Unit {
    /// A unit.
    pub const NEW: Self = Self;
}

#[cfg(test)]
mod tests {
    #[test]
    fn values() {
        assert_eq!(super::shadowed::in_section(1), 8);
        assert_eq!(super::shadowed::blocks(), 3);
        assert_eq!(super::locals::local(1) + super::locals::block(1), 3);
        assert!(super::locals::dropped() && super::locals::Unit::NEW.inside());
    }
}
