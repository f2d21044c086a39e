//! What was said and what happened in one room, as far as it is kept, and which part of it is seen.
//!
//! Memory is bounded: the oldest entries are dropped. Texts come in harmless already, so that this happens once per
//! message and not once per picture.

use std::collections::VecDeque;
use std::ops::Range;

use jiff::civil::DateTime;

use super::scroll::{Items, Scroll};

/// How many entries a room keeps.
const MAX_ENTRIES: usize = 2_000;
/// How many bytes of text a room keeps: 2,000 messages of the largest size would be 64 MB.
const MAX_BYTES: usize = 1 << 20;

/// One entry of a log.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// When it came, by this machine's clock: the protocol carries no time.
    pub(super) at: DateTime,
    pub(super) what: What,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A message.
    Said { from: String, text: String },
    /// Somebody came.
    Joined(String),
    /// Somebody left.
    Left(String),
    /// Messages that never came although one was in the room: `seq` from the first to the last.
    Gap(u64, u64),
    /// How many were said while one was away.
    Away(u64),
    /// What the program says.
    Note(String),
    /// What went wrong.
    Alert(String),
}

impl What {
    fn bytes(&self) -> usize {
        match self {
            What::Said { from, text } => from.len() + text.len(),
            What::Joined(text) | What::Left(text) | What::Note(text) | What::Alert(text) => text.len(),
            What::Gap(..) | What::Away(_) => 0,
        }
    }
}

/// The log of one room.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    /// The number of the oldest entry that is kept.
    first: u64,
    bytes: usize,
    /// The last `seq` that is known.
    seq: Option<u64>,
    /// The number of the first message that nobody has seen: the mark stands before it.
    mark: Option<u64>,
    /// Messages that nobody has seen.
    pub(super) unseen: usize,
    pub(super) scroll: Scroll,
}

impl Log {
    /// The numbers of the entries that are kept.
    pub(super) fn range(&self) -> Range<u64> {
        self.first..self.first + self.entries.len() as u64
    }

    /// An entry that is kept.
    pub(super) fn entry(&self, number: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// The number of the first message that was not seen when it came.
    pub(super) fn mark(&self) -> Option<u64> {
        self.mark
    }

    /// Adds an entry; drops old ones.
    pub(super) fn push(&mut self, at: DateTime, what: What) {
        self.bytes += what.bytes();
        self.entries.push_back(Entry { at, what });
        while self.entries.len() > MAX_ENTRIES || (self.bytes > MAX_BYTES && self.entries.len() > 1) {
            let dropped = self.entries.pop_front().expect("there is more than one");
            self.bytes -= dropped.what.bytes();
            self.first += 1;
        }
    }

    /// Adds a message, and before it what its `seq` tells. `seen`: the newest line is in sight.
    pub(super) fn say(&mut self, at: DateTime, seq: u64, from: String, text: String, seen: bool) {
        match self.seq {
            // The subtraction is on the safe side: a server may send any number, the largest included.
            Some(last) if seq > last && seq - last > 1 => self.push(at, What::Gap(last + 1, seq - 1)),
            Some(last) if seq <= last => {
                self.push(at, What::Alert(format!("out of order: message {seq} came after {last}")));
            }
            _ => {}
        }
        self.seq = Some(seq);
        self.push(at, What::Said { from, text });
        if !seen {
            // Who has seen all so far, and looks away again, gets a new mark.
            if self.unseen == 0 {
                self.mark = Some(self.range().end - 1);
            }
            self.unseen += 1;
        }
    }

    /// Notes that one has entered the room, whose last `seq` is this one.
    pub(super) fn enter(&mut self, at: DateTime, seq: u64) {
        match self.seq {
            Some(last) if seq > last => self.push(at, What::Away(seq - last)),
            // The last member left, and somebody made a new one of that name.
            Some(last) if seq < last => self.push(at, What::Note("the room was made anew meanwhile".into())),
            _ => {}
        }
        self.seq = Some(seq);
    }

    /// Notes that the newest line is in sight.
    pub(super) fn see(&mut self) {
        self.unseen = 0;
    }

    /// Takes the mark away: what stands below it has been read.
    pub(super) fn unmark(&mut self) {
        self.mark = None;
        self.unseen = 0;
    }
}

/// The log with a way to measure its entries: what scrolls.
pub(super) struct Measured<'a, F: Fn(u64, &Entry) -> usize> {
    pub(super) log: &'a Log,
    pub(super) height: F,
}

