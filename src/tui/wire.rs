//! The wire: the bytes of both directions as the socket gave and took them, cut into frames for the eye.
//!
//! ```text
//! chunk (one recv) ──► bytes that are no whole frame yet ──► Decoder ──► frame: what framing added, payload
//!      #7                  shown as "incomplete"                         which chunks brought it: #7, or #7-9
//! ```
//! Nothing is encoded again: what is shown is a copy of the bytes, and the decoder says only where they are cut.
//! Memory is bounded: the oldest frames are dropped.

use std::collections::VecDeque;
use std::ops::Range;

use jiff::civil::DateTime;

use super::scroll::Scroll;
use crate::client::{Direction, WireChunk};
use crate::framing::{Decoder, Framing};

/// How many frames are kept.
const MAX_FRAMES: usize = 400;
/// How many of their bytes are kept.
const MAX_BYTES: usize = 1 << 20;

/// The bytes of one frame, or of what there is of one.
#[derive(Clone, Debug)]
pub(super) struct WireFrame {
    pub(super) at: DateTime,
    pub(super) direction: Direction,
    /// The first and the last `send` or `recv` that carried a part of it, counted per direction.
    pub(super) chunks: (u64, u64),
    pub(super) bytes: Vec<u8>,
    pub(super) state: State,
}

/// What is known of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A whole frame, and where in it the payload is.
    Whole(Range<usize>),
    /// The start of a frame; the rest has not come.
    Incomplete,
    /// No frame of this framing.
    Broken(String),
}

/// One direction of the stream.
#[derive(Debug)]
struct Stream {
    framing: Framing,
    decoder: Decoder,
    /// The bytes since the last whole frame.
    pending: Vec<u8>,
    /// The chunk that began them.
    since: u64,
    chunks: u64,
    broken: bool,
}

/// Both directions, in the order in which their bytes passed.
#[derive(Debug)]
pub(super) struct WireLog {
    framing: Framing,
    sent: Stream,
    received: Stream,
    frames: VecDeque<WireFrame>,
    first: u64,
    bytes: usize,
    pub(super) scroll: Scroll,
    /// Long frames are shown to their end.
    pub(super) whole: bool,
}

impl WireLog {
    /// An empty log of streams that are framed like this.
    pub(super) fn new(framing: Framing, max_frame: usize) -> WireLog {
        WireLog {
            framing,
            sent: Stream::new(framing, max_frame),
            received: Stream::new(framing, max_frame),
            frames: VecDeque::new(),
            first: 0,
            bytes: 0,
            scroll: Scroll::default(),
            whole: false,
        }
    }

    /// How the streams are framed.
    pub(super) fn framing(&self) -> Framing {
        self.framing
    }

    /// Begins again with a new connection; what was seen stays, and what was cut off by the end is shown as that.
    pub(super) fn reconnect(&mut self, framing: Framing, max_frame: usize) {
        for frame in &mut self.frames {
            if frame.state == State::Incomplete {
                frame.state = State::Broken("the connection ended within it".into());
            }
        }
        self.framing = framing;
        self.sent = Stream::new(framing, max_frame);
        self.received = Stream::new(framing, max_frame);
    }

    /// The numbers of the frames that are kept.
    pub(super) fn range(&self) -> Range<u64> {
        self.first..self.first + self.frames.len() as u64
    }

    /// A frame that is kept.
    pub(super) fn frame(&self, number: u64) -> Option<&WireFrame> {
        self.frames.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Takes what one `send` or `recv` carried.
    pub(super) fn add(&mut self, at: DateTime, chunk: &WireChunk) {
        // What was the start of a frame is now shown as what it has become.
        self.remove_incomplete(chunk.direction);
        let stream = match chunk.direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        };
        let frames = stream.take(at, chunk);
        for frame in frames {
            self.push(frame);
        }
    }

    fn remove_incomplete(&mut self, direction: Direction) {
        // It is the newest of its direction, and there is one a direction at most: the search is short.
        let is_it = |frame: &WireFrame| frame.direction == direction && frame.state == State::Incomplete;
        let Some(index) = self.frames.iter().rposition(is_it) else { return };
        if let Some(removed) = self.frames.remove(index) {
            self.bytes -= removed.bytes.len();
        }
    }

