//! The chat: who is where, what was said, what was asked of the server and not answered yet. Pure.
//!
//! Names and texts of the server are made harmless here, on their way in.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use jiff::civil::DateTime;

use super::field::Field;
use super::history::History;
use super::log::{Log, What};
use super::update::Effect;
use super::wrap::{harmless, harmless_name};
use crate::client::ServerMessage;
use crate::protocol::message::{
    Answer, Fault, MembersOfRoom, Nothing, Request, RoomCreate, RoomEcho, RoomEchoed, RoomJoin, RoomListed,
    RoomMembers, Tag,
};
use crate::protocol::names::RoomName;
use crate::protocol::{Code, MAX_LISTED_MEMBERS};
use crate::text::counted;

/// How often the counts of the rooms are asked for: nobody tells them by itself.
pub(super) const LIST_EVERY: Duration = Duration::from_secs(5);
/// Logs that are kept, that of the room one is in included.
const MAX_LOGS: usize = 16;
/// Requests without an answer that are kept. A server that answers nothing shall not cost memory.
const MAX_ASKED: usize = 256;

/// A room in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RoomRow {
    pub(super) name: String,
    pub(super) members: usize,
    /// Somebody has gone there since one looked last.
    pub(super) news: bool,
}

/// What was asked of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Say,
    Join(String),
    Create(String),
    Leave,
    List,
    /// The members; `true`: they were asked for by name, so they are written into the log.
    Members(bool),
}

/// The chat.
#[derive(Debug)]
pub(super) struct Chat {
    /// One's own name, once the server has told it.
    pub(super) me: Option<String>,
    /// The room one is in.
    pub(super) room: Option<String>,
    /// The rooms' logs by name in lower case, that of the current room in front; the empty name is for no room.
    logs: VecDeque<(String, Log)>,
    pub(super) members: Vec<String>,
    /// How many there are: the list of a large room is cut by the server.
    pub(super) total: usize,
    pub(super) rooms: Vec<RoomRow>,
    /// The rooms were listed before: a room that was not there is news.
    listed: bool,
    pub(super) input: Field,
    pub(super) history: History,
    /// What is to be said once one is in a room.
    pub(super) warning: Option<String>,
    asked: BTreeMap<u64, Asked>,
    next_id: u64,
    /// When the rooms are to be listed again.
    list_at: Instant,
}

impl Chat {
    pub(super) fn new(now: Instant) -> Chat {
        Chat {
            me: None,
            room: None,
            logs: VecDeque::from([(String::new(), Log::default())]),
            members: Vec::new(),
            total: 0,
            rooms: Vec::new(),
            listed: false,
            input: Field::lines(),
            history: History::default(),
            warning: None,
            asked: BTreeMap::new(),
            next_id: 1,
            list_at: now,
        }
    }

    /// The log of the room one is in.
    pub(super) fn log(&self) -> &Log {
        &self.logs.front().expect("there is always a log").1
    }

    /// The same, to be changed.
    pub(super) fn log_mut(&mut self) -> &mut Log {
        &mut self.logs.front_mut().expect("there is always a log").1
    }

    /// Writes into the log of the room one is in.
    pub(super) fn note(&mut self, at: DateTime, what: What) {
        self.log_mut().push(at, what);
    }

    /// True for the room one is in.
    pub(super) fn is_here(&self, room: &str) -> bool {
        self.room.as_deref().is_some_and(|here| here.eq_ignore_ascii_case(room))
    }

    /// True for one's own name.
    pub(super) fn is_me(&self, name: &str) -> bool {
        self.me.as_deref().is_some_and(|me| me.eq_ignore_ascii_case(name))
    }

    /// Says something in the room.
    pub(super) fn say(&mut self, text: String) -> Effect {
        self.ask(Asked::Say, Request::RoomEcho(RoomEcho { text: text.into(), reference: None }))
    }

    /// Enters a room that there is.
    pub(super) fn join(&mut self, room: &str) -> Effect {
        let asked = Asked::Join(room.to_owned());
        self.ask(asked, Request::RoomJoin(RoomJoin { room: room.to_owned().into(), create: false }))
    }

    /// Makes a room and enters it.
    pub(super) fn create(&mut self, room: &str) -> Effect {
        let asked = Asked::Create(room.to_owned());
        self.ask(asked, Request::RoomCreate(RoomCreate { room: room.to_owned().into() }))
    }

    /// Leaves the room.
    pub(super) fn leave(&mut self) -> Effect {
        self.ask(Asked::Leave, Request::RoomLeave(Nothing {}))
    }

    /// Asks for the rooms.
    pub(super) fn list(&mut self, now: Instant) -> Effect {
        self.list_at = now + LIST_EVERY;
        self.ask(Asked::List, Request::RoomList(Nothing {}))
    }

