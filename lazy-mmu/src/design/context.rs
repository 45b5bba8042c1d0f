//! What a transition is given beside the state: its surroundings, and the token of v1 and v2.

/// What a transition may know of its surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    /// `in_interrupt()` at the moment of the call.
    pub in_interrupt: bool,
    /// `arch_wants_lazy_mmu_mode()`: false on powerpc with the radix MMU. Asked in v3 only.
    pub arch_wants: bool,
    /// What the caller kept from the matching enable, on a disable. Used in v1 and v2 only.
    pub token: Token,
}

impl Default for Context {
    /// Task context on an architecture that wants the mode.
    fn default() -> Self {
        Self { in_interrupt: false, arch_wants: true, token: Token::DEFAULT }
    }
}

/// What an enable returns and the matching disable takes: `lazy_mmu_state_t` of v1 and v2.
///
/// Every design returns one; all but [`token`](super::token) return `DEFAULT` and ignore what they
/// are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Token(pub u8);

impl Token {
    /// `LAZY_MMU_DEFAULT`: the mode was off before.
    pub const DEFAULT: Self = Self(0);
    /// `LAZY_MMU_NESTED`: the mode was on already.
    pub const NESTED: Self = Self(1);
}
