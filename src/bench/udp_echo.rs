//! The load on a UDP echo server: one socket, a window of datagrams in flight, each given up after a while.
//!
//! UDP promises nothing: a datagram may be lost, doubled or overtaken without anybody's fault. So a request
//! that is not answered within the wait is lost, and its place in the window goes to the next one: otherwise
//! each loss would make the load smaller.

use std::net::SocketAddr;
use std::time::Duration;

use super::content::Content;
use super::cpu;
use super::meter::{Course, nanos};
use super::report::{Checks, EchoReport, Event, Outcome};
use super::run::Run;
use super::window::{Sent, Verdict, Window};
use super::{BenchError, EchoConfig};
use crate::net::reactor::{Datagrams, SockId};
use crate::net::table::Transport;
use crate::net::{
    Admit, Cause, Closed, ConnId, Handler, Io, Limits, NetError, Peer, Reactor, Stop, Udp, max_datagram,
    socket,
};
use crate::report::Events;

/// How often datagrams that are overdue are looked for.
const LOOK: Duration = Duration::from_millis(10);

/// Puts the load on the first of `addrs` where somebody listens, from one socket. A datagram that is not
/// answered within the course's wait is lost.
///
/// # Errors
/// A port where nobody listens, a size that no datagram carries. Wrong and lost replies are no error: the
/// report counts them.
pub fn run(
    config: &EchoConfig,
    addrs: &[SocketAddr],
    stop: &Stop,
    events: &mut dyn Events<Event<EchoReport>>,
) -> Result<EchoReport, BenchError> {
    let target = find(addrs, config)?;
    let any: SocketAddr = if target.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
    let (udp, local) = socket::bind_udp(&[any], &config.options)?;
    socket::ample_receive_buffer(&udp, &config.options);
    let mut reactor = Reactor::new(Limits::default())?;
    let sock = reactor.add_udp(udp, local)?;
    let waker = reactor.io().waker();
    let wake = move || {
        // A waker fails only with its poll, which the loop notices by itself.
        let _ = waker.wake();
    };
    let _guard = stop.on_stop(wake.clone());
    // What is overdue is given up one by one; all of it only when the server is silent for longer than that.
    let course = Course { wait: config.course.wait.saturating_mul(3), ..config.course };
    let server = cpu::server_of(Transport::Udp, target);
    let mut generator = Generator {
        config,
        target,
        sock,
        stop,
        events,
        content: Content::new(config.load.size_bytes),
        window: Window::new(0, 1),
        run: Run::begin(course, config.load.asked_rate_per_s, server, wake)?,
        due: 0,
        checks: Checks::default(),
        payload: Vec::new(),
    };
    generator.advance(&mut reactor.io());
    reactor.run(&mut generator, &Stop::new())?;
    Ok(generator.report())
}

/// The first address where somebody listens. UDP's connect can't tell: an answer to a datagram does, or the
/// refusal that the system reports for one. Silence is not known to be either, so it is taken.
fn find(addrs: &[SocketAddr], config: &EchoConfig) -> Result<SocketAddr, BenchError> {
    let mut refused = None;
    for addr in addrs {
        let (size, limit) = (config.load.size_bytes, max_datagram(*addr));
        if size > limit {
            return Err(BenchError::Size { size, limit });
        }
        match probe(*addr, config) {
            Err(error) if error.cause() == Cause::Refused => refused = Some(error),
            result => return result.map(|()| *addr).map_err(BenchError::Net),
        }
    }
    Err(BenchError::Net(refused.expect("a resolved name has at least one address")))
}

fn probe(addr: SocketAddr, config: &EchoConfig) -> Result<(), NetError> {
    let udp = Udp::new(socket::connect_udp(addr, &config.options)?, addr, &config.options);
    udp.send(b"netlab bench")?;
    udp.recv(&mut [0; 64], config.course.wait).map(drop)
}

