//! Round trips, as `ping` measures them: by a TCP connect, on one TCP connection, by UDP datagrams, by ICMP.
//!
//! ```text
//! run: due? ── Prober::send ──► Tally::sent
//!      else ── Prober::wait ──► Tally::arrived ──► Event ──► whoever shows it
//!      overdue? ──────────────► Tally::overdue ──► Event
//! ```
//! [`run`] is the clock and the order of things; a `Prober` makes the system calls of one kind of probe; the
//! `Tally` is pure and decides what is lost, late, doubled or out of order.

mod datagram;
mod echo;
mod payload;
mod report;
mod tally;
mod tcp;

pub use payload::LEAST_SIZE;
pub use report::{Event, PingReport, ProbeRecord, Rtt};

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::net::{NetError, Stop};
use tally::{Arrival, Tally};

/// How long a call may wait before it looks whether Ctrl-C came.
const SLICE: Duration = Duration::from_millis(50);
/// How long to listen for duplicates at least, when every probe is answered: they follow their originals closely.
const LINGER: Duration = Duration::from_millis(200);

/// What a probe is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A TCP connect: the time of the handshake.
    Tcp,
    /// A message on one TCP connection to an echo server.
    Echo,
    /// A datagram to a UDP echo server.
    Udp,
    /// An ICMP echo request, which the host's kernel answers.
    Icmp,
}

impl Mode {
    /// Its name, as the flag has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mode::Tcp => "tcp",
            Mode::Echo => "echo",
            Mode::Udp => "udp",
            Mode::Icmp => "icmp",
        }
    }
}

/// What to send, and how often.
#[derive(Clone, Debug)]
pub struct Config {
    /// What a probe is.
    pub mode: Mode,
    /// How many; `None`: until something else ends it.
    pub count: Option<u64>,
    /// From one probe to the next.
    pub interval: Duration,
    /// How long to wait for each reply. One that comes later still counts, as late.
    pub wait: Duration,
    /// For how long to send.
    pub duration: Option<Duration>,
    /// Bytes of a probe's payload, from [`LEAST_SIZE`]; a TCP connect has none.
    pub size: usize,
}

/// Why it ended early.
#[derive(Debug, thiserror::Error)]
pub enum PingError {
    /// A call on a socket failed.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The connection broke.
    #[error("the connection broke: {error}: {}", .error.source)]
    Lost {
        /// What the system said.
        error: NetError,
    },
    /// The peer ended the connection.
    #[error("{0} closed the connection")]
    Closed(SocketAddr),
    /// What came back is not what was sent.
    #[error("{0} does not echo: what came back is not what was sent")]
    NoEcho(SocketAddr),
    /// What happened could not be shown.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Something that a prober heard.
enum Heard {
    /// Nothing in time.
    Nothing,
    /// The reply to a probe.
    Reply { seq: u64, bytes: usize },
    /// Something else.
    Stray,
    /// The system says that a probe found nobody: which one, if that is known.
    Failed { seq: Option<u64>, error: NetError },
}

/// One kind of probe: the system calls.
trait Prober {
    /// To whom.
    fn target(&self) -> SocketAddr;
    /// Sends probe `seq`; returns when, right before the call.
    fn send(&mut self, seq: u64) -> Result<Instant, PingError>;
    /// Waits at most `timeout` for something.
    fn wait(&mut self, timeout: Duration) -> Result<Heard, PingError>;
    /// False while no further probe can be sent.
    fn ready(&self) -> bool {
        true
    }
    /// Probe `seq` is not waited for any more.
    fn give_up(&mut self, _seq: u64) {}
    /// True where the network may double what is sent.
    fn may_double(&self) -> bool {
        false
    }
}

/// Where events are shown while it runs.
pub type Show<'a> = dyn FnMut(&Event) -> io::Result<()> + 'a;

/// Sends probes to `address`, which was looked up as `addrs`, and shows what becomes of each. Where nobody answers
/// at the first address of a name, the others are tried.
///
/// # Errors
/// Sockets that can't be made or connected, and what `show` returns. Loss is no error: the report counts it. An
/// error that ends a measurement which had begun comes with its report.
pub fn run(
    config: &Config,
    address: &str,
    addrs: &[SocketAddr],
    stop: &Stop,
    show: &mut Show<'_>,
) -> Result<(PingReport, Option<PingError>), PingError> {
    let mut prober: Box<dyn Prober> = match config.mode {
        Mode::Tcp => Box::new(tcp::Connects::new(addrs)),
        Mode::Echo => Box::new(echo::Echoes::connect(config, addrs, stop)?),
        Mode::Udp => Box::new(datagram::Datagrams::udp(config, addrs)?),
        Mode::Icmp => Box::new(datagram::Datagrams::icmp(config, addrs)?),
    };
    let bytes = if config.mode == Mode::Tcp { 0 } else { config.size };
    show(&Event::Started { mode: config.mode, address: address.to_owned(), bytes })?;
    let start = Instant::now();
    let mut course =
        Course { config, prober: prober.as_mut(), tally: Tally::default(), failed: 0, strays: 0 };
    let error = course.run(start, stop, show).err();
    let (failed, strays) = (course.failed, course.strays);
    let (tally, target) = (course.tally, prober.target());
    let report = PingReport::new(config.mode, target, &tally, failed, strays, start.elapsed());
    match error {
        // Nobody sees any more what would be said.
        Some(PingError::Io(error)) => Err(PingError::Io(error)),
        error => Ok((report, error)),
    }
}

struct Course<'a> {
    config: &'a Config,
    prober: &'a mut dyn Prober,
    tally: Tally,
    failed: u64,
    strays: u64,
}

