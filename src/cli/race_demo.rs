//! `netlab race-demo`.

use std::process::ExitCode;

use clap::Args;

use crate::demo::race::{MAX_THREADS, MAX_UPDATES, Plan, RaceReport};
use crate::report::Report;

use super::answered;
use super::output::Output;

/// See threads lose updates of one counter, and what prevents it
///
/// Threads start at a barrier and count clients in one `num_clients`: unprotected,
/// with a mutex, behind a semaphore, and by fetch_add. Then one real interleaving of
/// two threads, step by step, and a broadcast to all threads by one slot and by queues.
///
/// Exit code: 0 if updates were lost without a lock and none with one, 1 if not,
/// 2 for wrong usage.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  netlab race-demo                           8 threads, 1,000 clients each
  netlab race-demo --threads 2 --updates 10  small enough to lose nothing at times
  netlab race-demo -J                        the figures and the steps, for a program"
)]
pub(super) struct RaceDemoArgs {
    /// How many threads race
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u64).range(2..=MAX_THREADS as u64))]
    threads: u64,
    /// How many clients each thread counts
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u64).range(1..=MAX_UPDATES))]
    updates: u64,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    pub(super) json: bool,
}

impl RaceDemoArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let threads = usize::try_from(self.threads).expect("at most 64");
        let report = RaceReport::run(Plan { threads, updates: self.updates });
        output.report(&report, self.json)?;
        Ok(answered(report.succeeded()))
    }
}