    /// True if the rooms have not been listed for a while.
    pub(super) fn wants_list(&self, now: Instant) -> bool {
        now >= self.list_at
    }

    /// Asks who is in a room, and writes the answer into the log.
    pub(super) fn show_members(&mut self, room: Option<&RoomName>) -> Effect {
        let room = room.map(|room| room.as_str().to_owned().into());
        self.ask(Asked::Members(true), Request::RoomMembers(RoomMembers { room }))
    }

    fn ask(&mut self, asked: Asked, request: Request<'static>) -> Effect {
        let id = self.next_id;
        self.next_id += 1;
        self.asked.insert(id, asked);
        if self.asked.len() > MAX_ASKED {
            self.asked.pop_first();
        }
        Effect::Send { id, request }
    }

    /// A request that was not sent.
    pub(super) fn unsent(&mut self, at: DateTime, id: u64, reason: &str) {
        if let Some(asked) = self.asked.remove(&id) {
            self.note(at, What::Alert(format!("{}: {}", failure(&asked), harmless_name(reason))));
        }
    }

    /// The connection is gone: nothing that was asked will be answered.
    pub(super) fn forget_asked(&mut self, at: DateTime) {
        let unheard = self.asked.values().filter(|asked| **asked == Asked::Say).count() as u64;
        if unheard > 0 {
            let what = counted(unheard, "message");
            let text = format!("{what} may not have arrived; the arrow up brings back what you typed");
            self.note(at, What::Alert(text));
        }
        self.asked.clear();
        self.members.clear();
        self.total = 0;
    }

    /// Notes that one has looked at the list of rooms.
    pub(super) fn look_at_rooms(&mut self) {
        for room in &mut self.rooms {
            room.news = false;
        }
    }

