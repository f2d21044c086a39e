//! Judging what comes, byte by byte or datagram by datagram, and what does not come.

use std::time::{Duration, Instant};

use super::Player;
use crate::check::expect::{Expect, Judged};
use crate::check::line::{Inbox, Line};
use crate::check::outcome::{Ended, Failure, Talk, What};
use crate::net::table::Transport;

/// The longest that one script waits for answers that keep coming: a byte a second, for ever.
const DRIPPING: Duration = Duration::from_secs(60);

impl Player<'_> {
    /// Waits for an answer.
    pub(super) fn expect(&mut self, client: usize, expect: &Expect) -> Result<(), Failure> {
        self.talks[client].expected.push(expect.clone());
        let from = self.talks[client].right;
        let judged = if self.stage.transport == Transport::Udp {
            self.datagram(client, expect)?
        } else {
            self.stream(client, expect, from)?
        };
        match judged {
            Judged::Done(used) => {
                self.talks[client].right = from + used;
                self.note(client, What::Answered);
                Ok(())
            }
            Judged::Wrong(at, why) => Err(Failure::Wrong { at: from + at, why }),
            Judged::More => Err(Failure::Silent),
        }
    }

    /// Waits as long as bytes keep coming: a slow server is no wrong one.
    fn stream(&self, client: usize, expect: &Expect, from: usize) -> Result<Judged, Failure> {
        let line = self.line(client)?;
        let mut had = line.look(|inbox| inbox.bytes.len());
        loop {
            let end = Instant::now() + self.stage.patience;
            let seen = line.wait(end, |inbox| match expect.judge(&inbox.bytes[from..]) {
                Judged::More => match inbox.ended {
                    Some((how, _)) => Some(Err(Failure::Gone(how))),
                    None if inbox.bytes.len() > had => {
                        had = inbox.bytes.len();
                        Some(Ok(Judged::More))
                    }
                    None => None,
                },
                judged => Some(Ok(judged)),
            });
            match seen {
                Some(Ok(Judged::More)) if self.begun.elapsed() < DRIPPING => {}
                Some(judged) => return judged,
                None => return Ok(Judged::More),
            }
        }
    }

    fn datagram(&mut self, client: usize, expect: &Expect) -> Result<Judged, Failure> {
        let n = self.datagrams[client];
        let (line, alive) = (self.line(client)?, self.stage.alive);
        let end = Instant::now() + self.stage.patience;
        // A program that has ended will not answer: looked at a few times, because nothing else tells.
        let mut came = None;
        while came.is_none() && Instant::now() < end {
            let soon = end.min(Instant::now() + Duration::from_millis(100));
            came = line.wait(soon, |inbox| (inbox.chunks.len() > n).then(|| chunk(inbox, n)));
            if came.is_none() && !alive() {
                break;
            }
        }
        let Some(bytes) = came else { return Ok(Judged::More) };
        self.datagrams[client] += 1;
        Ok(match expect.judge(&bytes) {
            Judged::Done(used) if used < bytes.len() => {
                Judged::Wrong(used, format!("{} bytes more than expected", bytes.len() - used))
            }
            Judged::More => {
                let wanted = expect.bytes().map_or(0, |bytes| bytes.len());
                Judged::Wrong(bytes.len(), format!("cut off after {} of {wanted} bytes", bytes.len()))
            }
            judged => judged,
        })
    }

    /// Nothing may come for so long, except what the last answer passes over.
    pub(super) fn nothing(&self, client: usize, time: Duration) -> Result<(), Failure> {
        let right = self.talks[client].right;
        // What the last answer passes over may follow it, too: notices to all in a room.
        let last = self.talks[client].expected.last();
        let notices = |bytes: &[u8]| last.map_or(0, |expect| expect.passed_over(bytes));
        let judged = self.datagrams[client];
        let udp = self.stage.transport == Transport::Udp;
        let end = Instant::now() + time;
        let came = self.line(client)?.wait(end, |inbox| {
            let more = if udp {
                inbox.chunks.len() > judged
            } else {
                inbox.bytes.len() > right + notices(&inbox.bytes[right..])
            };
            more.then_some(Failure::Unasked { at: right }).or(inbox.ended.map(|(how, _)| Failure::Gone(how)))
        });
        came.map_or(Ok(()), Err)
    }

    /// Waits for the server's end, and nothing before it.
    pub(super) fn end(&mut self, client: usize) -> Result<(), Failure> {
        let right = self.talks[client].right;
        let exact = judges_all(&self.talks[client]);
        let end = Instant::now() + self.stage.patience;
        let seen = self.line(client)?.wait(end, |inbox| match inbox.ended {
            _ if inbox.bytes.len() > right && exact => Some(Err(Failure::Unasked { at: right })),
            Some((Ended::Fin, _)) => Some(Ok(())),
            Some((Ended::Reset, _)) => Some(Err(Failure::Gone(Ended::Reset))),
            None => None,
        });
        seen.unwrap_or(Err(Failure::StaysOpen))
    }

    /// Waits for the server's end, without these bytes.
    pub(super) fn denied(&mut self, client: usize, granted: &[u8]) -> Result<(), Failure> {
        let right = self.talks[client].right;
        let end = Instant::now() + self.stage.patience;
        let seen = self.line(client)?.wait(end, |inbox| {
            let said = inbox.bytes[right..].windows(granted.len().max(1)).any(|window| window == granted);
            match inbox.ended {
                _ if said => Some(Err(Failure::Unasked { at: right })),
                Some(_) => Some(Ok(())),
                None => None,
            }
        });
        seen.unwrap_or(Err(Failure::StaysOpen))
    }

    /// The first bytes are not those of another client.
    pub(super) fn differs(&self, client: usize, other: usize) -> Result<(), Failure> {
        let head = |line: &Line| line.look(|inbox| inbox.bytes[..inbox.bytes.len().min(32)].to_vec());
        if head(self.line(client)?) == head(self.line(other)?) {
            return Err(Failure::Wrong { at: 0, why: "the same bytes as for another client".to_owned() });
        }
        Ok(())
    }

    /// What came behind the last answer although nobody asked for it, as far as it is there already.
    pub(super) fn leftover(&self) -> Option<(usize, Failure)> {
        let udp = self.stage.transport == Transport::Udp;
        self.talks.iter().enumerate().find_map(|(client, talk)| {
            let line = self.lines[client].as_ref()?;
            let (bytes, datagrams) = line.look(|inbox| (inbox.bytes.len(), inbox.chunks.len()));
            let more = if udp { datagrams > self.datagrams[client] } else { bytes > talk.right };
            let failure = Failure::Unasked { at: talk.right };
            (more && !self.ignored[client] && judges_all(talk)).then_some((client, failure))
        })
    }
}

/// True where each byte of a client is judged; where messages may be passed over, more may follow.
fn judges_all(talk: &Talk) -> bool {
    !talk.expected.iter().any(|expect| matches!(expect, Expect::Json { .. } | Expect::Any(_)))
}

fn chunk(inbox: &Inbox, n: usize) -> Vec<u8> {
    let start = if n == 0 { 0 } else { inbox.chunks[n - 1].0 };
    inbox.bytes[start..inbox.chunks[n].0].to_vec()
}
