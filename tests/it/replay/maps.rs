//! What mappings become of calls: each expectation is that of mm/vma.c v7.3.

use emu_replay::life::Touch;
use emu_replay::space::Flags;

use super::lives;

/// The mappings of process `pid` after `log`: first page and end, in pages from 0x7f0000000000 on.
#[track_caller]
fn maps(log: &str, touch: Touch, pid: u32) -> Vec<String> {
    let life = lives(log, touch);
    assert_eq!(life.told().differing, (0, Vec::new()));
    let space = life.space(pid).expect("a process that lives");
    let page = |addr: u64| addr.wrapping_sub(0x7f00_0000_0000) >> 12;
    let shown = space.vmas().map(|vma| {
        let bit = |flag, on| if vma.flags().has(flag) { on } else { '-' };
        let perms = [bit(Flags::READ, 'r'), bit(Flags::WRITE, 'w'), bit(Flags::EXEC, 'x')];
        format!("{}-{} {}", page(vma.start), page(vma.end), String::from_iter(perms))
    });
    shown.collect()
}

/// A log of process 1, in which `mN-M` maps these pages, `fN-M` over others, `sN-M` as a stack of
/// a thread, `hN-M` shared; `uN-M` unmaps them, `rN-M` and `wN-M` protect them, `dN-M` keeps them
/// from children, `lN-M` locks them.
fn log(words: &str) -> String {
    let mut log = String::new();
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let range = word[1..]
            .split_once('-')
            .and_then(|(first, end)| Some((first.parse::<u64>().ok()?, end.parse::<u64>().ok()?)));
        let (first, end) = range.expect("a range of pages");
        let (addr, len) = (0x7f00_0000_0000_u64 + (first << 12), (end - first) << 12);
        let anon = "MAP_PRIVATE|MAP_ANONYMOUS";
        let mmap = |flags: &str| {
            format!("mmap({addr:#x}, {len}, PROT_READ|PROT_WRITE, {flags}, -1, 0) = {addr:#x}")
        };
        log.push_str("1 ");
        log.push_str(&match &word[..1] {
            "m" => mmap(anon),
            "f" => mmap(&format!("{anon}|MAP_FIXED")),
            "s" => mmap(&format!("{anon}|MAP_STACK")),
            "h" => mmap("MAP_SHARED|MAP_ANONYMOUS"),
            "u" => format!("munmap({addr:#x}, {len}) = 0"),
            "r" => format!("mprotect({addr:#x}, {len}, PROT_READ) = 0"),
            "w" => format!("mprotect({addr:#x}, {len}, PROT_READ|PROT_WRITE) = 0"),
            "d" => format!("madvise({addr:#x}, {len}, MADV_DONTFORK) = 0"),
            "l" => format!("mlock({addr:#x}, {len}) = 0"),
            word => panic!("no such word: {word}"),
        });
        log.push('\n');
    }
    log
}

#[track_caller]
fn check(words: &str, expected: &[&str]) {
    for touch in [Touch::None, Touch::All] {
        assert_eq!(maps(&log(words), touch.clone(), 1), expected, "{words}, {touch:?}");
    }
}

#[test]
fn neighbours_become_one() {
    check("m0-4 m4-8", &["0-8 rw-"]);
    check("m4-8 m0-4", &["0-8 rw-"]);
    check("m0-4 s4-8", &["0-4 rw-", "4-8 rw-"]);
    check("m0-4 h4-8", &["0-4 rw-", "4-8 rw-"]);
    check("h0-4 h4-8", &["0-4 rw-", "4-8 rw-"]);
}

#[test]
fn a_hole_that_is_filled_joins_what_was_not_written() {
    assert_eq!(maps(&log("m0-4 m8-12 m4-8"), Touch::None, 1), ["0-12 rw-"]);
    // Both were written, so each has pages of its own: only the one before grows.
    assert_eq!(maps(&log("m0-4 m8-12 m4-8"), Touch::All, 1), ["0-8 rw-", "8-12 rw-"]);
}

