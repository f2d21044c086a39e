//! What changed in the socket table from one look to the next: new sockets, new states, sockets that are gone.
//!
//! ```text
//! rows of this look ──┐
//! rows of the last  ──┴─► Changes: new | changed (with the state before) | gone
//! ```
//! Pure but for [`run`], which looks again and again. A state that lasts shorter than the interval goes unseen.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Filter, Row, list};
use crate::net::Stop;
use crate::net::table::Transport;

/// How long a sleep may last until Ctrl-C is noticed.
const SLICE: Duration = Duration::from_millis(50);

/// What happened to a socket since the last look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Change {
    /// It was there at the first look.
    Present(Seen),
    /// It was not there.
    New(Seen),
    /// It was in another state.
    Changed(Seen),
    /// It is not there any more.
    Gone(Seen),
}

/// A socket, and when something was seen of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Milliseconds since the first look.
    pub at_ms: u64,
    /// The state before, if there was another.
    pub was: Option<&'static str>,
    /// The socket, as it is or as it was last seen.
    #[serde(flatten)]
    pub socket: Row,
}

impl Change {
    /// The socket, and when.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        match self {
            Change::Present(seen) | Change::New(seen) | Change::Changed(seen) | Change::Gone(seen) => seen,
        }
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self {
            Change::Present(_) => "present",
            Change::New(_) => "new",
            Change::Changed(_) => "changed",
            Change::Gone(_) => "gone",
        };
        let Seen { at_ms, was, socket } = self.seen();
        let state = match was {
            Some(was) => format!("{was} > {}", socket.state),
            None => socket.state.to_owned(),
        };
        let (transport, local, remote) = (socket.transport.name(), socket.local, socket.remote());
        let at = format!("{}.{:03}s", at_ms / 1_000, at_ms % 1_000);
        write!(f, "{at:>9} {word:<7} {transport} {local} {remote} {state}")
    }
}

/// One look: the table, and what changed since the one before.
#[derive(Clone, Debug)]
pub struct Look {
    /// Every socket.
    pub sockets: Vec<Row>,
    /// What changed.
    pub changes: Vec<Change>,
}

/// What tells one socket from another: its ends, and which of several with the same ones it is. Inodes won't do:
/// in TIME-WAIT there is none.
pub type Key = (Transport, SocketAddr, Option<SocketAddr>, usize);

/// The rows by their keys, in their order.
#[must_use]
pub fn keyed(rows: &[Row]) -> Vec<(Key, &Row)> {
    let mut seen = HashMap::new();
    let key = |row: &Row| {
        let nth = seen.entry((row.transport, row.local, row.remote)).or_insert(0);
        *nth += 1;
        (row.transport, row.local, row.remote, *nth)
    };
    rows.iter().map(key).zip(rows).collect()
}

/// What changed from `before` to `now`; without a `before`, everything is merely present.
#[must_use]
pub fn changes(before: Option<&[Row]>, now: &[Row], at: Duration) -> Vec<Change> {
    let at_ms = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
    let seen = |row: &Row, was| Seen { at_ms, was, socket: row.clone() };
    let Some(before) = before else {
        return now.iter().map(|row| Change::Present(seen(row, None))).collect();
    };
    let mut old: HashMap<Key, &Row> = keyed(before).into_iter().collect();
    let mut found = Vec::new();
    for (key, row) in keyed(now) {
        match old.remove(&key) {
            None => found.push(Change::New(seen(row, None))),
            Some(was) if was.state != row.state => found.push(Change::Changed(seen(row, Some(was.state)))),
            Some(_) => {}
        }
    }
    let left = keyed(before).into_iter().filter(|(key, _)| old.contains_key(key));
    found.extend(left.map(|(_, row)| Change::Gone(seen(row, None))));
    found
}

/// What changed of late, for a table that marks it: `+` new, `~` in another state, `-` gone.
#[derive(Debug)]
pub struct Recent {
    lasts: Duration,
    changes: Vec<(Instant, Change)>,
}

impl Recent {
    /// Marks that stay for so long.
    #[must_use]
    pub fn new(lasts: Duration) -> Recent {
        Recent { lasts, changes: Vec::new() }
    }

