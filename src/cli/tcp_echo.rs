//! `netlab tcp-echo server|client`.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::echo::Reply;
use crate::echo::tcp_client::{self, Client, ClientError, Message};
use crate::echo::tcp_server::{self, Config, Model};
use crate::framing::{DEFAULT_MAX_FRAME, Framing};
use crate::net::table::Transport;
use crate::net::{self, Stop};
use crate::render;

use super::address::{self, AddressArgs};
use super::capture::CaptureArgs;
use super::events::{EventWriter, Format};
use super::output::{self, Output};
use super::replies::{Prompt, ReplyPrinter};
use super::socket_options::{self, BacklogArgs, SocketOptionsArgs};
use super::stdin_lines::StdinLines;
use super::values::{self, HexParts};
use super::{UsageError, hint};

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  netlab tcp-echo server                          on 127.0.0.1:65432, until Ctrl-C
  netlab tcp-echo client 127.0.0.1:65432 Hello    one message, its reply
  netlab tcp-echo client < file | cmp - file      every byte must come back")]
pub(super) enum TcpEchoCommand {
    /// Serve: answer every client with what it sent
    Server(Box<ServerArgs>),
    /// Send messages and print their replies
    Client(Box<ClientArgs>),
}

impl TcpEchoCommand {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        match self {
            TcpEchoCommand::Server(args) => args.run(output),
            TcpEchoCommand::Client(args) => args.run(output),
        }
    }

    pub(super) fn json(&self) -> bool {
        matches!(self, TcpEchoCommand::Client(args) if args.json)
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
    #[arg(long, value_name = "DUR", value_parser = values::time_out)]
    idle_timeout: Option<Duration>,
    /// Show what the event loop does, a line for each step
    #[arg(long)]
    trace: bool,
    /// Print one JSON object a line instead of text
    #[arg(long)]
    json_stream: bool,
    /// Stop when stdin ends: for a netlab that starts this one, so that neither outlives the other
    #[arg(long, hide = true)]
    end_with_stdin: bool,
    #[command(flatten)]
    socket: SocketOptionsArgs,
    #[command(flatten)]
    capture: CaptureArgs,
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
            return Err(super::UsageError::new(format!(
                "--trace shows the event loop; --model {model} has none"
            ))
            .into());
        }
        if self.max_connections.is_some() && self.model == Model::Iterative {
            let message = "--max-connections: --model iterative serves one client at a time, the others wait";
            return Err(UsageError::new(message.to_owned()).into());
        }
        let address = self.address.whole(&self.addr, address::TCP_ECHO)?;
        let addrs = address.resolve(self.address.family())?;
        net::raise_descriptor_limit();
        let stop = Stop::on_signals()?;
        if self.end_with_stdin {
            stop_with_stdin(stop.clone())?;
        }
        let format = if self.json_stream { Format::JsonStream } else { Format::Lines(output.style) };
        let mut events = EventWriter::new(format);
        tcp_server::run(&self.config(output)?, &addrs, &stop, &mut events)?;
        Ok(ExitCode::SUCCESS)
    }

    fn config(&self, output: &Output) -> anyhow::Result<Config> {
        Ok(Config {
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
            options: self.capture.add_to(self.socket.options())?,
            show_options: self.socket.show_options,
            backlog: self.backlog.backlog,
        })
    }
}

/// Asks for the stop when stdin has ended, or can't be read.
fn stop_with_stdin(stop: Stop) -> io::Result<()> {
    let read = move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        stop.request();
    };
    std::thread::Builder::new().name("stdin".into()).stack_size(64 << 10).spawn(read).map(drop)
}

/// Send messages and print their replies
///
/// Without a message the lines of stdin are sent. Raw bytes then go through unchanged in both directions, so
/// that files can be piped; with a framing each line is a message.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab tcp-echo client 127.0.0.1:65432 Hello      one message, its reply
  netlab tcp-echo client localhost 65432 --framing u16 Hello World
  netlab tcp-echo client < file | cmp - file        every byte must come back
  netlab tcp-echo client -p 65432 --framing u16 --hex '0005 48 | 656c6c6f'
                                                    a message cut after its third byte")]
