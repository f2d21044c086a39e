//! `netlab ping`.

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::diag::ping::{self, Event, LEAST_SIZE, Mode, PingError, PingReport};
use crate::net::{Address, Stop, icmp};
use crate::render;
use crate::report::Report;
use crate::text::safe_json;

use super::address::{self, AddressArgs};
use super::output::Output;
use super::{UsageError, answered, hint, values};

/// Measure round trips: by TCP, UDP or ICMP, with what is lost, doubled and out of order
///
/// An address with a port is pinged by TCP connects, one without by ICMP echo requests.
/// ICMP asks the host's kernel, as every ping does; the others ask a program:
///
///   --tcp    connect and close: the time of the handshake
///   --echo   messages on one TCP connection to an echo server: round trips
///            without a handshake
///   --udp    datagrams to a UDP echo server, numbered: losses, duplicates and
///            reorderings are counted
///   --icmp   echo requests, which the kernel of the host answers
///
/// Exit code: 0 if a probe was answered, 1 if none was, 2 for wrong usage, or where
/// this user may not send ICMP.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  netlab ping 127.0.0.1:65432                 how long does a connect take?
  netlab ping --echo 127.0.0.1:65432 -c 5     five round trips on one connection
  netlab ping --udp 127.0.0.1:9999 -i 10ms -t 5s
                                              a datagram every 10 ms, for five seconds
  netlab ping localhost                       the host itself, by ICMP
  netlab ping --udp -c 100 -i 5ms -J          the figures, for a program"
)]
pub(super) struct PingArgs {
    /// HOST, HOST:PORT, HOST PORT or [IPV6]:PORT [default: with --tcp and --echo 127.0.0.1:65432, with --udp
    /// 127.0.0.1:9999]
    #[arg(num_args = 0..=2, value_name = "ADDR")]
    addr: Vec<String>,
    /// Connect by TCP and close
    #[arg(long, group = "mode")]
    tcp: bool,
    /// Send messages on one TCP connection
    #[arg(long, group = "mode")]
    echo: bool,
    /// Send UDP datagrams
    #[arg(long, group = "mode")]
    udp: bool,
    /// Send ICMP echo requests
    #[arg(long, group = "mode")]
    icmp: bool,
    #[command(flatten)]
    address: AddressArgs,
    /// How many probes [default: until Ctrl-C]
    #[arg(short, long, value_name = "N", value_parser = values::count)]
    count: Option<usize>,
    /// From one probe to the next, at least 1ms
    #[arg(short, long, value_name = "DUR", default_value = "1s", value_parser = interval)]
    interval: Duration,
    /// How long to wait to connect, and for each reply
    #[arg(short, long, value_name = "DUR", default_value = "1s", value_parser = values::time_out)]
    wait: Duration,
    /// For how long to send
    #[arg(short = 't', long, value_name = "DUR", value_parser = values::time_out)]
    duration: Option<Duration>,
    /// Bytes of a probe, without its headers
    #[arg(long, value_name = "BYTES", default_value = "56", value_parser = size)]
    size: usize,
    /// Print one JSON document
    #[arg(short = 'J', long, conflicts_with = "json_stream")]
    pub(super) json: bool,
    /// Print one JSON object a line: one for each probe, then the summary
    #[arg(long)]
    json_stream: bool,
}

/// A faster pace is no measurement of round trips but a load: `netlab bench`.
fn interval(text: &str) -> Result<Duration, String> {
    let interval = values::duration(text)?;
    if interval < Duration::from_millis(1) {
        return Err("at least 1ms; `netlab bench` puts load on a server".to_owned());
    }
    Ok(interval)
}

/// What one datagram carries over IPv4, its headers taken off.
const MOST_SIZE: usize = crate::net::MAX_DATAGRAM;

fn size(text: &str) -> Result<usize, String> {
    let size = values::size(text)?;
    if (LEAST_SIZE..=MOST_SIZE).contains(&size) {
        Ok(size)
    } else {
        Err(format!("from {LEAST_SIZE}, for the probe's number and mark, to {MOST_SIZE}"))
    }
}

impl PingArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let (mode, address) = self.target()?;
        let addrs = address.resolve(self.address.family())?;
        let stop = Stop::on_signals()?;
        let mut screen = Screen::new(self, output);
        let shown = if mode == Mode::Icmp { host_alone(&address) } else { address.to_string() };
        let result = ping::run(&self.config(mode), &shown, &addrs, &stop, &mut |event| screen.show(event));
        let (mut report, error) = result.map_err(|error| to_anyhow(mode, error))?;
        report.error = error.map(|error| hint::failure(&to_anyhow(mode, error)));
        screen.finish(output, &report)?;
        if let Some(failure) = &report.error {
            Output::failure(failure);
        } else if let Some(hint) = silence(&report) {
            Output::note(&format!("hint: {hint}"));
        }
        Ok(answered(report.succeeded()))
    }

    /// What a probe is, and to whom.
    fn target(&self) -> Result<(Mode, Address), UsageError> {
        let modes =
            [(self.tcp, Mode::Tcp), (self.echo, Mode::Echo), (self.udp, Mode::Udp), (self.icmp, Mode::Icmp)];
        let asked = modes.into_iter().find(|(set, _)| *set).map(|(_, mode)| mode);
        // No port can be 0, so it stands for none.
        let given = self.address.whole_or(&self.addr, &Address::new("", 0))?;
        if given.port() == 0 && self.wants_port_0() {
            return Err(UsageError::new(
                "port 0 is nobody's: it stands for any free port of a server".to_owned(),
            ));
        }
        let mode = asked.unwrap_or(if given.port() == 0 { Mode::Icmp } else { Mode::Tcp });
        let default = match mode {
            Mode::Tcp | Mode::Echo => address::TCP_ECHO.address()?,
            Mode::Udp => address::UDP_ECHO.address()?,
            Mode::Icmp if given.host().is_empty() => {
                return Err(UsageError {
                    message: "whom to ping is missing".to_owned(),
                    hint: Some(
                        "netlab ping 127.0.0.1 asks the host, netlab ping 127.0.0.1:65432 a program".into(),
                    ),
                });
            }
            Mode::Icmp if given.port() != 0 => {
                return Err(UsageError {
                    message: format!("ICMP knows no ports, and {given} has one"),
                    hint: Some("leave the port out, or ping it by --tcp".to_owned()),
                });
            }
            Mode::Icmp => given.clone(),
        };
        let host = if given.host().is_empty() { default.host() } else { given.host() };
        let port = if given.port() == 0 { default.port() } else { given.port() };
        Ok((mode, Address::new(host, port)))
    }

    /// True if port 0 was written: then another default makes no difference.
    fn wants_port_0(&self) -> bool {
        let other = Address::new("", 1);
        self.address.whole_or(&self.addr, &other).is_ok_and(|given| given.port() == 0)
    }

    fn config(&self, mode: Mode) -> ping::Config {
        ping::Config {
            mode,
            count: self.count.map(|count| count as u64),
            interval: self.interval,
            wait: self.wait,
            duration: self.duration,
            size: self.size,
        }
    }
}

