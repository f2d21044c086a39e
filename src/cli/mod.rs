//! The command line: flags, exit codes, where output goes. One file per command, its `Args` beside its `run`,
//! which delegates at once.
//!
//! Exit codes, the same with and without `--json`: 0 it worked; 1 it ran, and the answer is bad (refused,
//! lost, failed); 2 usage, configuration or privilege; 130 a second Ctrl-C.

mod address;
mod auth_demo;
mod autograder;
mod bench;
mod bytes;
mod capture;
mod chat;
mod check;
mod class_list;
mod completions;
mod config;
mod confined;
mod dissector;
mod doctor;
mod env_file;
mod events;
mod exercises;
mod explain;
mod grade;
mod hint;
mod inspect;
mod lab;
mod logging;
mod man;
mod output;
mod pager;
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
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use self::output::{ColorChoice, Output};
use crate::render;
use crate::report::Failure;
use crate::text::printable;

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

// Deferred: the flags of a command are built once it is the one that was asked for. Building them all would be
// most of what starting costs. So a line here is for the list of commands, and `--help` has the page on the
// arguments where there is one.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Echo bytes or messages over TCP
    #[command(subcommand)]
    TcpEcho(tcp_echo::TcpEchoCommand),
    /// Echo datagrams over UDP
    #[command(subcommand)]
    UdpEcho(udp_echo::UdpEchoCommand),
    /// See TCP merge and split messages on real sockets, and framing cure it
    StickyDemo(sticky_demo::StickyDemoArgs),
    /// See threads lose updates of one counter, and what prevents it
    RaceDemo(race_demo::RaceDemoArgs),
    /// See a naive login fall to three attacks that a better one survives
    AuthDemo(auth_demo::AuthDemoArgs),
    /// Serve rooms: logins, messages, records
    Serve(Box<serve::ServeArgs>),
    /// Chat in a room: a screen for the terminal, lines for pipes
    Chat(Box<chat::ChatArgs>),
    /// Say something in a room and wait until it has come back
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
    /// Check a program of your own, in any language, and say what is wrong with it
    Check(Box<check::CheckArgs>),
    /// List the exercises, or show one's specification
    Exercises(exercises::ExercisesArgs),
    /// Check a class's submissions, each confined, and sum up
    Grade(Box<grade::GradeArgs>),
    /// Make an autograder for Gradescope, and a workflow for continuous integration
    Autograder(autograder::AutograderArgs),
    #[command(hide = true)]
    Confined(confined::ConfinedArgs),
    /// Take a stream of bytes apart: frames, fields, the first thing wrong
    Inspect(inspect::InspectArgs),
    /// Explain an error, a call, a state, an option, an address
    Explain(explain::ExplainArgs),
    /// Show a text or a number in bytes
    Bytes(bytes::BytesArgs),
    /// Measure round trips: by TCP, UDP or ICMP
    Ping(Box<ping::PingArgs>),
    /// List the system's sockets: states, queues, owners
    Sockets(Box<sockets::SocketsArgs>),
    /// Look whether this machine has what the labs need
    Doctor(doctor::DoctorArgs),
    /// List the labs, or walk through one in the terminal
    Lab(lab::LabArgs),
    /// Show each setting of the room server and where it comes from
    Config(Box<config::ConfigArgs>),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
    /// Print a Wireshark dissector for netlab's frames and messages
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
            Command::Chat(args) => args.run(output),
            Command::Say(args) => args.run(),
            Command::Records(command) => command.run(),
            Command::Users(command) => command.run(output),
            Command::Bench(command) => command.run(output),
            Command::Check(args) => args.run(output),
            Command::Grade(args) => args.run(output),
            Command::Autograder(args) => args.run(),
            Command::Confined(args) => args.run(),
            Command::Exercises(args) => args.run(output),
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
            Command::Check(args) => args.json,
            Command::Grade(args) => args.json,
            Command::Exercises(args) => args.json,
            Command::Inspect(args) => args.json,
            Command::Explain(args) => args.json,
            Command::Bytes(args) => args.json,
            Command::Ping(args) => args.json,
            Command::Sockets(args) => args.json,
            Command::Doctor(args) => args.json,
            Command::Lab(args) => args.json,
            Command::Config(args) => args.json,
            Command::Serve(_)
            | Command::Chat(_)
            | Command::Autograder(_)
            | Command::Confined(_)
            | Command::Completions(_)
            | Command::Dissector(_)
            | Command::Man(_) => false,
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
    let cli = Cli::try_parse().unwrap_or_else(|error| misused(&error));
    let output = Output::new(&cli.global);
    let result = logging::start(cli.global.verbose, output.style.color)
        .map_err(anyhow::Error::new)
        .and_then(|()| cli.command.run(&output));
    capture::tell_of_failure();
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

/// Ends the process as clap does after a mistake in the flags, or after help. Whoever asked for JSON gets the
/// mistake as a document, too.
fn misused(error: &clap::Error) -> ! {
    if error.use_stderr() && json_is_asked_for(std::env::args_os().skip(1)) {
        // Its first paragraph says what is wrong; the others how to go on.
        let text = error.to_string();
        let mut paragraphs = text.split("\n\n");
        let message = paragraphs.next().unwrap_or_default().trim_start_matches("error: ").trim();
        let hint = paragraphs.find_map(|paragraph| paragraph.trim().strip_prefix("tip: ")).map(escaped);
        // If it can't be written, stderr still has it.
        let _ = Output::print(&render::error_document(&Failure { message: escaped(message), hint }));
    }
    error.exit()
}

fn escaped(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    printable(&words.join(" "))
}

/// True if `-J` or `--json` is among the flags, as far as they can be told while something is wrong with them.
fn json_is_asked_for(args: impl Iterator<Item = OsString>) -> bool {
    let asks = |arg: &OsString| {
        let short = |arg: &str| arg.starts_with('-') && !arg.starts_with("--") && arg.contains('J');
        arg.to_str().is_some_and(|arg| arg == "--json" || short(arg))
    };
    args.take_while(|arg| arg != "--").any(|arg| asks(&arg))
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
