//! The entries that the arguments of a primitive describe.

use emu_arch::{Pfn, Pte};

use super::{Prot, PteArgs};

/// The entry that `args` describe, for page frame `pfn`: read and write unless said otherwise.
pub(crate) fn entry(args: PteArgs, pfn: u64) -> Pte {
    let kernel = args.addr.is_kernel();
    let base = if kernel { Pte::kernel(Pfn(pfn)) } else { Pte::user(Pfn(pfn), true, false) };
    with_prot(base, args.prot)
}

/// The entry with the permissions that are given, where some are.
pub(crate) fn with_prot(pte: Pte, prot: Option<Prot>) -> Pte {
    match prot {
        None => pte,
        Some(Prot::ReadWrite) => pte.with(Pte::WRITE),
        Some(Prot::ReadOnly) => pte.without(Pte::WRITE),
        Some(Prot::ReadExec) if pte.has(Pte::USER) => pte.without(Pte::WRITE | Pte::UXN),
        Some(Prot::ReadExec) => pte.without(Pte::WRITE),
        Some(Prot::None) => Pte::NONE,
    }
}
