//! The UDP echo server: a handler of the one [`Reactor`], with one socket for all clients.
//!
//! There is nothing to accept and nothing to close: each datagram comes with its sender's address, is one
//! message, whole, an empty one included, and is answered or not. What is sent is never kept: where the
//! kernel takes no more, an answer is lost and counted, as UDP may lose it anywhere else.

use std::net::{SocketAddr, UdpSocket};

use super::loop_guard::{LoopGuard, Verdict};
use super::peers::{Peers, Traffic, UdpTotals};
use super::{EchoEvent, Event, Reply};
use crate::net::reactor::{Datagram, Datagrams, SockId, Unsent};
use crate::net::{Admit, Closed, ConnId, Handler, Io, Limits, NetError, Peer, Reactor, Stop, socket};
use crate::net::{ServerEvent, SocketOptions, is_local_ip};
use crate::report::Events;
use crate::text::excerpt;

/// Larger than any datagram, so that none is cut off.
pub const RECV_SIZE: usize = 64 << 10;
/// How many bytes of a message an event shows.
const SHOWN: usize = 200;

/// A UDP echo server.
#[derive(Clone, Debug)]
pub struct Config {
    /// What is answered.
    pub reply: Reply,
    /// Bytes per recv call; the rest of a larger datagram is gone.
    pub recv_size: usize,
    /// Stop after one answer.
    pub once: bool,
    /// Report each datagram.
    pub verbose: bool,
    /// Leave unanswered what may be a loop.
    pub loop_guard: bool,
    /// The socket's options.
    pub options: SocketOptions,
    /// Report what the kernel made of them.
    pub show_options: bool,
}

/// Binds to one of `addrs` and answers until `stop`. The first event is `listening`, the last `stopped`.
///
/// # Errors
/// An address that can't be bound, or a loop that can't go on.
pub fn run(
    config: &Config,
    addrs: &[SocketAddr],
    stop: &Stop,
    events: &mut dyn Events<Event>,
) -> Result<(), NetError> {
    let (socket, address) = socket::bind_udp(addrs, &config.options)?;
    socket::ample_receive_buffer(&socket, &config.options);
    events.event(ServerEvent::Listening { address, transport: "udp" }.into());
    if config.show_options {
        events.event(ServerEvent::SocketOptions { options: config.options.read_udp(&socket) }.into());
    }
    let totals = serve(config, socket, address, stop, events)?;
    events.event(EchoEvent::StoppedUdp(totals).into());
    Ok(())
}

fn serve(
    config: &Config,
    socket: UdpSocket,
    address: SocketAddr,
    stop: &Stop,
    events: &mut dyn Events<Event>,
) -> Result<UdpTotals, NetError> {
    let mut reactor = Reactor::new(Limits { recv_size: config.recv_size, ..Limits::default() })?;
    if let Some(capture) = &config.options.capture {
        capture.watch(&mut reactor);
    }
    reactor.add_udp(socket, address)?;
    let mut server = Server {
        config,
        events,
        guard: config.loop_guard.then(|| LoopGuard::new(address, is_local_ip)),
        peers: Peers::default(),
        answer: Vec::new(),
        done: false,
    };
    reactor.run(&mut server, stop)?;
    Ok(server.peers.totals())
}

struct Server<'a> {
    config: &'a Config,
    events: &'a mut dyn Events<Event>,
    guard: Option<LoopGuard>,
    peers: Peers,
    /// The answer being made; kept for its memory.
    answer: Vec<u8>,
    /// The one answer of `--once` is given; the loop may still bring what arrived with its question.
    done: bool,
}

