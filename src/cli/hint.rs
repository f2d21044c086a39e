//! The next step after an error, and its exit code. Here because a hint names commands and flags.

use std::net::SocketAddr;

use crate::bench::BenchError;
use crate::check::grade::FileError;
use crate::client::{self, SessionError};
use crate::demo::auth::AuthError;
use crate::echo::tcp_client::ClientError;
use crate::net::table::{self, Transport};
use crate::net::{Cause, Family, NetError, Op, SocketOptions, same_user, socket, user_name};
use crate::protocol::Code;
use crate::report::Failure;
use crate::server::ServerError;
use crate::store::{self, StoreError, UsersError};
use crate::text::printable;

use super::output::Output;
use super::{BAD_ANSWER, USAGE, UsageError};

/// The exit code of an error: 2 for usage, configuration and privilege, else 1.
pub(super) fn exit_code(error: &anyhow::Error) -> u8 {
    let cause = net_error(error).map(NetError::cause);
    let unsendable = matches!(error.downcast_ref(), Some(ClientError::Unsendable(_)));
    let oversize = matches!(error.downcast_ref(), Some(BenchError::Size { .. }));
    // Grades that can't be kept are the grader's trouble, not a student's.
    let configuration = unsendable
        || oversize
        || error.is::<FileError>()
        || matches!(cause, Some(Cause::NotPermitted | Cause::NotHere));
    if configuration || error.is::<UsageError>() || is_store_configuration(error) {
        USAGE
    } else {
        BAD_ANSWER
    }
}

/// An error as it is shown: with its causes, nothing in it that a terminal obeys, and the next step.
pub(super) fn failure(error: &anyhow::Error) -> Failure {
    Failure { message: printable(&format!("{error:#}")), hint: of(error) }
}

/// What to do next, where that is known.
fn of(error: &anyhow::Error) -> Option<String> {
    if let Some(UsageError { hint, .. }) = error.downcast_ref() {
        return hint.clone();
    }
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::Differs { .. }) => {
            Some("`--reply ack` or `--reply upper` says what the server answers".to_owned())
        }
        _ => of_store_error(error)
            .or_else(|| of_fault(error))
            .or_else(|| of_bench(error))
            .or_else(|| of_net_error(net_error(error)?)),
    }
}

/// The file error behind an error, if one is.
fn store_error(error: &anyhow::Error) -> Option<&StoreError> {
    match error.downcast_ref::<UsersError>() {
        Some(UsersError::Store(error)) => Some(error),
        _ => error.downcast_ref::<StoreError>(),
    }
}

/// A file that is not as it has to be, or not where it has to be; not a disk that failed.
fn is_store_configuration(error: &anyhow::Error) -> bool {
    use std::io::ErrorKind as Kind;
    match store_error(error) {
        Some(error) => {
            matches!(error.source.kind(), Kind::PermissionDenied | Kind::NotFound | Kind::NotADirectory)
        }
        None => error.is::<UsersError>(),
    }
}

fn of_store_error(error: &anyhow::Error) -> Option<String> {
    if let Some(StoreError { op: store::Op::Lock, source, .. }) = store_error(error) {
        let locked = source.kind() == std::io::ErrorKind::WouldBlock;
        return locked.then(|| "stop that server, or pass another folder by --file-path".to_owned());
    }
    match error.downcast_ref::<UsersError>()? {
        UsersError::Missing(_) => Some("`netlab users add NAME` makes it; --users names another".to_owned()),
        UsersError::Exposed { path, .. } => Some(format!("chmod 600 {}", path.display())),
        _ => None,
    }
}

