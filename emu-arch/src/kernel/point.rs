//! Points inside calls, by the names that scenarios use.

use lazy_mmu::arch::Point;

/// The name of a point in scenarios: `store`, `arch_enter`, `arch_leave`, `arch_flush`, or the name
/// of an effect without its arguments.
#[must_use]
pub fn point_name(point: Point) -> &'static str {
    match point {
        Point::Store => "store",
        Point::Hook(hook) => hook.short.trim_end_matches("()"),
        Point::Effect(name) => name.split(['(', '=']).next().unwrap_or(name),
    }
}
