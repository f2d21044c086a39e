//! What the UDP echo client reports: each message's fate, what was lost, and the round-trip times.
//!
//! It stands apart from the client because it is plain data that lays itself out; it must not measure.

use std::net::SocketAddr;

use serde::Serialize;

use crate::net::OptionReading;
use crate::report::{Block, Failure, Report};
use crate::text::{Grouped, byte_count, counted};

/// What happened to one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplyRecord {
    /// The message's size.
    pub sent_bytes: usize,
    /// How often it was sent.
    pub sends: u32,
    /// From the first send to the reply; `None`: it was lost.
    pub rtt_us: Option<u64>,
    /// The reply came when it was no longer waited for.
    pub late: bool,
    /// Bytes that recv returned.
    pub received_bytes: Option<usize>,
    /// The reply was larger than the buffer, and its end is gone.
    pub truncated: bool,
    /// How much of it is gone; `None` where there is no reply, or the system does not tell.
    pub cut_off_bytes: Option<usize>,
    /// The reply's beginning, escaped.
    pub text: Option<String>,
}

/// The least, mean and greatest round-trip time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the type says it")]
pub struct Rtt {
    pub min: u64,
    pub avg: u64,
    pub max: u64,
}

/// The client's report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UdpClientReport {
    /// The client's end.
    pub local_address: SocketAddr,
    /// The server's end.
    pub remote_address: SocketAddr,
    /// Messages that were to be answered.
    pub messages: usize,
    /// Datagrams sent, repeated ones included.
    pub sent_datagrams: u64,
    /// Their payload.
    pub sent_bytes: u64,
    /// Datagrams received.
    pub received_datagrams: u64,
    /// What recv returned of them.
    pub received_bytes: u64,
    /// Messages without a reply.
    pub lost: usize,
    /// Messages whose reply came when it was no longer waited for.
    pub late: usize,
    /// Datagrams that answered nothing: duplicates and strays.
    pub extra_datagrams: u64,
    /// Round-trip times, in microseconds, of messages that were sent once: with two, nobody knows which one the
    /// reply answers (Karn's algorithm, RFC 6298). `None` if there are none.
    pub rtt_us: Option<Rtt>,
    /// Each message's fate, in the order of sending.
    pub replies: Vec<ReplyRecord>,
    /// The socket's options, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket_options: Option<Vec<OptionReading>>,
    /// What went wrong besides losses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

impl ReplyRecord {
    /// A message of so many bytes, not sent yet.
    #[must_use]
    pub fn new(sent_bytes: usize) -> ReplyRecord {
        ReplyRecord {
            sent_bytes,
            sends: 0,
            rtt_us: None,
            late: false,
            received_bytes: None,
            truncated: false,
            cut_off_bytes: None,
            text: None,
        }
    }
}

impl UdpClientReport {
    /// A report of nothing so far.
    #[must_use]
    pub fn new(local_address: SocketAddr, remote_address: SocketAddr) -> UdpClientReport {
        UdpClientReport {
            local_address,
            remote_address,
            messages: 0,
            sent_datagrams: 0,
            sent_bytes: 0,
            received_datagrams: 0,
            received_bytes: 0,
            lost: 0,
            late: 0,
            extra_datagrams: 0,
            rtt_us: None,
            replies: Vec::new(),
            socket_options: None,
            error: None,
        }
    }

    /// Counts a send of the message at `index`.
    pub(super) fn sent(&mut self, index: usize) {
        let record = &mut self.replies[index];
        record.sends += 1;
        self.sent_datagrams += 1;
        self.sent_bytes += record.sent_bytes as u64;
    }

    /// Adds the messages up.
    pub(super) fn finish(&mut self) {
        self.messages = self.replies.len();
        self.lost = self.replies.iter().filter(|reply| reply.rtt_us.is_none()).count();
        self.late = self.replies.iter().filter(|reply| reply.late).count();
        let once = self.replies.iter().filter(|reply| reply.sends == 1);
        let times: Vec<u64> = once.filter_map(|reply| reply.rtt_us).collect();
        self.rtt_us = times.iter().min().zip(times.iter().max()).map(|(min, max)| {
            let avg = times.iter().sum::<u64>() / times.len() as u64;
            Rtt { min: *min, avg, max: *max }
        });
    }

    fn summary(&self) -> String {
        let messages = counted(self.messages as u64, "message");
        let answered = self.messages - self.lost;
        let percent = (self.lost * 100).checked_div(self.messages).unwrap_or(0);
        let also: String = [
            (self.sent_datagrams.saturating_sub(self.messages as u64), "sent again"),
            (self.late as u64, "late"),
            (self.extra_datagrams, "received that answered nothing"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .fold(String::new(), |text, (count, what)| text + ", " + &Grouped(count).to_string() + " " + what);
        let (answered, lost) = (Grouped(answered as u64), Grouped(self.lost as u64));
        let rtt = self.rtt_us.map_or_else(String::new, |rtt| {
            format!("; RTT min/avg/max {}", times([rtt.min, rtt.avg, rtt.max]))
        });
        format!("{messages}, {answered} answered, {lost} lost ({percent} %){also}{rtt}")
    }

    fn traffic(&self) -> String {
        format!(
            "{} to {}: sent {} ({}), received {} ({})",
            self.local_address,
            self.remote_address,
            counted(self.sent_datagrams, "datagram"),
            byte_count(self.sent_bytes),
            Grouped(self.received_datagrams),
            byte_count(self.received_bytes),
        )
    }
}

impl Report for UdpClientReport {
    fn blocks(&self) -> Vec<Block> {
        vec![Block::Text(self.summary()), Block::Text(self.traffic())]
    }

    fn succeeded(&self) -> bool {
        self.lost == 0 && self.error.is_none()
    }
}

/// Times in one unit: microseconds, or milliseconds from 10 ms up.
fn times(us: [u64; 3]) -> String {
    let in_ms = us[2] >= 10_000;
    let one = |us: u64| if in_ms { format!("{}.{:03}", us / 1_000, us % 1_000) } else { us.to_string() };
    format!("{} {}", us.map(one).join("/"), if in_ms { "ms" } else { "us" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_messages_and_leaves_repeated_ones_out_of_the_times() {
        let addr = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut report = UdpClientReport::new(addr(1), addr(2));
        for (index, (rtt, sends)) in
            [(Some(40), 1), (None, 2), (Some(60), 1), (Some(5_000), 2)].into_iter().enumerate()
        {
            report.replies.push(ReplyRecord { rtt_us: rtt, ..ReplyRecord::new(5) });
            (0..sends).for_each(|_| report.sent(index));
        }
        report.finish();
        assert_eq!(report.rtt_us, Some(Rtt { min: 40, avg: 50, max: 60 }));
        assert_eq!((report.sent_datagrams, report.sent_bytes), (6, 30));
        let text = "4 messages, 3 answered, 1 lost (25 %), 2 sent again; RTT min/avg/max 40/50/60 us";
        assert_eq!(report.summary(), text);
        assert!(!report.succeeded());
    }

    #[test]
    fn times_share_a_unit() {
        assert_eq!(times([1, 20, 9_999]), "1/20/9999 us");
        assert_eq!(times([1, 20, 10_000]), "0.001/0.020/10.000 ms");
    }
}
