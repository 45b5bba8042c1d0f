//! Every function of v7.3 that has a section or a pause, beside KUnit and the switch of Xen: what
//! is modelled, what is left out, and which hooks one call has on an architecture.
//!
//! ```
//! use emu_arch::Arch;
//! let mut sites = emu_mm::sites::all();
//! let site = sites.find(|site| site.function == "move_ptes").expect("in the table");
//! let seen = site.hooks(Arch::POWERPC_HASH).expect("everywhere");
//! assert_eq!(seen, "enter leave; flush_hash_range 192 192 128");
//! ```

mod ground;
mod list;
mod own;
mod site;

pub use site::Site;

/// Every site, in the order of the kernel's files.
pub fn all() -> impl Iterator<Item = &'static Site> {
    list::GENERIC.iter().chain(&own::OWN)
}
