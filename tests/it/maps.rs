//! The parser of maps and smaps, and the address spaces built from them.

use emu_arch::{Arch, Machine, Pte, VirtAddr};
use emu_mm::mm::vma::VmFlags;
use emu_mm::proc::{BuildError, Mapping, PAGES_MAX, Populate, build, pagemap, parse, read};

const SH: &[u8] = include_bytes!("../fixtures/maps/sh.maps");
const RUSTC: &[u8] = include_bytes!("../fixtures/maps/rustc.maps");
const PYTHON3: &[u8] = include_bytes!("../fixtures/maps/python3.smaps");

/// Parses text that is as the kernel prints it.
#[track_caller]
fn check(text: &[u8]) -> Vec<Mapping> {
    match parse(text) {
        Ok(mappings) => mappings,
        Err(error) => panic!("expected mappings, found the error {error}"),
    }
}

/// Expects the error that displays as `expected`.
#[track_caller]
fn check_error(text: impl AsRef<[u8]>, expected: &str) {
    match parse(text.as_ref()) {
        Ok(mappings) => panic!("expected an error, found {} mappings", mappings.len()),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

const LINE: &str = "7f0000000000-7f0000002000 rw-p 00001000 fe:00 42    /usr/lib/a b.so (deleted)";

#[test]
fn a_mapping_has_all_fields() {
    let mappings = check(LINE.as_bytes());
    let [mapping] = mappings.as_slice() else { panic!("one mapping") };
    assert_eq!((mapping.start.get(), mapping.end.get()), (0x7f00_0000_0000, 0x7f00_0000_2000));
    assert_eq!((mapping.offset, mapping.inode, mapping.line), (0x1000, 42, 1));
    assert_eq!(mapping.path, "/usr/lib/a b.so (deleted)");
    let flags = VmFlags::VM_READ | VmFlags::VM_WRITE | VmFlags::VM_MAYWRITE;
    assert_eq!(mapping.vm_flags, flags);
    assert!(mapping.is_private() && !mapping.is_anonymous() && mapping.memory.is_none());
}

#[test]
fn fixtures_of_real_processes() {
    let shapes = [SH, RUSTC, PYTHON3].map(|text| {
        let mappings = check(text);
        let anonymous = mappings.iter().filter(|mapping| mapping.is_anonymous()).count();
        let pages: u64 = mappings.iter().map(Mapping::pages).sum();
        (mappings.len(), anonymous, pages)
    });
    assert_eq!(shapes, [(24, 6, 648), (97, 38, 91884), (38, 8, 2844)]);
    let vsyscall = check(SH).iter().any(|mapping| mapping.path == "[vsyscall]");
    assert!(!vsyscall, "no page table of the process maps the kernel's half");
}

#[test]
fn this_process() {
    for file in ["/proc/self/maps", "/proc/self/smaps"] {
        let text = std::fs::read(file).expect("a Linux with /proc");
        let mappings = check(&text);
        assert!(mappings.iter().any(|mapping| mapping.path == "[stack]"), "{file}");
        assert_eq!(mappings[0].memory.is_some(), file.ends_with("smaps"));
    }
}

#[test]
fn error_empty_file() {
    check_error("", "1:1: the input is empty");
}

#[test]
fn error_blank_line() {
    let text = format!("{LINE}\n\n");
    check_error(text, "2:1: expected the start of a mapping in hex, found the end of the line");
}

#[test]
fn error_truncated_line() {
    check_error(&LINE[..5], "1:6: expected `-` between start and end, found the end of the line");
    check_error(&LINE[..31], "1:32: expected the offset in hex, found the end of the line");
    check_error(&LINE[..46], "1:47: expected the inode, found the end of the line");
}

#[test]
fn error_bad_hex() {
    check_error(
        LINE.replace("7f0000002000", "7f00o0002000"),
        "1:14: expected the end of the mapping in hex, found \"7f00o0002000\"",
    );
    check_error(
        LINE.replace("7f0000000000", "+7f000000000"),
        "1:1: expected the start of a mapping in hex, \
         found \"+7f000000000-7f0000002000\"",
    );
    check_error(
        LINE.replace("7f0000002000", "17f0000000000002000"),
        "1:14: expected the end of the mapping in hex, found \"17f0000000000002000\"",
    );
}

#[test]
fn error_bad_permissions() {
    let expected = "1:27: expected permissions such as `rw-p`, found \"rwzp\"";
    check_error(LINE.replace("rw-p", "rwzp"), expected);
    check_error(LINE.replace("rw-p", "rw-"), &expected.replace("rwzp", "rw-"));
}

#[test]
fn error_end_not_above_start() {
    check_error(
        LINE.replace("7f0000002000", "7f0000000000"),
        "1:14: expected an end above the start 0x7f0000000000, found 0x7f0000000000",
    );
}

#[test]
fn error_unaligned() {
    check_error(
        LINE.replace("7f0000002000", "7f0000002800"),
        "1:14: expected a multiple of the page size 0x1000, found 0x7f0000002800",
    );
}

#[test]
fn error_out_of_range() {
    check_error(
        LINE.replace("7f0000002000", "3ff000000002000"),
        "1:14: expected an address in user space, below 0x1000000000000, found 0x3ff000000002000",
    );
}

#[test]
fn error_overlapping() {
    let next = LINE.replace("7f0000000000-7f0000002000", "7f0000001000-7f0000003000");
    check_error(
        format!("{LINE}\n{next}\n"),
        "2:1: expected a mapping from 0x7f0000002000 on, found 0x7f0000001000, \
         which overlaps the mapping in line 1",
    );
}

#[test]
fn error_unordered() {
    let next = LINE.replace("7f0000000000-7f0000002000", "1000-2000");
    check_error(
        format!("{LINE}\n{next}\n"),
        "2:1: expected a mapping from 0x7f0000002000 on, found 0x1000, \
         which lies below the mapping in line 1",
    );
}

#[test]
fn error_binary() {
    check_error(b"ELF\n\xff\xfe", "1:1: expected the start of a mapping in hex, found \"ELF\"");
    let elf = b"\x7fELF\x02\x01\x01\0";
    check_error(elf, "1:8: expected text, found a byte that is none");
}

#[test]
fn error_key_before_mapping() {
    check_error("Rss: 4 kB\n", "1:1: expected a mapping, found a key of smaps");
}

#[test]
fn error_bad_key() {
    let with = |key: &str| format!("{LINE}\n{key}\n");
    check_error(with("Rss:  x kB"), "2:7: expected a number of kB, found \"x\"");
    check_error(with("Rss:  4"), "2:8: expected `kB`, found the end of the line");
    check_error(with("Rss:  4 MB"), "2:9: expected `kB`, found \"MB\"");
    check_error(with("Rss:"), "2:5: expected a number of kB, found the end of the line");
    check_error(with("Rss: 12 kB"), "2:6: expected at most the 8 kB of the mapping, found 12 kB");
    check_error(with("VmFlags: rd wrx"), "2:13: expected a flag of two letters, found \"wrx\"");
}

#[test]
fn error_smaps_rollup() {
    check_error(
        "1000-9000 ---p 00000000 00:00 0 [rollup]\nRss: 4 kB\n",
        "1:33: expected a mapping of maps or smaps, found the sum in smaps_rollup",
    );
}

#[test]
fn error_smaps_cut_off() {
    let next = LINE.replace("7f0000000000-7f0000002000", "7f0000003000-7f0000004000");
    check_error(
        format!("{LINE}\nRss: 4 kB\n{next}\n"),
        "3:1: expected keys of smaps behind the mapping, as others have, found none",
    );
}

/// The pages in memory of the mappings in `text`, and the flags of the first entry of each.
fn populated(arch: Arch, text: &str, populate: Populate) -> Vec<(u64, String)> {
    let machine = Machine::new(arch);
    let mappings = check(text.as_bytes());
    let space = build(&machine, &mappings, populate, 0).expect("few pages");
    let rows = space.vmas.iter().zip(&space.pages).map(|(vma, pages)| {
        let table = space.mm.pte_table(vma.vm_start);
        (*pages, table.ptep(vma.vm_start.pte_index()).read().flags_text())
    });
    rows.collect()
}

#[test]
fn entries_are_as_after_first_touch() {
    let text = "\
        1000-3000 rw-p 0 0:0 0 [heap]\n\
        3000-4000 r--p 0 0:0 7 /a\n\
        4000-5000 rw-p 0 0:0 7 /a\n\
        5000-6000 rw-s 0 0:0 7 /a\n\
        6000-7000 ---p 0 0:0 0\n";
    let flags = |arch| {
        let rows = populated(arch, text, Populate::All);
        rows.into_iter().map(|(pages, flags)| format!("{pages} {flags}")).collect::<Vec<_>>()
    };
    let naive = ["2 puwyd-", "1 pu-y--", "1 puwyd-", "1 puwyd-", "0 ------"];
    assert_eq!(flags(Arch::ARM64), naive);
    let hashed = ["2 puwydh", "1 pu-y-h", "1 puwydh", "1 puwydh", "0 ------"];
    assert_eq!(flags(Arch::POWERPC_HASH), hashed);
}

#[test]
fn smaps_tells_how_many_pages_and_which_are_of_no_file() {
    let text = "\
        1000-5000 rw-p 0 0:0 7 /a\n\
        Rss: 12 kB\n\
        Anonymous: 4 kB\n\
        VmFlags: rd wr mr mw me dc\n\
        7000-9000 ---p 0 0:0 0\n\
        Rss: 4 kB\n";
    let mappings = check(text.as_bytes());
    assert!(mappings[0].vm_flags.has(VmFlags::VM_DONTCOPY));
    let machine = Machine::new(Arch::NAIVE);
    let space = build(&machine, &mappings, Populate::Rss, 0).expect("few pages");
    assert_eq!(space.pages, [3, 0], "no page without permissions is in memory");
    let table = space.mm.pte_table(space.vmas[0].vm_start);
    let flags: Vec<_> = (1..5).map(|n| table.ptep(n).read().flags_text()).collect();
    assert_eq!(flags, ["puwyd-", "pu-y--", "pu-y--", "------"]);
    assert!(space.vmas[0].anon_vma && !space.vmas[1].anon_vma);
    for (populate, pages) in [(Populate::All, [4, 0]), (Populate::None, [0, 0])] {
        let space = build(&machine, &mappings, populate, 0).expect("few pages");
        assert_eq!(space.pages, pages);
    }
}

#[test]
fn huge_pages_are_in_no_table() {
    let text = "\
        200000-800000 rw-p 0 0:0 0\n\
        Rss: 6144 kB\n\
        Anonymous: 6144 kB\n\
        AnonHugePages: 4096 kB\n";
    assert_eq!(populated(Arch::NAIVE, text, Populate::Rss)[0].0, 512);
}

#[test]
fn folios_are_consecutive_frames_with_gaps_between() {
    let mappings = check(b"1000-9000 rw-p 0 0:0 0\n");
    let space = build(&Machine::new(Arch::NAIVE), &mappings, Populate::All, 1).expect("few pages");
    let table = space.mm.pte_table(space.vmas[0].vm_start);
    let first = table.ptep(1).read().pfn().0;
    let frames: Vec<_> = (1..9).map(|n| table.ptep(n).read().pfn().0 - first).collect();
    assert_eq!(frames, [0, 1, 3, 4, 6, 7, 9, 10]);
}

#[test]
fn too_many_pages_are_an_error() {
    let mappings = check(b"1000000000-5000001000 rw-p 0 0:0 0\n");
    let found = build(&Machine::new(Arch::NAIVE), &mappings, Populate::Rss, 0).map(|_| ());
    assert_eq!(found, Err(BuildError::TooManyPages { pages: PAGES_MAX + 1 }));
    let none = build(&Machine::new(Arch::NAIVE), &mappings, Populate::None, 0).map(|_| ());
    assert_eq!(none, Ok(()));
}

#[test]
fn the_last_page_of_user_space() {
    let text = "7fffffffe000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n";
    let rows = populated(Arch::NAIVE, text, Populate::All);
    assert_eq!(rows, [(1, "puwyd-".to_owned())]);
    let last = VirtAddr::page(VirtAddr::TASK_SIZE - 0x2000).expect("a user page");
    assert!(Pte::user(emu_arch::Pfn(1), true, false).is_present() && !last.is_kernel());
}

/// Review F5: the kernel prints the bytes of a file name as they are.
#[test]
fn names_may_have_any_bytes() {
    let mappings = check(b"7f1000001000-7f1000002000 r--p 00000000 fd:00 8 /x/n\xe9\xff.so\n");
    assert_eq!(mappings[0].path, "/x/n\u{fffd}\u{fffd}.so");
    check_error(b"7f10\xe9", "1:1: expected the start of a mapping in hex, found \"7f10\u{fffd}\"");
}

/// Review F6: sparc64 maps libraries above the hole in its addresses, from `TASK_UNMAPPED_BASE` on.
#[test]
fn sparc64_has_mappings_above_the_hole() {
    let text = b"10000000000-10000008000 r-xp 00000000 08:02 55 /bin/cat\n\
        7feffffa000-7feffffc000 rw-p 00000000 00:00 0 [stack]\n\
        fff8000100000000-fff8000100028000 rw-p 00000000 08:02 66 /lib/ld-2.31.so\n\
        fff800010013c000-fff80001002b6000 r-xp 00000000 08:02 67 /lib/libc-2.31.so\n";
    let maps = read(text).expect("text as the kernel prints it");
    assert_eq!((maps.mappings.len(), maps.too_high), (4, 0));
    let (ld, libc) = (&maps.mappings[2], &maps.mappings[3]);
    assert_eq!((ld.va, ld.va_end()), (0xfff8_0001_0000_0000, 0xfff8_0001_0002_8000));
    assert_eq!((ld.start.get(), libc.start.get()), (0x8001_0000_0000, 0x8001_0013_c000));
    let pages = |arch| {
        let space =
            build(&Machine::new(arch), &maps.mappings, Populate::All, 0).expect("few pages");
        (space.pages, space.mm.tables())
    };
    assert_eq!(pages(Arch::SPARC64), (vec![8, 2, 40, 378], 4));
    assert_eq!(pages(Arch::ARM64), (vec![8, 2, 0, 0], 2), "no process has mappings there");
    let next = "fff8000100000000-fff8000100002000 rw-p 00000000 00:00 0\n";
    check_error(
        format!("{next}{next}"),
        "2:1: expected a mapping from 0xfff8000100002000 on, found 0xfff8000100000000, \
         which overlaps the mapping in line 1",
    );
}

/// Review F12: a record has room for 48 bits of a user address.
#[test]
fn user_addresses_of_more_than_48_bits_are_counted() {
    let text = b"7ffc62447000-7ffc62468000 rw-p 00000000 00:00 0 [stack]\n\
        1000000000000-1000000200000 rw-p 00000000 00:00 0\n\
        ff000000000000-ff000000200000 rw-p 00000000 00:00 0\n\
        ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n";
    let maps = read(text).expect("text as the kernel prints it");
    assert_eq!((maps.mappings.len(), maps.too_high), (1, 2));
}

/// Pages as Documentation/admin-guide/mm/pagemap.rst of 7.3 describes their entries: present is bit
/// 63, swapped 62, of a file 61, exclusive 56.
#[test]
fn pagemap_says_which_pages_are_there() {
    let (present, swapped, file, exclusive) = (1 << 63, 1 << 62, 1 << 61, 1 << 56);
    let mut mappings =
        check(b"7f0000000000-7f0000400000 rw-p 00000000 00:00 0\nRss: 16 kB\nAnonymous: 16 kB\n");
    let entries = [(0, present | exclusive), (1, present), (3, swapped), (600, present | file)];
    let runs = mappings[0].runs.insert(Vec::new());
    entries.iter().for_each(|(page, entry)| pagemap::push(runs, *page, *entry));
    pagemap::push(runs, 601, 0);
    let machine = Machine::new(Arch::NAIVE);
    let space = build(&machine, &mappings, Populate::Rss, 0).expect("few pages");
    let flags = |page: u64| {
        let addr = mappings[0].start.add_pages(page);
        space.mm.pte_table(addr).ptep(addr.pte_index()).read().flags_text()
    };
    assert_eq!(space.pages, [3]);
    assert_eq!([0, 1, 2, 600, 601].map(flags), ["puwyd-", "pu-yd-", "------", "pu-y--", "------"]);
    let addr = mappings[0].start.add_pages(3);
    let swap = space.mm.pte_table(addr).ptep(3).read();
    assert!(!swap.is_none() && !swap.is_present());
}

/// An entry that maps the zero page looks like one that a fork left read-only: smaps, which counts
/// no zero page, tells how many there are.
#[test]
fn the_zero_page_is_no_page_that_a_fork_shared() {
    let (present, exclusive) = (1 << 63, 1 << 56);
    let zero = |anonymous: u32| {
        let text = format!(
            "7f0000000000-7f0000400000 rw-p 00000000 00:00 0\n\
             Rss: {anonymous} kB\nAnonymous: {anonymous} kB\n"
        );
        let mut mappings = check(text.as_bytes());
        let runs = mappings[0].runs.insert(Vec::new());
        let entries = [present | exclusive, present, present, present];
        (0..).zip(entries).for_each(|(page, entry)| pagemap::push(runs, page, entry));
        let machine = Machine::new(Arch::NAIVE);
        let space = build(&machine, &mappings, Populate::Rss, 9).expect("few pages");
        let table = space.mm.pte_table(mappings[0].start);
        let special = |n: &u16| table.ptep(*n).read().has(Pte::SPECIAL);
        let writes = (0..4).filter(|n| table.ptep(*n).read().has(Pte::WRITE)).count();
        assert_eq!(writes, 1, "the one that is exclusive");
        (mappings[0].shared_and_zero(), (0..4).filter(special).collect::<Vec<_>>())
    };
    assert_eq!(zero(16), ((3, 0), vec![]));
    assert_eq!(zero(4), ((0, 3), vec![1, 2, 3]));
    // Which is which nobody tells: the last ones are taken.
    assert_eq!(zero(8), ((1, 2), vec![2, 3]));
}

/// Of this process, the pages that smaps counts are those that pagemap shows.
#[test]
fn this_process_as_pagemap_shows_it() {
    let args = ["workload", "fork", "--arch", "arm64", "--format", "json"];
    let output = crate::cli::lazymmu(&args, b"");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("an object");
    let notes = json["notes"].as_array().expect("a list");
    let counted = |note: &&serde_json::Value| note.to_string().contains("how many pages");
    assert!(notes.iter().find(counted).is_none(), "{notes:?}");
    assert!(json["archs"][0]["total"]["sections"].as_u64() > Some(3), "{json}");
}
