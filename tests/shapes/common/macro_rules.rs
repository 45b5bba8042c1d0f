//! Functions that come out of `macro_rules!`, with groups that have no delimiters.

use lazy_mmu::lazy_mmu;

macro_rules! whole_item {
    ($($item:item)*) => { $(#[lazy_mmu] $item)* };
}

whole_item! {
    /// Docs.
    pub fn item_bare() -> u8 {
        1
    }
    #[inline]
    #[must_use]
    pub unsafe extern "C" fn item_qualified<'a>(x: &'a u8) -> &'a u8 {
        x
    }
}

macro_rules! item_with_attribute {
    ($item:item) => {
        $item
    };
}

item_with_attribute! {
    #[lazy_mmu]
    pub fn item_annotated(x: Option<u8>) -> Option<u8> {
        Some(x? + 1)
    }
}

macro_rules! parts {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:tt: $ty:ty),*) -> $out:ty $body:block) => {
        #[lazy_mmu]
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) -> $out $body
    };
}

parts! {
    /// Docs.
    #[inline]
    pub(crate) fn by_parts((a, b): (u8, u8), c: Vec<Option<u8>>) -> u8 {
        if c.is_empty() {
            return 0;
        }
        a + b
    }
}

parts! {
    fn private_parts() -> Result<u8, std::fmt::Error> {
        Ok(1)
    }
}

macro_rules! body_is_expression {
    ($vis:vis $name:ident $e:expr) => {
        #[lazy_mmu]
        $vis fn $name() -> u32 {
            $e * 3
        }
    };
}

body_is_expression! { pub expression 1 + 2 }

macro_rules! body_begins_with_item {
    ($name:ident $item:item $stmt:stmt) => {
        #[lazy_mmu]
        pub fn $name() -> u32 {
            $item
            $stmt;
            N + 2
        }
    };
}

body_begins_with_item! { item_first const N: u32 = { 1 }; assert!(N == 1 + 0) }

macro_rules! taken_apart {
    ($(#[$m:meta])* $vis:vis mod $name:ident, $e:expr, $t:ty, $p:path, $c:expr) => {
        #[lazy_mmu]
        $vis mod $name {
            #![allow(clippy::all)]
            pub const N: u32 = $e * 3;
            $(#[$m])*
            pub fn output(x: &'static $t) -> &'static $t {
                #![allow(clippy::all)]
                use std::convert::identity;
                assert_eq!($e * 2, identity(-$p(6i32).abs().wrapping_neg() as u32));
                x
            }
            pub fn negated() -> bool {
                #![allow(clippy::all)]
                !$c
            }
        }
    };
}

taken_apart! {
    #[must_use]
    pub mod apart, 1 + 2, dyn std::fmt::Debug + Send + Sync, std::convert::identity::<i32>, 1 < 2
}

macro_rules! tokens {
    ($($tokens:tt)*) => { $($tokens)* };
}

tokens! {
    #[lazy_mmu]
    pub fn from_tokens<T>(x: T) -> T where T: Copy { x }
}

macro_rules! many {
    ($($name:ident: $ty:ty = $value:literal),* $(,)?) => {
        $(
            #[lazy_mmu(name = $value)]
            pub fn $name(x: $ty) -> $ty {
                x
            }
        )*
    };
}

many! { many_a: &'static [u8] = "a", many_b: Box<dyn Fn() -> u8> = "b" }

macro_rules! local_and_argument {
    ($arg:ident, $use:expr) => {
        #[lazy_mmu]
        pub fn hygienic($arg: u8) -> u8 {
            let local = 1;
            local + $use
        }
    };
}

local_and_argument! { local, local * 2 }

macro_rules! named_guard {
    ($body:block) => {
        #[lazy_mmu]
        pub fn guard_of_the_caller(__guard: u8) -> u8 {
            __guard + $body
        }
    };
}

named_guard! {{ 3 }}

macro_rules! lifetimes {
    ($life:lifetime, $path:path) => {
        #[lazy_mmu]
        pub fn lifetimes<$life>(x: &$life $path) -> &$life $path {
            x
        }
    };
}

lifetimes! { 'a, std::string::String }

macro_rules! in_impl {
    ($ty:ty, $($item:item)*) => {
        impl $ty {
            $(#[lazy_mmu] $item)*
        }
    };
}

/// A type.
pub struct Local<T>(pub T);

in_impl! {
    Local<u8>,
    pub fn get(&self) -> u8 { self.0 }
    pub fn into(self) -> u8 { self.0 }
}

macro_rules! in_unit {
    ($ty:ty, $($vis:vis $name:ident $body:block)*) => {
        #[lazy_mmu]
        impl $ty {
            $($vis fn $name(&self) -> bool $body)*
        }
    };
}

in_unit! {
    Local<u16>,
    pub first { lazy_mmu::is_lazy_mmu_mode_active() }
    pub(crate) second { !lazy_mmu::is_lazy_mmu_mode_active() }
    third { let x = |x: &Self| x.0; x(&Self(3)) == 3 }
}

macro_rules! module_of {
    ($name:ident, $($item:item)*) => {
        #[lazy_mmu]
        pub mod $name {
            $($item)*
        }
    };
}

module_of! {
    module_of_items,
    pub const N: u8 = { 1 };
    pub fn active() -> bool { lazy_mmu::is_lazy_mmu_mode_active() }
    pub const fn constant() -> u8 { N }
}

/// What a crate below ours offers: its users do not depend on the facade.
pub mod downstream {
    pub use lazy_mmu;

    /// An annotated function for users who do not have the facade.
    #[macro_export]
    macro_rules! annotated_downstream {
        ($name:ident) => {
            #[$crate::macro_rules::downstream::lazy_mmu::lazy_mmu(
                                        crate = $crate::macro_rules::downstream::lazy_mmu
                                    )]
            pub fn $name() -> bool {
                $crate::macro_rules::downstream::lazy_mmu::is_lazy_mmu_mode_active()
            }
        };
    }
}

/// A user of it.
pub mod user {
    crate::annotated_downstream! { downstream }
}

macro_rules! facade {
    ($krate:path, $name:ident) => {
        #[lazy_mmu(crate = $krate)]
        pub fn $name() {}
    };
}

facade! { ::lazy_mmu, facade_as_path }

/// Calls what is not public.
pub fn private() -> bool {
    private_parts().is_ok() && by_parts((1, 2), vec![None]) == 3 && in_units()
}

fn in_units() -> bool {
    Local(1u16).first() && !Local(1u16).second() && Local(1u16).third()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        assert_eq!(expression(), 9);
        assert_eq!(item_first(), 3);
        assert_eq!((apart::N, apart::negated()), (9, false));
        assert_eq!(format!("{:?}", apart::output(&7u8)), "7");
        assert_eq!(hygienic(3), 7);
        assert_eq!(guard_of_the_caller(1), 4);
        assert!(private());
        assert!(
            user::downstream() && module_of_items::active() && module_of_items::constant() == 1
        );
        assert_eq!(Local(1u8).get() + Local(2u8).into(), 3);
    }
}
