//! `uffd-move`: the pages of each mapping of no file move to other addresses by userfaultfd.
//!
//! Models `UFFDIO_MOVE`, `move_pages()` of mm/userfaultfd.c (v7.3).

use super::area::Area;
use super::stage::Stage;
use crate::mm::internal::Folios;
use crate::mm::ptes::pages;
use crate::mm::userfaultfd::{MovePages, move_pages};
use crate::mm::vma::VmFlags;
use crate::proc::BuildError;

/// Moves the pages of every mapping of no file that may be written; others cannot move.
///
/// Fidelity: changed: mm/userfaultfd.c v7.3; a page that cannot move is skipped, for which the
/// caller there begins anew.
pub(super) fn run(stage: &mut Stage<'_>) -> Result<(), BuildError> {
    let (mm, folios) = (stage.space.mm.clone(), Folios::default());
    let mut area = Area::beside(&stage.space.vmas);
    for index in 0..stage.space.vmas.len() {
        let vma = stage.space.vmas[index].clone();
        let movable = vma.anonymous && vma.vm_flags.has(VmFlags::VM_WRITE);
        if movable {
            stage.each_chunk(index, |_, addr, end| {
                let (mut src, mut dst) = (addr, area.take(addr, end));
                let (mm, folios) = (&mm, &folios);
                let moves = MovePages { mm, dst_vma: &vma, folios, allow_src_holes: true };
                while src < end {
                    let done = match move_pages(&moves, dst, src, end) {
                        Ok(_) => pages(src, end),
                        Err((before, _)) => before + 1,
                    };
                    (src, dst) = (src.add_pages(done), dst.add_pages(done));
                }
            });
        }
        // Emptied here, set there.
        let moved = if movable { stage.space.pages[index] } else { 0 };
        stage.mapping_done(index, 2 * moved);
    }
    Ok(())
}
