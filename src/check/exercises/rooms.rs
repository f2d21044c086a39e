//! `rooms`: the core of the room server's protocol. Users with unique names, who join, leave, list and speak.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::json::{Json, NOTICES, error, frames, message, probe_of};
use crate::check::case::{Case, Shape, of_streams};
use crate::check::codec::Codec;
use crate::check::exercise::{Exercise, Lab};
use crate::check::plan::{Dialect, Probe, Turn};
use crate::check::script::{Act, Script};
use crate::check::variant::{Random, Variant};
use crate::net::table::Transport;

/// After a client has left: by then, a server has noticed.
const NOTICED: Duration = Duration::from_millis(500);

struct Rooms {
    json: Json,
    /// Names are unique, so each login takes another one.
    logins: AtomicUsize,
    word: String,
}

impl Dialect for Rooms {
    fn codec(&self) -> Codec {
        self.json.codec
    }

    fn opening(&self, _client: usize) -> Vec<Turn> {
        let number = self.logins.fetch_add(1, Ordering::SeqCst);
        let name = format!("{}{number}", self.word);
        vec![self.json.turn(&login(&name), logged_in(&name))]
    }

    fn ask(&self, _client: usize, payload: &[u8]) -> Turn {
        let text = String::from_utf8_lossy(payload);
        let echo = message("ROOM_ECHO", &json!({"text": text}));
        self.json.turn(&echo, json!({"type": "ROOM_ECHOED", "data": {"text": text}}))
    }
}

fn login(name: &str) -> Value {
    message("LOGIN", &json!({"username": name}))
}

fn logged_in(name: &str) -> Value {
    json!({"type": "LOGGED_IN", "data": {"username": name}})
}

pub(super) fn rooms(variant: &Variant, seed: u64) -> Exercise {
    let (json, prefix) = Json::of(variant);
    let word = Random::new(seed ^ 0x5eed).word();
    let dialect = Rooms { json, logins: AtomicUsize::new(1), word };
    let shape = Shape {
        message: "message",
        once: false,
        many: true,
        empty: false,
        binary: false,
        largest: 32_768,
        bad: vec![
            vec![0],
            json.frame(b"no json"),
            json.frame(b"[1]"),
            json.frame(b"\xff\xfe"),
            json.frame(b"{\"type\":7}"),
            json.frame(b"{\"type\":\"\xc3\x28\"}"),
            json.frame(b"{\"type\":\"LOGIN\",\"data\":{}}"),
            json.frame(b"{\"type\":\"LOGIN\",\"data\":[7]}"),
            json.frame(b"{\"type\":\"LOGIN\",\"data\":{\"username\":7}}"),
        ],
    };
    let mut cases = of_streams(&dialect, &shape, seed);
    cases.extend(rules(json, &mut Random::new(seed)));
    Exercise {
        name: "rooms",
        summary: "A server of chat rooms",
        specification: format!(
            "A TCP server. {}\n\nThe client's requests and their answers, each to whoever asked:\n\n{REQUESTS}\n\n{RULES}",
            frames(prefix)
        ),
        lab: Lab { folder: "10-rooms", section: "The protocol" },
        transport: Transport::Tcp,
        once: false,
        env: Vec::new(),
        folder_env: None,
        cases,
        dialect: Arc::new(dialect),
    }
}

const REQUESTS: &str = "\
  LOGIN {username}: LOGGED_IN {username, room}; then the user is in the room `default`
  ROOM_CREATE {room}: ROOM_CREATED {room}, and the user is in it
  ROOM_JOIN {room}: ROOM_JOINED {room, username, members}; members is how many are in it now
  ROOM_LEAVE: ROOM_LEFT {room, username}; the user is in no room then
  ROOM_LIST: ROOM_LISTED {rooms: [{room, members}, ...]}
  ROOM_ECHO {text}: ROOM_ECHOED {room, from, text}, to all in the room, the sender included";

const RULES: &str = "\
Others in a room are told ROOM_JOINED {room, username, members} when a user comes, and ROOM_LEFT {room, username, members} when one goes, \
by leaving, by joining another room, or because the connection ended. A room that a user created vanishes with its last member. Names of \
users are unique while they are connected.

