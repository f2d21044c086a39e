//! Unix: signals by signal-hook, limits and truncated datagrams by rustix.

use std::fs::File;
use std::io;
use std::net::UdpSocket;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::net::RecvFlags;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use socket2::{SockRef, Socket};

use crate::net::Received;

/// macOS refuses more than this (OPEN_MAX) although it calls the hard limit unlimited.
const OPEN_MAX: u64 = 10_240;

/// Calls `on_signal` for every Ctrl-C and SIGTERM, on a thread of its own.
pub(in crate::net) fn watch_signals(on_signal: impl Fn() + Send + 'static) -> io::Result<()> {
    watch(&[SIGINT, SIGTERM], on_signal)
}

/// Calls `on_hangup`, on a thread of its own, when the terminal is gone.
pub(in crate::net) fn watch_hangup(on_hangup: impl Fn() + Send + 'static) -> io::Result<()> {
    watch(&[SIGHUP], on_hangup)
}

fn watch(which: &[i32], on_signal: impl Fn() + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new(which)?;
    std::thread::Builder::new().name("signals".into()).stack_size(64 << 10).spawn(move || {
        for _ in signals.forever() {
            on_signal();
        }
    })?;
    Ok(())
}

/// Makes a file that only its owner may read, over one that exists; that one keeps its rights.
pub(in crate::net) fn create_private(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// How many descriptors this process may have open.
#[must_use]
pub fn descriptor_limit() -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX))
}

/// How high this user may raise the descriptor limit.
#[must_use]
pub fn highest_descriptor_limit() -> usize {
    let highest = highest(getrlimit(Resource::Nofile).maximum);
    highest.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX))
}

/// The hard limit as far as it can be used.
fn highest(maximum: Option<u64>) -> Option<u64> {
    if cfg!(target_os = "macos") { Some(maximum.unwrap_or(OPEN_MAX).min(OPEN_MAX)) } else { maximum }
}

/// Raises the descriptor limit to what is allowed, and returns it.
#[expect(clippy::must_use_candidate, reason = "it is called for its effect")]
pub fn raise_descriptor_limit() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = highest(maximum);
    if current != wanted {
        // Where the system refuses, the limit stays as it is, and whoever needs more is told by the accept pause.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: wanted, maximum });
    }
    descriptor_limit()
}

/// Asks `recv` for the whole length of a datagram. Only Linux answers that.
#[cfg(target_os = "linux")]
const WHOLE_LENGTH: RecvFlags = RecvFlags::TRUNC;
#[cfg(not(target_os = "linux"))]
const WHOLE_LENGTH: RecvFlags = RecvFlags::empty();

/// Receives one datagram; with MSG_TRUNC Linux returns its whole length, however small the buffer.
pub(in crate::net) fn recv_whole_length(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    let (_, length) = rustix::net::recv(socket, &mut *buffer, WHOLE_LENGTH)?;
    let kept = length.min(buffer.len());
    // Elsewhere the length returned is what fitted: a full buffer may hide a longer datagram.
    let known = cfg!(target_os = "linux") || kept < buffer.len();
    Ok(Received { kept, sent: known.then_some(length) })
}

/// TCP_MAXSEG: the largest segment, told to the peer when the connection is made.
pub(in crate::net) fn set_max_segment(socket: &Socket, bytes: u32) -> io::Result<()> {
    socket.set_tcp_mss(bytes)
}

/// After how long a silence the peer is probed, if it is.
pub(in crate::net) fn keepalive_time(socket: &SockRef<'_>) -> Option<Duration> {
    socket.tcp_keepalive_time().ok()
}

/// The user who runs this process; `None` where users have no numbers.
#[must_use]
pub fn own_uid() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

/// True if `uid` is the user who runs this process.
#[must_use]
pub fn same_user(uid: u32) -> bool {
    own_uid() == Some(uid)
}

/// The name of a user, from /etc/passwd; the number where it has none.
#[must_use]
pub fn user_name(uid: u32) -> String {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut names = passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    names.next().unwrap_or_else(|| format!("uid {uid}"))
}
