//! The chat line by line: for pipes, scripts and screen readers.
//!
//! ```text
//!  wait until let in ──► take a line ──► send it ──► wait for its answer ──┐
//!         ▲                  ▲ │ end of stdin, /quit, Ctrl-C: goodbye      │ (rate_limited: later again)
//!         └── lost ──────────┴─┼───────────────────────────────────────────┘
//! ```
//! One request at a time: what a script says arrives in its order and at the server's pace.

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::chat_line::{self, ChatLine};
use crate::client::link::{Link, LinkCommand, LinkEvent, ServerMessage};
use crate::client::{ClientError, ConnectRequest};
use crate::net::Stop;
use crate::net::table::Transport;
use crate::protocol::message::{
    Answer, Fault, Nothing, Request, RoomCreate, RoomEcho, RoomJoin, RoomMembers,
};
use crate::protocol::{Code, MAX_TEXT};

use super::super::stdin_lines::StdinLines;
use super::super::{answered, hint};
use super::voice::Voice;

/// How often to look at the network while stdin is silent.
const LOOK: Duration = Duration::from_millis(20);

/// Runs it to the end of stdin.
pub(super) fn run(request: ConnectRequest, json: bool) -> anyhow::Result<ExitCode> {
    let stop = Stop::on_signals()?;
    let typed = io::stdin().is_terminal();
    // A doubled slash is one byte that is not said.
    let wait = request.wait;
    let lines = StdinLines::unprompted(MAX_TEXT + 1);
    let _guard = stop.on_stop(lines.ender());
    let link = Link::start(request.socket.capture.as_ref())?;
    // The queue is empty, and takes what is no request anyway.
    let _ = link.send(LinkCommand::Connect(Box::new(request)));
    let mut chat = Plain {
        link,
        wait,
        voice: Voice::new(json),
        stop,
        typed,
        state: State::Offline,
        username: None,
        heard: None,
        next_id: 1,
        pending: None,
        failures: 0,
    };
    chat.converse(lines)?;
    chat.say_goodbye()?;
    Ok(answered(chat.typed || chat.failures == 0))
}

/// Whether requests are heard.
#[derive(Debug)]
enum State {
    /// Not now; the link sees to it.
    Offline,
    Online,
    /// Never again: the link has ended.
    Over,
}

/// A request that has no answer yet.
struct Pending {
    id: u64,
    request: Request<'static>,
    /// As it was typed.
    line: String,
    /// Which rooms to list of those that come.
    filter: Option<String>,
    until: Until,
}

/// What a request waits for, and until when.
#[derive(Clone, Copy)]
enum Until {
    /// Its answer, until it is given up.
    Answered(Instant),
    /// The server was asked too much: the time to ask again.
    Again(Instant),
}

struct Plain {
    link: Link,
    /// How long an answer may take.
    wait: Duration,
    voice: Voice,
    stop: Stop,
    /// Somebody types the lines.
    typed: bool,
    state: State,
    username: Option<String>,
    /// The last message's number, and its room: a gap shows what was missed.
    heard: Option<(String, u64)>,
    next_id: u64,
    pending: Option<Pending>,
    /// Lines that were refused, or of which nobody knows.
    failures: usize,
}

impl Plain {
    /// Obeys line after line. Returns at the end of stdin, at /quit and at Ctrl-C.
    fn converse(&mut self, mut lines: StdinLines) -> anyhow::Result<()> {
        // Who is not let in says nothing, whatever stands in stdin.
        self.until_online()?;
        let mut cut = false;
        while let Some(line) = self.next_line(&mut lines)? {
            // A line over the limit comes in pieces, of which only the last one is shorter.
            let rest = std::mem::replace(&mut cut, line.len() > MAX_TEXT + 1);
            if !rest && !self.obey(&line)? {
                return Ok(());
            }
        }
        // What stdin has asked for is not done while nobody is there to hear the rest.
        match &self.state {
            State::Online => Ok(()),
            _ if self.stop.requested() => Ok(()),
            _ => anyhow::bail!("stdin ended while the connection was lost"),
        }
    }

    fn next_line(&mut self, lines: &mut StdinLines) -> anyhow::Result<Option<Vec<u8>>> {
        if self.typed {
            self.voice.prompt();
        }
        let line = lines.next_while(LOOK, || {
            self.listen(Duration::ZERO)?;
            if self.typed {
                self.voice.prompt();
            }
            anyhow::Ok(())
        })?;
        // Whoever typed the line has ended the prompt's as well; at the end of stdin nobody has.
        if self.typed && line.is_none() {
            self.voice.end_prompt();
        }
        self.voice.prompted = false;
        Ok(line.transpose()?)
    }

