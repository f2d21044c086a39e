//! What `ping` shows: a line for each probe's fate, then the figures. Plain data that lays itself out.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

use super::Mode;
use super::tally::Tally;
use crate::report::{Block, Failure, Report};
use crate::text::{Grouped, counted, escape};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The first event.
    Started {
        /// What a probe is.
        mode: Mode,
        /// To whom, as it was asked for.
        address: String,
        /// Bytes of a probe's payload.
        bytes: usize,
    },
    /// A probe was answered.
    Reply {
        /// Its number, from 1.
        seq: u64,
        /// What a probe is.
        #[serde(skip)]
        mode: Mode,
        /// By whom.
        from: SocketAddr,
        /// Payload that came back.
        bytes: usize,
        /// The round trip in microseconds.
        rtt_us: f64,
        /// It had been given up.
        late: bool,
        /// A later probe was answered before.
        reordered: bool,
    },
    /// An answered probe was answered once more.
    Duplicate {
        /// Its number.
        seq: u64,
        /// By whom.
        from: SocketAddr,
        /// Payload that came back.
        bytes: usize,
        /// From sending to this reply, in microseconds.
        rtt_us: f64,
    },
    /// No reply came within the wait; it may still come.
    NoReply {
        /// The probe's number.
        seq: u64,
        /// From whom it should have come.
        from: SocketAddr,
        /// How long it was waited for.
        waited_ms: u64,
    },
    /// The system says that a probe reached nobody.
    Failed {
        /// Its number, where the system says so.
        seq: Option<u64>,
        /// Whom it should have reached.
        from: SocketAddr,
        /// What the system said.
        error: String,
    },
    /// The last event.
    Summary(Box<PingReport>),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Started { mode, address, bytes } => match mode {
                Mode::Tcp => write!(f, "PING {address}: TCP connects"),
                Mode::Echo => write!(f, "PING {address}: {bytes} bytes on one TCP connection"),
                Mode::Udp => write!(f, "PING {address}: UDP datagrams of {bytes} bytes"),
                Mode::Icmp => write!(f, "PING {address}: ICMP echo requests with {bytes} bytes"),
            },
            Event::Reply { seq, mode, from, bytes, rtt_us, late, reordered } => {
                match mode {
                    Mode::Tcp => write!(f, "connected to {from}: seq={seq} time={}", Ms(*rtt_us))?,
                    _ => write!(f, "{bytes} bytes from {}: seq={seq} time={}", Place(*from), Ms(*rtt_us))?,
                }
                let marks = [(*late, " (late)"), (*reordered, " (out of order)")];
                marks.into_iter().filter(|(set, _)| *set).try_for_each(|(_, mark)| f.write_str(mark))
            }
            Event::Duplicate { seq, from, bytes, rtt_us } => {
                write!(f, "{bytes} bytes from {}: seq={seq} time={} (duplicate)", Place(*from), Ms(*rtt_us))
            }
            Event::NoReply { seq, from, waited_ms } => {
                write!(f, "no answer from {}: seq={seq} within {waited_ms} ms", Place(*from))
            }
            Event::Failed { seq, error, .. } => {
                f.write_str(&escape(error.as_bytes()))?;
                seq.iter().try_for_each(|seq| write!(f, ": seq={seq}"))
            }
            Event::Summary(report) => write!(f, "{}", report.summary()),
        }
    }
}

/// An address; ICMP has no ports, and shows none.
struct Place(SocketAddr);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.port() == 0 { write!(f, "{}", self.0.ip()) } else { write!(f, "{}", self.0) }
    }
}

/// Microseconds as milliseconds, to the microsecond.
struct Ms(f64);

impl fmt::Display for Ms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ms", self.0 / 1_000.0)
    }
}

/// Round-trip times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the type says it")]
pub struct Rtt {
    pub min: f64,
    pub avg: f64,
    pub max: f64,
    pub mdev: f64,
    pub p50: f64,
    pub p99: f64,
}

/// What became of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ProbeRecord {
    /// Its number, from 1.
    pub seq: u64,
    /// The round trip; `None`: it was lost.
    pub rtt_us: Option<f64>,
    /// The reply had been given up.
    pub late: bool,
    /// A later probe was answered before.
    pub reordered: bool,
    /// Replies beyond the first.
    pub duplicates: u32,
}