struct Generator<'a> {
    config: &'a EchoConfig,
    target: SocketAddr,
    sock: SockId,
    stop: &'a Stop,
    events: &'a mut dyn Events<Event<EchoReport>>,
    content: Content,
    window: Window,
    run: Run,
    /// Open loop: datagrams that were due so far.
    due: u64,
    checks: Checks,
    payload: Vec<u8>,
}

impl Generator<'_> {
    /// Does what time brings: datagrams that are due, those that are overdue, the end of it all.
    fn advance(&mut self, io: &mut Io<'_>) {
        let now_ns = self.run.now_ns();
        let next = self.run.advance(now_ns, self.stop, self.events);
        io.set_deadline(None, Some(next.min(io.now() + LOOK)));
        self.window.give_up_before(now_ns.saturating_sub(nanos(self.config.course.wait)));
        while self.run.next_due(now_ns).is_some() {
            self.due += 1;
        }
        self.fill(io, now_ns);
        let waiting =
            self.window.is_waiting() || (self.window.total() < self.due && !self.run.meter.was_cut());
        if (!self.run.sending(now_ns) && !waiting) || self.run.meter.gives_up(now_ns) {
            io.stop();
        }
    }

    /// Sends as many datagrams as the window has room for.
    fn fill(&mut self, io: &mut Io<'_>, now_ns: u64) {
        while self.window.in_flight() < self.config.load.depth {
            let due_ns = match self.run.schedule {
                None if self.run.meter.may_send(now_ns) => now_ns,
                Some(schedule) if self.window.total() < self.due && !self.run.meter.was_cut() => {
                    schedule.due_ns(self.window.total())
                }
                _ => return,
            };
            self.payload.clear();
            self.content.append(self.window.total(), &mut self.payload);
            // What the kernel does not take is lost, like any other datagram that does not come back.
            io.send_to(self.sock, self.target, &self.payload);
            let sent = Sent { at_ns: now_ns, due_ns };
            self.window.push(sent);
            self.run.meter.sent(sent);
        }
    }

    fn report(self) -> EchoReport {
        let interrupted = self.run.meter.was_cut();
        let mut checks = self.checks;
        checks.lost = self.window.outstanding();
        if !interrupted {
            checks.unsent = self.due.saturating_sub(self.window.total());
        }
        let measured = self.run.meter.finish();
        let outcome = Outcome { measured, checks, interrupted, connection_error: None, fault: None };
        EchoReport::new(self.target, Transport::Udp, self.config.load.clone(), outcome)
    }
}

impl Handler for Generator<'_> {
    fn datagrams(&mut self, io: &mut Io<'_>, _s: SockId, datagrams: Datagrams<'_>) {
        let now_ns = self.run.now_ns();
        let from_target = datagrams.peer() == self.target;
        for reply in datagrams.iter().filter(|_| from_target) {
            match self.window.receive(&self.content, reply.bytes) {
                Verdict::Right(sent) => self.run.meter.answered(sent, now_ns),
                Verdict::Reordered(sent) => {
                    self.checks.reordered += 1;
                    self.run.meter.answered(sent, now_ns)
                }
                Verdict::Duplicated => {
                    self.checks.duplicated += 1;
                    false
                }
                Verdict::Corrupted => {
                    self.checks.corrupted += 1;
                    false
                }
            };
        }
        self.fill(io, now_ns);
        if !self.run.sending(now_ns) && !self.window.is_waiting() {
            self.advance(io);
        }
    }

    fn deadline(&mut self, io: &mut Io<'_>, _c: Option<ConnId>) {
        self.advance(io);
    }

    fn woken(&mut self, io: &mut Io<'_>) {
        self.advance(io);
    }

    // It has no connections.
    fn opened(&mut self, _io: &mut Io<'_>, _c: ConnId, _peer: &Peer) -> Admit {
        Admit::Refuse(Vec::new())
    }
    fn bytes(&mut self, _io: &mut Io<'_>, _c: ConnId, _bytes: &[u8]) {}
    fn closed(&mut self, _io: &mut Io<'_>, _c: ConnId, _closed: &Closed) {}
}