impl<F: Fn(u64, &Entry) -> usize> Items for Measured<'_, F> {
    fn range(&self) -> Range<u64> {
        self.log.range()
    }

    fn height(&self, item: u64) -> usize {
        self.log.entry(item).map_or(1, |entry| (self.height)(item, entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime {
        jiff::civil::date(2026, 3, 9).at(12, 0, 0, 0)
    }

    fn said(log: &mut Log, seq: u64, seen: bool) {
        log.say(noon(), seq, "ada".into(), format!("message {seq}"), seen);
    }

    fn whats(log: &Log) -> Vec<What> {
        log.entries.iter().map(|entry| entry.what.clone()).collect()
    }

    #[test]
    fn a_gap_in_seq_is_an_entry() {
        let mut log = Log::default();
        log.enter(noon(), 4);
        said(&mut log, 5, true);
        assert_eq!(log.entries.len(), 1, "{log:?}");
        said(&mut log, 9, true);
        assert_eq!(whats(&log)[1], What::Gap(6, 8));
        said(&mut log, 9, true);
        assert!(matches!(&whats(&log)[3], What::Alert(text) if text.contains("message 9 came after 9")));
    }

    #[test]
    fn who_comes_back_learns_what_was_missed() {
        let mut log = Log::default();
        log.enter(noon(), 0);
        said(&mut log, 1, true);
        log.enter(noon(), 1);
        log.enter(noon(), 6);
        log.enter(noon(), 2);
        assert_eq!(whats(&log)[1..], [What::Away(5), What::Note("the room was made anew meanwhile".into())]);
    }

    #[test]
    fn the_mark_stands_before_the_first_unseen_message() {
        let mut log = Log::default();
        said(&mut log, 1, true);
        said(&mut log, 2, false);
        said(&mut log, 3, false);
        assert_eq!((log.mark(), log.unseen), (Some(1), 2));
        log.see();
        assert_eq!((log.mark(), log.unseen), (Some(1), 0), "seen, and still marked");
        log.unmark();
        assert_eq!(log.mark(), None);
    }

    // Catches: a number of the server's that makes the arithmetic panic.
    #[test]
    fn every_number_of_a_server_is_taken() {
        let mut log = Log::default();
        for seq in [u64::MAX, u64::MAX, 0, u64::MAX, 1, 2] {
            log.say(noon(), seq, "eve".into(), "x".into(), true);
        }
        let gaps = log.entries.iter().filter(|entry| matches!(entry.what, What::Gap(..))).count();
        let alerts = log.entries.iter().filter(|entry| matches!(entry.what, What::Alert(_))).count();
        assert_eq!((gaps, alerts), (1, 3), "{:?}", log.entries);
        log.enter(noon(), 0);
        log.enter(noon(), u64::MAX);
    }

    #[test]
    fn a_log_is_bounded_in_entries_and_in_bytes() {
        let mut log = Log::default();
        for seq in 1..=10_000 {
            said(&mut log, seq, true);
        }
        assert_eq!(log.range(), 8_000..10_000);
        assert!(log.entry(7_999).is_none() && log.entry(8_000).is_some());
        for seq in 10_001..10_101 {
            log.say(noon(), seq, "ada".into(), "x".repeat(32_768), true);
        }
        assert!(log.bytes <= MAX_BYTES && log.entries.len() > 20, "{} entries", log.entries.len());
        assert_eq!(log.bytes, log.entries.iter().map(|entry| entry.what.bytes()).sum::<usize>());
    }
}
