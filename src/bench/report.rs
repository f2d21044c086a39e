//! What a bench hands to the renderers: plain data, and its layout. Measures nothing.

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

use super::cpu::{Cpu, Limit, Usage};
use super::meter::{Interval, Measured};
use crate::net::table::Transport;
use crate::protocol::Code;
use crate::report::{Block, Report, Table};
use crate::text::{Grouped, counted};

/// What a running bench reports.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event<R> {
    /// How much of the course is behind, from 0 to 1; several times a second.
    #[serde(skip)]
    Progress(f64),
    /// A second has passed.
    Interval(Interval),
    /// It is done; always the last one.
    Summary(Box<R>),
}

/// The load that was put on the server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Load {
    /// Connections.
    pub connections: usize,
    /// Requests in flight on each, at most.
    pub depth: usize,
    /// Bytes of a request, without its framing.
    pub size_bytes: usize,
    /// The pace of an open loop, over all connections; `None`: a closed loop.
    pub asked_rate_per_s: Option<f64>,
}

/// What was wrong with the replies, from the first one on: the warm-up is checked like the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// Requests without a reply.
    pub lost: u64,
    /// Replies that are nothing that was sent.
    pub corrupted: u64,
    /// Replies that had come before, or that nobody asked for.
    pub duplicated: u64,
    /// Replies that came after one to a later request.
    pub reordered: u64,
    /// Requests that were due and never sent, because nothing was free to send them on.
    pub unsent: u64,
    /// Connections that ended before the load did.
    pub closed_connections: usize,
    /// Connections on which no reply came at all.
    pub silent_connections: usize,
}

impl Checks {
    /// True if nothing was wrong.
    #[must_use]
    pub fn passed(&self) -> bool {
        *self == Checks::default()
    }

    /// The checks in a sentence.
    pub(super) fn verdict(&self, one: &str, interrupted: bool, error: Option<&str>) -> String {
        let mut words = self.words();
        if words.is_empty() {
            words.push(format!("every {one} came, in order, every byte right"));
        }
        if interrupted {
            words.push("interrupted".to_owned());
        }
        words.extend(error.map(str::to_owned));
        words.join("; ")
    }

    /// What was wrong, in words; empty if nothing was.
    fn words(&self) -> Vec<String> {
        let counts = [
            (self.lost, "lost"),
            (self.corrupted, "corrupted"),
            (self.duplicated, "duplicated"),
            (self.reordered, "out of order"),
            (self.unsent, "never sent"),
            (self.closed_connections as u64, "connections ended early"),
            (self.silent_connections as u64, "connections without a reply"),
        ];
        let wrong = counts.into_iter().filter(|(count, _)| *count > 0);
        wrong.map(|(count, what)| format!("{} {what}", Grouped(count))).collect()
    }
}

/// What came of a load, whatever was sent.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The figures.
    #[serde(flatten)]
    pub measured: Measured,
    /// What was wrong with the replies.
    pub checks: Checks,
    /// Ctrl-C ended it before its time.
    pub interrupted: bool,
    /// The first error that the server reported, or why the first connection that failed did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_error: Option<String>,
    /// The code of the first error that a room server reported.
    #[serde(skip)]
    pub fault: Option<Code>,
}

impl Outcome {
    /// True if something came back, and nothing of it was wrong.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.checks.passed() && self.measured.replies > 0
    }

    /// Latencies, who was the limit, and what was wrong; `one` is what a reply is called.
    pub(super) fn blocks(&self, one: &str) -> Vec<Block> {
        let verdict = self.checks.verdict(one, self.interrupted, self.connection_error.as_deref());
        let mut blocks = self.measured.blocks(one);
        blocks.push(Block::Text(format!("check: {verdict}")));
        blocks
    }
}

/// The report on an echo server.
#[derive(Clone, Debug, Serialize)]
pub struct EchoReport {
    /// The server.
    pub target: SocketAddr,
    /// TCP or UDP.
    pub transport: Transport,
    /// How messages were told apart; datagrams need nothing for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framing: Option<&'static str>,
    /// What was sent.
    #[serde(flatten)]
    pub load: Load,
    /// Payload of the measured requests.
    pub sent_bytes: u64,
    /// Payload of their right replies.
    pub received_bytes: u64,
    /// Received payload a second, in megabytes (10^6).
    pub mb_per_s: f64,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl EchoReport {
    /// Computes what follows from what was measured.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rounded figure")]
    pub fn new(target: SocketAddr, transport: Transport, load: Load, outcome: Outcome) -> EchoReport {
        let (size, measured) = (load.size_bytes as u64, &outcome.measured);
        let received_bytes = measured.replies * size;
        let mb_per_s = received_bytes as f64 / 1e6 / measured.elapsed_s.max(1e-9);
        EchoReport {
            target,
            transport,
            framing: None,
            sent_bytes: measured.requests * size,
            received_bytes,
            mb_per_s: (mb_per_s * 10.0).round() / 10.0,
            load,
            outcome,
        }
    }

    fn heading(&self) -> String {
        let Load { connections, depth, size_bytes, asked_rate_per_s } = self.load;
        let framing = self.framing.map(|name| format!(", {name}")).unwrap_or_default();
        let pace = match asked_rate_per_s {
            Some(rate) => format!("open loop, {rate} requests/s asked for"),
            None => "closed loop".to_owned(),
        };
        format!(
            "{}: {}, depth {depth}, {} each{framing}, {pace}",
            self.target,
            counted(connections as u64, "connection"),
            counted(size_bytes as u64, "byte"),
        )
    }
}

impl Report for EchoReport {
    fn blocks(&self) -> Vec<Block> {
        let measured = &self.outcome.measured;
        let rate = format!(
            "{} replies in {:.2} s: {}/s, {} MB/s each way",
            Grouped(measured.replies),
            measured.elapsed_s,
            whole(measured.rate_per_s),
            self.mb_per_s
        );
        let mut blocks = vec![Block::Text(self.heading()), Block::Text(rate)];
        blocks.extend(self.outcome.blocks("reply"));
        blocks
    }

