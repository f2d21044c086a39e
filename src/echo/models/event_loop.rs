//! The event loop: one thread for all clients, as a handler of the one [`Reactor`].
//!
//! The loop calls; nothing here ever waits. What a blocking server keeps on a thread's stack (how far a frame
//! has come, what is still to be sent) is data here: a [`Responder`] for each connection, the loop's outbox.

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::echo::tcp_server::Config;
use crate::echo::{EchoEvent, Event, Responder};
use crate::net::reactor::{Step, Totals, trace};
use crate::net::{
    Admit, Closed, ConnId, ConnMap, Handler, How, Io, Limits, NetError, Peer, Reactor, ServerEvent, Stop,
};
use crate::report::Events;
use crate::text::excerpt;

/// Unsent answers of one client beyond which it is not read any more: it has to read first. A larger limit would
/// make a bulk stream be copied through the outbox; what is below it leaves with the next answers.
const OUTBOX: usize = 4 << 10;
/// How long a client that goes on sending is listened to after its last answer, so that it can read that.
const DRAIN_TIME: Duration = Duration::from_secs(5);
/// How many bytes of a message an event shows.
const SHOWN: usize = 200;

pub(in crate::echo) fn run(
    config: &Config,
    listener: TcpListener,
    address: SocketAddr,
    stop: &Stop,
    events: &mut (dyn Events<Event> + Send),
) -> Result<Totals, NetError> {
    let limits = Limits {
        recv_size: config.recv_size(),
        outbox: OUTBOX,
        drain_time: DRAIN_TIME,
        drain_bytes: usize::MAX,
        nodelay: config.options.nodelay,
        ..Limits::default()
    };
    let mut reactor = Reactor::new(limits)?;
    if let Some(capture) = &config.options.capture {
        capture.watch(&mut reactor);
    }
    reactor.listen(listener, address)?;
    let traced = config.trace.then(|| trace(&mut reactor));
    let mut server = Server { config, events, clients: ConnMap::default(), answers: Vec::new(), traced };
    let totals = reactor.run(&mut server, stop)?;
    server.report_trace();
    Ok(totals)
}

struct Server<'a> {
    config: &'a Config,
    events: &'a mut (dyn Events<Event> + Send),
    clients: ConnMap<Client>,
    /// Answers on their way to the loop; kept for its memory.
    answers: Vec<u8>,
    traced: Option<Receiver<Step>>,
}

struct Client {
    responder: Responder,
    peer: SocketAddr,
    /// Why the server closes it.
    reason: Option<String>,
}

impl Server<'_> {
    fn report(&mut self, event: impl Into<Event>) {
        self.report_trace();
        self.events.event(event.into());
    }

    /// Hands on what the loop did before the next event, so that both come in order.
    fn report_trace(&mut self) {
        for step in self.traced.iter().flat_map(Receiver::try_iter) {
            self.events.event(ServerEvent::Trace(step).into());
        }
    }

    fn close(&mut self, io: &mut Io<'_>, c: ConnId, reason: String) {
        if let Some(client) = self.clients.get_mut(c) {
            client.reason = Some(reason);
        }
        io.close(c, How::Gently);
    }

    fn expect_more(&self, io: &mut Io<'_>, c: ConnId) {
        if let Some(timeout) = self.config.idle_timeout {
            io.set_deadline(Some(c), Some(io.now() + timeout));
        }
    }
}

impl Handler for Server<'_> {
    fn opened(&mut self, io: &mut Io<'_>, c: ConnId, peer: &Peer) -> Admit {
        let peer = peer.addr;
        if self.config.max_connections.is_some_and(|max| self.clients.len() >= max) {
            let reason = format!("{} connections are the limit", self.clients.len());
            self.report(ServerEvent::Refused { peer, reason });
            return Admit::Refuse(Vec::new());
        }
        if self.config.once {
            io.stop_accepting();
        }
        self.report(ServerEvent::Connected { peer });
        self.clients.insert(c, Client { responder: self.config.responder(), peer, reason: None });
        self.expect_more(io, c);
        Admit::Serve
    }

    fn bytes(&mut self, io: &mut Io<'_>, c: ConnId, bytes: &[u8]) {
        let Some(client) = self.clients.get_mut(c) else { return };
        let result = if client.responder.is_verbatim() {
            io.send(c, bytes);
            Ok(())
        } else {
            let result = client.responder.respond(bytes, &mut self.answers);
            io.send(c, &self.answers);
            self.answers.clear();
            result
        };
        if self.config.verbose {
            let (peer, text) = (client.peer, excerpt(bytes, SHOWN));
            self.report(EchoEvent::Received { peer, bytes: bytes.len(), text });
        }
        match result {
            Ok(()) => self.expect_more(io, c),
            Err(error) => self.close(io, c, error.to_string()),
        }
    }

    fn ended(&mut self, io: &mut Io<'_>, c: ConnId) {
        let Some(client) = self.clients.get_mut(c) else { return };
        client.reason = client.responder.finish().err().map(|error| error.to_string());
        // All that arrived is answered: closing gently sends it first.
        io.close(c, How::Gently);
    }

    fn closed(&mut self, io: &mut Io<'_>, c: ConnId, closed: &Closed) {
        let reason = self.clients.remove(c).and_then(|client| client.reason);
        self.report(ServerEvent::disconnected(closed, reason));
        if self.config.once {
            io.stop();
        }
    }

    fn deadline(&mut self, io: &mut Io<'_>, c: Option<ConnId>) {
        if let Some(c) = c {
            self.close(io, c, "idle for too long".into());
        }
    }

    fn accept_paused(&mut self, _io: &mut Io<'_>, why: &NetError) {
        self.report(ServerEvent::accept_paused(why));
    }

    fn turned(&mut self) {
        self.report_trace();
    }

    fn accept_resumed(&mut self, _io: &mut Io<'_>) {
        self.report(ServerEvent::AcceptResumed {});
    }
}
