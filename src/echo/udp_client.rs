//! The UDP echo client: sends messages, a datagram each, waits for replies and counts what was lost.
//!
//! One message at a time, as `ping` does: send, wait, send again if asked to, go on. What nobody answers is
//! the client's own to notice, since UDP reports nothing but a port where nobody listens. Sequencing only:
//! which message a reply belongs to is decided in `pairing`, and how things look elsewhere.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::pairing::{Arrival, Pairing, Sent};
use super::udp_report::{ReplyRecord, UdpClientReport};
use crate::net::{Cause, NetError, Received, SocketOptions, Stop, Udp, max_datagram, socket};
use crate::text::{Grouped, excerpt};

/// How long a call may wait before it looks whether Ctrl-C came.
// Simplification: shutting the socket down would end the wait at once, but not on every system.
const SLICE: Duration = Duration::from_millis(100);
/// How many datagrams that came unasked are taken before the next message is sent.
const DRAIN: usize = 1_024;
/// How many bytes of a reply the report shows.
const SHOWN: usize = 200;

/// A UDP echo client.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long to wait for each reply.
    pub wait: Duration,
    /// How often a message that got no reply is sent again.
    pub retries: u32,
    /// The least time from one message to the next.
    pub interval: Duration,
    /// How often each message is sent.
    pub count: u32,
    /// How long to listen for late replies at the end, if some are missing.
    pub linger: Duration,
    /// Bytes per recv call; the rest of a larger datagram is gone.
    pub recv_size: usize,
    /// The socket's options.
    pub options: SocketOptions,
    /// Report what the kernel made of them.
    pub show_options: bool,
}

/// Why the client gave up.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A call on the socket failed; `Refused` says that nobody listens.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A message that no datagram can carry. It was not sent.
    #[error(
        "a message of {} bytes is too large: one datagram to {peer} carries at most {} bytes", Grouped(*.size as u64),
        Grouped(*.limit as u64)
    )]
    TooLarge {
        /// Its size, in bytes.
        size: usize,
        /// What fits.
        limit: usize,
        /// To whom it should have gone.
        peer: SocketAddr,
    },
    /// The messages could not be read, or the replies not shown.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A reply as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// The message that it answers, counted from 1.
    pub message: usize,
    /// What was read of it.
    pub bytes: &'a [u8],
    /// What became of it.
    pub record: &'a ReplyRecord,
}

/// Where replies are shown while the client runs.
pub type Show<'a> = dyn FnMut(Heard<'_>) -> io::Result<()> + 'a;

/// Sends each of `messages` to the first of `addrs` where somebody listens, and shows the replies.
///
/// # Errors
/// A port where nobody listens, a message over the limit, messages that can't be read. Loss is no error: the
/// report counts it.
pub fn run(
    config: &Config,
    addrs: &[SocketAddr],
    messages: &mut dyn Iterator<Item = io::Result<Vec<u8>>>,
    stop: &Stop,
    show: &mut Show<'_>,
) -> Result<(UdpClientReport, Option<NetError>), ClientError> {
    let mut client = Client::connect(config, addrs, stop, show)?;
    for message in messages {
        let message = message?;
        for _ in 0..config.count {
            if stop.requested() {
                break;
            }
            client.exchange(&message)?;
        }
        if stop.requested() {
            break;
        }
    }
    client.linger()?;
    Ok((client.report, client.refusal))
}

struct Client<'a> {
    config: &'a Config,
    udp: Udp,
    /// Addresses of the name that were not tried yet.
    untried: &'a [SocketAddr],
    pairing: Pairing,
    buffer: Vec<u8>,
    last_sent: Option<Instant>,
    report: UdpClientReport,
    /// The last answer of a system on which nobody listens.
    refusal: Option<NetError>,
    stop: &'a Stop,
    show: &'a mut Show<'a>,
}

