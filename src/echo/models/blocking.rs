//! One client served with blocking calls, as the course's first server does it: recv, answer, recv, until the
//! client ends. Shared by the models that block.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::echo::tcp_server::Config;
use crate::echo::{EchoEvent, Event};
use crate::net::reactor::{Totals, Why};
use crate::net::{Cause, Closed, NetError, ServerEvent, Stop, Stream};
use crate::report::Events;
use crate::text::excerpt;

/// How long a client may take to read its last answers when the server stops.
pub(super) const STOP_WITHIN: Duration = Duration::from_secs(5);
/// How often a waiting server looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(500);
/// How long, and for how many bytes, a client with a broken frame is listened to before it is closed.
const DRAIN_TIME: Duration = Duration::from_secs(1);
const DRAIN_BYTES: u64 = 256 << 10;
/// How many bytes of a message an event shows.
const SHOWN: usize = 200;

/// Serves one client until it ends; returns what it moved, and the event to report when it is closed.
pub(super) fn serve(
    config: &Config,
    stream: &Stream,
    stop: &Stop,
    report: &mut dyn Events<Event>,
) -> (Totals, Event) {
    let since = Instant::now();
    let mut totals = Totals { connections: 1, ..Totals::default() };
    let result = answer_all(config, stream, stop, &mut totals, report);
    let (why, reason) = match result {
        Ok(reason) => (Why::Closed, reason),
        Err(_) if stop.requested() => (Why::NotReading, None),
        Err(error) if error.cause() == Cause::TimedOut => (Why::Closed, Some("idle for too long".into())),
        Err(error) => (Why::Failed(error), None),
    };
    let closed = Closed {
        peer: stream.peer(),
        why,
        received_bytes: totals.received_bytes,
        sent_bytes: totals.sent_bytes,
        lasted: since.elapsed(),
    };
    (totals, ServerEvent::disconnected(&closed, reason).into())
}

/// Answers until the client ends or the server stops; then with a reason, if the stream ended badly.
fn answer_all(
    config: &Config,
    stream: &Stream,
    stop: &Stop,
    totals: &mut Totals,
    report: &mut dyn Events<Event>,
) -> Result<Option<String>, NetError> {
    let mut responder = config.responder();
    let mut buffer = vec![0; config.recv_size()];
    let mut answers = Vec::new();
    stream.set_recv_timeout(Some(look_every(config.idle_timeout)))?;
    stream.set_send_timeout(config.idle_timeout)?;
    while let Some(received) = recv_until_stop(config, stream, stop, &mut buffer)? {
        if received == 0 {
            return Ok(responder.finish().err().map(|error| error.to_string()));
        }
        totals.received_bytes += received as u64;
        if config.verbose {
            report_received(report, stream.peer(), &buffer[..received]);
        }
        let result = responder.respond(&buffer[..received], &mut answers);
        stream.send_all(&answers)?;
        totals.sent_bytes += answers.len() as u64;
        answers.clear();
        if let Err(error) = result {
            stream.close_gently(DRAIN_TIME, DRAIN_BYTES);
            return Ok(Some(error.to_string()));
        }
    }
    // The client has not ended: closed at once, with its bytes unread, it would lose its last answers.
    stream.close_gently(STOP_WITHIN, u64::MAX);
    Ok(None)
}

/// Waits for bytes; `None` when the server stops. `recv` is left now and then to look for that: waking it from
/// another thread takes shutting the receiving side, and Linux answers what comes after that with a reset.
fn recv_until_stop(
    config: &Config,
    stream: &Stream,
    stop: &Stop,
    buffer: &mut [u8],
) -> Result<Option<usize>, NetError> {
    let begun = Instant::now();
    while !stop.requested() {
        match stream.recv(buffer) {
            Err(error) if error.cause() == Cause::TimedOut => {
                if config.idle_timeout.is_some_and(|idle| begun.elapsed() >= idle) {
                    return Err(error);
                }
            }
            result => return result.map(Some),
        }
    }
    Ok(None)
}

/// How long one `recv` waits: at most [`LOOK`], and so that an idle time ends with one of the waits.
fn look_every(idle: Option<Duration>) -> Duration {
    let Some(idle) = idle else { return LOOK };
    let waits = idle.as_nanos().div_ceil(LOOK.as_nanos()).max(1);
    idle / u32::try_from(waits).unwrap_or(u32::MAX)
}

fn report_received(report: &mut dyn Events<Event>, peer: SocketAddr, bytes: &[u8]) {
    report.event(EchoEvent::Received { peer, bytes: bytes.len(), text: excerpt(bytes, SHOWN) }.into());
}
