//! The TCP echo server: what can be configured, and the choice of a model.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use super::models::{event_loop, iterative, threads};
use super::{Event, Reply, Responder};
use crate::framing::Framing;
use crate::net::{NetError, ServerEvent, SocketOptions, Stop, socket};
use crate::report::Events;

/// How one server serves many clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Model {
    /// One client after the other; while one is served, the others wait in the backlog.
    Iterative,
    /// A thread for each client.
    Threads,
    /// One thread for all, told by the system which sockets are ready.
    #[default]
    EventLoop,
}

impl Model {
    /// Every model, in the order in which the course meets them.
    pub const ALL: [Model; 3] = [Model::Iterative, Model::Threads, Model::EventLoop];

    /// The name used on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Model::Iterative => "iterative",
            Model::Threads => "threads",
            Model::EventLoop => "event-loop",
        }
    }

    /// Bytes per recv call where nothing else is asked for. `iterative` is the course's first server; a
    /// thread's buffer is paid for by each client, the loop's one buffer by nobody in particular.
    #[must_use]
    pub fn recv_size(self) -> usize {
        match self {
            Model::Iterative => 1_024,
            Model::Threads => 64 << 10,
            Model::EventLoop => 256 << 10,
        }
    }
}

/// A TCP echo server.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many clients are served.
    pub model: Model,
    /// What they are answered.
    pub reply: Reply,
    /// Where messages begin and end.
    pub framing: Framing,
    /// The largest payload of a frame, in bytes.
    pub max_frame: usize,
    /// Bytes per recv call; `None`: the model's own.
    pub recv_size: Option<usize>,
    /// Stop after one client.
    pub once: bool,
    /// Clients at a time; more are turned away. `None`: as many as the system allows; more wait.
    pub max_connections: Option<usize>,
    /// Close a client that says nothing for so long.
    pub idle_timeout: Option<Duration>,
    /// Report what each recv returned.
    pub verbose: bool,
    /// Report what the event loop does.
    pub trace: bool,
    /// The sockets' options.
    pub options: SocketOptions,
    /// Report what the kernel made of them.
    pub show_options: bool,
    /// Connections that may wait to be accepted.
    pub backlog: u32,
}

impl Config {
    /// Bytes per recv call.
    pub(super) fn recv_size(&self) -> usize {
        self.recv_size.unwrap_or(self.model.recv_size())
    }

    pub(super) fn responder(&self) -> Responder {
        Responder::new(self.reply, self.framing, self.max_frame)
    }
}

/// Listens on one of `addrs` and serves until `stop`. The first event is `listening`, the last `stopped`.
///
/// # Errors
/// An address that can't be listened on, or a loop that can't go on.
pub fn run(
    config: &Config,
    addrs: &[SocketAddr],
    stop: &Stop,
    events: &mut (dyn Events<Event> + Send),
) -> Result<(), NetError> {
    let (listener, address) = socket::listen(addrs, &config.options, config.backlog)?;
    events.event(ServerEvent::Listening { address, transport: "tcp" }.into());
    if config.show_options {
        let mut options = config.options.read_tcp(&listener);
        options.push(SocketOptions::read_backlog(config.backlog, address));
        events.event(ServerEvent::SocketOptions { options }.into());
    }
    let serve: fn(&Config, TcpListener, SocketAddr, &Stop, &mut (dyn Events<Event> + Send)) -> _ =
        match config.model {
            Model::Iterative => iterative::run,
            Model::Threads => threads::run,
            Model::EventLoop => event_loop::run,
        };
    let totals = serve(config, listener, address, stop, events)?;
    events.event(ServerEvent::from(totals).into());
    Ok(())
}