    /// The rows to draw, each behind its mark: the sockets, then those that are gone.
    pub fn update(&mut self, look: &Look) -> Vec<(String, Row)> {
        let now = Instant::now();
        self.changes.retain(|(at, _)| now.saturating_duration_since(*at) < self.lasts);
        let new = look.changes.iter().filter(|change| !matches!(change, Change::Present(_)));
        self.changes.extend(new.map(|change| (now, change.clone())));
        let same = |a: &Row, b: &Row| (a.transport, a.local, a.remote) == (b.transport, b.local, b.remote);
        let mark = |row: &Row| {
            let last = self.changes.iter().rev().find(|(_, change)| same(&change.seen().socket, row));
            match last.map(|(_, change)| change) {
                Some(Change::New(_)) => "+",
                Some(Change::Changed(_)) => "~",
                _ => "",
            }
        };
        let mut rows: Vec<(String, Row)> =
            look.sockets.iter().map(|row| (mark(row).to_owned(), row.clone())).collect();
        for (_, change) in &self.changes {
            let row = &change.seen().socket;
            // Come back, it is no longer gone; gone twice, it is shown once.
            if matches!(change, Change::Gone(_)) && !rows.iter().any(|(_, shown)| same(shown, row)) {
                rows.push(("-".to_owned(), row.clone()));
            }
        }
        rows
    }
}

/// Looks at the table every `interval` until `stop`, and shows each look.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] where the system has no table to ask; what `show` returns.
pub fn run(
    filter: &Filter,
    interval: Duration,
    stop: &Stop,
    show: &mut dyn FnMut(Look) -> io::Result<()>,
) -> io::Result<()> {
    let start = Instant::now();
    let mut before: Option<Vec<Row>> = None;
    while !stop.requested() {
        let next = Instant::now() + interval;
        let sockets = list(filter)?;
        let changes = changes(before.as_deref(), &sockets, start.elapsed());
        before = Some(sockets.clone());
        show(Look { sockets, changes })?;
        while Instant::now() < next && !stop.requested() {
            thread::sleep(SLICE.min(next.saturating_duration_since(Instant::now())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(local: &str, state: &'static str) -> Row {
        Row {
            transport: Transport::Tcp,
            state,
            recv_q: 0,
            send_q: 0,
            backlog: None,
            local: local.parse().unwrap(),
            remote: None,
            uid: None,
            owner: None,
            process: None,
            tcp_info: None,
        }
    }

    fn lines(before: Option<&[Row]>, now: &[Row]) -> Vec<String> {
        changes(before, now, Duration::from_millis(1_234)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn new_changed_and_gone_are_told_apart() {
        let first = [row("1.1.1.1:1", "ESTABLISHED"), row("1.1.1.1:2", "LISTEN"), row("1.1.1.1:3", "LISTEN")];
        let then = [row("1.1.1.1:1", "CLOSE-WAIT"), row("1.1.1.1:2", "LISTEN"), row("1.1.1.1:4", "LISTEN")];
        assert_eq!(lines(None, &first[..1]), ["   1.234s present tcp 1.1.1.1:1 * ESTABLISHED"]);
        assert_eq!(
            lines(Some(&first), &then),
            [
                "   1.234s changed tcp 1.1.1.1:1 * ESTABLISHED > CLOSE-WAIT",
                "   1.234s new     tcp 1.1.1.1:4 * LISTEN",
                "   1.234s gone    tcp 1.1.1.1:3 * LISTEN",
            ]
        );
        assert!(lines(Some(&first), &first).is_empty());
        assert_eq!(lines(Some(&[]), &first).len(), 3, "an empty table was a table");
    }

    #[test]
    fn queues_alone_are_no_event_and_twins_are_two() {
        let one = row("1.1.1.1:1", "LISTEN");
        let fuller = Row { recv_q: 9, ..one.clone() };
        assert!(lines(Some(std::slice::from_ref(&one)), &[fuller]).is_empty());
        let twins = [one.clone(), one.clone()];
        assert_eq!(lines(Some(&twins), &twins[..1]), ["   1.234s gone    tcp 1.1.1.1:1 * LISTEN"]);
    }
}
