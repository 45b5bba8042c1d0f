//! How a line is read, with every option that changes it.

use emu_replay::strace::{Call, Event, Range, Reader, Returned, What};

const UNMAP: Call = Call::Munmap(Range { addr: 0x7f00_0000_0000, len: 4096 });

#[track_caller]
fn read(line: &str) -> Event {
    Reader::default().line(line.as_bytes()).expect("a line of strace")
}

/// Checks who called `munmap()` in `line`.
#[track_caller]
fn check_munmap(line: &str, pid: Option<u32>) {
    let what = What::Returned(UNMAP, Returned::Value(0));
    let event = read(line);
    assert_eq!((event.pid, event.what), (pid, what), "{line}");
}

#[test]
fn what_stands_before_and_behind_a_call() {
    let call = "munmap(0x7f0000000000, 4096) = 0";
    let before = [
        ("", None),
        ("12 ", Some(12)),
        ("[pid    12] ", Some(12)),
        ("12<a b> ", Some(12)),
        ("[pid 12<a]b>] ", Some(12)),
        ("12:07:53 ", None),
        ("12 12:07:53.580157 ", Some(12)),
        ("12  1732795673.580157 ", Some(12)),
        ("1732795673.580157 ", None),
        ("1732795673 ", None),
        ("     0.000123 ", None),
        ("12:07:53 (+     0.000123) ", None),
        ("[pid 12] 12:07:53.580157 [00007f3ede5e2abc] ", Some(12)),
        ("12 [  11] ", Some(12)),
        ("12 [????????????????] ", Some(12)),
    ];
    for (prefix, pid) in before {
        check_munmap(&format!("{prefix}{call}"), pid);
        check_munmap(&format!("{prefix}{call} <0.000012>\r"), pid);
    }
    check_munmap("munmap(0x7f0000000000, 0x1000)          = 0", None);
}

#[test]
fn forms_of_arguments() {
    let same = [
        "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000",
        "mmap(0, 0x2000, 0x3, 0x22, 0xffffffff, 0) = 0x7f0000000000",
        "mmap(NULL, 8192, 0x3 /* PROT_READ|PROT_WRITE */, \
         0x22 /* MAP_PRIVATE|MAP_ANONYMOUS */, -1, 0) = 0x7f0000000000",
        "mmap2(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) \
         = 0x7f0000000000 (INJECTED)",
    ];
    let [first, others @ ..] = same.map(|line| read(line).what);
    assert!(matches!(first, What::Returned(Call::Mmap(_), Returned::Value(0x7f00_0000_0000))));
    assert!(others.iter().all(|other| *other == first), "{others:?}");
}

#[test]
fn paths_may_have_anything_in_them() {
    let mut reader = Reader::default();
    let path = "/tmp/a, b) = 1<(x>y \\\"z";
    let line =
        format!("mmap(NULL, 4096, PROT_READ, MAP_SHARED, 3<{path}>(deleted), 0x2000) = 0x7000");
    let What::Returned(Call::Mmap(mmap), Returned::Value(0x7000)) =
        reader.line(line.as_bytes()).expect("a call").what
    else {
        panic!("expected a mapping")
    };
    assert_eq!(mmap.offset, 0x2000);
    assert_eq!(reader.text(mmap.file), format!("3<{path}>(deleted)"));
}

#[test]
fn results() {
    let of = |result: &str| match read(&format!("munmap(0x7f0000000000, 4096) = {result}")).what {
        What::Returned(_, returned) => returned,
        what => panic!("expected a result, found {what:?}"),
    };
    assert_eq!(of("-1 EINVAL (Invalid argument)"), Returned::Error);
    assert_eq!(of("? ERESTARTSYS (To be restarted if SA_RESTART is set)"), Returned::Unknown);
    assert_eq!(of("?"), Returned::Unknown);
    assert_eq!(of("0 <0.000012>"), Returned::Value(0));
}