/// The socket error behind an error, if one is.
fn net_error(error: &anyhow::Error) -> Option<&NetError> {
    if let Some(ClientError::Net(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(client::ClientError::Net(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(ServerError::Net(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(BenchError::Net(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(AuthError::Net(error)) = error.downcast_ref() {
        return Some(error);
    }
    error.downcast_ref::<NetError>()
}

/// What a room server's refusal means for its user.
fn of_fault(error: &anyhow::Error) -> Option<String> {
    use client::ClientError::{Refused, Session};
    match error.downcast_ref() {
        Some(Session(SessionError::Frame(_))) => {
            return Some("the server may use another --framing".to_owned());
        }
        // Read by another framing, its first bytes may well look like a frame: an empty one, or a header.
        Some(Session(SessionError::Message(_))) => {
            return Some("the server may use another --framing, or be no room server".to_owned());
        }
        _ => {}
    }
    let (Refused(fault) | Session(SessionError::Login(fault))) = error.downcast_ref()? else { return None };
    let hint = match fault.code {
        Code::NameTaken => "pass another name by --user",
        Code::Unauthorized => {
            "log in: --user NAME with --key-file, --key or --password, as the server demands"
        }
        Code::WrongState => {
            "the server wants another kind of login: --key-file or --key, --password, or neither"
        }
        Code::LoginFailed => "the name and its key or password must be those of `netlab users` on the server",
        Code::Busy => "the server is full: try again in a moment",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn of_bench(error: &anyhow::Error) -> Option<String> {
    match error.downcast_ref()? {
        BenchError::Server { code, .. } => of_bench_refusal((*code)?).map(str::to_owned),
        _ => None,
    }
}

/// What a room server's error means for the load of a bench.
pub(super) fn of_bench_refusal(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::RateLimited => "the server limits its clients: start it with --rate-limit 0",
        Code::Unauthorized => "the server demands a login: pass --from with a class list of its users",
        Code::WrongState => {
            "the server wants another kind of login: by key (--from alone), --from with --password, or neither"
        }
        Code::LoginFailed => {
            "the names and their keys or password must be those of `netlab users` on the server"
        }
        Code::NameTaken => "a user of the list is logged in already",
        Code::Busy => "start the server with a larger --max-connections",
        Code::Limit => "start the server with a larger --max-rooms",
        _ => return None,
    })
}

/// On a machine that many share, a default port may lead to somebody else's server: says so.
pub(super) fn warn_of_foreign_listener(transport: Transport, remote: SocketAddr) {
    if !remote.ip().is_loopback() {
        return;
    }
    if let Ok(Some(row)) = table::holder(transport, remote)
        && !same_user(row.uid)
    {
        let owner = user_name(row.uid);
        Output::note(&format!("warning: the server on {remote} belongs to {owner}, not to you"));
    }
}

fn of_net_error(error: &NetError) -> Option<String> {
    let addr = &error.addr;
    Some(match error.cause() {
        Cause::Refused => format!("nobody listens on {addr}: start the server first, or check the port"),
        Cause::TimedOut if error.op == Op::Connect => {
            format!("no answer from {addr}: a firewall may drop the packets, or the host is down")
        }
        Cause::TimedOut => {
            "the peer is connected but silent: it may serve another client first, or wait for \
             more bytes than it was sent; -w sets how long to wait"
                .to_owned()
        }
        Cause::Reset => "the peer closed while bytes were still on their way to it, or it crashed".to_owned(),
        Cause::InUse => in_use(error),
        Cause::NotHere => {
            format!("{} is no address of this machine: bind to 127.0.0.1, or 0.0.0.0 for all", addr.host())
        }
        Cause::NotPermitted if addr.port() < 1024 && matches!(error.op, Op::Bind(_)) => {
            format!("ports below 1024 need privileges: pass a port from 1024 up, {} say", 8_000 + addr.port())
        }
        Cause::NotPermitted => "the system forbids it: a sandbox or a firewall rule".to_owned(),
        Cause::Unreachable => "no route leads there: check the address and the network".to_owned(),
        Cause::UnknownName => {
            format!("`{}` is no known name; the address comes before everything else", addr.host())
        }
        Cause::Descriptors => "no descriptors are left: `ulimit -n` shows the limit".to_owned(),
        Cause::Other => return None,
    })
}

/// Who holds the port, and a port that is free.
fn in_use(error: &NetError) -> String {
    let addr = error.addr.resolve(Family::Any).ok().and_then(|addrs| addrs.first().copied());
    let transport = if let Op::Bind(transport) = error.op { transport } else { Transport::Tcp };
    let held = addr.and_then(|addr| table::holder(transport, addr).ok().flatten());
    let holder = match held {
        Some(row) => match table::process(&row) {
            Some(process) => format!("pid {} ({}) holds it", process.pid, process.name),
            None if same_user(row.uid) => "a process of yours holds it".to_owned(),
            None => format!("a process of {} holds it", user_name(row.uid)),
        },
        None => "connections of it may still be in TIME_WAIT, which --reuseaddr passes over".to_owned(),
    };
    let free = addr
        .and_then(|addr| free_port(transport, addr))
        .map_or("another port".to_owned(), |port| format!("port {port}, which is free"));
    format!("{holder}; or pass {free}")
}

/// A port that is free at the moment, by asking the system for one.
fn free_port(transport: Transport, addr: SocketAddr) -> Option<u16> {
    let (any, options) = ([SocketAddr::new(addr.ip(), 0)], SocketOptions::default());
    let local = match transport {
        Transport::Tcp => socket::listen(&any, &options, 1).ok()?.1,
        Transport::Udp => socket::bind_udp(&any, &options).ok()?.1,
    };
    Some(local.port())
}