#[test]
fn unmapping_splits() {
    check("m0-12 u4-8", &["0-4 rw-", "8-12 rw-"]);
    check("m0-4 m8-12 u2-10", &["0-2 rw-", "10-12 rw-"]);
    check("m0-12 u4-8 f4-8", &["0-12 rw-"]);
    check("m0-12 f4-8", &["0-12 rw-"]);
}

#[test]
fn protections_split_and_join() {
    check("m0-12 r4-8", &["0-4 rw-", "4-8 r--", "8-12 rw-"]);
    check("m0-12 r0-12", &["0-12 r--"]);
    // Written before, so that it stays accounted and becomes one with the others again.
    assert_eq!(maps(&log("m0-12 r4-8 w4-8"), Touch::All, 1), ["0-12 rw-"]);
    assert_eq!(maps(&log("m0-12 r4-8 r8-12"), Touch::All, 1), ["0-4 rw-", "4-12 r--"]);
    assert_eq!(maps(&log("m0-12 r4-12 w0-12"), Touch::All, 1), ["0-12 rw-"]);
}

#[test]
fn locks_and_advice_split() {
    check("m0-12 l4-8", &["0-4 rw-", "4-8 rw-", "8-12 rw-"]);
    check("m0-12 d4-8", &["0-4 rw-", "4-8 rw-", "8-12 rw-"]);
}

#[test]
fn mremap_moves_grows_and_shrinks() {
    let of = |call: &str| maps(&format!("{}1 mremap({call}\n", log("m0-8 m16-20")), Touch::All, 1);
    let grown = "0x7f0000000000, 32768, 49152, 0) = 0x7f0000000000";
    assert_eq!(of(grown), ["0-12 rw-", "16-20 rw-"]);
    let shrunk = "0x7f0000000000, 32768, 16384, 0) = 0x7f0000000000";
    assert_eq!(of(shrunk), ["0-4 rw-", "16-20 rw-"]);
    let moved = "0x7f0000000000, 32768, 65536, MREMAP_MAYMOVE) = 0x7f0000020000";
    assert_eq!(of(moved), ["16-20 rw-", "32-48 rw-"]);
    let fixed = "0x7f0000000000, 16384, 16384, MREMAP_MAYMOVE|MREMAP_FIXED, 0x7f0000012000) \
                 = 0x7f0000012000";
    assert_eq!(of(fixed), ["4-8 rw-", "16-18 rw-", "18-22 rw-"]);
    let kept = "0x7f0000000000, 32768, 32768, MREMAP_MAYMOVE|MREMAP_DONTUNMAP) = 0x7f0000020000";
    assert_eq!(of(kept), ["0-8 rw-", "16-20 rw-", "32-40 rw-"]);
}

#[test]
fn the_heap_grows_and_shrinks() {
    let brk = |calls: &str| maps(&format!("1 brk(NULL) = 0x7f0000000000\n{calls}"), Touch::All, 1);
    assert_eq!(brk("1 brk(0x7f0000002800) = 0x7f0000002800\n"), ["0-3 rw-"]);
    let grown = "1 brk(0x7f0000002000) = 0x7f0000002000\n1 brk(0x7f0000004000) = 0x7f0000004000\n";
    assert_eq!(brk(grown), ["0-4 rw-"]);
    assert_eq!(brk(&format!("{grown}1 brk(0x7f0000001000) = 0x7f0000001000\n")), ["0-1 rw-"]);
    // Refused: the end of the heap stays where it is.
    assert_eq!(brk(&format!("{grown}1 brk(0x7f0000009000) = 0x7f0000004000\n")), ["0-4 rw-"]);
}

#[test]
fn children_have_copies_and_threads_share() {
    let unmap = "2 munmap(0x7f0000000000, 8192) = 0\n";
    let of = |call: &str, pid| {
        let log = format!("{}1 {call} = 2\n{unmap}", log("m0-4 m8-12 d8-12"));
        maps(&log, Touch::All, pid)
    };
    assert_eq!(of("fork()", 1), ["0-4 rw-", "8-12 rw-"]);
    assert_eq!(of("fork()", 2), ["2-4 rw-"]);
    let thread = "clone(child_stack=0, flags=CLONE_VM|CLONE_THREAD)";
    assert_eq!(of(thread, 1), ["2-4 rw-", "8-12 rw-"]);
    // A child that begins another program leaves its parent's alone.
    let log = format!("{}1 vfork() = 2\n2 execve(\"a\", [], []) = 0\n{unmap}", log("m0-4"));
    assert_eq!(maps(&log, Touch::All, 1), ["0-4 rw-"]);
}

