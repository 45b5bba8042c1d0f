//! Enums that are lists: one row per variant, from which all that iterates, shows and parses them
//! is made.

/// Declares an enum by its rows: variant, name and, in all rows or in none, a line on what it is.
///
/// It has `ALL`, the names by the method that stands behind the enum, `about()` where rows have a
/// line, `Display`, and `FromStr` where an error follows. What else is known of a variant stands in
/// a `match`.
///
/// ```
/// use lazy_mmu::design::UnknownName;
/// lazy_mmu::rows! {
///     /// A colour.
///     #[derive(Clone, Copy, Debug, PartialEq)]
///     pub enum Colour, id, UnknownName::new("a colour") {
///         Red = "red", "as in a warning";
///         Blue = "blue", "as in the sea";
///     }
/// }
/// assert_eq!("blue".parse(), Ok(Colour::Blue));
/// assert_eq!(Colour::ALL.map(Colour::about), ["as in a warning", "as in the sea"]);
/// assert_eq!("x".parse::<Colour>().unwrap_err().to_string(), "expected a colour, found \"x\"");
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! rows {
    (
        $(#[$meta:meta])*
        $vis:vis enum $Enum:ident, $id:ident $(, $Error:ident::new($kind:literal))? {
            $($(#[$of:meta])* $name:ident = $text:literal $(, $about:literal)?;)*
        }
    ) => {
        $(#[$meta])*
        $vis enum $Enum {
            $($(#[$of])* #[doc = concat!("`", $text, "`" $(, ": ", $about)?)] $name,)*
        }

        impl $Enum {
            /// Every one, in the order of the declaration.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$name),*];

            /// The name that the command, scenarios and records use; never changes.
            #[must_use]
            pub const fn $id(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            $crate::rows!(@about $([$name $($about)?])*);
        }

        impl ::std::fmt::Display for $Enum {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.$id())
            }
        }

        $(impl ::std::str::FromStr for $Enum {
            type Err = $Error;

            fn from_str(name: &str) -> ::std::result::Result<Self, Self::Err> {
                let found = Self::ALL.into_iter().find(|one| one.$id() == name);
                found.ok_or_else(|| $Error::new($kind, name))
            }
        })?
    };
    (@about $([$name:ident])*) => {};
    (@about $([$name:ident $about:literal])*) => {
        /// One line on what it is.
        #[must_use]
        pub const fn about(self) -> &'static str {
            match self {
                $(Self::$name => $about,)*
            }
        }
    };
}