impl Course<'_> {
    fn run(&mut self, start: Instant, stop: &Stop, show: &mut Show<'_>) -> Result<(), PingError> {
        let mut next = start;
        let mut last = start;
        while !stop.requested() {
            let now = Instant::now();
            self.give_up_overdue(now, show)?;
            let sending = self.sending(now - start);
            let due = sending && self.prober.ready();
            if due && now >= next {
                // Probes that could not be sent in time are not made up for: they would come in a burst.
                next = now.max(next + self.config.interval);
                self.send(show)?;
                last = Instant::now();
                continue;
            }
            let over = last + self.linger();
            if !sending && self.tally.in_flight() == 0 && now >= over {
                return Ok(());
            }
            let mut until = now + SLICE;
            if due {
                until = until.min(next);
            } else if !sending && self.tally.in_flight() == 0 {
                until = until.min(over);
            }
            until = self.tally.next_overdue(self.config.wait).map_or(until, |overdue| until.min(overdue));
            let heard = self.prober.wait(until.saturating_duration_since(Instant::now()))?;
            if !matches!(heard, Heard::Nothing) {
                last = Instant::now();
                self.heard(heard, last, show)?;
            }
        }
        Ok(())
    }

    fn sending(&self, elapsed: Duration) -> bool {
        self.config.count.is_none_or(|count| self.tally.sent_probes() < count)
            && self.config.duration.is_none_or(|duration| elapsed < duration)
    }

    /// How long to listen for duplicates at the end.
    fn linger(&self) -> Duration {
        if self.prober.may_double() {
            (self.tally.longest() * 3).max(LINGER).min(self.config.wait)
        } else {
            Duration::ZERO
        }
    }

    fn send(&mut self, show: &mut Show<'_>) -> Result<(), PingError> {
        let seq = self.tally.next_seq();
        // Counted first: a probe that could not be sent is lost.
        self.tally.sent(Instant::now());
        match self.prober.send(seq) {
            Ok(at) => self.tally.sent_at(seq, at),
            Err(PingError::Net(error)) => {
                self.heard(Heard::Failed { seq: Some(seq), error }, Instant::now(), show)?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn give_up_overdue(&mut self, now: Instant, show: &mut Show<'_>) -> io::Result<()> {
        while let Some(seq) = self.tally.overdue(now, self.config.wait) {
            let target = self.prober.target();
            self.prober.give_up(seq);
            show(&Event::NoReply { seq, from: target, waited_ms: report::ms(self.config.wait) })?;
        }
        Ok(())
    }

    fn heard(&mut self, heard: Heard, now: Instant, show: &mut Show<'_>) -> io::Result<()> {
        let from = self.prober.target();
        let mode = self.config.mode;
        match heard {
            Heard::Nothing => Ok(()),
            Heard::Stray => {
                self.strays += 1;
                Ok(())
            }
            Heard::Failed { seq, error } => {
                self.failed += 1;
                // With one probe in flight there is no doubt which one was meant.
                let seq = seq.or_else(|| self.tally.only_one_in_flight());
                if let Some(seq) = seq {
                    self.tally.failed(seq);
                }
                show(&Event::Failed { seq, from, error: format!("{error}: {}", error.source) })
            }
            Heard::Reply { seq, bytes } => match self.tally.arrived(seq, now) {
                Arrival::Reply { rtt, late, reordered } => {
                    let rtt_us = report::us(rtt);
                    show(&Event::Reply { seq, mode, from, bytes, rtt_us, late, reordered })
                }
                Arrival::Duplicate { after } => {
                    let rtt_us = report::us(after);
                    show(&Event::Duplicate { seq, from, bytes, rtt_us })
                }
                Arrival::Unknown => {
                    self.strays += 1;
                    Ok(())
                }
            },
        }
    }
}
