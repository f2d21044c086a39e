//! `netlab sockets`.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use crossterm::{cursor, execute, queue, style, terminal};

use crate::diag::sockets::watch::{self, Change, Look};
use crate::diag::sockets::{self, End, Filter, Row, SocketsReport, StateFilter};
use crate::net::table::Transport;
use crate::net::{Address, Family, Stop};
use crate::render;
use crate::report::Block;
use crate::text::safe_json;

use super::UsageError;
use super::address;
use super::output::Output;
use super::values;

/// List sockets: their states, their queues, whose they are
///
/// All TCP and UDP sockets of this machine, as the kernel tells them; the connections of a
/// service stand below its listener. On a LISTEN line recv-q counts connections that wait to
/// be accepted and send-q how many may (the backlog); on others they are bytes received and
/// not read, and bytes sent and not acknowledged.
///
/// An address, a port or both show the sockets that have it at one of their ends.
///
/// With --watch on a terminal the table is drawn again and again, and what changed is marked:
/// + new, ~ another state, - gone. Elsewhere each change is a line.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  netlab sockets -l                             who listens?
  netlab sockets -t -p :65432                   a service, with the processes
  netlab sockets --state time-wait              what the closed connections left behind
  netlab sockets :65432 --watch                 see states change while others connect and close
  netlab sockets -e --state established         round-trip time, window, retransmissions
  netlab sockets -J                             one JSON document, for a program"
)]
pub(super) struct SocketsArgs {
    /// Only sockets with this at one end: PORT, :PORT, HOST, HOST:PORT, HOST PORT or [IPV6]:PORT
    #[arg(num_args = 0..=2, value_name = "ADDR")]
    addr: Vec<String>,
    /// Only sockets that listen (TCP) or hear everyone (UDP)
    #[arg(short, long)]
    listening: bool,
    /// Only TCP sockets; with -u both
    #[arg(short, long)]
    tcp: bool,
    /// Only UDP sockets; with -t both
    #[arg(short, long)]
    udp: bool,
    /// Show the process of each socket, or its owner where this user may not see the process
    #[arg(short, long)]
    processes: bool,
    /// Show TCP_INFO of connections: round-trip time, congestion window, retransmissions
    #[arg(short, long)]
    extended: bool,
    /// Only sockets in this state, by the names of the RFC or of ss; repeat it for several
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    state: Vec<StateFilter>,
    /// Only IPv4
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    ipv4: bool,
    /// Only IPv6
    #[arg(short = '6', long)]
    ipv6: bool,
    /// Look again and again, and mark what changed, until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// From one look to the next, at least 10ms
    #[arg(short, long, value_name = "DUR", default_value = "200ms", requires = "watch", value_parser = interval)]
    interval: Duration,
    /// Print one JSON document
    #[arg(short = 'J', long, conflicts_with_all = ["watch", "json_stream"])]
    pub(super) json: bool,
    /// Print each change as a JSON object a line
    #[arg(long, requires = "watch")]
    json_stream: bool,
}

fn state(text: &str) -> Result<StateFilter, String> {
    StateFilter::parse(text).ok_or_else(|| format!("the states are {}", StateFilter::names().join(", ")))
}

/// Each look goes through the whole table, and through every process: a hundred times a second is enough.
fn interval(text: &str) -> Result<Duration, String> {
    let interval = values::duration(text)?;
    if interval < Duration::from_millis(10) { Err("at least 10ms".to_owned()) } else { Ok(interval) }
}