    /// Does what a line asks for, and waits for the answer. False if it asks for the end.
    fn obey(&mut self, line: &[u8]) -> anyhow::Result<bool> {
        let Ok(line) = std::str::from_utf8(line) else {
            let line = crate::text::excerpt(line, SHOWN);
            self.fail("wrong_line", &line, "the line is not UTF-8")?;
            return Ok(true);
        };
        let meant = match chat_line::parse(line) {
            Ok(Some(meant)) => meant,
            Ok(None) => return Ok(true),
            Err(error) => {
                self.fail("wrong_line", line, &error.to_string())?;
                return Ok(true);
            }
        };
        let Some((request, filter)) = request_of(meant.clone()) else {
            if meant == ChatLine::Help {
                self.voice.help()?;
            }
            return Ok(meant != ChatLine::Quit);
        };
        if !self.until_online()? {
            return Ok(false);
        }
        let id = self.next_id;
        self.next_id += 1;
        let until = Until::Again(Instant::now());
        self.pending = Some(Pending { id, request, line: line.to_owned(), filter, until });
        self.until_answered()?;
        Ok(true)
    }

    /// Asks, in the server's pace, until there is an answer or it is late.
    fn until_answered(&mut self) -> anyhow::Result<()> {
        while let Some(until) = self.pending.as_ref().map(|pending| pending.until) {
            if self.stop.requested() {
                return Ok(());
            }
            match until {
                Until::Again(at) if at <= Instant::now() => self.ask(),
                // A server that answers pings and nothing else shall not hold up a script for ever.
                Until::Answered(by) if by <= Instant::now() => {
                    let waited = self.wait;
                    let reason = format!(
                        "no answer within {waited:?}: it may not have been heard (-w sets how long to wait)"
                    );
                    self.give_up("unconfirmed", &reason)?;
                }
                Until::Again(_) | Until::Answered(_) => {}
            }
            self.listen(LOOK)?;
        }
        Ok(())
    }

