//! Links to the kernel's functions, which a reader follows or not: a page asks for nothing.

use emu_arch::Kernel;
use lazy_mmu::design;

/// Where the source of a version is indexed.
const SOURCE: &str = "https://elixir.bootlin.com/linux";

/// The definition of `name` in the version of `kernel`, where it is a function of the kernel.
pub(super) fn function(kernel: Kernel, name: &str) -> Option<String> {
    let is_identifier =
        name.contains('_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let lab = ["raw_read", "lazy_mmu_state"].contains(&name);
    if !is_identifier || lab {
        return None;
    }
    let id = kernel.id();
    let version = id.strip_suffix(".y").unwrap_or(id);
    let version = if version.starts_with('v') { version } else { "latest" };
    Some(format!("{SOURCE}/{version}/A/ident/{name}"))
}

/// The definition of the hook with the short form `short`.
pub(super) fn hook(kernel: Kernel, short: &str) -> Option<String> {
    let known = design::hooks().find(|info| info.short == short)?;
    function(kernel, known.name)
}
