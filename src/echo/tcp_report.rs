//! What the TCP echo client reports: each message's reply, and what was moved in all.
//!
//! It stands apart from the client because it is plain data; it must not measure.

use std::net::SocketAddr;

use serde::Serialize;

use crate::net::OptionReading;
use crate::report::Failure;

/// What one message brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplyReport {
    /// Bytes sent, framing included.
    pub sent_bytes: u64,
    /// Bytes received, framing included.
    pub received_bytes: u64,
    /// From sending the message (its last part) to the last byte received.
    pub rtt_us: u64,
    /// The beginning of the reply, escaped.
    pub text: String,
}

/// What a run of the client moved.
#[derive(Clone, Debug, Serialize)]
pub struct ClientReport {
    /// This end.
    pub local_address: SocketAddr,
    /// The server.
    pub remote_address: SocketAddr,
    /// Bytes sent in all.
    pub sent_bytes: u64,
    /// Bytes received in all.
    pub received_bytes: u64,
    /// Each message's reply, where messages have replies of their own.
    pub replies: Vec<ReplyReport>,
    /// The socket's options, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket_options: Option<Vec<OptionReading>>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}