    fn push(&mut self, frame: WireFrame) {
        self.bytes += frame.bytes.len();
        self.frames.push_back(frame);
        while self.frames.len() > MAX_FRAMES || (self.bytes > MAX_BYTES && self.frames.len() > 1) {
            let dropped = self.frames.pop_front().expect("there is more than one");
            self.bytes -= dropped.bytes.len();
            self.first += 1;
        }
    }
}

impl Stream {
    fn new(framing: Framing, max_frame: usize) -> Stream {
        let decoder = Decoder::new(framing, max_frame);
        Stream { framing, decoder, pending: Vec::new(), since: 1, chunks: 0, broken: false }
    }

    /// The frames that the chunk completes, and what it leaves incomplete.
    fn take(&mut self, at: DateTime, chunk: &WireChunk) -> Vec<WireFrame> {
        self.chunks += 1;
        let direction = chunk.direction;
        let chunks = self.chunks;
        let frame = |since, bytes, state| WireFrame { at, direction, chunks: (since, chunks), bytes, state };
        if self.broken {
            let lost = State::Broken("behind a broken frame".into());
            return vec![frame(chunks, chunk.bytes.clone(), lost)];
        }
        if self.pending.is_empty() {
            self.since = chunks;
        }
        let (mut frames, mut read, mut start) = (Vec::new(), 0, 0);
        loop {
            match self.decoder.next_frame(&chunk.bytes, &mut read) {
                Ok(Some(decoded)) => {
                    let payload = decoded.payload.len();
                    self.pending.extend_from_slice(&chunk.bytes[start..read]);
                    start = read;
                    let bytes = std::mem::take(&mut self.pending);
                    let state = State::Whole(payload_range(self.framing, &bytes, payload));
                    frames.push(frame(self.since, bytes, state));
                    self.since = chunks;
                }
                Ok(None) => break,
                Err(error) => {
                    self.broken = true;
                    self.pending.extend_from_slice(&chunk.bytes[start..]);
                    let bytes = std::mem::take(&mut self.pending);
                    frames.push(frame(self.since, bytes, State::Broken(error.to_string())));
                    return frames;
                }
            }
        }
        self.pending.extend_from_slice(&chunk.bytes[start..]);
        if !self.pending.is_empty() {
            frames.push(frame(self.since, self.pending.clone(), State::Incomplete));
        }
        frames
    }
}

