//! `netlab auth-demo`, `netlab auth-demo server|client`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::demo::auth::{self, Attack, Config};
use crate::net::Stop;
use crate::report::Report;

use super::address::{self, AddressArgs};
use super::events::{EventWriter, Format};
use super::output::Output;
use super::{answered, values};

/// See a naive login fall to three attacks that a better one survives
///
/// Without a subcommand each attack runs in this process, on loopback: a client and a
/// server that share a key, and an attacker that does not know it. First with the
/// classroom's scheme (32 random bytes, their HMAC back), then with the mutual login of
/// the room server.
///
///   replay   a recorded login is played back
///   reflect  a program gets its own challenge back
///   relay    a login is passed on to another connection
///
/// server and client are the two ends of the naive scheme, on raw sockets, for ends of
/// your own in any language.
///
/// Exit code: 0 if every attack succeeded against the naive scheme and failed against
/// the mutual one, 1 if not, 2 for wrong usage.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  netlab auth-demo                           all attacks, who falls and why
  netlab auth-demo --attack relay            one of them
  netlab auth-demo server                    the naive server, on 127.0.0.1:8080
  netlab auth-demo client 127.0.0.1:8080     log in to it
  netlab auth-demo client --attack replay    attack a server of your own"
)]
pub(super) struct AuthDemoArgs {
    #[command(subcommand)]
    command: Option<AuthDemoCommand>,
    #[command(flatten)]
    attacks: AttackArgs,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum AuthDemoCommand {
    /// Challenge every client: 32 random bytes, and `Access Granted` for their HMAC
    Server(ServerArgs),
    /// Answer a server's challenge
    Client(ClientArgs),
}

#[derive(Debug, Args)]
struct AttackArgs {
    /// Run only this attack; repeat it for several
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = values::named(&Attack::ALL, Attack::name))]
    attack: Vec<Attack>,
}

#[derive(Debug, Args)]
struct KeyArgs {
    /// The shared key, as text. A demonstration's: `ps` shows it to everyone
    #[arg(long, value_name = "TEXT", env = "NETLAB_KEY", hide_env_values = true, default_value = "secret")]
    key: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab auth-demo server                    on 127.0.0.1:8080, key `secret`
  netlab auth-demo server :0 --once          on a free port, for one client
  NETLAB_KEY=k3y netlab auth-demo server     another key")]
struct ServerArgs {
    /// Where to listen: HOST, HOST:PORT, HOST PORT or [IPV6]:PORT [default: 127.0.0.1:8080]
    #[arg(num_args = 0..=2, value_name = "ADDR")]
    addr: Vec<String>,
    #[command(flatten)]
    address: AddressArgs,
    #[command(flatten)]
    key: KeyArgs,
    /// Stop after one client
    #[arg(long)]
    once: bool,
    /// Print one JSON object a line instead of text
    #[arg(long)]
    json_stream: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab auth-demo client                    log in to 127.0.0.1:8080
  netlab auth-demo client --key wrong        closed without a word: exit code 1
  netlab auth-demo client --attack replay    attack the server; --key is the honest client's")]
struct ClientArgs {
    /// The server: HOST, HOST:PORT, HOST PORT or [IPV6]:PORT [default: 127.0.0.1:8080]
    #[arg(num_args = 0..=2, value_name = "ADDR")]
    addr: Vec<String>,
    #[command(flatten)]
    address: AddressArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    attacks: AttackArgs,
    /// How long to wait to connect, and for each answer
    #[arg(short, long, value_name = "DUR", default_value = "10s", value_parser = values::time_out)]
    wait: Duration,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    json: bool,
}

impl AuthDemoArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        match &self.command {
            Some(AuthDemoCommand::Server(args)) => args.run(output),
            Some(AuthDemoCommand::Client(args)) => args.run(output),
            None => self.attacks.run(b"secret", None, auth::WAIT, self.json, output),
        }
    }

    pub(super) fn json(&self) -> bool {
        match &self.command {
            Some(AuthDemoCommand::Server(_)) => false,
            Some(AuthDemoCommand::Client(args)) => args.json,
            None => self.json,
        }
    }
}

impl AttackArgs {
    fn run(
        &self,
        key: &[u8],
        server: Option<SocketAddr>,
        wait: Duration,
        json: bool,
        output: &Output,
    ) -> anyhow::Result<ExitCode> {
        let attacks = if self.attack.is_empty() { &Attack::ALL[..] } else { &self.attack };
        let report = auth::attack(attacks, key, server, wait)?;
        output.report(&report, json)?;
        Ok(answered(report.succeeded()))
    }
}

impl ServerArgs {
    fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let address = self.address.whole(&self.addr, address::AUTH)?;
        let addrs = address.resolve(self.address.family())?;
        let stop = Stop::on_signals()?;
        let format = if self.json_stream { Format::JsonStream } else { Format::Lines(output.style) };
        let config = Config { key: self.key.key.clone().into_bytes(), once: self.once };
        auth::run(&config, &addrs, &stop, &mut EventWriter::new(format))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl ClientArgs {
    fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let address = self.address.whole(&self.addr, address::AUTH)?;
        let addrs = address.resolve(self.address.family())?;
        let key = self.key.key.as_bytes();
        if self.attacks.attack.is_empty() {
            let report = auth::log_in(&addrs, key, self.wait)?;
            output.report(&report, self.json)?;
            return Ok(answered(report.succeeded()));
        }
        // The first one that the name has: an attack is on one server.
        self.attacks.run(key, Some(addrs[0]), self.wait, self.json, output)
    }
}
