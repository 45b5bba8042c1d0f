//! Runs of lines as one line, so that a batch of 190 updates takes one line of a snapshot.
//!
//! ```text
//! wrprotect_ptes(0x7f0000000000, nr=190) -> trap and emulate  x190
//! wrprotect_ptes(0x7f0000000000, nr=190) -> tlb_batch.tlb_nr=1 to 190
//! might_sleep()                          -> ø  x30 lines
//! ```

/// The shortest run that is folded.
const RUN_MIN: usize = 3;

/// Folds runs of equal effects, of effects that count up, and of equal lines.
pub(crate) fn fold(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut folded = String::new();
    let mut next = 0;
    while let Some(line) = lines.get(next) {
        let (run, suffix) = run(&lines[next..]);
        folded += &format!("{line}{suffix}\n");
        next += run;
    }
    folded
}

/// The text that [`fold`] made `folded` of.
pub(crate) fn unfold(folded: &str) -> String {
    folded.lines().flat_map(unfold_line).map(|line| line + "\n").collect()
}

/// The length of the run that begins the lines, and what stands for its other lines.
fn run(lines: &[&str]) -> (usize, String) {
    let line = lines[0];
    let equal = lines.iter().take_while(|other| **other == line).count();
    if equal >= RUN_MIN && !is_effect(line) {
        return (equal, format!("  x{equal} lines"));
    }
    let effects = || {
        std::iter::once(effect(line)).chain(lines[1..].iter().map_while(|next| {
            (is_effect(next) && indent(next) == indent(line)).then(|| effect(next))
        }))
    };
    let same = effects().take_while(|next| *next == effect(line)).count();
    if same >= RUN_MIN {
        return (same, format!("  x{same}"));
    }
    if let Some((name, from)) = counter(effect(line)) {
        let counted = (from..).zip(effects());
        let counts = counted.take_while(|(n, next)| counter(next) == Some((name, *n))).count();
        if counts >= RUN_MIN {
            return (counts, format!(" to {}", from + counts as u64 - 1));
        }
    }
    (1, String::new())
}

/// The lines that a folded one stands for.
fn unfold_line(line: &str) -> Vec<String> {
    let repeated = |(line, count): (&str, &str)| Some((line.to_owned(), count.parse().ok()?));
    if let Some((line, count)) =
        line.strip_suffix(" lines").and_then(|line| line.rsplit_once("  x")).and_then(repeated)
    {
        return vec![line; count];
    }
    let below = |first: &str, effect: &str| format!("{}{effect}", " ".repeat(indent(first)));
    if let Some((line, count)) = line.rsplit_once("  x").and_then(repeated) {
        let other = below(&line, effect(&line));
        return std::iter::once(line).chain(vec![other; count - 1]).collect();
    }
    let Some((first, last)) = line.rsplit_once(" to ") else { return vec![line.to_owned()] };
    let Some(((name, from), last)) = counter(effect(first)).zip(last.parse::<u64>().ok()) else {
        return vec![line.to_owned()];
    };
    let others = (from + 1..=last).map(|n| below(first, &format!("{name}={n}")));
    std::iter::once(first.to_owned()).chain(others).collect()
}

/// What stands right of the arrow, or the whole of a line of its own.
fn effect(line: &str) -> &str {
    line.split_once("-> ").map_or(line.trim_start(), |(_, effect)| effect)
}

/// The column where the effect begins.
fn indent(line: &str) -> usize {
    line.chars().count() - effect(line).chars().count()
}

/// Tells whether the line is an effect of the call above.
fn is_effect(line: &str) -> bool {
    line.starts_with("    ") && !line.contains("-> ")
}

/// An effect that is a counter, and the number in it.
fn counter(effect: &str) -> Option<(&str, u64)> {
    let (name, number) = effect.rsplit_once('=')?;
    Some((name, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, folded: &str) {
        assert_eq!(fold(text), folded);
        assert_eq!(unfold(folded), text);
    }

    #[test]
    fn equal_effects() {
        check(
            "clear() -> trap\n           trap\n           trap\nend\n",
            "clear() -> trap  x3\nend\n",
        );
        check("f() -> ø\n       dsb\n       dsb\n       dsb\n", "f() -> ø\n       dsb  x3\n");
    }

    #[test]
    fn counters() {
        check(
            "f() -> nr=1\n       nr=2\n       nr=3\n       nr=1\n",
            "f() -> nr=1 to 3\n       nr=1\n",
        );
    }

    #[test]
    fn equal_lines_are_not_effects_of_one_call() {
        check("f() -> ø\nf() -> ø\nf() -> ø\n", "f() -> ø  x3 lines\n");
    }

    #[test]
    fn short_runs_and_others_stay() {
        for text in ["f() -> a\n       a\n", "f() -> n=1\n       n=2\n", "f()\nf()\n", "\n", ""] {
            check(text, text);
        }
        // Another column is another call's.
        check("f() -> a\n     a\n     a\n", "f() -> a\n     a\n     a\n");
    }
}
