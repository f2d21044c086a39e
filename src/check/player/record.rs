//! What was seen, put together when the script is over.

use std::time::{Duration, Instant};

use super::Player;
use crate::check::outcome::{Event, Failure, Outcome, What};

/// After a wrong byte the rest of the wrong answer is of interest, if it comes soon.
const AFTERMATH: Duration = Duration::from_millis(150);
/// How long a server may take to end its side when its client has.
const PARTING: Duration = Duration::from_millis(150);

impl Player<'_> {
    /// Closes all connections and returns what they carried.
    pub(super) fn finish(mut self, failure: Option<(usize, Failure)>) -> Outcome {
        if let Some((client, Failure::Wrong { .. } | Failure::Unasked { .. })) = failure
            && let Some(line) = &self.lines[client]
        {
            let mut end = Instant::now() + AFTERMATH;
            let mut had = line.look(|inbox| inbox.bytes.len());
            let last = end + AFTERMATH;
            while line
                .wait(end, |i| (i.bytes.len() > had || i.ended.is_some()).then_some(i.bytes.len()))
                .is_some_and(|n| n > had)
                && end < last
            {
                had = line.look(|inbox| inbox.bytes.len());
                end = last.min(Instant::now() + AFTERMATH);
            }
        }
        let took = self.begun.elapsed();
        let mut events = self.sent;
        for (client, line) in self.lines.iter_mut().enumerate() {
            let Some(line) = line else { continue };
            // What comes after a failure answers the end of this client's side: it is no part of what was seen.
            let (chunks, ended) = line.look(|inbox| (inbox.chunks.len(), inbox.ended));
            let seen = |all: usize| if failure.is_some() { chunks } else { all };
            line.half_close();
            if failure.is_none() {
                // A server that has seen the client's end is free for the next script.
                line.wait(Instant::now() + PARTING, |inbox| inbox.ended.map(|_| ()));
            }
            line.close();
            let talk = &mut self.talks[client];
            line.look(|inbox| {
                let mut start = 0;
                for (end, at) in &inbox.chunks[..seen(inbox.chunks.len())] {
                    let at = at.saturating_duration_since(self.begun);
                    events.push(Event { at, client, what: What::Received { start, end: *end } });
                    start = *end;
                }
                let ended = if failure.is_some() { ended } else { inbox.ended };
                if let Some((how, at)) = ended {
                    let at = at.saturating_duration_since(self.begun);
                    events.push(Event { at, client, what: What::Ended(how) });
                }
                talk.received = inbox.bytes[..start].to_vec();
                talk.ended = ended.map(|(how, _)| how);
                talk.ends = inbox.chunks[..seen(inbox.chunks.len())].iter().map(|(end, _)| *end).collect();
            });
        }
        events.sort_by_key(|event| event.at);
        Outcome { talks: self.talks, events, failure, took, ..Outcome::default() }
    }
}