    /// Takes a message of the server. `seen`: the end of the log is in sight.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        at: DateTime,
        message: ServerMessage,
        seen: bool,
    ) -> Vec<Effect> {
        let asked = match (&message.id, &message.answer) {
            (Some(Tag::Number(id)), _) => self.asked.remove(id),
            (_, Answer::RoomEchoed(echoed)) => {
                if let (Some(Tag::Number(id)), true) = (&echoed.reference, self.is_me(&echoed.from)) {
                    self.asked.remove(id);
                }
                None
            }
            _ => None,
        };
        match message.answer {
            Answer::RoomEchoed(echoed) => self.said(at, &echoed, seen),
            Answer::RoomJoined(joined) => match joined.seq {
                Some(seq) => {
                    self.me = Some(harmless_name(&joined.username));
                    return self.enter(now, at, &joined.room, joined.members, seq);
                }
                None => self.joined(at, &joined.room, &joined.username, joined.members),
            },
            Answer::RoomCreated(created) => return self.enter(now, at, &created.room, 1, 0),
            Answer::RoomLeft(left) => {
                let Some(members) = left.members else {
                    self.leave_room(at, &left.room);
                    return vec![self.list(now)];
                };
                self.left(at, &left.room, &left.username, members);
            }
            Answer::RoomListed(listed) => self.listed(&listed),
            Answer::RoomMembers(members) => self.members(at, &members, asked == Some(Asked::Members(true))),
            Answer::Error(fault) => self.refused(at, asked.as_ref(), &fault),
            _ => {}
        }
        Vec::new()
    }

    fn said(&mut self, at: DateTime, echoed: &RoomEchoed<'_>, seen: bool) {
        let seen = seen && self.is_here(&echoed.room);
        let (from, text) = (harmless_name(&echoed.from), harmless(&echoed.text));
        self.log_of(&echoed.room).say(at, echoed.seq, from, text, seen);
    }

    fn enter(&mut self, now: Instant, at: DateTime, room: &str, members: usize, seq: u64) -> Vec<Effect> {
        let name = harmless_name(room);
        let key = name.to_ascii_lowercase();
        let (_, log) = self.take_log(&key);
        self.logs.push_front((key, log));
        self.logs.truncate(MAX_LOGS);
        self.log_mut().enter(at, seq);
        let people = if members == 1 { "nobody else is".into() } else { format!("{members} members are") };
        self.note(at, What::Note(format!("you are in {name}: {people} here")));
        if let Some(warning) = self.warning.take() {
            self.note(at, What::Alert(warning));
        }
        self.room = Some(name);
        self.members = self.me.iter().cloned().collect();
        self.total = members;
        if let Some(row) = self.rooms.iter_mut().find(|row| row.name.eq_ignore_ascii_case(room)) {
            row.news = false;
        }
        let who = self.ask(Asked::Members(false), Request::RoomMembers(RoomMembers { room: None }));
        vec![who, self.list(now)]
    }

    fn leave_room(&mut self, at: DateTime, room: &str) {
        let (key, log) = self.take_log("");
        self.logs.push_front((key, log));
        self.room = None;
        self.members.clear();
        self.total = 0;
        let text = format!("you left {}: /join ROOM or F3 enters another", harmless_name(room));
        self.note(at, What::Note(text));
    }

    fn joined(&mut self, at: DateTime, room: &str, name: &str, members: usize) {
        if !self.is_here(room) {
            return;
        }
        let name = harmless_name(name);
        if !self.members.contains(&name) && self.members.len() < MAX_LISTED_MEMBERS {
            self.members.push(name.clone());
            sort_names(&mut self.members);
        }
        self.count(members);
        self.note(at, What::Joined(name));
    }

    fn left(&mut self, at: DateTime, room: &str, name: &str, members: usize) {
        if !self.is_here(room) {
            return;
        }
        let name = harmless_name(name);
        self.members.retain(|member| *member != name);
        self.count(members);
        self.note(at, What::Left(name));
    }

    /// The members of the room one is in.
    fn count(&mut self, members: usize) {
        self.total = members;
        let here = self.room.clone().unwrap_or_default();
        if let Some(row) = self.rooms.iter_mut().find(|row| row.name.eq_ignore_ascii_case(&here)) {
            row.members = members;
        }
    }

    fn listed(&mut self, listed: &RoomListed<'_>) {
        let mut rows: Vec<RoomRow> = Vec::with_capacity(listed.rooms.len());
        for room in &listed.rooms {
            let name = harmless_name(&room.room);
            let before = self.rooms.iter().find(|row| row.name == name);
            let more =
                before.map_or(self.listed && room.members > 0, |row| row.news || room.members > row.members);
            let news = more && !self.is_here(&name);
            rows.push(RoomRow { name, members: room.members, news });
        }
        rows.sort_by_cached_key(|row| row.name.to_ascii_lowercase());
        self.rooms = rows;
        self.listed = true;
    }

    fn members(&mut self, at: DateTime, answer: &MembersOfRoom<'_>, show: bool) {
        let mut names: Vec<String> =
            answer.members.iter().take(MAX_LISTED_MEMBERS).map(|name| harmless_name(name)).collect();
        sort_names(&mut names);
        if show {
            let more = answer.total.saturating_sub(names.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let room = harmless_name(&answer.room);
            let text = format!("in {room} ({}): {}{more}", answer.total, names.join(", "));
            self.note(at, What::Note(text));
        }
        if self.is_here(&answer.room) {
            self.members = names;
            self.count(answer.total);
        }
    }

    fn refused(&mut self, at: DateTime, asked: Option<&Asked>, fault: &Fault<'_>) {
        let message = harmless_name(&fault.message);
        let what = asked.map_or("the server says".to_owned(), failure);
        let next = match (asked, fault.code, fault.retry_after_ms) {
            (Some(Asked::Join(room)), Code::NoSuchRoom, _) => format!("; /create {room} makes it"),
            (Some(Asked::Create(room)), Code::RoomExists, _) => format!("; /join {room} enters it"),
            (Some(Asked::Say), Code::NotInRoom, _) => "; /join ROOM or F3 enters one".to_owned(),
            (Some(Asked::Say), Code::RateLimited, Some(ms)) => {
                format!("; the arrow up brings it back, wait {ms} ms")
            }
            _ => String::new(),
        };
        // A list that is asked for every few seconds can do without a complaint.
        if asked != Some(&Asked::List) {
            self.note(at, What::Alert(format!("{what}: {message}{next}")));
        }
    }

    /// The log of a room, made if there is none.
    fn log_of(&mut self, room: &str) -> &mut Log {
        let key = harmless_name(room).to_ascii_lowercase();
        let at = self.logs.iter().position(|(name, _)| *name == key);
        let at = at.unwrap_or_else(|| {
            self.logs.truncate(MAX_LOGS - 1);
            self.logs.push_back((key, Log::default()));
            self.logs.len() - 1
        });
        &mut self.logs[at].1
    }

    fn take_log(&mut self, key: &str) -> (String, Log) {
        let at = self.logs.iter().position(|(name, _)| name == key);
        at.and_then(|at| self.logs.remove(at)).unwrap_or((key.to_owned(), Log::default()))
    }
}

fn sort_names(names: &mut [String]) {
    names.sort_by_cached_key(|name| name.to_ascii_lowercase());
}

/// What did not work.
fn failure(asked: &Asked) -> String {
    match asked {
        Asked::Say => "not said".to_owned(),
        Asked::Join(room) => format!("can't enter {room}"),
        Asked::Create(room) => format!("can't make {room}"),
        Asked::Leave => "can't leave".to_owned(),
        Asked::List => "can't list the rooms".to_owned(),
        Asked::Members(_) => "can't list the members".to_owned(),
    }
}
