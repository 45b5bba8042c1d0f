//! Wrong variants of the functions of arch/ in v7.3, as in `wrong_sites.rs`.

use emu_arch::backend::Access;
use emu_arch::hazard::Hazard::*;
use emu_arch::kernel::Lock;
use emu_arch::{Pfn, Pte, pgtable};
use lazy_mmu::{lazy_mmu_mode_disable, lazy_mmu_mode_enable, with_lazy_mmu};

use super::wrong::{PAGES, Stage, check_wrong, entries, when};
use super::wrong_sites::{leaked, make_old, unused};
use super::{USER, page};
use crate::support::preemption_off;

#[test]
fn hpte_flush_range_that_unlocks_before_the_disable() {
    check_wrong(
        |stage| {
            make_old(stage, |mm, at, ptep| {
                if mm.facts().hash_table {
                    pgtable::pte_update(mm, at, ptep);
                }
            });
        },
        |arch| when(arch.facts().hash_table, &[PendingAtUnlock]),
    );
}

#[test]
fn split_of_the_linear_map_by_generic_code() {
    let split = |stage: &Stage| {
        let mm = stage.machine.init_mm();
        let arch_code = mm.facts().arch_code_sleeps;
        let mutex = mm.lock(Lock::Mutex);
        with_lazy_mmu(|| match (stage.wrong, arch_code) {
            (true, _) => mm.might_sleep(),
            (false, true) => mm.arch_might_sleep(),
            (false, false) => {}
        });
        drop(mutex);
    };
    check_wrong(split, |arch| {
        vec![if preemption_off(arch) { SleepInAtomic } else { SleepInSection }]
    });
}

#[test]
fn split_to_ptes_that_gets_no_memory_and_forgets_the_section() {
    let split = |stage: &Stage| {
        let (mm, table, addr) = unused(stage);
        if !mm.facts().arch_code_sleeps {
            return;
        }
        lazy_mmu_mode_enable();
        entries(&table, addr).for_each(|(at, ptep)| {
            pgtable::set_pte(mm, at, ptep, Pte::kernel(Pfn(1)));
        });
        // -ENOMEM
        if !stage.wrong {
            lazy_mmu_mode_disable();
        }
    };
    check_wrong(
        split,
        |arch| {
            if arch.facts().arch_code_sleeps { leaked(arch, true) } else { Vec::new() }
        },
    );
}

#[test]
fn set_memory_ro_that_does_not_flush() {
    let protect = |stage: &Stage| {
        let (mm, table, addr) = unused(stage);
        if !mm.facts().arch_code_sleeps {
            return;
        }
        stage.map(mm, addr, Pte::kernel(Pfn(1)));
        with_lazy_mmu(|| {
            for (at, ptep) in entries(&table, addr) {
                let pte = pgtable::ptep_get(mm, at, ptep);
                pgtable::set_pte(mm, at, ptep, pte.without(Pte::WRITE));
            }
        });
        if !stage.wrong {
            pgtable::flush_tlb_range(mm, addr, PAGES.into());
        }
        stage.touch(mm, addr);
    };
    check_wrong(protect, |arch| when(arch.facts().arch_code_sleeps, &[StaleTranslation]));
}

#[test]
fn hash_flush_of_a_range_that_is_used_before_the_disable() {
    let flush = |stage: &Stage| {
        let (mm, table, addr) = unused(stage);
        stage.map(mm, addr, Pte::kernel(Pfn(1)));
        with_lazy_mmu(|| {
            for (at, ptep) in entries(&table, addr) {
                pgtable::hpte_need_flush(mm, at, ptep);
                if stage.wrong {
                    pgtable::access(mm, at, ptep, Access::Read);
                }
            }
        });
    };
    check_wrong(flush, |arch| when(arch.facts().hash_table, &[AccessPendingInvalidation]));
}

#[test]
fn hash_flush_of_a_table_that_is_gone_and_the_section_too() {
    let flush = |stage: &Stage| {
        lazy_mmu_mode_enable();
        // `goto out`
        let table = stage.mm.pte_offset_kernel(page(USER - (1 << 30)));
        if table.is_none() && stage.wrong {
            return;
        }
        lazy_mmu_mode_disable();
    };
    check_wrong(flush, |arch| leaked(arch, false));
}
