//! The rules on what a design has to do.

lazy_mmu::rows! {
    /// A rule on what a design has to do.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Rule, id {
        HooksAlternate = "hooks-alternate", "enter and leave where the mode turns";
        FlushAtNestedDisable = "flush-at-nested-disable", "a disable in a section flushes";
        NothingAtNestedEnable = "nothing-at-nested-enable", "an enable in a section calls no hook";
        NothingWhilePaused = "nothing-while-paused", "no hook where the mode stays off";
        ActiveBit = "active-bit", "active in a section that is not paused";
    }
}
