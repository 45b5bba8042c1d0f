//! Triggers: what must happen for a property to be exercised.

lazy_mmu::rows! {
    /// Something that must happen for a property to be exercised.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum Trigger, about {
        Access = "a CPU accesses memory";
        CachedAccess = "a CPU accesses memory by a cached translation";
        HashInsert = "a hash page table entry is made";
        Read = "software reads an entry";
        Update = "an entry is updated";
        InterruptUpdate = "an interrupt updates an entry";
        Remap = "an entry that maps a page is set";
        Defer = "an update is deferred";
        FullBatch = "a batch fills up";
        Complete = "what was deferred is done";
        Flush = "a TLB flush is asked for";
        Remake = "an entry maps a page where another was cached";
        TableFree = "a page table is freed";
        PageFree = "a page is freed";
        ContextFree = "an address space goes away for good";
        Switch = "a CPU switches tasks";
        Unlock = "a page table lock of user memory is released";
        KernelUnlock = "a lock of the kernel's page tables is released";
        AnyUnlock = "a page table lock is released";
        Call = "a call of the API is made";
        Enable = "an enable returns";
        Disable = "a disable returns";
        OutermostDisable = "the outermost disable returns";
        NestedDisable = "a nested disable returns";
        Pause = "a pause returns";
        Resume = "a resume returns";
        RestoringResume = "a resume returns that has a mode to restore";
        BatchingDisable = "a nested disable returns to a section that may batch";
        PausedUpdate = "a paused task updates an entry";
        OwnMode = "a call returns where the architecture itself remembers the mode";
        LastClose = "a call closes, and no section or pause is open";
        Outside = "a call returns outside of every bracket";
        Hook = "a hook is called";
        Schedule = "a task gives up its CPU";
        Sleep = "a task may sleep";
        Fork = "a task forks";
        Exit = "a task exits";
        BugCheck = "the architecture evaluates a BUG_ON()";
    }
}

/// A set of triggers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Triggers(u64);

const _: () = assert!(Trigger::ALL.len() <= u64::BITS as usize, "a trigger is a bit");

impl Triggers {
    /// Adds a trigger, and the general one that it is a case of.
    pub fn insert(&mut self, trigger: Trigger) {
        self.0 |= 1 << trigger as u32;
        if matches!(trigger, Trigger::Unlock | Trigger::KernelUnlock) {
            self.insert(Trigger::AnyUnlock);
        }
        if trigger == Trigger::InterruptUpdate {
            self.insert(Trigger::Update);
        }
    }

    /// Tells whether `trigger` is in the set.
    #[must_use]
    pub const fn contains(self, trigger: Trigger) -> bool {
        self.0 >> trigger as u32 & 1 != 0
    }

    /// The triggers in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
