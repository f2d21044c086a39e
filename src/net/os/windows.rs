//! Windows: signals by a flag, no descriptor limit, truncated datagrams by their error.

use std::fs::File;
use std::io;
use std::net::UdpSocket;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use socket2::{SockRef, Socket};

use crate::net::Received;

/// WSAEMSGSIZE: the datagram was longer than the buffer, which holds its beginning.
const DATAGRAM_TOO_LONG: i32 = 10040;

/// Nothing to do: a console that is closed ends its programs.
#[expect(clippy::unnecessary_wraps, reason = "as on other systems")]
pub(in crate::net) fn watch_hangup(_on_hangup: impl Fn() + Send + 'static) -> io::Result<()> {
    Ok(())
}

/// Calls `on_signal` for every Ctrl-C, on a thread of its own.
pub(in crate::net) fn watch_signals(on_signal: impl Fn() + Send + 'static) -> io::Result<()> {
    let count = Arc::new(AtomicUsize::new(0));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_usize(signal, count.clone(), 1)?;
    }
    // Simplification: the flag is looked at ten times a second; a console handler would wake us at once.
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(100));
            if count.swap(0, Ordering::SeqCst) > 0 {
                on_signal();
            }
        }
    })?;
    Ok(())
}

/// Makes a file, over one that exists. What the folder allows, it allows: a user's own is private by itself.
pub(in crate::net) fn create_private(path: &Path) -> io::Result<File> {
    File::create(path)
}

/// Windows sets no limit on sockets worth naming.
#[must_use]
pub fn descriptor_limit() -> usize {
    usize::MAX
}

/// Windows sets no limit on sockets worth naming.
pub fn raise_descriptor_limit() -> usize {
    descriptor_limit()
}

/// Windows sets no limit on sockets worth naming.
#[must_use]
pub fn highest_descriptor_limit() -> usize {
    usize::MAX
}

/// Windows has no TCP_MAXSEG that can be set: segments stay as large as the path has them.
pub(in crate::net) fn set_max_segment(_socket: &Socket, _bytes: u32) -> io::Result<()> {
    Ok(())
}

/// Receives one datagram; a longer one than the buffer comes as an error with its beginning in the buffer.
pub(in crate::net) fn recv_whole_length(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    match socket.recv(buffer) {
        Ok(length) => Ok(Received { kept: length, sent: Some(length) }),
        Err(error) if error.raw_os_error() == Some(DATAGRAM_TOO_LONG) => {
            Ok(Received { kept: buffer.len(), sent: None })
        }
        Err(error) => Err(error),
    }
}

/// After how long a silence the peer is probed: Windows lets it be set, not asked for.
pub(in crate::net) fn keepalive_time(_socket: &SockRef<'_>) -> Option<Duration> {
    None
}

/// The user who runs this process; `None` where users have no numbers.
#[must_use]
pub fn own_uid() -> Option<u32> {
    None
}

/// There are no numeric users to compare: everything counts as one's own.
#[must_use]
pub fn same_user(_uid: u32) -> bool {
    true
}

/// There are no numeric users.
#[must_use]
pub fn user_name(uid: u32) -> String {
    format!("uid {uid}")
}
