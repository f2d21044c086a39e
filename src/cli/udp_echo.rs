//! `netlab udp-echo server|client`.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::echo::udp_client::{self, ClientError, Heard};
use crate::echo::udp_server::{self, RECV_SIZE};
use crate::echo::{Reply, UdpClientReport};
use crate::net::table::Transport;
use crate::net::{self, Stop};
use crate::render;
use crate::report::Report;
use crate::text::{byte_count, counted, escape};

use super::address::{self, AddressArgs};
use super::capture::CaptureArgs;
use super::events::{EventWriter, Format};
use super::output::Output;
use super::socket_options::{self, SocketOptionsArgs};
use super::stdin_lines::StdinLines;
use super::{UsageError, answered, hint, values};

#[derive(Debug, Subcommand)]
#[command(
    defer = true,
    after_help = "\
Examples:
  netlab udp-echo server                          on 127.0.0.1:9999, until Ctrl-C
  netlab udp-echo client 127.0.0.1:9999 Hello     one datagram, its reply
  netlab udp-echo client -c 100 -- Hello          a hundred: loss and round-trip times"
)]
pub(super) enum UdpEchoCommand {
    /// Serve: answer every datagram with what it brought
    Server(ServerArgs),
    /// Send messages, a datagram each, and print the replies
    Client(ClientArgs),
}

impl UdpEchoCommand {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        match self {
            UdpEchoCommand::Server(args) => args.run(output),
            UdpEchoCommand::Client(args) => args.run(output),
        }
    }

    pub(super) fn json(&self) -> bool {
        match self {
            UdpEchoCommand::Server(_) => false,
            UdpEchoCommand::Client(args) => args.json,
        }
    }
}

/// Serve: answer every datagram with what it brought
///
/// UDP has no connections: each datagram is a message of its own, from whoever sent it. The server answers
/// each one, counts per sender, and prints the counts when Ctrl-C ends it.
///
/// Two UDP echo servers that answer each other would do so for ever. So there is no answer to ports below 1024
/// nor to the server's own address, and a source that returns the server's last reply 64 times within a
/// second is muted for a second.
///
/// Datagrams that come while the server is busy wait in its socket's receive buffer; what finds it full is lost,
/// and nobody is told. So the server asks for 4 MiB of it, as far as the system allows (on Linux
/// net.core.rmem_max); --so-rcvbuf asks for another size, --show-options shows what it got.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab udp-echo server                       on 127.0.0.1:9999, until Ctrl-C
  netlab udp-echo server :0 -v --once          on a free port, show one datagram, answer it and stop
  netlab udp-echo server 0.0.0.0 --reply ack   on all IPv4 addresses, answer `Message received`")]
pub(super) struct ServerArgs {
    /// Where to receive: HOST, HOST:PORT, HOST PORT or [IPV6]:PORT [default: 127.0.0.1:9999]
    #[arg(num_args = 0..=2, value_name = "ADDR")]
    addr: Vec<String>,
    #[command(flatten)]
    address: AddressArgs,
    /// What to answer
    #[arg(long, value_name = "REPLY", default_value = Reply::default().name(), value_parser = values::reply())]
    reply: Reply,
    /// Bytes per recv call: the rest of a larger datagram is gone
    #[arg(long, value_name = "BYTES", default_value_t = RECV_SIZE, value_parser = values::size)]
    recv_size: usize,
    /// Stop after one answer
    #[arg(long)]
    once: bool,
    /// Answer everything, other echo servers included: for measuring, on a network of your own
    #[arg(long)]
    no_loop_guard: bool,
    /// Print one JSON object a line instead of text
    #[arg(long)]
    json_stream: bool,
    #[command(flatten)]
    socket: SocketOptionsArgs,
    #[command(flatten)]
    capture: CaptureArgs,
}