What can't be done is answered by ERROR {code, message}, and the connection goes on. Codes: `bad_json` (no JSON), `bad_message` (no object, \
no type, or data that is missing), `unknown_type`, `name_taken`, `no_such_room`, `room_exists`, `not_in_room` (ROOM_ECHO or ROOM_LEAVE in no room).

Text has up to 32,000 bytes. When the client ends its side, the server sends what is left to send and closes. Where the stream is cut into segments \
means nothing. Several clients are served at once, for as long as the server runs; whatever one of them sends, and however it leaves (a reset, too), \
harms no other.";

/// Two users and a room of their own: a server may remember those of an earlier script for a moment.
struct Cast {
    json: Json,
    ada: String,
    bob: String,
    room: String,
}

impl Cast {
    fn new(json: Json, random: &mut Random) -> Cast {
        let mut named = |name: &str| format!("{name}-{}", random.word());
        Cast { json, ada: named("ada"), bob: named("bob"), room: named("room") }
    }

    fn enter(&self, script: &mut Script, client: usize, name: &str) {
        script.add(client, Act::Open { holds: false });
        self.json.ask(script, client, &login(name), logged_in(name));
    }

    /// Ada makes the room.
    fn founded(&self) -> Script {
        let mut script = Script::default();
        self.enter(&mut script, 0, &self.ada);
        let create = message("ROOM_CREATE", &json!({"room": self.room}));
        let created = json!({"type": "ROOM_CREATED", "data": {"room": self.room}});
        self.json.ask(&mut script, 0, &create, created);
        script
    }

    fn joined(&self) -> Value {
        json!({"type": "ROOM_JOINED", "data": {"room": self.room, "username": self.bob, "members": 2}})
    }

    fn left(&self) -> Value {
        json!({"type": "ROOM_LEFT", "data": {"room": self.room, "username": self.bob}})
    }

    /// Ada makes the room, Bob joins it.
    fn together(&self) -> Script {
        let mut script = self.founded();
        self.enter(&mut script, 1, &self.bob);
        self.json.ask(&mut script, 1, &message("ROOM_JOIN", &json!({"room": self.room})), self.joined());
        script
    }

    /// Somebody asks for the list, which counts so many in the room.
    fn counts(&self, script: &mut Script, client: usize, members: u32) {
        let listed =
            json!({"type": "ROOM_LISTED", "data": {"rooms": [{"room": self.room, "members": members}]}});
        self.json.ask(script, client, &json!({"type": "ROOM_LIST"}), listed);
    }
}

fn speak(text: &str) -> Value {
    message("ROOM_ECHO", &json!({"text": text}))
}

fn spoken(from: &str, text: &str) -> Value {
    json!({"type": "ROOM_ECHOED", "data": {"from": from, "text": text}})
}

