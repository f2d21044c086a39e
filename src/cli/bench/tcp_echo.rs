//! `netlab bench tcp-echo`.

use std::process::ExitCode;

use clap::Args;

use crate::bench::{EchoConfig, EchoReport, Load, tcp_echo};
use crate::framing::Framing;
use crate::net::table::Transport;

use super::super::address::{self, AddressArgs};
use super::super::output::Output;
use super::super::socket_options::SocketOptionsArgs;
use super::super::values;
use super::{CourseArgs, FiguresArgs};

/// Put load on a TCP echo server: how fast it is, how long it makes its clients wait
///
/// Any echo server will do. Every byte of every reply is compared with what was sent: one that is lost,
/// corrupted, doubled or out of order is counted, and the exit code is 1.
///
/// A closed loop (the default) sends the next request when a reply has come: it shows what the server can do.
/// An open loop (--rate) sends by the clock, as a crowd of people does. Its latencies are shown twice: from
/// when a request was sent, and from when it was due. Where the two differ, the server made requests wait that
/// a closed loop would never have sent.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab bench tcp-echo 127.0.0.1:65432                      50 connections, 5 seconds
  netlab bench tcp-echo --connections 1 --size 64k -t 2s     one connection, large requests
  netlab bench tcp-echo --depth 32 --framing u16             32 requests in flight on each
  netlab bench tcp-echo --rate 1000 --warm-up 1s             an open loop, warmed up
  netlab bench tcp-echo -c 100000 -J                         a fixed count, for a program
  netlab bench tcp-echo --hist latency.tsv                   every latency, for a plot

Exit code: 0 if every reply was right, 1 if not, or if nobody listens, 2 for wrong usage.")]
pub(in crate::cli) struct TcpEchoArgs {
    /// The server: HOST, HOST:PORT, HOST PORT or [IPV6]:PORT [default: 127.0.0.1:65432]
    #[arg(num_args = 0..=2, value_name = "ADDR")]
    addr: Vec<String>,
    #[command(flatten)]
    address: AddressArgs,
    /// How many connections
    #[arg(long, value_name = "N", default_value = "50", value_parser = values::count)]
    connections: usize,
    /// Requests in flight on each connection, at most
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::count)]
    depth: usize,
    /// Bytes of a request, without its framing
    #[arg(long, value_name = "BYTES", default_value = "64", value_parser = values::size)]
    size: usize,
    /// How messages are told apart; with raw a reply ends where it is as long as its request
    #[arg(long, value_name = "FRAMING", default_value = "raw", value_parser = values::framing())]
    framing: Framing,
    #[command(flatten)]
    course: CourseArgs,
    #[command(flatten)]
    pub(super) figures: FiguresArgs,
    #[command(flatten)]
    socket: SocketOptionsArgs,
}

impl TcpEchoArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let address = self.address.whole(&self.addr, address::TCP_ECHO)?;
        let addrs = address.resolve(self.address.family())?;
        let config = EchoConfig {
            load: Load {
                connections: self.connections,
                depth: self.depth,
                size_bytes: self.size,
                asked_rate_per_s: self.course.rate,
            },
            framing: self.framing,
            course: self.course.course(),
            options: self.socket.options(),
        };
        self.course.show_options(&self.socket, Transport::Tcp, &addrs, output)?;
        self.figures.show(
            output,
            |report: &EchoReport| &report.outcome,
            |stop, events| Ok(tcp_echo::run(&config, &addrs, stop, events)?),
        )
    }
}
