//! The duties of a backend: what must hold whatever a client does, one row each.

lazy_mmu::rows! {
    /// A duty of a backend.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum Duty, id {
        SameMemory = "same-memory",
            "an entry without deferred work is in memory as naive has it";
        SameResults = "same-results",
            "a primitive returns what it returns on naive, and an access faults where it does there";
        Completes = "completes",
            "nothing is pending when a disable or a pause returns";
        PendingAgrees = "pending-agrees",
            "pending() says that work is outstanding exactly where defer() was called and complete() was not";
        EffectPerCompletion = "effect-per-completion",
            "an effect that costs time comes between defer() and complete()";
        WritesFirst = "writes-first",
            "an entry is written before its barrier or invalidation is deferred, and a deferred store before complete()";
        DefersInSections = "defers-in-sections",
            "an update outside of a section, in a pause or in an interrupt leaves nothing pending";
        ActsOrDefers = "acts-or-defers",
            "an update in a section defers its work, or has the effects that it has outside";
        Invalidates = "invalidates",
            "a TLB flush leaves no translation in use that it would not leave on naive";
        NoHazard = "no-hazard",
            "a client that keeps the contract meets no hazard that it does not meet on naive";
        NoBug = "no-bug",
            "no BUG_ON() is hit and no warning appears";
        PreemptBalanced = "preempt-balanced",
            "an update, and a section as a whole, leave the preempt count as it was";
        FlushTwice = "flush-twice",
            "a second arch_flush_lazy_mmu_mode() in a row changes nothing";
        InstallsAlike = "installs-alike",
            "set_pte_at() and set_ptes() of one page, which reach Backend::set_ptes, do what set_pte() does";
        GetIsRead = "get-is-read",
            "ptep_get() finds what is in memory, unless Backend::PTEP_GET_IS_READ is false";
        DefersAsDeclared = "defers-as-declared",
            "what Facts::defers declares is deferred, and nothing where it declares nothing";
        ModeAsDeclared = "mode-as-declared",
            "lazy_mode() says something only where Facts::own_mode says that it does";
        EffectsListed = "effects-listed",
            "every effect that the mode can defer is in Facts::effects";
    }
}