fn rules(json: Json, random: &mut Random) -> Vec<Case> {
    let cast = Cast::new(json, random);
    let mut names = Script::default();
    cast.enter(&mut names, 0, &cast.ada);
    names.add(1, Act::Open { holds: false });
    json.ask(&mut names, 1, &login(&cast.ada), error("name_taken"));
    json.ask(&mut names, 1, &login(&cast.bob), logged_in(&cast.bob));

    let cast = Cast::new(json, random);
    let mut joins = cast.together();
    joins.add(0, Act::Expect(json.answer(cast.joined(), &[])));
    cast.counts(&mut joins, 0, 2);

    let cast = Cast::new(json, random);
    let mut echo = cast.together();
    json.ask(&mut echo, 1, &speak("hear me"), spoken(&cast.bob, "hear me"));
    echo.add(0, Act::Expect(json.answer(spoken(&cast.bob, "hear me"), &["ROOM_JOINED"])));

    let cast = Cast::new(json, random);
    let mut apart = cast.founded();
    cast.enter(&mut apart, 1, &cast.bob);
    json.ask(&mut apart, 1, &speak("elsewhere"), spoken(&cast.bob, "elsewhere"));
    json.send(&mut apart, 0, speak("here").to_string().as_bytes());
    apart.add(0, Act::Expect(json.answer(spoken(&cast.ada, "here"), &["ROOM_LEFT", "ROOM_JOINED"])));

    let cast = Cast::new(json, random);
    let mut leave = cast.together();
    json.ask(&mut leave, 1, &json!({"type": "ROOM_LEAVE"}), cast.left());
    leave.add(0, Act::Expect(json.answer(cast.left(), &["ROOM_JOINED"])));
    json.ask(&mut leave, 1, &speak("x"), error("not_in_room"));

    let home = message("ROOM_JOIN", &json!({"room": "default"}));
    let at_home = |name: &str| json!({"type": "ROOM_JOINED", "data": {"room": "default", "username": name}});

    let cast = Cast::new(json, random);
    let mut moves = cast.together();
    json.ask(&mut moves, 1, &home, at_home(&cast.bob));
    moves.add(0, Act::Expect(json.answer(cast.left(), &["ROOM_JOINED"])));
    cast.counts(&mut moves, 0, 1);

    let cast = Cast::new(json, random);
    let mut empty = cast.founded();
    json.ask(&mut empty, 0, &home, at_home(&cast.ada));
    json.ask(&mut empty, 0, &message("ROOM_JOIN", &json!({"room": cast.room})), error("no_such_room"));

    let ruled = |name, expected: &str, needs: &[&'static str], script| {
        Case::new(name, expected, needs).probe(Probe::Rules, script)
    };
    let two = &["next-client"];
    let joined = "Who joins a room is told how many are in it, the others are told who came, and the list counts them.";
    vec![
        ruled("unique-names", "A name that is taken is refused, and another one is not.", two, names),
        ruled("join-and-list", joined, two, joins),
        ruled("echo-to-all", "What one says in a room reaches all who are in it.", &["join-and-list"], echo),
        ruled("rooms-apart", "What one says in a room reaches nobody outside of it.", two, apart),
        ruled(
            "leave",
            "Who leaves is in no room any more, and the others are told.",
            &["join-and-list"],
            leave,
        ),
        ruled(
            "another-room",
            "Who joins another room has left the one before, and the others there are told.",
            &["join-and-list"],
            moves,
        ),
        ruled("empty-room", "A room vanishes with its last member.", &["join-and-list"], empty),
        errors(json, random),
        gone(json, random),
    ]
}

/// Each error has its code, and the connection goes on.
fn errors(json: Json, random: &mut Random) -> Case {
    let expected = "What can't be done is answered by its error, and the connection goes on.";
    let mut case = Case::new("errors", expected, &["one-message"]);
    let wrong: [(&[u8], &str); 7] = [
        (b"no json", "bad_json"),
        (b"", "bad_json"),
        (b"[1]", "bad_message"),
        (b"{\"data\":{}}", "bad_message"),
        (b"{\"type\":\"NO_SUCH_TYPE\"}", "unknown_type"),
        (b"{\"type\":\"ROOM_JOIN\",\"data\":{}}", "bad_message"),
        (b"{\"type\":\"ROOM_JOIN\",\"data\":{\"room\":\"nowhere\"}}", "no_such_room"),
    ];
    for (payload, code) in wrong {
        let players = Cast::new(json, random);
        let mut script = Script::default();
        players.enter(&mut script, 0, &players.ada);
        json.send(&mut script, 0, payload);
        script.add(0, Act::Expect(json.answer(error(code), NOTICES)));
        json.ask(&mut script, 0, &speak("still here"), spoken(&players.ada, "still here"));
        case = case.probe(probe_of(payload), script);
    }
    case
}

/// Who has closed its connection is gone: from the list, from the names, and the others are told.
fn gone(json: Json, random: &mut Random) -> Case {
    let expected =
        "Who has closed its connection is gone: from the list, from the names, and the others are told.";
    let mut gone = Case::new("gone", expected, &["join-and-list"]);
    for leaves in [Act::Close, Act::Reset] {
        let cast = Cast::new(json, random);
        let mut counted = cast.together();
        counted.add(1, leaves.clone()).add(0, Act::Pause(NOTICED));
        cast.counts(&mut counted, 0, 1);

        let cast = Cast::new(json, random);
        let mut named = cast.together();
        named.add(1, leaves).add(0, Act::Pause(NOTICED));
        cast.enter(&mut named, 2, &cast.bob);
        gone = gone.probe(Probe::GoneMember, counted).probe(Probe::GoneMember, named);
    }
    let cast = Cast::new(json, random);
    let mut told = cast.together();
    told.add(1, Act::Close).add(0, Act::Expect(json.answer(cast.left(), &["ROOM_JOINED"])));
    gone.probe(Probe::Rules, told)
}
