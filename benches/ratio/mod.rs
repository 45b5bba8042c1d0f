//! A harness for ratios: contenders run in turn, round by round, so that a machine whose speed
//! drifts treats all alike. Prints nanoseconds per item and the ratio to the first contender.

use std::time::Instant;

/// One contender: a name, and a body that does `n` items and returns a number which depends on
/// them.
pub(crate) struct Contender<'a> {
    /// What is measured.
    pub(crate) name: &'a str,
    /// What is done before each round and not measured.
    pub(crate) prepare: Box<dyn FnMut(u64) + 'a>,
    /// The body.
    pub(crate) body: Box<dyn FnMut(u64) -> u64 + 'a>,
}

/// A contender from its parts.
pub(crate) fn contender<'a>(name: &'a str, body: impl FnMut(u64) -> u64 + 'a) -> Contender<'a> {
    Contender { name, prepare: Box::new(|_| ()), body: Box::new(body) }
}

/// `n` under `cargo bench`, and a handful under `cargo test`, which only checks that it runs.
pub(crate) fn items(n: u64) -> u64 {
    if std::env::args().any(|arg| arg == "--bench") { n } else { 2 }
}

/// Runs the contenders in turn and prints the table; `n` items a round.
pub(crate) fn compare(title: &str, n: u64, contenders: &mut [Contender<'_>]) {
    let rounds = if n < 100 { 1 } else { 15 };
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    let mut hashes = vec![0; contenders.len()];
    for _ in 0..rounds {
        for (index, contender) in contenders.iter_mut().enumerate() {
            (contender.prepare)(n);
            let start = Instant::now();
            hashes[index] = (contender.body)(n);
            times[index].push(start.elapsed().as_nanos() as f64 / n as f64);
        }
    }
    println!("\n{title} ({n} items, median of {rounds})");
    let median = |times: &[f64]| {
        let mut sorted = times.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    };
    let first = median(&times[0]);
    for ((contender, times), hash) in contenders.iter().zip(&times).zip(&hashes) {
        let ns = median(times);
        println!(
            "  {:<44} {ns:>8.2} ns  {:>8.1} M/s  x{:<6.2} #{:04x}",
            contender.name,
            1000.0 / ns,
            ns / first,
            hash & 0xffff
        );
    }
}