#[test]
fn what_a_fork_copied_joins_nothing_new() {
    // 7.3 merges no mapping of a child that has pages with one that has none.
    let log = format!("{}1 fork() = 2\n{}", log("m0-4"), log("m4-8").replace("1 mmap", "2 mmap"));
    assert_eq!(maps(&log, Touch::All, 2), ["0-4 rw-", "4-8 rw-"]);
    assert_eq!(maps(&log, Touch::None, 2), ["0-8 rw-"]);
}

#[test]
fn the_lines_of_a_child_may_come_first() {
    let map = log("m0-4");
    let unmap = "munmap(0x7f0000000000, 8192) = 0";
    let early = format!("{map}1 fork( <unfinished ...>\n2 {unmap}\n1 <... fork resumed>) = 2\n");
    assert_eq!(maps(&early, Touch::All, 1), ["0-4 rw-"]);
    assert_eq!(maps(&early, Touch::All, 2), ["2-4 rw-"]);
    // Two are about to fork: whose child 3 is shows where the call returns.
    let two = format!(
        "{map}1 fork() = 2\n2 {unmap}\n1 fork( <unfinished ...>\n2 fork( <unfinished ...>\n\
         3 munmap(0x7f0000002000, 4096) = 0\n2 <... fork resumed>) = 3\n1 <... fork resumed>) = 4\n"
    );
    assert_eq!(maps(&two, Touch::All, 3), ["3-4 rw-"]);
    assert_eq!(maps(&two, Touch::All, 4), ["0-4 rw-"]);
}

#[test]
fn an_unmapping_that_has_begun_is_done_before_its_range_is_given_away() {
    let log = format!(
        "{}1 clone(child_stack=0, flags=CLONE_VM|CLONE_THREAD) = 2\n\
         1 munmap(0x7f0000000000, 16384 <unfinished ...>\n\
         2 mmap(NULL, 8192, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000\n\
         1 <... munmap resumed>) = 0\n",
        log("m0-4")
    );
    assert_eq!(maps(&log, Touch::All, 1), ["0-2 r--"]);
}

#[test]
fn standard_error_has_no_number_while_there_is_one_process() {
    let log = "\
        mmap(NULL, 16384, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000\n\
        clone(child_stack=NULL, flags=SIGCHLDstrace: Process 12 attached\n\
        , child_tidptr=0x7f0000000a10) = 12\n\
        [pid    11] munmap(0x7f0000000000, 4096) = 0\n\
        [pid    12] munmap(0x7f0000000000, 8192) = 0\n\
        [pid    12] +++ exited with 0 +++\n\
        munmap(0x7f0000001000, 8192) = 0\n";
    assert_eq!(maps(log, Touch::All, 11), ["3-4 r--"]);
}

#[test]
fn a_number_that_is_used_again_is_another_process() {
    let log = format!(
        "{}1 fork() = 2\n2 +++ exited with 0 +++\n1 munmap(0x7f0000000000, 4096) = 0\n\
         1 fork() = 2\n",
        log("m0-4")
    );
    assert_eq!(maps(&log, Touch::All, 2), ["1-4 rw-"]);
}

#[test]
fn a_thread_that_begins_a_program_takes_the_number_of_the_process() {
    let log = format!(
        "{}1 clone(child_stack=0, flags=CLONE_VM|CLONE_THREAD) = 2\n\
         2 execve(\"a\", [], [] <unfinished ...>\n\
         1 +++ superseded by execve in pid 2 +++\n1 <... execve resumed>) = 0\n\
         1 brk(NULL) = 0x7f0000001000\n1 brk(0x7f0000002000) = 0x7f0000002000\n",
        log("m0-4")
    );
    assert_eq!(maps(&log, Touch::All, 1), ["1-2 rw-"]);
}
