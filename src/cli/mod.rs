//! The command line: flags, exit codes, where output goes. One file per command, its `Args` beside its `run`,
//! which delegates at once.
//!
//! Exit codes, the same with and without `--json`: 0 it worked; 1 it ran, and the answer is bad (refused,
//! lost, failed); 2 usage, configuration or privilege; 130 a second Ctrl-C.

mod address;
mod auth_demo;
mod bench;
mod bytes;
mod capture;
mod class_list;
mod completions;
mod config;
mod dissector;
mod doctor;
mod env_file;
mod events;
mod explain;
mod hint;
mod inspect;
mod lab;
mod logging;
mod man;
mod output;
mod paths;
mod ping;
mod race_demo;
mod records;
mod replies;
mod room_client;
mod say;
mod secret;
mod serve;
mod socket_options;
mod sockets;
mod stdin_lines;
mod sticky_demo;
mod tcp_echo;
mod udp_echo;
mod users;
mod values;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use self::output::{ColorChoice, Output};
use crate::render;

/// One binary on which a networking course runs.
#[derive(Debug, Parser)]
#[command(name = "netlab", version, arg_required_else_help = true, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  netlab sticky-demo                               see why TCP needs framing
  netlab tcp-echo server                           an echo server on 127.0.0.1:65432
  netlab tcp-echo client 127.0.0.1:65432 Hello     send it a message

Each command's --help has examples of its own.";

/// Flags that every command takes.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct GlobalArgs {
    /// Say more; -vv and -vvv also log what happens inside (RUST_LOG overrides)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    /// When to use colours; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true)]
    color: ColorChoice,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    ascii: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Echo bytes or messages over TCP
    #[command(subcommand)]
    TcpEcho(tcp_echo::TcpEchoCommand),
    /// Echo datagrams over UDP
    #[command(subcommand)]
    UdpEcho(udp_echo::UdpEchoCommand),
    // Its `--help` begins with the page on its arguments; a comment here would hide that.
    StickyDemo(sticky_demo::StickyDemoArgs),
    // The same.
    RaceDemo(race_demo::RaceDemoArgs),
    // The same.
    AuthDemo(auth_demo::AuthDemoArgs),
    // Their `--help` begins with the page on their arguments.
    Serve(Box<serve::ServeArgs>),
    Say(Box<say::SayArgs>),
    /// Write and read records on the room server
    #[command(subcommand)]
    Records(records::RecordsCommand),
    /// Say who may log in to the room server
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// Put load on a server and measure it
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    Inspect(inspect::InspectArgs),
    Explain(explain::ExplainArgs),
    Bytes(bytes::BytesArgs),
    Ping(Box<ping::PingArgs>),
    Sockets(Box<sockets::SocketsArgs>),
    Doctor(doctor::DoctorArgs),
    Lab(lab::LabArgs),
    /// Show each setting of the room server and where it comes from
    Config(Box<config::ConfigArgs>),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
    // Its `--help` begins with the page on its arguments.
    Dissector(dissector::DissectorArgs),
    /// Print the manual page
    Man(man::ManArgs),
}

impl Command {
    fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        match self {
            Command::TcpEcho(command) => command.run(output),
            Command::UdpEcho(command) => command.run(output),
            Command::StickyDemo(args) => args.run(output),
            Command::RaceDemo(args) => args.run(output),
            Command::AuthDemo(args) => args.run(output),
            Command::Serve(args) => args.run(output),
            Command::Say(args) => args.run(),
            Command::Records(command) => command.run(),
            Command::Users(command) => command.run(output),
            Command::Bench(command) => command.run(output),
            Command::Inspect(args) => args.run(output),
            Command::Explain(args) => args.run(output),
            Command::Bytes(args) => args.run(output),
            Command::Ping(args) => args.run(output),
            Command::Sockets(args) => args.run(output),
            Command::Doctor(args) => args.run(output),
            Command::Lab(args) => args.run(output),
            Command::Config(args) => args.run(output),
            Command::Completions(args) => args.run(),
            Command::Dissector(args) => args.run(),
            Command::Man(args) => args.run(),
        }
    }

    /// True if stdout shall hold one JSON document, an error's included.
    fn json(&self) -> bool {
        match self {
            Command::TcpEcho(command) => command.json(),
            Command::UdpEcho(command) => command.json(),
            Command::StickyDemo(args) => args.json,
            Command::RaceDemo(args) => args.json,
            Command::AuthDemo(args) => args.json(),
            Command::Say(args) => args.json,
            Command::Records(command) => command.json(),
            Command::Users(command) => command.json(),
            Command::Bench(command) => command.json(),
            Command::Inspect(args) => args.json,
            Command::Explain(args) => args.json,
            Command::Bytes(args) => args.json,
            Command::Ping(args) => args.json,
            Command::Sockets(args) => args.json,
            Command::Doctor(args) => args.json,
            Command::Lab(args) => args.json,
            Command::Config(args) => args.json,
            Command::Serve(_) | Command::Completions(_) | Command::Dissector(_) | Command::Man(_) => false,
        }
    }
}

/// It ran, and the answer is bad.
const BAD_ANSWER: u8 = 1;
/// Usage, configuration or privilege.
const USAGE: u8 = 2;

/// A mistake in what was asked, found after the flags were parsed: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct UsageError {
    message: String,
    /// The next step, where the message does not say it.
    hint: Option<String>,
}

impl UsageError {
    fn new(message: String) -> UsageError {
        UsageError { message, hint: None }
    }
}

/// Exit code 0 or 1, by whether the answer is good.
fn answered(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::from(BAD_ANSWER) }
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(&cli.global);
    let result = logging::start(cli.global.verbose, output.style.color)
        .map_err(anyhow::Error::new)
        .and_then(|()| cli.command.run(&output));
    match result {
        Ok(code) => code,
        // Whoever read our output has seen enough.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let failure = hint::failure(&error);
            if cli.command.json() {
                // The document is the answer; if even that can't be written, stderr still has it.
                let _ = Output::print(&render::error_document(&failure));
            }
            Output::failure(&failure);
            ExitCode::from(hint::exit_code(&error))
        }
    }
}

/// The whole command tree, for completions and the manual.
fn command_tree() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_tree_is_consistent() {
        super::command_tree().debug_assert();
    }
}
