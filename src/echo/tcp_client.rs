//! The TCP echo client: sends messages, waits for their replies, measures both.
//!
//! On a stream without framing nobody says where a reply ends. So the client counts: an echo has as many
//! bytes as were sent. Where the replies turn out to be no echo, counting is no use; then it sends the rest,
//! ends its side, and reads until the server ends.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Reply;
use super::tcp_report::{ClientReport, ReplyReport};
use crate::framing::{Content, Decoder, Encoder, FrameError, Framing};
use crate::net::{Cause, NetError, OptionReading, SocketOptions, Stream};
use crate::text::{Grouped, byte_count, excerpt};

/// Between two parts of a message: long enough that they arrive in two recv calls even on a busy machine.
const PAUSE: Duration = Duration::from_millis(100);
/// After the last reply: a server that ignores the end of our side is not waited for longer than this.
const LAST_BYTES: Duration = Duration::from_secs(1);
/// How many bytes of a reply the report quotes.
const QUOTED: usize = 1_000;

/// A TCP echo client.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long to wait to connect, and for each reply.
    pub wait: Duration,
    /// Where messages begin and end.
    pub framing: Framing,
    /// The largest payload of a frame, in bytes.
    pub max_frame: usize,
    /// What the server answers; `None`: an echo as long as it looks like one.
    pub reply: Option<Reply>,
    /// Bytes per recv call.
    pub recv_size: usize,
    /// The socket's options.
    pub options: SocketOptions,
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A payload: framed, where there is framing.
    Payload(Vec<u8>),
    /// Bytes for the wire as they are, in parts with a pause between: a message cut where you like.
    Wire(Vec<Vec<u8>>),
}

