//! `nagle`: what TCP_NODELAY changes, and what it doesn't.
//!
//! ```text
//!  client                          server
//!  send head  ─── segment ───►     has half a request: nothing to answer, so the ACK waits too
//!  send body  (Nagle: hold it      (delayed ACK: 40 ms on Linux)
//!  until head is acknowledged)
//!             ◄──── ACK ─────      the timer is over
//!             ─── segment ───►     the other half: at last
//! ```
//! First one request and reply: a fresh Linux connection acknowledges every segment at once (quick ACK), and
//! Nagle (RFC 896) would hold nothing back. Sources: RFC 896; RFC 9293, 3.8.6.3 on delayed ACKs.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::exchange::{Pair, Script, Wait};
use super::plan::Plan;
use super::record::{Message, Record, micros};
use super::{Details, Name, Scenario, verdict};
use crate::framing::Framing;
use crate::net::{Cause, NetError, SocketOptions, Stream};

/// Small sends in a row.
const SENDS: usize = 10;
/// Repetitions of write-write-read: a median, and less than a second at 44 ms each.
const EXCHANGES: usize = 20;
/// A request in two writes, and its reply.
const HEAD: &[u8] = b"head:";
const BODY: &[u8] = b"body";
const REPLY: &[u8] = b"reply";

/// The scenario's own part. The records beside it are those of the ten sends with Nagle.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Nagle {
    /// Nagle's algorithm on, then off.
    pub(super) runs: [Run; 2],
    /// TCP_NODELAY again, with a reader who waits until all is queued.
    pub(super) nodelay_merged: Record,
}

/// Both experiments with one setting of TCP_NODELAY.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Run {
    pub(super) nodelay: bool,
    #[serde(flatten)]
    pub(super) record: Record,
    /// Segments that carried the ten sends; `None` where the system does not tell.
    pub(super) data_segments_sent: Option<u32>,
    /// How long each write-write-read took, in microseconds.
    pub(super) exchanges_us: Vec<u64>,
    pub(super) median_exchange_us: Option<u64>,
}

pub(super) fn run(plan: &Plan) -> Result<Scenario, NetError> {
    let mut script = plan.script(ten(plan), vec![1_024]);
    script.framing = Framing::Raw;
    script.wait = Wait::No;
    let runs = [experiment(plan, &script, false)?, experiment(plan, &script, true)?];

    let sizes = vec![script.messages.iter().map(|message| message.wire.len()).sum::<usize>().max(1_024)];
    let waiting = Script { wait: Wait::Queued, recv_sizes: sizes, ..script };
    let nodelay_merged = warm(&with_nodelay(plan, true))?.play(&waiting)?;

    let nagle = Nagle { runs, nodelay_merged };
    let verdict = verdict::waited(&nagle);
    Ok(Scenario::of(Name::Nagle, nagle.runs[0].record.clone(), verdict, Details::Nagle(Box::new(nagle))))
}

/// Ten messages, whatever number the other scenarios send.
fn ten(plan: &Plan) -> Vec<Message> {
    let payloads = plan.payloads(3);
    payloads.iter().cycle().take(SENDS).map(|payload| Message::raw(payload)).collect()
}

fn with_nodelay(plan: &Plan, nodelay: bool) -> SocketOptions {
    SocketOptions { nodelay, ..plan.options().clone() }
}

fn experiment(plan: &Plan, script: &Script, nodelay: bool) -> Result<Run, NetError> {
    let options = with_nodelay(plan, nodelay);
    let pair = warm(&options)?;
    let before = pair.data_segments();
    let record = pair.play(script)?;
    let after = pair.data_segments();
    let exchanges_us = exchanges(&warm(&options)?)?;
    Ok(Run {
        nodelay,
        record,
        data_segments_sent: after.zip(before).map(|(after, before)| after - before),
        median_exchange_us: verdict::median(&exchanges_us),
        exchanges_us,
    })
}

/// A connection that has had a request and a reply.
fn warm(options: &SocketOptions) -> Result<Pair, NetError> {
    let pair = Pair::connect(options)?;
    pair.client.send_all(HEAD)?;
    receive(&pair.server, HEAD.len())?;
    pair.server.send_all(REPLY)?;
    receive(&pair.client, REPLY.len())?;
    Ok(pair)
}

/// Write, write, read: the server answers when it has both halves. A reply that does not come in time ends it.
fn exchanges(pair: &Pair) -> Result<Vec<u64>, NetError> {
    let answer = || -> Result<(), NetError> {
        for _ in 0..EXCHANGES {
            receive(&pair.server, HEAD.len() + BODY.len())?;
            pair.server.send_all(REPLY)?;
        }
        Ok(())
    };
    let ask = || -> Result<Duration, NetError> {
        let start = Instant::now();
        pair.client.send_all(HEAD)?;
        pair.client.send_all(BODY)?;
        receive(&pair.client, REPLY.len())?;
        Ok(start.elapsed())
    };
    std::thread::scope(|scope| {
        let server = scope.spawn(answer);
        let mut times = Vec::with_capacity(EXCHANGES);
        let asked = (0..EXCHANGES).try_for_each(|_| ask().map(|time| times.push(micros(time))));
        let answered = server.join().expect("the server does not panic");
        match asked.and(answered) {
            Err(error) if error.cause() != Cause::TimedOut => Err(error),
            _ => Ok(times),
        }
    })
}

/// Receives `length` bytes, in as many calls as it takes.
fn receive(stream: &Stream, length: usize) -> Result<(), NetError> {
    let mut buffer = [0; 64];
    let mut missing = length;
    while missing > 0 {
        match stream.recv(&mut buffer[..missing.min(64)])? {
            0 => return Err(NetError::timed_out(crate::net::Op::Recv, stream.peer())),
            n => missing -= n,
        }
    }
    Ok(())
}
