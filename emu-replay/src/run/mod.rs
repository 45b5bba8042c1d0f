//! What the calls of a log cost: their work on page tables, done on machines, with the mode and
//! without it.
//!
//! Each piece of work is done on an address space of its own, which has the page tables that the
//! model has at that moment. It is done twice: as the kernel does it, and with the mode paused, so
//! that every update takes effect at once.

mod machine;
mod perform;
mod report;

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use emu_arch::Arch;
use emu_arch::machine::MMS_MAX;
use emu_mm::workload::{Options, Row};

pub use report::{CallRow, Report};

use crate::job::Job;
use machine::Bench;

/// How many pieces of work one machine does: an address space each, and two for a fork.
const BATCH: usize = 15;

const _: () = assert!(2 * BATCH < MMS_MAX as usize, "a machine has room for a batch of forks");

/// How many pieces of work wait until all threads do them, and of how many values these are.
const WAITING_MAX: usize = 100 * BATCH;
const VALUES_MAX: usize = 1 << 18;

/// Called with each piece of work that was done.
pub type Each<'f> = dyn FnMut(&Job, Arch, &Row) + 'f;

/// Machines of several architectures, and what they did so far.
#[derive(Debug)]
pub struct Run {
    benches: Vec<Bench>,
    reports: Vec<Report>,
    waiting: Vec<Job>,
    values: usize,
    /// How many rows of calls are kept for each architecture.
    top: usize,
    threads: usize,
}

impl Run {
    /// Machines of `archs`; `top` calls with the most page table writes are kept by themselves.
    #[must_use]
    pub fn new(archs: &[Arch], options: &Options, top: usize) -> Self {
        let benches = archs.iter().map(|arch| Bench::new(*arch, options)).collect();
        let reports = archs.iter().map(|arch| Report::new(*arch, options.design)).collect();
        let cpus = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            benches,
            reports,
            waiting: Vec::new(),
            values: 0,
            top,
            threads: cpus.min(archs.len()),
        }
    }

    /// Does `jobs`, soon, and empties the list.
    pub fn add(&mut self, jobs: &mut Vec<Job>, each: &mut Each<'_>) {
        for job in jobs.drain(..) {
            self.values += job.values();
            self.waiting.push(job);
            if self.waiting.len() == WAITING_MAX || self.values > VALUES_MAX {
                self.work(each);
            }
        }
    }

    /// Does what waits, and returns a report for each architecture.
    #[must_use]
    pub fn finish(mut self, each: &mut Each<'_>) -> Vec<Report> {
        self.work(each);
        self.reports
    }

    fn work(&mut self, each: &mut Each<'_>) {
        let jobs = std::mem::take(&mut self.waiting);
        self.values = 0;
        let (next, benches) = (AtomicUsize::new(0), &self.benches);
        // A thread takes one architecture after the other; each machine is of one thread.
        let worker = || {
            let mine = std::iter::from_fn(|| {
                let index = next.fetch_add(1, Ordering::Relaxed);
                benches.get(index).map(|bench| (index, bench.work(&jobs, BATCH)))
            });
            mine.collect::<Vec<_>>()
        };
        let mut done = thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads).map(|_| scope.spawn(worker)).collect();
            let mut done = worker();
            for other in others {
                done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            done
        });
        done.sort_unstable_by_key(|(index, _)| *index);
        for (report, (_, (rows, mode_is_off))) in self.reports.iter_mut().zip(&done) {
            report.mode_is_off |= mode_is_off;
            jobs.iter().zip(rows).for_each(|(job, row)| report.add(job, row, self.top));
        }
        for (at, job) in jobs.iter().enumerate() {
            for (report, (_, (rows, _))) in self.reports.iter().zip(&done) {
                each(job, report.arch, &rows[at]);
            }
        }
    }
}