impl Server<'_> {
    fn datagram(&mut self, io: &mut Io<'_>, s: SockId, peer: SocketAddr, datagram: Datagram<'_>) -> Traffic {
        let Datagram { bytes, whole } = datagram;
        let received =
            Traffic { received_datagrams: 1, received_bytes: bytes.len() as u64, ..Traffic::default() };
        if self.config.verbose {
            let text = excerpt(bytes, SHOWN);
            self.events.event(EchoEvent::Received { peer, bytes: bytes.len(), text }.into());
        }
        if bytes.len() < whole {
            self.truncated(peer, bytes.len(), whole);
        }
        let verdict = self.guard.as_mut().map_or(Verdict::Answer, |guard| guard.judge(io.now(), peer, bytes));
        if verdict == Verdict::Answer {
            let sent_bytes = self.answer(io, s, peer, bytes) as u64;
            return Traffic { sent_datagrams: 1, sent_bytes, ..received };
        }
        self.ignore(peer, verdict);
        Traffic { ignored_datagrams: 1, ..received }
    }

    /// Echoes datagrams that came together: those that the guard lets pass go back as they lie, in one piece.
    fn echo(&mut self, io: &mut Io<'_>, s: SockId, datagrams: Datagrams<'_>) -> Traffic {
        let (peer, count) = (datagrams.peer(), datagrams.count());
        let mut traffic = Traffic {
            received_datagrams: count as u64,
            received_bytes: datagrams.byte_count() as u64,
            ..Traffic::default()
        };
        let mut at = 0;
        while at < count {
            let rest = datagrams.slice(at..count);
            let (answered, stopped) = match &mut self.guard {
                Some(guard) => guard.judge_echoes(io.now(), peer, rest.iter().map(|one| one.bytes)),
                None => (rest.count(), None),
            };
            if answered > 0 {
                let echoes = rest.slice(0..answered);
                io.send_back(s, echoes);
                traffic.sent_datagrams += answered as u64;
                traffic.sent_bytes += echoes.byte_count() as u64;
            }
            if let Some(verdict) = stopped {
                self.ignore(peer, verdict);
                traffic.ignored_datagrams += 1;
            }
            at += answered + usize::from(stopped.is_some());
        }
        traffic
    }

    /// True if datagrams need not be looked at one by one.
    fn echoes_in_one_piece(&self, datagrams: Datagrams<'_>) -> bool {
        let Config { reply, once, verbose, .. } = self.config;
        datagrams.count() > 1 && *reply == Reply::Echo && !once && !verbose && datagrams.are_whole()
    }

    /// Answers a datagram; returns the answer's length.
    fn answer(&mut self, io: &mut Io<'_>, s: SockId, peer: SocketAddr, bytes: &[u8]) -> usize {
        let answer = self.config.reply.answer_datagram(bytes, &mut self.answer);
        io.send_to(s, peer, answer);
        if let Some(guard) = &mut self.guard {
            guard.answered(peer, answer);
        }
        if self.config.once {
            self.done = true;
            io.stop();
        }
        answer.len()
    }

    /// Says so once a peer, or each time for who wants to see each datagram: anybody can send many.
    fn truncated(&mut self, peer: SocketAddr, bytes: usize, whole: usize) {
        let traffic = self.peers.of(peer);
        traffic.truncated_datagrams += 1;
        if traffic.truncated_datagrams == 1 || self.config.verbose {
            self.events.event(EchoEvent::Truncated { peer, bytes, cut_off_bytes: whole - bytes }.into());
        }
    }

    fn ignore(&mut self, peer: SocketAddr, verdict: Verdict) {
        match verdict {
            Verdict::Mute => self.events.event(EchoEvent::muted(peer).into()),
            Verdict::Ignore(reason) if self.config.verbose => {
                self.events.event(EchoEvent::Ignored { peer, reason: reason.text() }.into());
            }
            Verdict::Ignore(_) | Verdict::Answer => {}
        }
    }
}

impl Handler for Server<'_> {
    fn datagrams(&mut self, io: &mut Io<'_>, s: SockId, datagrams: Datagrams<'_>) {
        // Added up first: looking the peer up costs more than counting.
        let mut traffic = Traffic::default();
        if self.echoes_in_one_piece(datagrams) {
            traffic = self.echo(io, s, datagrams);
        } else {
            for datagram in datagrams.iter() {
                if !self.done {
                    traffic.add(&self.datagram(io, s, datagrams.peer(), datagram));
                }
            }
        }
        if traffic.received_datagrams > 0 {
            self.peers.add(datagrams.peer(), &traffic);
        }
    }

    /// An answer was counted as sent, and was not.
    fn unsent(&mut self, _io: &mut Io<'_>, unsent: &Unsent) {
        let peer = unsent.to;
        let traffic = self.peers.of(peer);
        traffic.sent_datagrams -= 1;
        traffic.sent_bytes -= unsent.bytes as u64;
        traffic.unsent_datagrams += 1;
        if self.config.verbose {
            let reason = unsent.error.to_string();
            self.events.event(EchoEvent::Unsent { peer, reason }.into());
        }
    }

    // The loop knows connections too; a socket without a listener has none.
    fn opened(&mut self, _io: &mut Io<'_>, _c: ConnId, _peer: &Peer) -> Admit {
        Admit::Refuse(Vec::new())
    }

    fn bytes(&mut self, _io: &mut Io<'_>, _c: ConnId, _bytes: &[u8]) {}

    fn closed(&mut self, _io: &mut Io<'_>, _c: ConnId, _closed: &Closed) {}
}