impl<'a> Client<'a> {
    fn connect(
        config: &'a Config,
        addrs: &'a [SocketAddr],
        stop: &'a Stop,
        show: &'a mut Show<'_>,
    ) -> Result<Client<'a>, NetError> {
        let (udp, untried) = connect_first(addrs, &config.options)?;
        let mut report = UdpClientReport::new(udp.local()?, udp.peer());
        report.socket_options = config.show_options.then(|| config.options.read_udp(udp.socket()));
        Ok(Client {
            config,
            udp,
            untried,
            pairing: Pairing::default(),
            buffer: vec![0; config.recv_size],
            last_sent: None,
            report,
            refusal: None,
            stop,
            show,
        })
    }

    /// Sends a message until it is answered or given up.
    fn exchange(&mut self, message: &[u8]) -> Result<(), ClientError> {
        if let Some(last) = self.last_sent {
            let waited = self.listen(last + self.config.interval, false);
            self.unless_refused(waited, false)?;
        }
        let drained = self.drain();
        self.unless_refused(drained, ())?;
        let index = self.report.replies.len();
        self.report.replies.push(ReplyRecord::new(message.len()));
        self.pairing.sent(Sent { index, at: Instant::now() }, message);
        for _ in 0..=self.config.retries {
            if self.attempt(index, message)? || self.stop.requested() {
                break;
            }
        }
        Ok(())
    }

    /// Sends a message once and waits; true if it was answered. Where nobody listens, the name's next address
    /// is tried: UDP's connect can't tell, the first datagram does.
    fn attempt(&mut self, index: usize, message: &[u8]) -> Result<bool, ClientError> {
        loop {
            match self.send_and_wait(index, message) {
                Err(ClientError::Net(error)) if error.cause() == Cause::Refused && self.may_move() => {
                    self.move_on()?;
                }
                result => return self.unless_refused(result, false),
            }
        }
    }

    fn send_and_wait(&mut self, index: usize, message: &[u8]) -> Result<bool, ClientError> {
        let (peer, limit) = (self.udp.peer(), max_datagram(self.udp.peer()));
        if message.len() > limit {
            return Err(ClientError::TooLarge { size: message.len(), limit, peer });
        }
        self.udp.send(message)?;
        let now = Instant::now();
        self.last_sent = Some(now);
        self.report.sent(index);
        self.listen(now + self.config.wait, true)
    }

    /// A refusal is noted and costs the message that met it; the next one may find a server again.
    fn unless_refused<T>(&mut self, result: Result<T, ClientError>, instead: T) -> Result<T, ClientError> {
        match result {
            Err(ClientError::Net(error)) if error.cause() == Cause::Refused => {
                self.refusal = Some(error);
                Ok(instead)
            }
            result => result,
        }
    }

    fn may_move(&self) -> bool {
        !self.untried.is_empty() && self.report.received_datagrams == 0
    }

    fn move_on(&mut self) -> Result<(), NetError> {
        (self.udp, self.untried) = connect_first(self.untried, &self.config.options)?;
        self.report.local_address = self.udp.local()?;
        self.report.remote_address = self.udp.peer();
        Ok(())
    }

    /// Takes what arrives until then. When a reply is awaited, it ends the wait, and the result is true.
    fn listen(&mut self, until: Instant, awaited: bool) -> Result<bool, ClientError> {
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() || self.stop.requested() {
                return Ok(false);
            }
            if let Some(received) = self.udp.recv(&mut self.buffer, rest.min(SLICE))?
                && self.arrived(received, awaited)?
            {
                return Ok(true);
            }
        }
    }

    /// Takes what is there already: it can't be the reply to a message that is yet to be sent.
    fn drain(&mut self) -> Result<(), ClientError> {
        for _ in 0..DRAIN {
            let Some(received) = self.udp.try_recv(&mut self.buffer)? else { break };
            self.arrived(received, false)?;
        }
        Ok(())
    }

    /// Listens for late replies, if some are missing.
    fn linger(&mut self) -> Result<(), ClientError> {
        let until = Instant::now() + self.config.linger;
        let drained = self.drain();
        self.unless_refused(drained, ())?;
        while self.pairing.is_waiting() {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() || self.stop.requested() {
                break;
            }
            let received = self.udp.recv(&mut self.buffer, rest.min(SLICE)).map_err(ClientError::from);
            if let Some(received) = self.unless_refused(received, None)? {
                self.arrived(received, false)?;
            }
        }
        self.report.finish();
        Ok(())
    }

    /// Counts and shows a datagram; true if it is the reply that is awaited.
    fn arrived(&mut self, received: Received, awaited: bool) -> Result<bool, ClientError> {
        let now = Instant::now();
        let bytes = &self.buffer[..received.kept];
        self.report.received_datagrams += 1;
        self.report.received_bytes += received.kept as u64;
        let (sent, late) = match self.pairing.arrived(bytes, received.truncated(), awaited) {
            Arrival::Reply(sent) => (sent, false),
            Arrival::Late(sent) => (sent, true),
            Arrival::Extra => {
                self.report.extra_datagrams += 1;
                return Ok(false);
            }
        };
        let record = &mut self.report.replies[sent.index];
        record.rtt_us = Some(micros(now - sent.at));
        record.late = late;
        record.received_bytes = Some(received.kept);
        record.truncated = received.truncated();
        record.cut_off_bytes = received.sent.map(|whole| whole - received.kept);
        record.text = Some(excerpt(bytes, SHOWN));
        (self.show)(Heard { message: sent.index + 1, bytes, record })?;
        Ok(!late)
    }
}

/// A socket connected to the first address that can be, and the addresses behind that.
fn connect_first<'a>(
    mut addrs: &'a [SocketAddr],
    options: &SocketOptions,
) -> Result<(Udp, &'a [SocketAddr]), NetError> {
    loop {
        let (addr, rest) = addrs.split_first().expect("a resolved name has at least one address");
        match socket::connect_udp(*addr, options) {
            Ok(socket) => return Ok((Udp::new(socket, *addr, options), rest)),
            Err(error) if rest.is_empty() => return Err(error),
            Err(_) => addrs = rest,
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