/// An address without its port, which ICMP does not have.
fn host_alone(address: &Address) -> String {
    crate::text::escape(address.host().as_bytes())
}

/// Where the events go.
struct Screen {
    json: bool,
    json_stream: bool,
    /// stdout is a terminal: a line of bars stands below the others.
    live: Option<Live>,
}

/// The bars.
struct Live {
    round_trips: Vec<Option<f64>>,
    width: usize,
    ascii: bool,
}

impl Screen {
    fn new(args: &PingArgs, output: &Output) -> Screen {
        let (json, json_stream) = (args.json, args.json_stream);
        let live = !json && !json_stream && io::stdout().is_terminal();
        let live = live.then(|| Live {
            round_trips: Vec::new(),
            width: output.style.width,
            ascii: output.style.ascii,
        });
        Screen { json, json_stream, live }
    }

    fn show(&mut self, event: &Event) -> io::Result<()> {
        if self.json {
            return Ok(());
        }
        if self.json_stream {
            return Output::print(&json_line(event)?);
        }
        let Some(live) = &mut self.live else { return Output::print(&format!("{event}\n")) };
        match event {
            Event::Reply { rtt_us, .. } => live.round_trips.push(Some(*rtt_us)),
            Event::NoReply { .. } | Event::Failed { .. } => live.round_trips.push(None),
            _ => {}
        }
        // The line of bars is written over, and drawn again below.
        Output::print(&format!("\r\x1b[K{event}\n{}", live.line()))
    }

    fn finish(&self, output: &Output, report: &PingReport) -> io::Result<()> {
        if self.json {
            return output.report(report, true);
        }
        if self.json_stream {
            return Output::print(&json_line(&Event::Summary(Box::new(report.clone())))?);
        }
        let below = if self.live.is_some() { "\n" } else { "" };
        Output::print(&format!("{below}\n{}\n", report.summary()))
    }
}

fn json_line(event: &Event) -> io::Result<String> {
    let json = serde_json::to_string(event).map_err(io::Error::other)?;
    Ok(safe_json(json) + "\n")
}

impl Live {
    /// The bars with their range, on one line that does not wrap.
    fn line(&mut self) -> String {
        // The range takes up to 28 columns; what is not drawn is forgotten.
        let width = self.width.saturating_sub(28).max(8);
        let excess = self.round_trips.len().saturating_sub(width);
        self.round_trips.drain(..excess);
        let known = || self.round_trips.iter().flatten().map(|us| us / 1_000.0);
        let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(0.0, f64::max));
        let bars = render::sparkline(&self.round_trips, width, self.ascii);
        if low > high { bars } else { format!("{bars}  {low:.3}..{high:.3} ms") }
    }
}

/// Why nothing, or nothing useful, came back. A network says nothing itself.
fn silence(report: &PingReport) -> Option<String> {
    let target = report.target;
    if report.received > 0 || report.sent == 0 {
        return None;
    }
    Some(match report.mode {
        _ if report.refused > 0 => {
            format!(
                "nobody listens on {target}: start the server first, or check the port; `netlab sockets -l`"
            )
        }
        Mode::Udp if report.strays > 0 => {
            "the server answers with something else: `netlab udp-echo server` echoes".to_owned()
        }
        Mode::Udp => {
            format!("UDP does not say whether {target} is silent, gone or out of reach; -w waits longer")
        }
        Mode::Tcp => {
            "a firewall may drop the packets, the host may be down, or the server's backlog full".to_owned()
        }
        Mode::Echo => "the server is connected but silent: it may serve another client first".to_owned(),
        Mode::Icmp => {
            format!("{} is down, out of reach, or does not answer ICMP; --tcp asks a port", target.ip())
        }
    })
}

fn to_anyhow(mode: Mode, error: PingError) -> anyhow::Error {
    match error {
        PingError::Net(error) if mode == Mode::Icmp && icmp::is_forbidden(&error) => UsageError {
            message: format!("ICMP to {} is not allowed to this user: {}", error.addr.host(), error.source),
            hint: Some(icmp::remedy().to_owned()),
        }
        .into(),
        PingError::Net(error) => error.into(),
        PingError::Io(error) => error.into(),
        error => anyhow::Error::new(error),
    }
}