pub(super) struct ClientArgs {
    /// The server, then messages: HOST, HOST:PORT, HOST PORT or [IPV6]:PORT [default: 127.0.0.1:65432]
    #[arg(value_name = "ADDR] [MESSAGE")]
    words: Vec<String>,
    /// Messages; with no address before the `--`, to the default one
    #[arg(last = true, value_name = "MESSAGE")]
    messages: Vec<String>,
    #[command(flatten)]
    address: AddressArgs,
    #[command(flatten)]
    framing: FramingArgs,
    /// Send these bytes as they are; `|` flushes and pauses
    #[arg(long, value_name = "HEX", value_parser = values::hex_parts)]
    hex: Option<HexParts>,
    /// What the server answers; without it, an echo as long as it looks like one
    #[arg(long, value_name = "REPLY", value_parser = values::reply())]
    reply: Option<Reply>,
    /// How long to wait to connect, and for each reply
    #[arg(short, long, value_name = "DUR", default_value = "10s", value_parser = values::time_out)]
    wait: Duration,
    /// Bytes per recv call
    #[arg(long, value_name = "BYTES", default_value = "64k", value_parser = values::size)]
    recv_size: usize,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    json: bool,
    #[command(flatten)]
    socket: SocketOptionsArgs,
    #[command(flatten)]
    capture: CaptureArgs,
}

impl ClientArgs {
    fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let (address, words) = self.address.split(&self.words, address::TCP_ECHO)?;
        let messages: Vec<&String> = words.iter().chain(&self.messages).collect();
        if self.hex.is_some() && !messages.is_empty() {
            return Err(UsageError::new("--hex is the message: give no other".into()).into());
        }
        let addrs = address.resolve(self.address.family())?;
        let mut client = Client::connect(&addrs, self.config()?)?;
        hint::warn_of_foreign_listener(Transport::Tcp, client.remote());
        if self.socket.show_options {
            let table = render::block_text(&socket_options::table(&client.options()), output.style);
            Output::note(table.trim_end());
        }
        let stop = Stop::on_signals()?;
        let _ender = stop.on_stop(client.ender());
        let result = self.talk(&mut client, &messages, &stop);
        // Ctrl-C cuts the connection: what that breaks is no failure.
        self.conclude(&client, if stop.requested() { Ok(()) } else { result })
    }

    fn config(&self) -> anyhow::Result<tcp_client::Config> {
        Ok(tcp_client::Config {
            wait: self.wait,
            framing: self.framing.framing,
            max_frame: self.framing.max_frame,
            reply: self.reply,
            recv_size: self.recv_size,
            options: self.capture.add_to(self.socket.options())?,
        })
    }

    /// Sends what there is to send and prints what comes back.
    fn talk(&self, client: &mut Client, messages: &[&String], stop: &Stop) -> Result<(), ClientError> {
        let framed = self.framing.framing != Framing::Raw;
        let mut printer = ReplyPrinter::new(self.json, self.hex.is_some());
        if let Some(HexParts(parts)) = &self.hex {
            printer.exchange(client, &Message::Wire(parts.clone()), framed)?;
        } else if !messages.is_empty() {
            for message in messages {
                printer.exchange(client, &Message::Payload(message.as_bytes().to_vec()), framed)?;
            }
        } else if framed {
            let mut lines = StdinLines::new(self.framing.max_frame);
            let _ender = stop.on_stop(lines.ender());
            client.exchange_lines(&mut lines, &mut |reply: &[u8]| printer.line(reply))?;
        } else {
            let prompt = Prompt::of_stdin();
            prompt.show();
            let result = client.pump(io::stdin(), &mut |bytes| {
                printer.bytes(bytes)?;
                prompt.show();
                Ok(())
            });
            if result.is_err() {
                printer.end_screen_line()?;
            }
            return result;
        }
        let result =
            client.finish(&mut |bytes| if framed { printer.line(bytes) } else { printer.bytes(bytes) });
        printer.end_line()?;
        result
    }

    /// The report, and what went wrong.
    fn conclude(&self, client: &Client, result: Result<(), ClientError>) -> anyhow::Result<ExitCode> {
        let failed = result.err().map(anyhow::Error::new);
        if failed.as_ref().is_some_and(output::is_broken_pipe) {
            return Ok(ExitCode::SUCCESS);
        }
        let failure = failed.as_ref().map(hint::failure);
        if self.json {
            let mut report = client.report();
            report.socket_options = self.socket.show_options.then(|| client.options());
            report.error.clone_from(&failure);
            Output::print(&render::document(&report))?;
        }
        Ok(match (&failed, failure) {
            (Some(error), Some(failure)) => {
                Output::failure(&failure);
                ExitCode::from(hint::exit_code(error))
            }
            _ => ExitCode::SUCCESS,
        })
    }
}
