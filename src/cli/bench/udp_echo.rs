//! `netlab bench udp-echo`.

use std::process::ExitCode;

use clap::Args;

use crate::bench::{EchoConfig, EchoReport, Load, udp_echo};
use crate::framing::Framing;
use crate::net::table::Transport;

use super::super::address::{self, AddressArgs};
use super::super::output::Output;
use super::super::socket_options::SocketOptionsArgs;
use super::super::values;
use super::{CourseArgs, FiguresArgs};

/// Put load on a UDP echo server: round-trip times, and what is lost, doubled or overtaken
///
/// One socket keeps a window of datagrams in flight. One that is not answered within --wait is lost. UDP may
/// lose, double and reorder; on one machine it is a full receive buffer that loses.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab bench udp-echo 127.0.0.1:9999                       one datagram after the other
  netlab bench udp-echo --window 64 --size 1k -t 2s          64 in flight
  netlab bench udp-echo --rate 10000 -t 10s                  an open loop
  netlab bench udp-echo -c 10000 -J                          a fixed count, for a program

Exit code: 0 if every reply was right, 1 if not, or if nobody listens, 2 for wrong usage.")]
pub(in crate::cli) struct UdpEchoArgs {
    /// The server: HOST, HOST:PORT, HOST PORT or [IPV6]:PORT [default: 127.0.0.1:9999]
    #[arg(num_args = 0..=2, value_name = "ADDR")]
    addr: Vec<String>,
    #[command(flatten)]
    address: AddressArgs,
    /// Datagrams in flight, at most
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::count)]
    window: usize,
    /// Bytes of a datagram
    #[arg(long, value_name = "BYTES", default_value = "64", value_parser = values::size)]
    size: usize,
    #[command(flatten)]
    course: CourseArgs,
    #[command(flatten)]
    pub(super) figures: FiguresArgs,
    #[command(flatten)]
    socket: SocketOptionsArgs,
}

impl UdpEchoArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let address = self.address.whole(&self.addr, address::UDP_ECHO)?;
        let addrs = address.resolve(self.address.family())?;
        let config = EchoConfig {
            load: Load {
                connections: 1,
                depth: self.window,
                size_bytes: self.size,
                asked_rate_per_s: self.course.rate,
            },
            framing: Framing::Raw,
            course: self.course.course(),
            options: self.socket.options(),
        };
        self.course.show_options(&self.socket, Transport::Udp, &addrs, output)?;
        self.figures.show(
            output,
            |report: &EchoReport| &report.outcome,
            |stop, events| Ok(udp_echo::run(&config, &addrs, stop, events)?),
        )
    }
}
