//! `netlab bench tcp-echo|udp-echo|rooms|models`, and what all benches have in common: for how long, and where the figures go.

mod login;
mod models;
mod rooms;
mod tcp_echo;
mod udp_echo;
mod watch;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::bench::{Course, Event, Outcome, Until};
use crate::net::table::Transport;
use crate::net::{Stop, socket};
use crate::render;
use crate::report::{Events, Report};

use super::output::Output;
use super::socket_options::{self, SocketOptionsArgs};
use super::{UsageError, answered, hint, values};

use self::watch::Watch;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  netlab bench tcp-echo 127.0.0.1:65432                       50 connections, 5 seconds
  netlab bench tcp-echo 127.0.0.1:65432 --rate 1000           open loop: what a stall really costs
  netlab bench rooms 127.0.0.1:12000 --rooms 10 --members 10  every message to every member
  netlab bench models                                         one at a time, threads, event loop: the same load")]
pub(super) enum BenchCommand {
    // Their `--help` begins with the page on their arguments.
    TcpEcho(Box<tcp_echo::TcpEchoArgs>),
    UdpEcho(Box<udp_echo::UdpEchoArgs>),
    Rooms(Box<rooms::RoomsArgs>),
    Models(Box<models::ModelsArgs>),
}

impl BenchCommand {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        match self {
            BenchCommand::TcpEcho(args) => args.run(output),
            BenchCommand::UdpEcho(args) => args.run(output),
            BenchCommand::Rooms(args) => args.run(output),
            BenchCommand::Models(args) => args.run(output),
        }
    }

    pub(super) fn json(&self) -> bool {
        match self {
            BenchCommand::TcpEcho(args) => args.figures.json,
            BenchCommand::UdpEcho(args) => args.figures.json,
            BenchCommand::Rooms(args) => args.figures.json,
            BenchCommand::Models(args) => args.json,
        }
    }
}

/// For how long, and how fast.
#[derive(Clone, Debug, Args)]
pub(super) struct CourseArgs {
    /// How long to measure [default: 5s]
    #[arg(short = 't', long, value_name = "DUR", value_parser = values::time_out, conflicts_with = "count")]
    duration: Option<Duration>,
    /// How many requests (messages) to measure, instead of a time
    #[arg(short, long, value_name = "N", value_parser = values::count)]
    count: Option<usize>,
    /// Load before the measurement
    #[arg(long, value_name = "DUR", default_value = "0", value_parser = values::duration)]
    warm_up: Duration,
    /// Open loop: so many requests (messages) a second in all, whether replies come or not
    #[arg(long, value_name = "PER_SECOND", value_parser = rate)]
    rate: Option<f64>,
    /// How long to wait to connect, and for replies when none comes any more
    #[arg(short, long, value_name = "DUR", default_value = "2s", value_parser = values::time_out)]
    wait: Duration,
}

/// Requests a second: the metronome's steps are counted in nanoseconds, and an hour without one is no load.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| (0.001..=1e8).contains(rate));
    rate.ok_or_else(|| "a rate is a number of requests a second, from 0.001 to 100000000".to_owned())
}

impl CourseArgs {
    fn course(&self) -> Course {
        let until = match self.count {
            Some(count) => Until::Count(count as u64),
            None => Until::Time(self.duration.unwrap_or(Duration::from_secs(5))),
        };
        Course { warm_up: self.warm_up, until, wait: self.wait }
    }
}

impl CourseArgs {
    /// Shows what the kernel makes of the options, on a connection of its own: the load's are many.
    fn show_options(
        &self,
        socket: &SocketOptionsArgs,
        transport: Transport,
        addrs: &[SocketAddr],
        output: &Output,
    ) -> anyhow::Result<()> {
        if !socket.show_options {
            return Ok(());
        }
        let options = socket.options();
        let readings = match transport {
            Transport::Tcp => options.read_tcp(&socket::connect(addrs, &options, self.wait)?),
            Transport::Udp => options.read_udp(&socket::connect_udp(addrs[0], &options)?),
        };
        Output::note(render::block_text(&socket_options::table(&readings), output.style).trim_end());
        Ok(())
    }
}

/// Where the figures go.
#[derive(Clone, Debug, Args)]
pub(super) struct FiguresArgs {
    /// Write every latency to a file: value_us, a tab, count
    #[arg(long, value_name = "FILE")]
    hist: Option<PathBuf>,
    /// Print one JSON document
    #[arg(short = 'J', long, conflicts_with = "json_stream")]
    json: bool,
    /// Print one JSON object a line: a line each second, then the summary
    #[arg(long)]
    json_stream: bool,
}

impl FiguresArgs {
    /// Runs a bench and shows what comes of it.
    fn show<R: Report + Clone + Send + 'static>(
        &self,
        output: &Output,
        outcome: fn(&R) -> &Outcome,
        run: impl FnOnce(&Stop, &mut dyn Events<Event<R>>) -> anyhow::Result<R>,
    ) -> anyhow::Result<ExitCode> {
        let stop = Stop::on_signals()?;
        let mut watch = Watch::new(output, self.json_stream);
        let report = run(&stop, &mut watch)?;
        if self.json_stream {
            watch.event(Event::Summary(Box::new(report.clone())));
        }
        drop(watch);
        if let Some(path) = &self.hist {
            std::fs::write(path, outcome(&report).measured.latencies.lines())
                .map_err(|error| UsageError::new(format!("write {}: {error}", path.display())))?;
        }
        if !self.json_stream {
            output.report(&report, self.json)?;
        }
        if let Some(hint) = outcome(&report).fault.and_then(hint::of_bench_refusal) {
            Output::note(&format!("hint: {hint}"));
        }
        Ok(answered(report.succeeded()))
    }
}
