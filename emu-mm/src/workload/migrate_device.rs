//! `migrate-device`: the pages of each mapping are collected to move to a device.
//!
//! Models `migrate_vma_setup()` of mm/migrate_device.c (v7.3), up to the collection.

use super::stage::Stage;
use crate::mm::internal::Folios;
use crate::mm::migrate_device::{MigrateVma, migrate_vma_collect};
use crate::mm::vma::VmFlags;
use crate::proc::BuildError;

/// Collects the pages of every mapping but those of bare frames.
///
/// Fidelity: changed: mm/migrate_device.c v7.3; the pages stay on their way.
pub(super) fn run(stage: &mut Stage<'_>) -> Result<(), BuildError> {
    let (mm, folios) = (stage.space.mm.clone(), Folios::default());
    for index in 0..stage.space.vmas.len() {
        let mut replaced = 0;
        let special = VmFlags::VM_PFNMAP | VmFlags::VM_MIXEDMAP;
        if !stage.space.vmas[index].vm_flags.has(special) {
            stage.each_chunk(index, |stage, addr, end| {
                let mut migrate = MigrateVma::new(&mm, &stage.space.vmas[index], &folios);
                migrate_vma_collect(&mut migrate, addr, end);
                replaced += migrate.replaced;
            });
        }
        // Emptied, then a migration entry.
        stage.mapping_done(index, 2 * replaced);
    }
    Ok(())
}
