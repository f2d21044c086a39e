//! `netlab chat`: talk in the rooms, on a full screen or line by line.

mod full;
mod plain;
mod voice;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Args;

use crate::client::ConnectRequest;
use crate::protocol::names::RoomName;
use crate::tui::Given;

use super::address::ROOMS;
use super::output::Output;
use super::room_client::{self, RoomClientArgs};

use self::full::Flags;

/// Talk in the rooms of a server
///
/// Full screen on a terminal, where ? shows the keys; line by line with --plain, and wherever stdin or stdout is none.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab chat                                         asks where to, and as whom
  netlab chat 127.0.0.1:12000 --user ada --room lab   goes straight there
  echo Hello | netlab chat :12000 --user ada          line by line: says it and leaves
  netlab chat --plain --user ada                      for a screen reader; /help shows the commands
  netlab chat --json-stream --user bot < commands     for scripts: one JSON object a line
  netlab chat --user ada --capture chat.pcapng        and what it sent and received, for Wireshark

Line by line, each line of stdin is a message or a command (/join /create /leave /rooms /members /quit /help);
the next one is taken when the last is answered. The exit code is 0 if all went well, and 1 if the server is
gone or, where stdin is no terminal, refused something.")]
pub(super) struct ChatArgs {
    /// The server: HOST, HOST:PORT, HOST PORT or [IPV6]:PORT [default: 127.0.0.1:12000]
    #[arg(num_args = 0..=2, value_name = "ADDR")]
    addr: Vec<String>,
    /// Your name; without one the server gives one
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The room to enter; it is made if there is none [default: the server's]
    #[arg(long, value_name = "NAME", value_parser = room_client::room_name)]
    room: Option<RoomName>,
    /// Line by line instead of full screen
    #[arg(long)]
    plain: bool,
    /// Line by line, and one JSON object a line for what happens
    #[arg(long)]
    json_stream: bool,
    #[command(flatten)]
    client: RoomClientArgs,
}

impl ChatArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let lines = self.plain || self.json_stream;
        if lines || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return plain::run(self.request()?, self.json_stream);
        }
        full::run(self.flags()?, output)
    }

    /// What the full screen takes from the flags; a secret is typed into its form.
    fn flags(&self) -> anyhow::Result<Flags> {
        let address = self.client.address.whole(&self.addr, ROOMS)?;
        let given = Given {
            address: !self.addr.is_empty() || self.client.address.has_port(),
            user: self.user.is_some(),
            secret: self.client.promised_secret().is_some(),
            room: self.room.is_some(),
            framing: self.client.has_framing(),
        };
        let client = self.client.without_promise();
        let request = client.request(address, self.user.as_deref(), self.room.clone())?;
        Ok(Flags { request, given, ask: self.client.promised_secret() })
    }

    /// Where to connect and as whom, as the flags say it. Asks for a secret that they promise.
    fn request(&self) -> anyhow::Result<ConnectRequest> {
        let address = self.client.address.whole(&self.addr, ROOMS)?;
        self.client.request(address, self.user.as_deref(), self.room.clone())
    }
}
