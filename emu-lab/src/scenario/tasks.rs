//! The parts of a line that speak of tasks, CPUs, locks, and of what falls into a call.

use emu_arch::VirtAddr;
use emu_arch::kernel::{Lock, LockOp, Step};
use emu_arch::machine::NR_CPUS;

/// Who executes a line: the task, 0 for whichever runs, and the CPU where given.
pub(super) type Who = (u8, Option<u8>);

/// Splits `A:` or `A@cpu1:` from the code of a line.
///
/// # Errors
/// What was expected, and the part that is something else.
pub(super) fn split_who(code: &str) -> Result<(Who, &str), (&str, String)> {
    let Some((who, rest)) = code.split_once(':') else { return Ok(((0, None), code)) };
    let (task, cpu) = match who.split_once('@') {
        None => (who, None),
        Some((task, cpu)) => (task, Some(self::cpu(cpu).map_err(|message| (cpu, message))?)),
    };
    let task = self::task(task)
        .ok_or_else(|| (who, format!("expected a task, A to Z, before `:`, found {who:?}")))?;
    Ok(((task, cpu), rest.trim_start()))
}

/// The number of the task called `name`.
pub(super) fn task(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [letter @ b'A'..=b'Z'] => Some(letter - b'A' + 1),
        _ => None,
    }
}

/// The CPU called `name`: `cpu0` and up.
pub(super) fn cpu(name: &str) -> Result<u8, String> {
    let number = name.strip_prefix("cpu").and_then(|number| number.parse().ok());
    number
        .filter(|cpu| usize::from(*cpu) < NR_CPUS)
        .ok_or_else(|| format!("expected cpu0 to cpu{}, found {name:?}", NR_CPUS - 1))
}

/// A call, and the point in it: its name, and which of that name.
pub(super) type PointIn<'l> = (&'l str, &'l str, u32);

/// Splits `before POINT {` or `before POINT N {` from the code of a line that something falls into.
pub(super) fn split_point(code: &str) -> Result<Option<PointIn<'_>>, (&str, String)> {
    let Some(head) = code.strip_suffix('{') else { return Ok(None) };
    let head = head.trim_end();
    let (call, point) = head.rsplit_once(" before ").ok_or_else(|| {
        let message = "expected `before POINT` between the call and `{`".to_owned();
        (&code[code.len() - 1..], message)
    })?;
    let point = point.trim();
    let (point, nth) = match point.split_once(char::is_whitespace) {
        None => (point, 1),
        Some((point, nth)) => {
            let nth = nth.trim();
            let number = nth.parse().ok().filter(|nth| *nth > 0);
            let message = || format!("expected `{{` or which {point} it is, found {nth:?}");
            (point, number.ok_or_else(|| (nth, message()))?)
        }
    };
    let plain = point.chars().all(|c| c.is_alphanumeric() || "_.".contains(c));
    if point.is_empty() || !plain {
        return Err((point, format!("expected the name of a point, found {point:?}")));
    }
    Ok(Some((call.trim_end(), point, nth)))
}

/// The kinds of interrupt that a block can be, with what begins and what ends it.
pub(super) const INTERRUPTS: [(&str, &str, &str); 3] = [
    ("hardirq", "hardirq_enter", "hardirq_exit"),
    ("softirq", "softirq_enter", "softirq_exit"),
    ("nmi", "nmi_enter", "nmi_exit"),
];

/// The task that a `fork` with argument `arg` makes.
pub(super) fn fork(arg: Option<&str>) -> Result<Step, String> {
    let child = arg.and_then(task).ok_or("expected the child, A to Z, after fork")?;
    Ok(Step::Fork(child))
}

/// The spin lock `name` of argument `arg`, which is taken or released; `address` reads an address.
pub(super) fn spin(
    name: &str,
    op: LockOp,
    arg: Option<&str>,
    address: impl Fn(&str) -> Result<VirtAddr, String>,
) -> Result<Step, String> {
    match arg {
        Some("init_mm") => Ok(Step::Lock(Lock::InitMm, op)),
        Some(arg) => {
            let addr = address(arg)?;
            let mm = if addr.is_kernel() { 0 } else { 1 };
            Ok(Step::Lock(Lock::Pte { mm, addr }, op))
        }
        None => Err(format!("expected an address or init_mm after {name}")),
    }
}