/// Why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A socket call failed, or a reply did not come in time.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A message that can't be framed: nothing of it was sent.
    #[error("the message can't be sent")]
    Unsendable(#[source] FrameError),
    /// A reply that is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The server ended the connection before the reply was complete.
    #[error("the server closed the connection after {} of {} reply bytes", Grouped(*have), Grouped(*want))]
    Closed {
        /// Bytes that came.
        have: u64,
        /// Bytes that were expected.
        want: u64,
    },
    /// The server ended the connection before a whole frame came.
    #[error("the server closed the connection without a reply")]
    NoReply,
    /// The server ended the connection while there was more to send.
    #[error("the server closed the connection; of {} sent, {} came back", byte_count(*sent), byte_count(*received))]
    ClosedEarly {
        /// Bytes sent until then.
        sent: u64,
        /// Bytes received until then.
        received: u64,
    },
    /// The reply is not what was sent.
    #[error("the reply is no echo: byte {at} is {found:#04x}, not {sent:#04x}")]
    Differs {
        /// Offset in the reply.
        at: u64,
        /// What was sent there.
        sent: u8,
        /// What came back.
        found: u8,
    },
    /// The messages can't be read, or the replies can't be written.
    #[error(transparent)]
    Local(#[from] io::Error),
}

/// Where replies go, as they come.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> io::Result<()>;

/// A connected client.
pub struct Client {
    config: Config,
    stream: Arc<Stream>,
    local: SocketAddr,
    decoder: Decoder,
    encoder: Encoder,
    buffer: Vec<u8>,
    /// Received and not used yet: `buffer[start..end]`.
    start: usize,
    end: usize,
    /// The replies are no echo: nobody knows where they end.
    uncounted: bool,
    sent: Arc<AtomicU64>,
    received: u64,
    replies: Vec<ReplyReport>,
    begun: Instant,
    /// The beginning of all that came.
    heard: Vec<u8>,
}

impl Client {
    /// Connects to the first of `addrs` that answers.
    ///
    /// # Errors
    /// The last address's reason.
    pub fn connect(addrs: &[SocketAddr], config: Config) -> Result<Client, NetError> {
        let stream = Stream::connect(addrs, &config.options, config.wait)?;
        let local = stream.local()?;
        let raw = config.framing == Framing::Raw;
        Ok(Client {
            local,
            stream: Arc::new(stream),
            decoder: Decoder::new(config.framing, config.max_frame),
            encoder: Encoder::new(config.framing, config.max_frame),
            buffer: vec![0; config.recv_size],
            start: 0,
            end: 0,
            uncounted: raw && matches!(config.reply, Some(Reply::Ack | Reply::Upper)),
            sent: Arc::default(),
            received: 0,
            replies: Vec::new(),
            begun: Instant::now(),
            heard: Vec::new(),
            config,
        })
    }

    /// The server's address.
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        self.stream.peer()
    }

    /// Ends the connection when called, from any thread: whatever waits for the server returns.
    pub fn ender(&self) -> impl FnOnce() + Send + 'static {
        let stream = self.stream.clone();
        move || stream.cut()
    }

    /// True as long as a reply's end is known: by its frame, or because it is an echo.
    #[must_use]
    pub fn is_counting(&self) -> bool {
        !self.uncounted
    }

    /// Asks the kernel for the socket's options.
    #[must_use]
    pub fn options(&self) -> Vec<OptionReading> {
        self.config.options.read_tcp(self.stream.socket())
    }

    /// Sends one message and hands its reply to `sink`: a frame's payload, or as many bytes as were sent.
    ///
    /// # Errors
    /// A reply that does not come, is cut off, or (where an echo was asked for) is something else.
    pub fn exchange(&mut self, message: &Message, sink: Sink<'_>) -> Result<(), ClientError> {
        let wire = self.wire(message)?;
        let mut before = (Instant::now(), self.received);
        for (i, part) in wire.iter().enumerate() {
            if i > 0 {
                thread::sleep(PAUSE);
                // The pause is ours; the reply can only come after the last part.
                before.0 = Instant::now();
            }
            self.stream.send_all(part)?;
            self.sent.fetch_add(part.len() as u64, Ordering::Relaxed);
        }
        let wire = wire.concat();
        if self.uncounted {
            return Ok(());
        }
        let mut quote = Vec::new();
        let result = match self.config.framing {
            Framing::Raw => self.counted_reply(&wire, &mut quoting(sink, &mut quote)),
            _ => self.framed_replies(&wire, &mut quoting(sink, &mut quote)),
        };
        self.note_reply(wire.len() as u64, before, &quote);
        self.heard.extend_from_slice(&quote);
        self.heard.truncate(QUOTED + 1);
        result
    }

    /// Ends this side and reads what still comes, until the server ends too.
    ///
    /// # Errors
    /// A server that does not end in time although the end of its reply is only known by that.
    pub fn finish(&mut self, sink: Sink<'_>) -> Result<(), ClientError> {
        let mut quote = Vec::new();
        self.stream.half_close()?;
        let result = self.read_to_end(&mut quoting(sink, &mut quote));
        if result.is_ok() && self.unanswered() {
            return Err(ClientError::NoReply);
        }
        if self.uncounted {
            // Nobody knows which part of it answers which message: it counts as one reply to all of them.
            let heard = [std::mem::take(&mut self.heard), quote].concat();
            self.replies.clear();
            self.note_reply(self.sent.load(Ordering::Relaxed), (self.begun, 0), &heard);
        }
        result
    }

    /// True if something was sent and nothing has come.
    fn unanswered(&self) -> bool {
        self.received == 0 && self.sent.load(Ordering::SeqCst) > 0
    }

    fn read_to_end(&mut self, sink: Sink<'_>) -> Result<(), ClientError> {
        let wait = if self.uncounted { self.config.wait } else { self.config.wait.min(LAST_BYTES) };
        let end = Instant::now() + wait;
        loop {
            let input = &self.buffer[..self.end];
            while let Some(frame) = self.decoder.next_frame(input, &mut self.start)? {
                sink(frame.payload)?;
            }
            match self.fill(wait) {
                Ok(0) => return Ok(self.decoder.finish()?),
                // A server that goes on for ever has answered long ago.
                Ok(_) if !self.uncounted && Instant::now() >= end => return Ok(()),
                Ok(_) => {}
                // Every reply is there already: a server that does not end its side harms nobody.
                Err(_) if !self.uncounted => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn note_reply(&mut self, sent_bytes: u64, before: (Instant, u64), quote: &[u8]) {
        self.replies.push(ReplyReport {
            sent_bytes,
            received_bytes: self.received - before.1,
            rtt_us: micros(before.0.elapsed()),
            text: excerpt(quote, QUOTED),
        });
    }

    /// Sends each line as a message, framed, and waits for its reply.
    ///
    /// # Errors
    /// As [`exchange`](Client::exchange), and lines that can't be read.
    pub fn exchange_lines(
        &mut self,
        lines: &mut dyn Iterator<Item = io::Result<Vec<u8>>>,
        sink: Sink<'_>,
    ) -> Result<(), ClientError> {
        for line in lines {
            self.exchange(&Message::Payload(line?), sink)?;
        }
        Ok(())
    }

    /// Sends `input` as it is while handing on what comes back, like netcat: nothing is counted, changed or
    /// waited for. Ends this side when the input ends, and reads until the server ends.
    ///
    /// # Errors
    /// A connection that breaks, a server that ends first, or one that is silent for too long at the end.
    pub fn pump(&mut self, input: impl Read + Send + 'static, sink: Sink<'_>) -> Result<(), ClientError> {
        let (stream, sent) = (self.stream.clone(), self.sent.clone());
        let ended = Arc::new(AtomicBool::new(false));
        let input_ended = ended.clone();
        // Joined only when it is done: it may sit in a read of the terminal when the server is gone.
        let sender = thread::spawn(move || send_input(&stream, input, &sent, &input_ended));
        let mut quote = Vec::new();
        loop {
            let was_done = sender.is_finished();
            match self.fill(self.config.wait) {
                Ok(0) => break,
                Ok(received) => quoting(sink, &mut quote)(&self.buffer[..received])?,
                // While there is more to send, the server may take its time.
                Err(ClientError::Net(error)) if error.cause() == Cause::TimedOut && !was_done => {}
                Err(error) => return Err(error),
            }
        }
        self.start = self.end;
        if !ended.load(Ordering::SeqCst) {
            let sent = self.sent.load(Ordering::SeqCst);
            return Err(ClientError::ClosedEarly { sent, received: self.received });
        }
        sender.join().unwrap_or(Ok(()))?;
        self.note_reply(self.sent.load(Ordering::SeqCst), (self.begun, 0), &quote);
        if self.unanswered() {
            return Err(ClientError::NoReply);
        }
        let want = self.sent.load(Ordering::SeqCst);
        if self.config.reply == Some(Reply::Echo) && self.received != want {
            return Err(ClientError::Closed { have: self.received, want });
        }
        Ok(())
    }

    /// What was moved until now.
    #[must_use]
    pub fn report(&self) -> ClientReport {
        ClientReport {
            local_address: self.local,
            remote_address: self.remote(),
            sent_bytes: self.sent.load(Ordering::SeqCst),
            received_bytes: self.received,
            replies: self.replies.clone(),
            socket_options: None,
            error: None,
        }
    }

    /// The parts of a message as they go onto the wire.
    fn wire(&self, message: &Message) -> Result<Vec<Vec<u8>>, ClientError> {
        match message {
            Message::Wire(parts) => Ok(parts.clone()),
            Message::Payload(payload) => {
                let mut wire = Vec::new();
                let encoded = self.encoder.encode(Content::of(payload), payload, &mut wire);
                encoded.map_err(ClientError::Unsendable)?;
                Ok(vec![wire])
            }
        }
    }

    /// One recv into the buffer, whose bytes must be used up; 0 at the server's end.
    fn fill(&mut self, wait: Duration) -> Result<usize, ClientError> {
        self.stream.set_recv_timeout(Some(wait))?;
        let received = self.stream.recv(&mut self.buffer)?;
        (self.start, self.end) = (0, received);
        self.received += received as u64;
        Ok(received)
    }

    /// Reads as many bytes as were sent, and compares them as they come.
    fn counted_reply(&mut self, sent: &[u8], sink: Sink<'_>) -> Result<(), ClientError> {
        let mut at = 0;
        while at < sent.len() {
            if self.start == self.end && self.fill(self.config.wait)? == 0 {
                return Err(ClientError::Closed { have: at as u64, want: sent.len() as u64 });
            }
            let taken = (self.end - self.start).min(sent.len() - at);
            let bytes = &self.buffer[self.start..self.start + taken];
            if let Some(offset) = bytes.iter().zip(&sent[at..]).position(|(found, sent)| found != sent) {
                if self.config.reply == Some(Reply::Echo) {
                    let (sent, found) = (sent[at + offset], bytes[offset]);
                    return Err(ClientError::Differs { at: (at + offset) as u64, sent, found });
                }
                self.uncounted = true;
                let (start, end) = (self.start, self.end);
                self.start = end;
                sink(&self.buffer[start..end])?;
                return Ok(());
            }
            sink(bytes)?;
            self.start += taken;
            at += taken;
        }
        Ok(())
    }

    /// Reads one frame for each that `sent` completes.
    fn framed_replies(&mut self, sent: &[u8], sink: Sink<'_>) -> Result<(), ClientError> {
        let mut own = Decoder::new(self.config.framing, self.config.max_frame);
        let (mut at, mut expected) = (0, 0);
        // Bytes that are no frames (`--hex` can send anything) are the server's to judge: one answer, if any.
        while let Ok(Some(_)) = own.next_frame(sent, &mut at) {
            expected += 1;
        }
        for _ in 0..expected {
            self.framed_reply(sink)?;
        }
        Ok(())
    }

    fn framed_reply(&mut self, sink: Sink<'_>) -> Result<(), ClientError> {
        loop {
            let input = &self.buffer[..self.end];
            if let Some(frame) = self.decoder.next_frame(input, &mut self.start)? {
                sink(frame.payload)?;
                return Ok(());
            }
            if self.fill(self.config.wait)? == 0 {
                self.decoder.finish()?;
                return Err(ClientError::NoReply);
            }
        }
    }
}

/// Sends all of `input`, then ends this side; `ended` says that all of it was sent.
fn send_input(
    stream: &Stream,
    mut input: impl Read,
    sent: &AtomicU64,
    ended: &AtomicBool,
) -> Result<(), ClientError> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => {
                ended.store(true, Ordering::SeqCst);
                return Ok(stream.half_close()?);
            }
            Ok(n) => {
                stream.send_all(&buffer[..n])?;
                sent.fetch_add(n as u64, Ordering::SeqCst);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A sink that also keeps the beginning of what passes, for the report.
fn quoting<'a>(sink: Sink<'a>, quote: &'a mut Vec<u8>) -> impl FnMut(&[u8]) -> io::Result<()> + 'a {
    move |bytes| {
        let room = (QUOTED + 1).saturating_sub(quote.len()).min(bytes.len());
        quote.extend_from_slice(&bytes[..room]);
        sink(bytes)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