/// Where the payload is: in front of it what a length or header takes; `line` puts its sign behind.
fn payload_range(framing: Framing, bytes: &[u8], payload: usize) -> Range<usize> {
    match framing {
        Framing::Line => 0..payload,
        _ => bytes.len() - payload..bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::{Content, Encoder};
    use std::time::SystemTime;

    fn noon() -> DateTime {
        jiff::civil::date(2026, 3, 9).at(12, 0, 0, 0)
    }

    fn chunk(direction: Direction, bytes: &[u8]) -> WireChunk {
        WireChunk { direction, at: SystemTime::UNIX_EPOCH, bytes: bytes.to_vec() }
    }

    fn shown(log: &WireLog) -> Vec<(Vec<u8>, (u64, u64), State)> {
        log.frames.iter().map(|frame| (frame.bytes.clone(), frame.chunks, frame.state.clone())).collect()
    }

    #[test]
    fn every_split_shows_the_same_frames_and_which_reads_brought_them() {
        let whole = b"\x00\x02hi\x00\x00\x00\x01x";
        for cut in 1..whole.len() {
            let mut log = WireLog::new(Framing::U16, 100);
            log.add(noon(), &chunk(Direction::Received, &whole[..cut]));
            let first: Vec<u8> = log.frames.iter().flat_map(|frame| frame.bytes.clone()).collect();
            assert_eq!(first, whole[..cut], "every byte is shown at once");
            log.add(noon(), &chunk(Direction::Received, &whole[cut..]));
            let shown = shown(&log);
            let bytes: Vec<&[u8]> = shown.iter().map(|(bytes, ..)| &bytes[..]).collect();
            assert_eq!(bytes, [b"\x00\x02hi", &b"\x00\x00"[..], b"\x00\x01x"], "cut at {cut}");
            assert_eq!(shown[0].2, State::Whole(2..4));
            assert_eq!(shown[0].1, (1, if cut < 4 { 2 } else { 1 }), "cut at {cut}");
            assert_eq!(shown[2].1, (if (7..9).contains(&cut) { 1 } else { 2 }, 2), "cut at {cut}");
        }
    }

    #[test]
    fn each_direction_is_a_stream_of_its_own() {
        let mut log = WireLog::new(Framing::U16, 100);
        log.add(noon(), &chunk(Direction::Received, b"\x00\x02h"));
        log.add(noon(), &chunk(Direction::Sent, b"\x00\x01a"));
        assert_eq!(log.frames[0].state, State::Incomplete);
        log.add(noon(), &chunk(Direction::Received, b"i"));
        let directions: Vec<_> = log.frames.iter().map(|frame| frame.direction).collect();
        assert_eq!(directions, [Direction::Sent, Direction::Received], "in the order of their ends");
        assert_eq!(log.frames[1].bytes, b"\x00\x02hi");
    }

    #[test]
    fn the_payload_is_found_in_every_framing() {
        for framing in [Framing::U16, Framing::U32, Framing::Header, Framing::Line] {
            let mut bytes = Vec::new();
            Encoder::new(framing, 100).encode(Content::Json, b"{}", &mut bytes).unwrap();
            let mut log = WireLog::new(framing, 100);
            log.add(noon(), &chunk(Direction::Sent, &bytes));
            let State::Whole(range) = log.frames[0].state.clone() else { panic!("{framing:?}") };
            assert_eq!(&log.frames[0].bytes[range], b"{}", "{framing:?}");
        }
    }

    #[test]
    fn what_is_no_frame_is_shown_as_it_came() {
        let mut log = WireLog::new(Framing::U16, 100);
        log.add(noon(), &chunk(Direction::Received, b"\x00\x01a\xff\xffGET"));
        log.add(noon(), &chunk(Direction::Received, b"more"));
        let shown = shown(&log);
        assert_eq!(shown[1].0, b"\xff\xffGET");
        assert!(matches!(&shown[1].2, State::Broken(why) if why.contains("65,535")), "{:?}", shown[1].2);
        assert_eq!(shown[2].0, b"more");
        log.reconnect(Framing::U16, 100);
        log.add(noon(), &chunk(Direction::Received, b"\x00\x01b"));
        assert_eq!(log.frames[3].state, State::Whole(2..3));
    }

    // Catches: the most telling bytes of a connection that broke, gone as soon as the next one brings some.
    #[test]
    fn a_frame_that_the_end_cut_off_stays_in_sight() {
        let mut log = WireLog::new(Framing::U16, 100);
        log.add(noon(), &chunk(Direction::Received, b"\x00\x05He"));
        log.reconnect(Framing::U16, 100);
        log.add(noon(), &chunk(Direction::Received, b"\x00\x01a"));
        let shown = shown(&log);
        assert_eq!(shown[0].0, b"\x00\x05He");
        assert!(matches!(&shown[0].2, State::Broken(why) if why.contains("ended")), "{:?}", shown[0].2);
        assert_eq!(shown[1].2, State::Whole(2..3));
    }

    #[test]
    fn the_log_is_bounded() {
        let mut log = WireLog::new(Framing::U16, 65_535);
        for _ in 0..1_000 {
            log.add(noon(), &chunk(Direction::Received, b"\x00\x01a"));
        }
        assert_eq!(log.range(), 600..1_000);
        let mut large = vec![0xff, 0xff];
        large.resize(65_537, b'x');
        for _ in 0..100 {
            log.add(noon(), &chunk(Direction::Received, &large));
        }
        assert!(log.bytes <= MAX_BYTES);
    }
}