impl ServerArgs {
    fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let address = self.address.whole(&self.addr, address::UDP_ECHO)?;
        let addrs = address.resolve(self.address.family())?;
        let stop = Stop::on_signals()?;
        let format = if self.json_stream { Format::JsonStream } else { Format::Lines(output.style) };
        let mut events = EventWriter::new(format);
        udp_server::run(&self.config(output)?, &addrs, &stop, &mut events)?;
        Ok(ExitCode::SUCCESS)
    }

    fn config(&self, output: &Output) -> anyhow::Result<udp_server::Config> {
        Ok(udp_server::Config {
            reply: self.reply,
            recv_size: self.recv_size,
            once: self.once,
            verbose: output.verbose > 0,
            loop_guard: !self.no_loop_guard,
            options: self.capture.add_to(self.socket.options())?,
            show_options: self.socket.show_options,
        })
    }
}

/// Send messages, a datagram each, and print the replies
///
/// Without messages each line of stdin is one, an empty line an empty datagram. Replies go to stdout, a line
/// each; what was lost and how long replies took goes to stderr. The exit code is 1 if a message got no reply.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab udp-echo client -- 'Hello via UDP'           to 127.0.0.1:9999 (-- : the default address)
  netlab udp-echo client localhost:9999 Hello -c 10   ten times: loss and round-trip times
  netlab udp-echo client :9999 HelloWorld --recv-size 5
                                                      UDP cuts a datagram that is larger than the buffer
  printf 'one\\ntwo\\n' | netlab udp-echo client -J     lines of stdin, and one JSON document")]
pub(super) struct ClientArgs {
    /// The server (HOST, HOST:PORT, HOST PORT or [IPV6]:PORT), then the messages [default: 127.0.0.1:9999]
    #[arg(value_name = "ADDR [MESSAGE]")]
    words: Vec<String>,
    /// Messages; with no address before the `--`, to the default one
    #[arg(last = true, value_name = "MESSAGE")]
    messages: Vec<String>,
    #[command(flatten)]
    address: AddressArgs,
    /// How long to wait for each reply
    #[arg(short, long, value_name = "DUR", default_value = "1s", value_parser = values::time_out)]
    wait: Duration,
    /// Send a message that got no reply again, so many times
    #[arg(long, value_name = "N", default_value_t = 0)]
    retries: u32,
    /// The least time between messages [default: 0; with -c 20ms, at which servers see no loop]
    #[arg(short, long, value_name = "DUR", value_parser = values::duration)]
    interval: Option<Duration>,
    /// Send each message so many times
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// How long to listen at the end for late replies, if some are missing [default: 1s after stdin, else 0]
    #[arg(short = 'q', long, value_name = "DUR", value_parser = values::duration)]
    linger_time: Option<Duration>,
    /// Bytes per recv call: the rest of a larger datagram is gone
    #[arg(long, value_name = "BYTES", default_value_t = RECV_SIZE, value_parser = values::size)]
    recv_size: usize,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    pub(super) json: bool,
    #[command(flatten)]
    socket: SocketOptionsArgs,
    #[command(flatten)]
    capture: CaptureArgs,
}

/// How long `-q` is after the end of stdin.
const LINGER: Duration = Duration::from_secs(1);
/// Longer lines are cut here: no datagram carries a tenth of it, so they are refused in any case.
const LONGEST_LINE: usize = 1 << 20;
/// Repetitions keep so far apart: 50 a second stay below the 64 that a server's loop guard takes for a loop.
const REPEAT_INTERVAL: Duration = Duration::from_millis(20);

