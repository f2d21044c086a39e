//! `netlab bench models`.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use crate::bench::models::{self, ModelsEvent};
use crate::bench::{Course, Load, Until};
use crate::echo::tcp_server::Model;
use crate::net::{self, Stop};
use crate::process::Program;
use crate::report::{Events, Report};

use super::super::output::Output;
use super::super::{UsageError, answered, values};
use super::watch::Watch;

/// Compare the concurrency models of the TCP echo server under the same load
///
/// Each model runs in a process of its own, three times: under load, with idle connections, and under load beside
/// one client that sends and never reads. Memory, threads and processor time are the server's; a system that does
/// not tell them leaves them out. The servers end with this command, however it ends.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab bench models                                        all of them: about 15 seconds
  netlab bench models --model threads --model event-loop     these two
  netlab bench models --connections 500 --depth 8 -t 5s      a heavier load
  netlab bench models --idle 9000                            towards C10k; see `ulimit -n`
  netlab bench models -J                                     for a program

Exit code: 0 if every reply was right, 1 if not, or if threads or event-loop left
somebody waiting, 2 for wrong usage.")]
pub(in crate::cli) struct ModelsArgs {
    /// A model to measure; repeat for more [default: all]
    #[arg(long = "model", value_name = "MODEL", value_parser = values::named(&Model::ALL, Model::name))]
    models: Vec<Model>,
    /// How many connections load the server
    #[arg(long, value_name = "N", default_value = "50", value_parser = values::count)]
    connections: usize,
    /// Requests in flight on each connection, at most
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::count)]
    depth: usize,
    /// Bytes of a request
    #[arg(long, value_name = "BYTES", default_value = "64", value_parser = values::size)]
    size: usize,
    /// How many connections are idle together
    #[arg(long, value_name = "N", default_value = "500", value_parser = values::count)]
    idle: usize,
    /// How long each load is measured; there are two for each model
    #[arg(short = 't', long, value_name = "DUR", default_value = "1s", value_parser = values::time_out)]
    duration: Duration,
    /// Load before each measurement
    #[arg(long, value_name = "DUR", default_value = "200ms", value_parser = values::duration)]
    warm_up: Duration,
    /// How long to wait for a client that is not served
    #[arg(short, long, value_name = "DUR", default_value = "1s", value_parser = values::time_out)]
    wait: Duration,
    /// Print one JSON document
    #[arg(short = 'J', long, conflicts_with = "json_stream")]
    pub(super) json: bool,
    /// Print one JSON object a line: a line for each measurement, then the summary
    #[arg(long)]
    json_stream: bool,
}

impl ModelsArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        self.check_descriptors(net::raise_descriptor_limit())?;
        let netlab = std::env::current_exe().context("find netlab's own program, to start servers of it")?;
        let server = |model: Model| {
            let arguments =
                ["tcp-echo", "server", "127.0.0.1:0", "--end-with-stdin", "--model", model.name()];
            let words = arguments.map(OsString::from);
            Program {
                command: [netlab.clone().into_os_string()].into_iter().chain(words).collect(),
                // A log that nobody reads would only slow the servers down.
                hidden_env: vec!["RUST_LOG".into()],
                stdin: true,
                ..Program::default()
            }
        };
        let config = models::Config {
            models: if self.models.is_empty() { Model::ALL.to_vec() } else { self.models.clone() },
            load: Load {
                connections: self.connections,
                depth: self.depth,
                size_bytes: self.size,
                asked_rate_per_s: None,
            },
            course: Course { warm_up: self.warm_up, until: Until::Time(self.duration), wait: self.wait },
            idle_connections: self.idle,
            server: &server,
        };
        let stop = Stop::on_signals()?;
        let mut watch = Watch::new(output, self.json_stream);
        let report = models::run(&config, &stop, &mut watch)?;
        if self.json_stream {
            watch.event(ModelsEvent::Summary(Box::new(report.clone())));
        }
        drop(watch);
        if !self.json_stream {
            output.report(&report, self.json)?;
        }
        Ok(answered(report.succeeded()))
    }

    /// A connection takes a descriptor here and one in the server, whose limit is the same.
    fn check_descriptors(&self, limit: usize) -> Result<(), UsageError> {
        /// For everything else: the reactor keeps some for files and refusals.
        const OTHERS: usize = 64;
        let most = limit.saturating_sub(OTHERS);
        let flags = [("--connections", self.connections), ("--idle", self.idle)];
        match flags.into_iter().find(|(_, count)| *count > most) {
            None => Ok(()),
            Some((flag, count)) => Err(UsageError {
                message: format!(
                    "{flag} {count}: a process may have {limit} descriptors open here, {most} connections"
                ),
                hint: Some("`ulimit -n` shows the limit, and may raise it".to_owned()),
            }),
        }
    }
}
