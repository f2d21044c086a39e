//! `netlab bench rooms`.

use std::process::ExitCode;

use clap::Args;

use crate::bench::{RoomsReport, rooms};
use crate::framing::Framing;
use crate::net::table::Transport;
use crate::protocol::MAX_TEXT;

use super::super::address::{self, AddressArgs};
use super::super::output::Output;
use super::super::socket_options::SocketOptionsArgs;
use super::super::{UsageError, room_client, values};
use super::login::LoginArgs;
use super::{CourseArgs, FiguresArgs};

/// Put load on a room server: publishers whose messages go to every member of their room
///
/// In each room one member publishes, and all of them, the publisher included, must receive each message
/// once, in order, every byte right. A latency is the time from publishing to one delivery.
///
/// A server limits the rate of its clients; for a bench its limit must be off. Where it demands a login, --from
/// names its users: with a key file for each, as `netlab users add --from` makes them, or with one --password.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab serve :12000 --rate-limit 0                              a server without a rate limit
  netlab bench rooms 127.0.0.1:12000                              1 room of 50
  netlab bench rooms --rooms 10 --members 10 --window 32          10 rooms of 10, 32 messages in flight in each
  netlab bench rooms --rate 100 --warm-up 1s -t 10s               an open loop of 100 messages a second
  netlab bench rooms -c 1000 -J                                   a fixed count, for a program
  netlab bench rooms --from class.txt --keys-dir keys             a class that logs in by key

Exit code: 0 if every delivery was right, 1 if not, or if nobody listens, 2 for wrong usage.")]
pub(in crate::cli) struct RoomsArgs {
    /// The server: HOST, HOST:PORT, HOST PORT or [IPV6]:PORT [default: 127.0.0.1:12000]
    #[arg(num_args = 0..=2, value_name = "ADDR")]
    addr: Vec<String>,
    #[command(flatten)]
    address: AddressArgs,
    /// How many rooms
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::count)]
    rooms: usize,
    /// Members of each room, its publisher included [default: 50; with --from, all users of the list]
    #[arg(long, value_name = "N", value_parser = values::count)]
    members: Option<usize>,
    /// Messages of a publisher that it has not received itself yet, at most
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::count)]
    window: usize,
    /// Bytes of a message's text
    #[arg(long, value_name = "BYTES", default_value = "64", value_parser = text_size)]
    size: usize,
    /// How messages are told apart; the server's choice
    #[arg(long, value_name = "FRAMING", default_value = "u16", value_parser = room_client::framing())]
    framing: Framing,
    #[command(flatten)]
    login: LoginArgs,
    #[command(flatten)]
    course: CourseArgs,
    #[command(flatten)]
    pub(super) figures: FiguresArgs,
    #[command(flatten)]
    socket: SocketOptionsArgs,
}

fn text_size(text: &str) -> Result<usize, String> {
    let size = values::size(text)?;
    if size > MAX_TEXT { Err(format!("a text has at most {MAX_TEXT} bytes")) } else { Ok(size) }
}

impl RoomsArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let address = self.address.whole(&self.addr, address::ROOMS)?;
        let addrs = address.resolve(self.address.family())?;
        let users = self.login.users()?;
        let config = rooms::Config {
            rooms: self.rooms,
            members: self.members(users.len())?,
            window: self.window,
            size: self.size,
            rate_per_s: self.course.rate,
            framing: self.framing,
            course: self.course.course(),
            users,
            options: self.socket.options(),
        };
        self.course.show_options(&self.socket, Transport::Tcp, &addrs, output)?;
        self.figures.show(
            output,
            |report: &RoomsReport| &report.outcome,
            |stop, events| Ok(rooms::run(&config, &addrs, stop, events)?),
        )
    }

    /// Members of a room, of whom each needs a user of his own where there are users.
    fn members(&self, users: usize) -> Result<usize, UsageError> {
        if users == 0 {
            return Ok(self.members.unwrap_or(50));
        }
        let members = self.members.unwrap_or(users / self.rooms);
        let needed = members.saturating_mul(self.rooms);
        if members > 0 && needed <= users {
            return Ok(members);
        }
        Err(UsageError {
            message: format!(
                "--from has {users} users: too few for --rooms {} of {} members",
                self.rooms,
                members.max(1)
            ),
            hint: Some("each member is a user of its own: a second login replaces the first".to_owned()),
        })
    }
}
