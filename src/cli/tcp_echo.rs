//! `netlab tcp-echo server|client`.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::echo::Reply;
use crate::echo::tcp_server::{self, Config, Model};
use crate::framing::{DEFAULT_MAX_FRAME, Framing};
use crate::net::{self, Stop};

use super::address::{self, AddressArgs};
use super::events::{EventWriter, Format};
use super::output::Output;
use super::socket_options::{BacklogArgs, SocketOptionsArgs};
use super::values;

#[derive(Debug, Subcommand)]
pub(super) enum TcpEchoCommand {
    /// Serve: answer every client with what it sent
    Server(ServerArgs),
}

impl TcpEchoCommand {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        match self {
            TcpEchoCommand::Server(args) => args.run(output),
        }
    }

    pub(super) fn json(&self) -> bool {
        false
    }
}

/// Serve: answer every client with what it sent
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab tcp-echo server                          on 127.0.0.1:65432, until Ctrl-C
  netlab tcp-echo server :0 --model iterative     one client after the other, on a free port
  netlab tcp-echo server --framing u16 -v         messages with a length in front, each one shown
  netlab tcp-echo server --trace                  every step of the event loop")]
pub(super) struct ServerArgs {
    /// Where to listen: HOST, HOST:PORT, HOST PORT or [IPV6]:PORT [default: 127.0.0.1:65432]
    #[arg(num_args = 0..=2, value_name = "ADDR")]
    addr: Vec<String>,
    #[command(flatten)]
    address: AddressArgs,
    /// How to serve many clients
    #[arg(long, value_name = "MODEL", default_value = Model::default().name(), value_parser = values::named(&Model::ALL, Model::name))]
    model: Model,
    /// What to answer
    #[arg(long, value_name = "REPLY", default_value = Reply::default().name(), value_parser = values::reply())]
    reply: Reply,
    #[command(flatten)]
    framing: FramingArgs,
    /// Bytes per recv call [default: 1024 iterative, 64k threads, 256k event-loop]
    #[arg(long, value_name = "BYTES", value_parser = values::size)]
    recv_size: Option<usize>,
    /// Stop after one client
    #[arg(long)]
    once: bool,
    /// Turn further clients away beyond this many
    #[arg(long, value_name = "N", value_parser = values::size)]
    max_connections: Option<usize>,
    /// Close a client that says nothing for so long
    #[arg(long, value_name = "DUR", value_parser = values::duration)]
    idle_timeout: Option<Duration>,
    /// Show what the event loop does, a line for each step
    #[arg(long)]
    trace: bool,
    /// Print one JSON object a line instead of text
    #[arg(long)]
    json_stream: bool,
    #[command(flatten)]
    socket: SocketOptionsArgs,
    #[command(flatten)]
    backlog: BacklogArgs,
}

/// Where messages begin and end.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct FramingArgs {
    /// How messages are told apart
    #[arg(long, value_name = "FRAMING", default_value = "raw", value_parser = values::framing())]
    pub(super) framing: Framing,
    /// The largest message, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_MAX_FRAME, value_parser = values::size)]
    pub(super) max_frame: usize,
}

impl ServerArgs {
    fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        if self.trace && self.model != Model::EventLoop {
            let model = self.model.name();
            return Err(
                super::UsageError(format!("--trace shows the event loop; --model {model} has none")).into()
            );
        }
        let address = self.address.whole(&self.addr, address::TCP_ECHO)?;
        let addrs = address.resolve(self.address.family())?;
        net::raise_descriptor_limit();
        let stop = Stop::on_signals()?;
        let format = if self.json_stream { Format::JsonStream } else { Format::Lines };
        let mut events = EventWriter::new(format);
        tcp_server::run(&self.config(output), &addrs, &stop, &mut events)?;
        Ok(ExitCode::SUCCESS)
    }

    fn config(&self, output: &Output) -> Config {
        Config {
            model: self.model,
            reply: self.reply,
            framing: self.framing.framing,
            max_frame: self.framing.max_frame,
            recv_size: self.recv_size,
            once: self.once,
            max_connections: self.max_connections,
            idle_timeout: self.idle_timeout,
            verbose: output.verbose > 0,
            trace: self.trace,
            options: self.socket.options(),
            show_options: self.socket.show_options,
            backlog: self.backlog.backlog,
        }
    }
}
