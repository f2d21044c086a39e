//! What passes between a link and its user: commands in, events out. Values alone, so that a screen can be tested
//! without a network.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::client::{ClientError, Credentials};
use crate::framing::Framing;
use crate::net::{Address, Family, SocketOptions};
use crate::protocol::message::{Answer, Request, Tag};
use crate::protocol::names::RoomName;

/// Where to connect, and as whom.
#[derive(Clone, Debug)]
pub struct ConnectRequest {
    /// The server.
    pub address: Address,
    /// Which of a name's addresses may be used.
    pub family: Family,
    /// Who the client is.
    pub credentials: Credentials,
    /// The room to enter; it is made if there is none. `None`: the server's default room.
    pub room: Option<RoomName>,
    /// Where messages begin and end.
    pub framing: Framing,
    /// The largest payload, in bytes.
    pub max_frame: usize,
    /// What the server calls itself, instead of the address that this client's socket knows (NAT).
    pub server_name: Option<String>,
    /// How long to wait to connect, and for the login.
    pub wait: Duration,
    /// The socket's options.
    pub socket: SocketOptions,
}

impl ConnectRequest {
    /// A request with what most servers take: the default room, two-byte lengths, ten seconds.
    #[must_use]
    pub fn new(address: Address, credentials: Credentials) -> ConnectRequest {
        ConnectRequest {
            address,
            family: Family::Any,
            credentials,
            room: None,
            framing: Framing::U16,
            max_frame: 65_535,
            server_name: None,
            wait: Duration::from_secs(10),
            socket: SocketOptions::default(),
        }
    }
}

/// What the user of a link wants.
#[derive(Clone, Debug)]
pub enum LinkCommand {
    /// Connect; what was connected before is left. A loss later is answered by connecting again.
    Connect(Box<ConnectRequest>),
    /// Send a request. Its answer carries this `id` (what is said in a room comes back with it as `ref`).
    Send {
        /// The user's own number for it. Texts as ids are the link's own.
        id: u64,
        /// The request. A `PING` is the link's own business.
        request: Request<'static>,
    },
    /// Connect again now, after a loss: the time until the next attempt is cut short. Else nothing.
    Retry,
    /// Say goodbye and stay without a connection; also ends the attempts to get one again.
    Disconnect,
    /// Say goodbye and end the link.
    Quit,
}

/// What has happened, in order.
#[derive(Clone, Debug)]
pub enum LinkEvent {
    /// An attempt to connect begins; the first has the number 1.
    Connecting {
        /// The server, as it was asked for.
        address: Address,
        /// The how manieth in a row.
        attempt: u32,
    },
    /// The connection stands; the login goes on.
    Connected {
        /// The server's end.
        address: SocketAddr,
    },
    /// Requests are heard from now on.
    LoggedIn {
        /// The name, unless the server gives one: that is told by the own `ROOM_JOINED` that follows.
        username: Option<String>,
        /// The room, where the login told it.
        room: Option<String>,
    },
    /// A message of the server, but for those that are events of their own: `LOGGED_IN`, and the link's `PONG`.
    Message(ServerMessage),
    /// A request could not be sent.
    Unsent {
        /// The number of the request.
        id: u64,
        /// Why.
        reason: String,
    },
    /// The time from a `PING` to its `PONG`.
    Rtt(Duration),
    /// The connection or the login that was asked for failed; nothing is tried again.
    Refused {
        /// Why, with nothing in it that a terminal obeys.
        reason: String,
        /// The same for programs: whose refusal it was, and of what.
        error: Arc<ClientError>,
    },
    /// A connection that stood is gone, or an attempt to get it again has failed.
    Lost {
        /// Why, with nothing in it that a terminal obeys.
        reason: String,
        /// When the next attempt begins; `None`: there will be none.
        retry_in: Option<Duration>,
    },
    /// The connection was left, as it was asked for.
    Disconnected,
    /// Bytes as they passed the socket.
    Wire(WireChunk),
    /// The network thread has ended: nothing comes any more.
    Ended {
        /// It was a panic, which is a bug.
        panicked: bool,
    },
}

/// A message of the server that owns its texts.
#[derive(Clone, Debug)]
pub struct ServerMessage {
    /// The message.
    pub answer: Answer<'static>,
    /// The `id` of the request that it answers.
    pub id: Option<Tag<'static>>,
}

impl ServerMessage {
    /// True if this answers the request of that number: by its `id`, or as the echo of what `own` said in a room.
    #[must_use]
    pub fn answers(&self, id: u64, own: Option<&str>) -> bool {
        let tag = Tag::Number(id);
        match &self.answer {
            Answer::RoomEchoed(echoed) => {
                echoed.reference.as_ref() == Some(&tag) && own.is_none_or(|own| *echoed.from == *own)
            }
            _ => self.id.as_ref() == Some(&tag),
        }
    }
}

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Sent,
    /// From the server.
    Received,
}

/// The bytes of one `send` or `recv`, whatever part of a frame they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireChunk {
    /// Which way.
    pub direction: Direction,
    /// When.
    pub at: SystemTime,
    /// What the kernel took or gave.
    pub bytes: Vec<u8>,
}
