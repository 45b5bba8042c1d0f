//! Snapshot assertions over several architectures: what one body does on each, in one snapshot.

use std::fmt::Write;

use lazy_mmu::design::StateBits;
use lazy_mmu::{record_hooks, sched};

use crate::{Arch, Machine};

/// Asserts that what a body does on several architectures matches one snapshot, in which those that
/// do the same stand under one heading.
///
/// The architectures are `all`, a list in brackets or one; the name is any expression that gives
/// text. The body is a function of a [`Machine`], as after boot and with the newest kernel that has
/// the mode of its architecture; what it returns is dropped. With the text in place there is no
/// name. Feature `insta` of lazy-mmu must be on.
///
/// A section or a pause that the body leaves open is said in the last line, and no architecture
/// follows.
///
/// ```
/// use emu_arch::hw::addr::VirtAddr;
/// use emu_arch::{Arch, Machine, Pfn, Pte, assert_hooks_on, pgtable};
/// use lazy_mmu::with_lazy_mmu;
///
/// fn map(machine: &Machine) -> Result<(), emu_arch::hw::addr::AddrError> {
///     let (mm, addr) = (machine.init_mm(), VirtAddr::page(0xffff_8000_0800_0000)?);
///     let table = mm.pte_table(addr);
///     with_lazy_mmu(|| pgtable::set_pte_at(mm, addr, table.ptep(0), Pte::kernel(Pfn(1))));
///     Ok(())
/// }
/// assert_hooks_on!([Arch::NAIVE, Arch::X86], map, @r"
/// naive, x86:
///   lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
///       set_pte_at(0xffff800008000000)  -> ø
///   lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
///   enable=0 pause=0, nothing pending
/// ");
/// ```
#[macro_export]
macro_rules! assert_hooks_on {
    (@on $archs:expr, $body:expr, @ $text:literal $(,)?) => {{
        $crate::lazy_mmu::snapshot::refuse_nested();
        let text = $crate::snapshot::records($archs, $body);
        $crate::lazy_mmu::insta::assert_snapshot!(text, @$text);
    }};
    (@on $archs:expr, $name:expr, $body:expr $(,)?) => {{
        let text = $crate::snapshot::records($archs, $body);
        $crate::lazy_mmu::snapshot::settings().bind(|| {
            $crate::lazy_mmu::insta::assert_snapshot!($name, text);
        });
    }};
    (all, $($rest:tt)*) => { $crate::assert_hooks_on!(@on $crate::Arch::all(), $($rest)*) };
    ([$($arch:expr),+ $(,)?], $($rest:tt)*) => {
        $crate::assert_hooks_on!(@on [$($arch),+], $($rest)*)
    };
    ($arch:expr, $($rest:tt)*) => { $crate::assert_hooks_on!(@on [$arch], $($rest)*) };
}

/// What `body` does on each of `archs`, as text; those that do the same under one heading.
#[doc(hidden)]
pub fn records<R>(
    archs: impl IntoIterator<Item = Arch>,
    mut body: impl FnMut(&Machine) -> R,
) -> String {
    let mut texts: Vec<(String, Vec<&str>)> = Vec::new();
    for arch in archs {
        let machine = Machine::with_kernel(arch, arch.default_kernel());
        let (mut text, mut open) = (String::new(), false);
        sched::with_design(arch.default_kernel().design(), || {
            machine.run(|| {
                let (_, record) = record_hooks(|| body(&machine));
                let _ = write!(text, "{record}");
                open = sched::current_task().lazy_mmu_state != StateBits::default();
            });
        });
        if open {
            text.push_str("a section or a pause is still open: was a guard forgotten?\n");
        }
        match texts.iter_mut().find(|(known, _)| *known == text) {
            Some((_, archs)) => archs.push(arch.id()),
            None => texts.push((text, vec![arch.id()])),
        }
        if open {
            break;
        }
    }
    let mut all = String::new();
    for (text, archs) in &texts {
        let _ = writeln!(all, "{}:", archs.join(", "));
        for line in text.lines() {
            let _ = writeln!(all, "{}", format!("  {line}").trim_end());
        }
    }
    all
}
