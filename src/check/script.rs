//! What is done to a server, step by step, over one or several connections. Pure data; the player plays it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::codec::{Field, Wire};
use super::expect::Expect;

/// What is known only while a script is played.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// All that the connection has received so far.
    pub received: &'a [u8],
    /// The folder around the server's own; none for a server that runs already.
    pub around: Option<&'a Path>,
}

/// Makes bytes from it: an answer to a challenge, a path that leads out of the server's folder.
pub type Make = Arc<dyn Fn(Given<'_>) -> Vec<u8> + Send + Sync>;

/// One step, done by one of the clients.
#[derive(Clone, Debug)]
pub struct Step {
    /// The client, counted from 0.
    pub client: usize,
    /// What it does.
    pub act: Act,
}

/// What a client does.
#[derive(Clone)]
pub enum Act {
    /// Connects, with a small receive buffer if it is going to read slowly.
    Open {
        /// Do not read until [`Act::Read`].
        holds: bool,
    },
    /// Sends these bytes in one call.
    Send(Wire),
    /// Sends what is made from the bytes received, cut at these places, and waits at each cut until it was read.
    SendMade(Make, Vec<usize>),
    /// Sends these bytes on the side, however long it takes, while the script goes on.
    Flood(Wire),
    /// Waits until what is sent on the side has got stuck, or through.
    Stuck,
    /// Begins to read.
    Read,
    /// Waits until nothing more has come for a while.
    Settle,
    /// Waits until the server has read all that was sent, as far as the system tells.
    Taken,
    /// Waits.
    Pause(Duration),
    /// Ends its sending side.
    HalfClose,
    /// Closes.
    Close,
    /// Resets its connection (RST).
    Reset,
    /// Waits for this answer.
    Expect(Expect),
    /// Nothing more may have come by now.
    Nothing(Duration),
    /// Waits for the server to end its side; nothing may come before.
    End,
    /// Waits for the server to end the connection, without these bytes.
    Denied(Vec<u8>),
    /// The first bytes that came must not be those of that other client.
    Differs(usize),
    /// Lets come what comes, for at most so long or to the end: it is not judged.
    Ignore(Duration),
    /// The server's folder has this file: a line that begins so, and then the rest.
    File {
        /// Its name.
        name: String,
        /// How the first line begins.
        first: &'static str,
        /// What stands behind the first line.
        rest: String,
    },
    /// Measures the processor time that the server uses while nobody asks it for anything.
    Idle(Duration),
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Act::Open { .. } => f.write_str("Open"),
            Act::Send(wire) => write!(f, "Send({} B)", wire.bytes.len()),
            Act::SendMade(_, cuts) => write!(f, "SendMade({cuts:?})"),
            Act::Flood(wire) => write!(f, "Flood({} B)", wire.bytes.len()),
            Act::Expect(expect) => write!(f, "Expect({})", expect.describe()),
            Act::Pause(time) | Act::Nothing(time) | Act::Ignore(time) | Act::Idle(time) => {
                write!(f, "{time:?}")
            }
            Act::File { name, .. } => write!(f, "File({name})"),
            Act::Denied(_) => f.write_str("Denied"),
            Act::Differs(other) => write!(f, "Differs({other})"),
            Act::Stuck => f.write_str("Stuck"),
            Act::Read => f.write_str("Read"),
            Act::Settle => f.write_str("Settle"),
            Act::Taken => f.write_str("Taken"),
            Act::HalfClose => f.write_str("HalfClose"),
            Act::Close => f.write_str("Close"),
            Act::Reset => f.write_str("Reset"),
            Act::End => f.write_str("End"),
        }
    }
}

/// Steps in the order in which they are done.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Script {
    /// Adds a step of `client`.
    pub fn add(&mut self, client: usize, act: Act) -> &mut Script {
        self.steps.push(Step { client, act });
        self
    }

    /// How many clients there are.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.steps.iter().map(|step| step.client + 1).max().unwrap_or(0)
    }
}

/// Cuts a message at these offsets; the pieces keep the names of their bytes.
#[must_use]
pub fn cut(wire: &Wire, cuts: &[usize]) -> Vec<Wire> {
    let mut ends: Vec<usize> = cuts.iter().copied().filter(|at| (1..wire.bytes.len()).contains(at)).collect();
    ends.push(wire.bytes.len());
    let mut start = 0;
    let piece = |end: usize| {
        let from = std::mem::replace(&mut start, end);
        let visible = |field: &Field| {
            let (start, end) = (field.start.max(from), field.end.min(end));
            (start < end).then(|| Field { name: field.name, start: start - from, end: end - from })
        };
        Wire {
            bytes: wire.bytes[from..end].to_vec(),
            fields: wire.fields.iter().filter_map(visible).collect(),
        }
    };
    ends.into_iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::super::codec::{Codec, Prefix};
    use super::*;

    #[test]
    fn pieces_keep_their_names() {
        let wire = Codec::Prefixed(Prefix::plain(2)).encode(b"Hello");
        let pieces = cut(&wire, &[1, 3]);
        let shown: Vec<_> = pieces.iter().map(|p| (&p.bytes[..], p.fields.len())).collect();
        assert_eq!(shown, [(&b"\0"[..], 1), (b"\x05H", 2), (b"ello", 1)]);
        assert_eq!(pieces[1].fields[1], Field { name: "payload", start: 1, end: 2 });
    }
}
