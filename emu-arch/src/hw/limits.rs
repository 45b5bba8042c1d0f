//! How many of what a machine has.

/// How many CPUs a machine has.
pub const NR_CPUS: usize = 8;

/// How many address spaces a machine has at most, `init_mm` included.
pub const MMS_MAX: u8 = 32;

/// The highest number of a task that is not an idle task.
pub const PID_MAX: u8 = 200;

/// The page frame of the first entry that names none.
pub(crate) const FIRST_PFN: u64 = 0x1000;

const _: () = assert!(NR_CPUS <= 32 && MMS_MAX <= 32, "records have five bits for each");
const _: () = assert!(MMS_MAX < u8::MAX, "locks that are no page table's have the last number");
const _: () = assert!(PID_MAX as usize + NR_CPUS <= u8::MAX as usize, "idle tasks have the rest");