    fn succeeded(&self) -> bool {
        self.outcome.succeeded()
    }
}

impl Measured {
    /// Latencies, their distribution, and who was the limit; `one` is what a reply is called.
    fn blocks(&self, one: &str) -> Vec<Block> {
        let mut blocks = vec![Block::Text(String::new())];
        if self.latency.is_some() {
            blocks.push(Block::Table(self.latency_table()));
            let open = self.latency_from_intended.is_some();
            let name = if open { "from when requests were due" } else { "from when requests were sent" };
            blocks.extend([Block::Text(String::new()), Block::Bars(self.latencies.chart(name))]);
        }
        if let Some(cpu) = &self.cpu {
            blocks.push(Block::Text(String::new()));
            blocks.extend(cpu.lines(one).into_iter().map(Block::Text));
        }
        blocks
    }

    fn latency_table(&self) -> Table {
        let mut table = Table::new(&["us", ">p50", ">p90", ">p99", ">p99.9", ">max"]);
        let rows = [("from send", &self.latency), ("from intended", &self.latency_from_intended)];
        for (name, percentiles) in rows {
            let Some(p) = percentiles else { continue };
            let cells = [p.p50_us, p.p90_us, p.p99_us, p.p99_9_us, p.max_us].map(whole_or_tenth);
            let [p50, p90, p99, p99_9, max] = cells;
            table.row([name.to_owned(), p50, p90, p99, p99_9, max]);
        }
        table
    }
}

impl Cpu {
    /// What each side used for `one` reply, and who was the limit.
    fn lines(&self, one: &str) -> Vec<String> {
        let line = |(role, usage): (&str, &Option<Usage>)| {
            let Usage { pid, name, utilisation, us_per_reply } = usage.as_ref()?;
            let percent = utilisation * 100.0;
            Some(format!(
                "{role}: pid {pid} ({name}), {percent:.0} % of a CPU, {us_per_reply:.2} us per {one}"
            ))
        };
        let both = [("server", &self.server), ("generator", &self.generator)];
        let limit = match self.limit {
            Limit::Server => "the server was busy all the time",
            Limit::Generator => "the generator itself; the server may be able to do more",
            Limit::Neither => "neither was busy all the time; more in flight may give more",
            Limit::Unknown => {
                "unknown; the server's process can't be seen from here, or the load was too short"
            }
        };
        both.into_iter().filter_map(line).chain([format!("limit: {limit}")]).collect()
    }
}

impl<R> fmt::Display for Event<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Progress(share) => write!(f, "{:.0} %", share * 100.0),
            Event::Interval(interval) => fmt::Display::fmt(interval, f),
            Event::Summary(_) => f.write_str("done"),
        }
    }
}

impl fmt::Display for Interval {
    /// With `#` what fits beside a progress bar: which second it is, the bar shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            write!(f, "{}/s", Grouped(self.replies))?;
            let figures = self.latency.map(|p| [p.p50_us, p.p99_us].map(whole_or_tenth));
            return figures.iter().try_for_each(|[p50, p99]| write!(f, ", p50 {p50} us, p99 {p99} us"));
        }
        write!(f, "{:>4} s  {:>10}/s", self.at_s, Grouped(self.replies))?;
        match &self.latency {
            Some(p) => write!(f, "  p50 {} us, p99 {} us, max {} us", p.p50_us, p.p99_us, p.max_us),
            None => f.write_str("  no reply"),
        }
    }
}

/// A positive figure without decimals, grouped.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rounded positive figure")]
pub(super) fn whole(x: f64) -> Grouped {
    Grouped(x.round() as u64)
}

/// A decimal where it says something: below a hundred.
pub(super) fn whole_or_tenth(x: f64) -> String {
    if x < 100.0 { format!("{x:.1}") } else { whole(x).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_count_of_wrong_replies_fails_and_is_named() {
        assert!(Checks::default().passed() && Checks::default().words().is_empty());
        let wrong = [
            (Checks { lost: 1, ..Checks::default() }, "1 lost"),
            (Checks { corrupted: 2, ..Checks::default() }, "2 corrupted"),
            (Checks { duplicated: 3, ..Checks::default() }, "3 duplicated"),
            (Checks { reordered: 4, ..Checks::default() }, "4 out of order"),
            (Checks { unsent: 5, ..Checks::default() }, "5 never sent"),
            (Checks { closed_connections: 6, ..Checks::default() }, "6 connections ended early"),
            (Checks { silent_connections: 7, ..Checks::default() }, "7 connections without a reply"),
        ];
        for (checks, words) in wrong {
            assert!(!checks.passed());
            assert_eq!(checks.words(), [words]);
        }
    }

    #[test]
    fn figures_have_the_digits_that_say_something() {
        assert_eq!([3.13, 99.94, 100.4, 12_345.6].map(whole_or_tenth), ["3.1", "99.9", "100", "12,346"]);
    }
}