impl ClientArgs {
    fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let (address, words) = self.address.split(&self.words, address::UDP_ECHO)?;
        let addrs = address.resolve(self.address.family())?;
        let messages: Vec<Vec<u8>> =
            words.iter().chain(&self.messages).map(|word| word.clone().into()).collect();
        check_sizes(&messages, addrs[0])?;
        hint::warn_of_foreign_listener(Transport::Udp, addrs[0]);
        let stop = Stop::on_signals()?;
        let config = self.config(messages.is_empty())?;
        let mut show = |heard: Heard<'_>| self.show(output, heard);
        let result = if messages.is_empty() {
            let mut lines = StdinLines::new(LONGEST_LINE);
            let _ender = stop.on_stop(lines.ender());
            udp_client::run(&config, &addrs, &mut lines, &stop, &mut show)
        } else {
            udp_client::run(&config, &addrs, &mut messages.into_iter().map(Ok), &stop, &mut show)
        };
        let (mut report, refusal) = result.map_err(to_anyhow)?;
        report.error = refusal.map(|refusal| hint::failure(&refusal.into()));
        self.finish(output, &report)
    }

    fn config(&self, from_stdin: bool) -> anyhow::Result<udp_client::Config> {
        let repeats = if self.count > 1 { REPEAT_INTERVAL } else { Duration::ZERO };
        let linger = if from_stdin { LINGER } else { Duration::ZERO };
        Ok(udp_client::Config {
            wait: self.wait,
            retries: self.retries,
            interval: self.interval.unwrap_or(repeats),
            count: self.count,
            linger: self.linger_time.unwrap_or(linger),
            recv_size: self.recv_size,
            options: self.capture.add_to(self.socket.options())?,
            show_options: self.socket.show_options,
        })
    }

    /// A reply: raw where a program reads it, escaped on a terminal.
    fn show(&self, output: &Output, heard: Heard<'_>) -> io::Result<()> {
        if self.json {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        if stdout.is_terminal() {
            writeln!(stdout, "{}", escape(heard.bytes))?;
        } else {
            stdout.write_all(heard.bytes)?;
            stdout.write_all(b"\n")?;
        }
        stdout.flush()?;
        note_reply(output, heard);
        Ok(())
    }

    fn finish(&self, output: &Output, report: &UdpClientReport) -> anyhow::Result<ExitCode> {
        if self.json {
            output.report(report, true)?;
        } else {
            if let Some(readings) = &report.socket_options {
                Output::note(render::block_text(&socket_options::table(readings), output.style).trim_end());
            }
            Output::note(render::text(report, output.style).trim_end());
        }
        if let Some(failure) = &report.error {
            Output::failure(failure);
        } else if report.lost > 0 {
            Output::note(&format!("hint: {}", loss_hint(report)));
        }
        Ok(answered(report.succeeded()))
    }
}

/// All messages are looked at before the first one is sent.
fn check_sizes(messages: &[Vec<u8>], peer: SocketAddr) -> Result<(), UsageError> {
    let limit = net::max_datagram(peer);
    match messages.iter().map(Vec::len).find(|size| *size > limit) {
        Some(size) => Err(UsageError::new(ClientError::TooLarge { size, limit, peer }.to_string())),
        None => Ok(()),
    }
}

/// What a reply's bytes don't tell.
fn note_reply(output: &Output, heard: Heard<'_>) {
    let (message, record) = (heard.message, heard.record);
    if record.truncated {
        let kept = counted(heard.bytes.len() as u64, "byte");
        let gone = record.cut_off_bytes.map_or("the rest is".to_owned(), |gone| match gone {
            1 => "1 byte is".to_owned(),
            gone => format!("{} are", counted(gone as u64, "byte")),
        });
        Output::note(&format!(
            "reply to message {message} cut off: {kept} fitted in --recv-size, {gone} gone for good"
        ));
    }
    let after = record.rtt_us.map(Duration::from_micros).unwrap_or_default();
    if record.late {
        Output::note(&format!("reply to message {message} came late, after {after:?}"));
    } else if output.verbose > 0 {
        let bytes = byte_count(heard.bytes.len() as u64);
        Output::note(&format!("reply to message {message}: {bytes} after {after:?}"));
    }
}

/// Why replies may be missing. UDP itself does not say.
fn loss_hint(report: &UdpClientReport) -> &'static str {
    if report.messages >= crate::echo::loop_guard::RETURNS {
        "a netlab server mutes a source that sends it its own replies 64 times in a second: -i 20ms stays below"
    } else {
        "UDP does not say whether the message, its reply or the server is gone: -w waits longer, --retries sends again"
    }
}

fn to_anyhow(error: ClientError) -> anyhow::Error {
    match error {
        ClientError::Net(error) => error.into(),
        ClientError::Io(error) => error.into(),
        error @ ClientError::TooLarge { .. } => UsageError::new(error.to_string()).into(),
    }
}