    /// Sends the pending request.
    fn ask(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.until = Until::Answered(Instant::now() + self.wait);
            let command = LinkCommand::Send { id: pending.id, request: pending.request.clone() };
            // One request at a time never fills the queue.
            let _ = self.link.send(command);
        }
    }

    /// Waits until requests are heard. False if Ctrl-C ended the wait.
    fn until_online(&mut self) -> anyhow::Result<bool> {
        while !matches!(self.state, State::Online) {
            if self.stop.requested() {
                return Ok(false);
            }
            self.listen(LOOK)?;
        }
        Ok(true)
    }

    /// Leaves, and waits until that is done.
    fn say_goodbye(&mut self) -> anyhow::Result<()> {
        let _ = self.link.send(LinkCommand::Quit);
        // The link ends within its own bounds, and says so.
        while !matches!(self.state, State::Over) {
            self.listen(LOOK)?;
        }
        Ok(())
    }

    /// Takes in what has happened; waits at most so long for something.
    fn listen(&mut self, within: Duration) -> anyhow::Result<()> {
        let mut events = Vec::new();
        self.link.drain_within(&mut events, within);
        events.into_iter().try_for_each(|event| self.take_in(event))
    }

    fn take_in(&mut self, event: LinkEvent) -> anyhow::Result<()> {
        match event {
            LinkEvent::Connecting { address, attempt } => {
                if self.typed || attempt > 1 || self.voice.json {
                    self.voice.connecting(&address.to_string(), attempt)?;
                }
            }
            LinkEvent::Connected { address } => {
                hint::warn_of_foreign_listener(Transport::Tcp, address);
                self.voice.connected(&address.to_string())?;
            }
            LinkEvent::LoggedIn { username, room } => {
                self.state = State::Online;
                self.voice.logged_in(username.as_deref(), room.as_deref())?;
                self.username = username;
            }
            LinkEvent::Message(message) => self.hear(&message)?,
            LinkEvent::Unsent { id, reason } if self.is_pending(id) => self.give_up("unsent", &reason)?,
            LinkEvent::Rtt(rtt) => self.voice.rtt(rtt)?,
            LinkEvent::Refused { reason, error } => {
                self.voice.refused(&reason)?;
                return Err(refusal(error, reason));
            }
            LinkEvent::Lost { reason, retry_in } => {
                self.state = State::Offline;
                self.voice.lost(&reason, retry_in)?;
                self.give_up(
                    "unconfirmed",
                    "the connection was lost before this was answered: it may not have been heard",
                )?;
                if retry_in.is_none() {
                    anyhow::bail!("gave up: {reason}");
                }
            }
            LinkEvent::Disconnected => self.voice.disconnected()?,
            LinkEvent::Ended { panicked } => {
                self.state = State::Over;
                if panicked {
                    anyhow::bail!("the network thread panicked: this is a bug of netlab");
                }
            }
            LinkEvent::Unsent { .. } | LinkEvent::Wire(_) => {}
        }
        Ok(())
    }

    fn is_pending(&self, id: u64) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.id == id)
    }

    fn hear(&mut self, message: &ServerMessage) -> anyhow::Result<()> {
        let own = self.username.as_deref();
        let mut filter = None;
        if let Some(pending) = self.pending.as_mut().filter(|pending| message.answers(pending.id, own)) {
            if let Answer::Error(Fault { code: Code::RateLimited, retry_after_ms: Some(ms), .. }) =
                &message.answer
            {
                pending.until = Until::Again(Instant::now() + Duration::from_millis(*ms));
                return Ok(());
            }
            self.failures += usize::from(matches!(message.answer, Answer::Error(_)));
            filter = self.pending.take().and_then(|pending| pending.filter);
        }
        self.note_place(&message.answer)?;
        Ok(self.voice.message(&message.answer, filter.as_deref())?)
    }

    /// Notes name and room, and tells of messages that were missed: their numbers are the room's.
    fn note_place(&mut self, answer: &Answer<'_>) -> io::Result<()> {
        let (room, seq, missed_from) = match answer {
            Answer::RoomJoined(joined) => {
                let Some(seq) = joined.seq else { return Ok(()) };
                self.username = Some(joined.username.to_string());
                (&joined.room, seq, seq)
            }
            Answer::RoomEchoed(echoed) => (&echoed.room, echoed.seq, echoed.seq.saturating_sub(1)),
            Answer::RoomCreated(created) => (&created.room, 0, 0),
            Answer::RoomLeft(left) if left.members.is_none() => {
                self.heard = None;
                return Ok(());
            }
            _ => return Ok(()),
        };
        let before = self.heard.replace((room.to_string(), seq));
        match before {
            Some((same, last)) if same == **room && missed_from > last => {
                self.voice.missed(&same, missed_from - last)
            }
            _ => Ok(()),
        }
    }

    /// Drops the pending request.
    fn give_up(&mut self, event: &str, reason: &str) -> io::Result<()> {
        match self.pending.take() {
            Some(pending) => self.fail(event, &pending.line, reason),
            None => Ok(()),
        }
    }

    fn fail(&mut self, event: &str, line: &str, reason: &str) -> io::Result<()> {
        self.failures += 1;
        self.voice.failed(event, line, reason)
    }
}

/// How much of a wrong line is shown, in bytes.
const SHOWN: usize = 40;

/// What to send for a line, and which rooms to list of those that come back. `None`: nothing is sent for it.
fn request_of(meant: ChatLine) -> Option<(Request<'static>, Option<String>)> {
    let mut filter = None;
    let request = match meant {
        ChatLine::Say(text) => Request::RoomEcho(RoomEcho { text: text.into(), reference: None }),
        ChatLine::Join(room) => {
            Request::RoomJoin(RoomJoin { room: room.as_str().to_owned().into(), create: false })
        }
        ChatLine::Create(room) => Request::RoomCreate(RoomCreate { room: room.as_str().to_owned().into() }),
        ChatLine::Leave => Request::RoomLeave(Nothing {}),
        ChatLine::Rooms(text) => {
            filter = text;
            Request::RoomList(Nothing {})
        }
        ChatLine::Members(room) => {
            Request::RoomMembers(RoomMembers { room: room.map(|room| room.as_str().to_owned().into()) })
        }
        ChatLine::Quit | ChatLine::Help => return None,
    };
    Some((request, filter))
}

/// The refusal as the command line tells errors, with the next step.
fn refusal(error: Arc<ClientError>, reason: String) -> anyhow::Error {
    // The event's was the only one; where it is not, its text says the same.
    Arc::try_unwrap(error).map_or_else(|_| anyhow::Error::msg(reason), anyhow::Error::new)
}
