//! Scenarios that come with the lab, parsed on first use.

use once_cell::sync::OnceCell;

use super::parse::parse;
use super::value::Scenario;
use emu_input::InputError;

/// The name and the text of each file, by folder.
macro_rules! texts {
    ($($folder:ident: $($name:literal)*;)*) => {
        &[$($((
            concat!(stringify!($folder), "/", $name),
            include_str!(concat!("../../scenarios/", stringify!($folder), "/", $name, ".scn")),
        )),*),*]
    };
}

/// Every scenario of the folder `scenarios/`.
const TEXTS: &[(&str, &str)] = texts! {
    batch: "hash-early-flush" "hash-page-size" "hash-primitives" "set-ptes"
        "sparc64-early-flush" "sparc64-exec" "sparc64-full" "sparc64-mode-off"
        "sparc64-old-entry" "who-wants-barriers" "xen-32nd-update" "xen-extend" "xen-interrupt"
        "xen-overtaken" "xen-stale-read" "xen-switch" "xen-tlb-flush";
    bugs: "arch-sleeps-in-section" "bbm-violation" "context-reused" "crossing-leaves-mode-on"
        "dirty-after-unlock" "exit-in-section" "exit-preemption-off" "flush-after-unlock"
        "flush-in-section" "fork-gup-fast" "freed-page" "freed-table" "guarded-section"
        "hash-batch-overflow" "hash-lost-in-flush" "hash-lost-in-join" "interrupted-pause"
        "mremap-unlock" "mutex-in-softirq" "nested-barriers" "nested-section" "nested-touched"
        "nested-without-flush" "no-section-of-its-own" "preempted-section"
        "protect-after-unlock" "reclaim-flush" "replaced-in-race" "schedule-in-section"
        "section-in-interrupt" "section-preemptible" "set-ptes-in-section"
        "sleep-in-preemptible-section" "sleep-in-section" "sparc64-batch-overflow"
        "sparc64-lost-in-flush" "sparc64-lost-in-join" "sparc64-wrong-mm" "stale-read"
        "table-is-not-its-pages" "touched-in-section" "touched-under-new-table"
        "unlock-in-section" "unlock-wrong-table" "update-in-interrupt"
        "upper-level-in-interrupt" "xen-fork-resumes-unpaused" "xen-nested-paused"
        "xen-nested-switched" "xen-nested-touched" "xen-overtaken" "xen-preempted-in-disable"
        "xen-preempted-in-enable" "xen-preempted-in-set-ptes" "xen-read-in-interrupt"
        "xen-section-in-interrupt" "xen-touched-in-section" "xen-touched-under-queued-table"
        "xen-walk-through-queue";
    hint: "hardirq" "mixed-path" "nested-and-paused" "section" "validity";
    irq: "bh-across" "bh-disabled" "hardirq" "nmi" "nmi-nested" "preempt-off" "softirq";
    kunit: "lazy-mmu-mode-active";
    nesting: "crossing" "enable-in-pause" "nested" "nested-pause" "pause-outside";
    warn: "disable-underflow" "resume-underflow";
    worked: "hashed-ptes" "hashed-ptes-g" "hinted-ptes" "kernel-ptes" "kernel-ptes-g"
        "kernel-ptes-raw";
};

/// The scenarios that come with the lab, by `FOLDER/NAME`.
///
/// # Errors
/// One of the texts is no scenario; a test sees to it that none is.
pub fn builtin() -> Result<&'static [(&'static str, Scenario)], InputError> {
    static PARSED: OnceCell<Vec<(&str, Scenario)>> = OnceCell::new();
    let parse_all = || TEXTS.iter().map(|(name, text)| Ok((*name, parse(text)?))).collect();
    PARSED.get_or_try_init(parse_all).map(Vec::as_slice)
}

/// The scenario that `name` means, if any comes with the lab.
///
/// # Errors
/// As [`builtin`].
pub fn find_builtin(name: &str) -> Result<Option<&'static Scenario>, InputError> {
    let means = |full| builtin_names(full).any(|known| known == name);
    Ok(builtin()?.iter().find(|(full, _)| means(full)).map(|(_, scenario)| scenario))
}

/// The names that mean the scenario `full`: `FOLDER/NAME`, and `NAME` or `FOLDER` where that means
/// no other one.
pub fn builtin_names(full: &'static str) -> impl Iterator<Item = &'static str> {
    let parts = full.split_once('/').map_or([full; 2], |(folder, name)| [name, folder]);
    let means = |part: &str, full: &str| full.split('/').any(|other| other == part);
    let one = move |part: &&str| TEXTS.iter().filter(|(full, _)| means(part, full)).count() == 1;
    std::iter::once(full).chain(parts.into_iter().filter(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parse() {
        assert_eq!(builtin().map(<[_]>::len), Ok(TEXTS.len()));
    }

    #[test]
    fn a_name_means_one_scenario() {
        let names = |full| builtin_names(full).collect::<Vec<_>>();
        assert_eq!(names("nesting/nested"), ["nesting/nested", "nested"]);
        let kunit = "kunit/lazy-mmu-mode-active";
        assert_eq!(names(kunit), [kunit, "lazy-mmu-mode-active", "kunit"]);
        assert_eq!(names("batch/xen-overtaken"), ["batch/xen-overtaken"], "there are two");
        let mut all: Vec<_> = TEXTS.iter().flat_map(|(full, _)| builtin_names(full)).collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
    }
}