/// The figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PingReport {
    /// What a probe was.
    pub mode: Mode,
    /// To whom they went; port 0 where there are none.
    pub target: SocketAddr,
    /// Probes sent.
    pub sent: u64,
    /// Probes answered, each counted once.
    pub received: u64,
    /// Probes without an answer.
    pub lost: u64,
    /// Their share.
    pub loss_percent: f64,
    /// Replies to probes that had been answered.
    pub duplicates: u64,
    /// Probes answered after a later one was (RFC 4737).
    pub reordered: u64,
    /// Probes answered when they were given up already.
    pub late: u64,
    /// How often the system said that nobody is there.
    pub refused: u64,
    /// What came and answered nothing.
    pub strays: u64,
    /// Round-trip times; `None` if nothing was answered.
    pub rtt_us: Option<Rtt>,
    /// From the start to the end.
    pub duration_ms: u64,
    /// The last 65,536 probes.
    pub probes: Vec<ProbeRecord>,
    /// What ended it early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

impl PingReport {
    pub(super) fn new(
        mode: Mode,
        target: SocketAddr,
        tally: &Tally,
        refused: u64,
        strays: u64,
        took: Duration,
    ) -> PingReport {
        let (sent, received) = (tally.sent_probes(), tally.received);
        #[expect(clippy::cast_precision_loss, reason = "a share, rounded")]
        let share = |n: u64| if sent == 0 { 0.0 } else { (n as f64 * 1_000.0 / sent as f64).round() / 10.0 };
        PingReport {
            mode,
            target,
            sent,
            received,
            lost: sent - received,
            loss_percent: share(sent - received),
            duplicates: tally.duplicates,
            reordered: tally.reordered,
            late: tally.late,
            refused,
            strays,
            rtt_us: tally.rtt(),
            duration_ms: ms(took),
            probes: tally.records(),
            error: None,
        }
    }

    /// The figures in words, as ping has them.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut words =
            vec![format!("{} sent", Grouped(self.sent)), format!("{} received", Grouped(self.received))];
        let counts = [
            (self.duplicates, "duplicate"),
            (self.reordered, "out of order"),
            (self.late, "late"),
            (self.refused, "refused"),
        ];
        let some = counts.into_iter().filter(|(count, _)| *count > 0);
        words.extend(some.map(|(count, what)| match what {
            "duplicate" => counted(count, what),
            what => format!("{} {what}", Grouped(count)),
        }));
        words.push(format!("{} lost ({} %)", Grouped(self.lost), self.loss_percent));
        words.push(format!("time {} ms", self.duration_ms));
        let heading = format!("--- {} {} ping statistics ---", Place(self.target), self.mode.name());
        let times = self.rtt_us.map(|rtt| rtt.to_string());
        [Some(heading), Some(words.join(", ")), times].into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Rtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rtt { min, avg, max, mdev, p50, p99 } = *self;
        let [min, avg, max, mdev, p50, p99] =
            [min, avg, max, mdev, p50, p99].map(|us| format!("{:.3}", us / 1_000.0));
        write!(f, "rtt min/avg/max/mdev = {min}/{avg}/{max}/{mdev} ms, p50/p99 = {p50}/{p99} ms")
    }
}

impl Report for PingReport {
    fn blocks(&self) -> Vec<Block> {
        self.summary().lines().map(|line| Block::Text(line.to_owned())).collect()
    }

    fn succeeded(&self) -> bool {
        self.received > 0 && self.error.is_none()
    }
}

/// Microseconds to one decimal.
#[expect(clippy::cast_precision_loss, reason = "one decimal of a rounded figure")]
pub(super) fn us(time: Duration) -> f64 {
    (time.as_nanos() as f64 / 100.0).round() / 10.0
}

/// Whole milliseconds.
pub(super) fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn the_summary_tells_what_there_is_to_tell() {
        let start = Instant::now();
        let mut tally = Tally::default();
        (0..4).for_each(|_| tally.sent(start));
        for (seq, after) in [(1, 50), (3, 60), (2, 70), (2, 70)] {
            tally.arrived(seq, start + Duration::from_micros(after));
        }
        let target = "127.0.0.1:9999".parse().unwrap();
        let report = PingReport::new(Mode::Udp, target, &tally, 0, 0, Duration::from_millis(1_500));
        assert_eq!(
            report.summary(),
            "--- 127.0.0.1:9999 udp ping statistics ---\n\
             4 sent, 3 received, 1 duplicate, 1 out of order, 1 lost (25 %), time 1500 ms\n\
             rtt min/avg/max/mdev = 0.050/0.060/0.070/0.008 ms, p50/p99 = 0.060/0.070 ms"
        );
        assert!(report.succeeded());
        let nothing =
            PingReport::new(Mode::Icmp, "[::1]:0".parse().unwrap(), &Tally::default(), 0, 0, Duration::ZERO);
        assert_eq!(
            nothing.summary(),
            "--- ::1 icmp ping statistics ---\n0 sent, 0 received, 0 lost (0 %), time 0 ms"
        );
        assert!(!nothing.succeeded());
    }
}