#[test]
fn what_is_no_call() {
    let gone = ["+++ exited with 0 +++", "12 +++ killed by SIGKILL (core dumped) +++"];
    assert!(gone.into_iter().all(|line| read(line).what == What::Gone));
    assert_eq!(read("1 +++ superseded by execve in pid 12 +++").what, What::Superseded(12));
    assert_eq!(read("--- stopped by SIGSTOP ---").what, What::Stopped);
    assert_eq!(read("strace: Process 12 attached").what, What::Attached(12));
    let other = [
        "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---",
        "restart_syscall(<... resuming interrupted read ...>) = 0",
        "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 3",
        "write(1, \"munmap(0x1000, 1) = 0\\n\"..., 22 <unfinished ...>",
        "<... write resumed>) = 22",
        "[ Process PID=12 runs in 32 bit mode. ]",
        "strace: Process 12 detached",
        "exit_group(0) = ?",
    ];
    for line in other {
        let what = read(line).what;
        let exit = What::Returned(Call::Exit, Returned::Unknown);
        assert!([What::Other, exit].contains(&what), "{line}: {what:?}");
    }
    for line in ["", "  ", " > /usr/lib/libc.so.6(mmap+0x17) [0x11b7f]"] {
        assert_eq!(read(line).what, What::Nothing, "{line}");
    }
    let table =
        ["% time     seconds  usecs/call", "------ ------", "  0.00    0.000000  0  3 mmap"];
    check_last(&table, What::Nothing);
}

/// Checks what the last of `lines` says; those before are read, too.
#[track_caller]
fn check_last(lines: &[&str], expected: What) {
    let mut reader = Reader::default();
    let read = lines.iter().map(|line| reader.line(line.as_bytes()).expect("a line of strace"));
    assert_eq!(read.last().map(|event| event.what), Some(expected));
}

#[test]
fn calls_that_were_cut() {
    let done = What::Returned(UNMAP, Returned::Value(0));
    check_last(&["1 munmap(0x7f0000000000, 4096 <unfinished ...>"], What::Began(UNMAP));
    check_last(
        &[
            "1 munmap(0x7f0000000000, <unfinished ...>",
            "2 munmap(0x7f0000001000, 4096) = 0",
            "1 <... munmap resumed>4096) = 0",
        ],
        done,
    );
    check_last(
        &["munmap(0x7f0000000000, 4096 <unfinished ...>", "[pid 1] <... munmap resumed>) = 0"],
        done,
    );
    check_last(
        &["[pid 1] munmap(0x7f0000000000, 4096 <unfinished ...>", "<... munmap resumed>) = 0"],
        done,
    );
    // strace's own message in the middle of a line, on standard error.
    check_last(
        &[
            "clone(child_stack=NULL, flags=CLONE_VM|SIGCHLDstrace: Process 12 attached",
            ", child_tidptr=0x7f0000000a10) = 12",
        ],
        What::Returned(Call::Clone(0x100), Returned::Value(12)),
    );
    check_last(
        &["vfork(strace: Process 12 attached", " <unfinished ...>", "<... vfork resumed>) = 12"],
        What::Returned(Call::Clone(0x4100), Returned::Value(12)),
    );
}

#[test]
fn flags_of_children() {
    let vm = What::Returned(Call::Clone(0x4100), Returned::Value(7));
    let same = [
        "vfork() = 7",
        "clone(child_stack=0x7f00, flags=CLONE_VM|CLONE_VFORK|SIGCHLD) = 7",
        "clone3({flags=CLONE_VM|CLONE_VFORK|CLONE_CLEAR_SIGHAND, exit_signal=SIGCHLD, \
         stack=0x7f00, stack_size=0x9000}, 88) = 7",
        "clone(child_stack=0x7f00, flags=0x4111) = 7<sh>",
    ];
    same.into_iter().for_each(|line| assert_eq!(read(line).what, vm, "{line}"));
    assert_eq!(read("fork() = 7").what, What::Returned(Call::Clone(0), Returned::Value(7)));
}