impl SocketsArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let filter = self.filter()?;
        if self.watch {
            self.follow(&filter, output)?;
        } else {
            let sockets = sockets::list(&filter).map_err(unreadable)?;
            output.report(&self.report(sockets), self.json)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn report(&self, sockets: Vec<Row>) -> SocketsReport {
        SocketsReport { sockets, show_processes: self.processes, show_tcp_info: self.extended }
    }

    fn filter(&self) -> anyhow::Result<Filter> {
        Ok(Filter {
            transport: match (self.tcp, self.udp) {
                (true, false) => Some(Transport::Tcp),
                (false, true) => Some(Transport::Udp),
                _ => None,
            },
            listening: self.listening,
            states: self.state.clone(),
            v6: if self.ipv4 { Some(false) } else { self.ipv6.then_some(true) },
            end: self.end()?,
        })
    }

    /// The end that is asked for. Port 0 is no socket's, so it stands for any.
    fn end(&self) -> anyhow::Result<Option<End>> {
        if self.addr.is_empty() {
            return Ok(None);
        }
        let given = address::whole(&self.addr, None, &Address::new("", 0))?;
        let ips = if given.host().is_empty() {
            Vec::new()
        } else {
            given.resolve(Family::Any)?.iter().map(|addr| addr.ip().to_canonical()).collect()
        };
        Ok(Some(End { ips, port: Some(given.port()).filter(|port| *port != 0) }))
    }

    fn follow(&self, filter: &Filter, output: &Output) -> anyhow::Result<()> {
        let stop = Stop::on_signals()?;
        let mut screen =
            (!self.json_stream && io::stdout().is_terminal()).then(|| Screen::open(self, output));
        let mut show = |look: Look| match &mut screen {
            Some(screen) => screen.draw(look),
            None => print_changes(&look.changes, self.json_stream),
        };
        watch::run(filter, self.interval, &stop, &mut show).map_err(unreadable)?;
        // What was drawn disappears with its screen; the last table stays.
        if let Some(screen) = screen {
            let last = screen.close();
            output.report(&self.report(last), false)?;
        }
        Ok(())
    }
}

/// A system whose table can't be read is no mistake of the user's, but nothing that trying again helps.
fn unreadable(error: io::Error) -> anyhow::Error {
    if error.kind() != io::ErrorKind::Unsupported {
        return error.into();
    }
    let others = if cfg!(windows) {
        "`netstat -ano`"
    } else {
        "`netstat -an`, and `netstat -Lan` for listeners' queues,"
    };
    UsageError { message: error.to_string(), hint: Some(format!("{others} shows it; on Linux netlab does")) }
        .into()
}

fn print_changes(changes: &[Change], json: bool) -> io::Result<()> {
    let mut lines = String::new();
    for change in changes {
        if json {
            lines.push_str(&safe_json(serde_json::to_string(change).map_err(io::Error::other)?));
        } else {
            lines.push_str(&change.to_string());
        }
        lines.push('\n');
    }
    if lines.is_empty() { Ok(()) } else { Output::print(&lines) }
}

/// How long a mark stays.
const MARKED: Duration = Duration::from_secs(3);

/// The table on a terminal's alternate screen, which is given back when this is dropped.
struct Screen<'a> {
    args: &'a SocketsArgs,
    output: &'a Output,
    recent: watch::Recent,
    last: Vec<Row>,
}

impl<'a> Screen<'a> {
    fn open(args: &'a SocketsArgs, output: &'a Output) -> Screen<'a> {
        // A terminal that can't do it shows the table all the same.
        let _ = execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide);
        Screen { args, output, recent: watch::Recent::new(MARKED), last: Vec::new() }
    }

    fn draw(&mut self, look: Look) -> io::Result<()> {
        let marked = self.recent.update(&look);
        self.last = look.sockets;
        let (marks, rows): (Vec<String>, Vec<Row>) = marked.into_iter().unzip();
        // The size is asked for each time: windows are resized.
        let (width, height) = terminal::size().unwrap_or((80, 24));
        let style = render::Style { width: usize::from(width).max(40), ..self.output.style };
        let report = self.args.report(rows);
        let mut text =
            format!("+ new  ~ changed  - gone        every {:?}, Ctrl-C ends\n", self.args.interval);
        text += &render::block_text(&Block::Table(report.table(Some(&marks))), style);
        let lines: Vec<&str> = text.lines().collect();
        let mut stdout = io::stdout().lock();
        queue!(stdout, cursor::MoveTo(0, 0))?;
        let fitting = usize::from(height).saturating_sub(1);
        for line in &lines[..lines.len().min(fitting)] {
            let line: String = line.chars().take(usize::from(width)).collect();
            queue!(
                stdout,
                style::Print(line),
                terminal::Clear(terminal::ClearType::UntilNewLine),
                style::Print("\r\n")
            )?;
        }
        queue!(stdout, terminal::Clear(terminal::ClearType::FromCursorDown))?;
        if lines.len() > fitting {
            let more = lines.len() - fitting;
            queue!(stdout, style::Print(format!("{more} more: name a port, or --state")))?;
        }
        stdout.flush()
    }

    fn close(mut self) -> Vec<Row> {
        std::mem::take(&mut self.last)
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        let _ = execute!(io::stdout(), cursor::Show, terminal::LeaveAlternateScreen);
    }
}
