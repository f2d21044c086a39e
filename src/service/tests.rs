//! The service against a clock that is moved by hand, without a socket.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::protocol::names::ClientId;
use crate::protocol::proof::{self, NO_BINDING, Transcript};

/// A room server without a network: it carries actions out on lists.
struct Bench {
    service: Dispatcher,
    now: Instant,
    actions: Actions,
    nonces: u8,
    /// What each session was sent and has not taken yet.
    inbox: HashMap<SessionId, VecDeque<Value>>,
    groups: HashMap<RoomId, Vec<SessionId>>,
    closed: Vec<SessionId>,
    work: VecDeque<(Ticket, Job)>,
}

const SERVER: &str = "127.0.0.1:12000";

impl Bench {
    fn new(config: Config) -> Bench {
        let (now, mut actions) = (Instant::now(), Actions::default());
        let service = Dispatcher::new(config, now, &mut actions);
        let mut bench = Bench {
            service,
            now,
            actions,
            nonces: 0,
            inbox: HashMap::new(),
            groups: HashMap::new(),
            closed: Vec::new(),
            work: VecDeque::new(),
        };
        bench.carry_out();
        bench
    }

    fn open() -> Bench {
        Bench::new(Config::default())
    }

    fn connect(&mut self) -> SessionId {
        let session = self.service.connected(self.now, SERVER, &mut self.actions).expect("a place");
        self.inbox.insert(session, VecDeque::new());
        self.carry_out();
        session
    }

    fn send(&mut self, session: SessionId, payload: &str) {
        let nonce = self.nonces;
        self.nonces += 1;
        let entropy = &mut || [nonce; 32];
        self.service.handle(self.now, session, payload.as_bytes(), entropy, &mut self.actions);
        self.carry_out();
    }

    /// Sends a request and takes the first message that it brings.
    #[expect(clippy::needless_pass_by_value, reason = "`json!` makes a value where it is passed")]
    fn ask(&mut self, session: SessionId, kind: &str, data: Value) -> Value {
        self.send(session, &json!({"type": kind, "data": data, "id": 1}).to_string());
        self.take(session)
    }

    fn take(&mut self, session: SessionId) -> Value {
        self.inbox.get_mut(&session).expect("a session").pop_front().unwrap_or(Value::Null)
    }

    fn take_all(&mut self, session: SessionId) -> Vec<Value> {
        std::mem::take(self.inbox.get_mut(&session).expect("a session")).into()
    }

    fn finish(&mut self, done: Done) {
        let (ticket, _) = self.work.pop_front().expect("work");
        self.service.finished(self.now, ticket, done, &mut self.actions);
        self.carry_out();
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        let sessions: Vec<SessionId> = self.inbox.keys().copied().collect();
        for session in sessions {
            self.service.deadline(self.now, session, &mut self.actions);
        }
        self.carry_out();
    }

    fn join(&mut self, name: &str, room: &str) -> SessionId {
        let session = self.connect();
        assert_eq!(self.ask(session, "LOGIN", json!({"username": name}))["type"], "LOGGED_IN");
        self.ask(session, "ROOM_JOIN", json!({"room": room, "create": true}));
        self.take_all(session);
        session
    }

    fn carry_out(&mut self) {
        let mut actions = std::mem::take(&mut self.actions);
        let (list, payloads) = actions.drain();
        for action in list {
            let message =
                |range: Range<usize>| serde_json::from_slice::<Value>(&payloads[range]).expect("JSON");
            match action {
                Action::Send(to, payload) => self.inbox.entry(to).or_default().push_back(message(payload)),
                Action::Cast(room, payload) => {
                    for member in &self.groups[&room] {
                        self.inbox.entry(*member).or_default().push_back(message(payload.clone()));
                    }
                }
                Action::Open(room) => assert!(self.groups.insert(room, Vec::new()).is_none()),
                Action::Join(session, room) => self.groups.get_mut(&room).expect("open").push(session),
                Action::Leave(session) => {
                    let member = |members: &mut Vec<SessionId>| {
                        members.iter().position(|m| *m == session).map(|at| members.remove(at)).is_some()
                    };
                    assert_eq!(self.groups.values_mut().filter_map(|m| member(m).then_some(())).count(), 1);
                }
                Action::Drop(room) => assert_eq!(self.groups.remove(&room), Some(Vec::new()), "not empty"),
                Action::Close(session) => self.closed.push(session),
                Action::Work(ticket, job) => self.work.push_back((ticket, job)),
                Action::Report(_) => {}
            }
        }
        actions.clear();
        self.actions = actions;
    }
}

fn code(message: &Value) -> &str {
    assert_eq!(message["type"], "ERROR", "{message}");
    message["data"]["code"].as_str().expect("a code")
}

fn users(key: [u8; 32]) -> Users {
    let mut users = Users::default();
    for (name, role) in [("Ada", Role::Student), ("Bob", Role::Student), ("Eve", Role::Teacher)] {
        let name = Username::parse(name).unwrap();
        let password_hash = Some(format!("hash of {name}"));
        users.insert(User { name, role, password_hash, key: Some(key) });
    }
    users
}

fn with_auth(auth: Auth) -> Bench {
    Bench::new(Config { auth, users: users([9; 32]), ..Config::default() })
}

/// Logs in by key; returns the answer.
fn prove(bench: &mut Bench, session: SessionId, name: &str, key: [u8; 32]) -> Value {
    let client = [0x55; 32];
    let challenge = bench.ask(session, "AUTH", json!({"username": name, "nonce": proof::to_hex(&client)}));
    let nonce = proof::from_hex(challenge["data"]["nonce"].as_str().expect("a nonce")).unwrap();
    let transcript = Transcript::new(name, SERVER, &client, &nonce, NO_BINDING);
    bench.ask(session, "PROOF", json!({"mac": proof::to_hex(&transcript.client_mac(&key))}))
}

#[test]
fn a_login_is_answered_then_the_room_is() {
    let mut bench = Bench::open();
    let ada = bench.connect();
    let answer = bench.ask(ada, "LOGIN", json!({"username": "Ada", "password": "ignored"}));
    assert_eq!(answer, json!({"type": "LOGGED_IN", "data": {"username": "Ada", "room": "default"}, "id": 1}));
    let joined = json!({"room": "default", "username": "Ada", "members": 1, "seq": 0});
    assert_eq!(bench.take(ada), json!({"type": "ROOM_JOINED", "data": joined}));
    let bob = bench.connect();
    bench.ask(bob, "LOGIN", json!({"username": "Bob"}));
    let notice = json!({"room": "default", "username": "Bob", "members": 2});
    assert_eq!(
        bench.take(ada),
        json!({"type": "ROOM_JOINED", "data": notice}),
        "the others see it without seq and id"
    );
}

#[test]
fn connecting_joins_no_room_and_strangers_may_talk() {
    let mut bench = Bench::open();
    let stranger = bench.connect();
    assert!(bench.groups.values().all(Vec::is_empty));
    assert_eq!(code(&bench.ask(stranger, "ROOM_ECHO", json!({"text": "x"}))), "not_in_room");
    let joined = bench.ask(stranger, "ROOM_JOIN", json!({"room": "DEFAULT"}));
    assert_eq!(joined["data"], json!({"room": "default", "username": "anon1", "members": 1, "seq": 0}));
    assert_eq!(bench.ask(stranger, "ROOM_ECHO", json!({"text": "x"}))["data"]["from"], "anon1");
    assert_eq!(
        code(&bench.ask(stranger, "RECORD_WRITE", json!({"client_id": "a", "text": ""}))),
        "unauthorized"
    );
}

#[test]
fn one_is_in_one_room_and_leaves_no_ghost() {
    let mut bench = Bench::open();
    let (ada, bob) = (bench.join("Ada", "one"), bench.join("Bob", "one"));
    bench.take_all(ada);
    let created = bench.ask(bob, "ROOM_CREATE", json!({"room": "two"}));
    assert_eq!(created, json!({"type": "ROOM_CREATED", "data": {"room": "two"}, "id": 1}));
    let left = json!({"room": "one", "username": "Bob", "members": 1});
    assert_eq!(bench.take(ada), json!({"type": "ROOM_LEFT", "data": left}));
    bench.ask(bob, "ROOM_ECHO", json!({"text": "not for one"}));
    assert_eq!(bench.take(ada), Value::Null);
    bench.service.disconnected(bob, &mut bench.actions);
    bench.carry_out();
    let rooms = bench.ask(ada, "ROOM_LIST", json!({}))["data"]["rooms"].clone();
    assert_eq!(rooms, json!([{"room": "default", "members": 0}, {"room": "one", "members": 1}]));
    let members = bench.ask(ada, "ROOM_MEMBERS", json!({}))["data"].clone();
    assert_eq!(members, json!({"room": "one", "members": ["Ada"], "total": 1}));
    let answer = bench.ask(ada, "ROOM_LEAVE", json!({}));
    assert_eq!(answer["data"], json!({"room": "one", "username": "Ada"}));
    assert_eq!(bench.groups.len(), 1, "an empty room vanishes, default stays");
    assert_eq!(code(&bench.ask(ada, "ROOM_LEAVE", json!({}))), "not_in_room");
}

#[test]
fn a_kept_room_stays_when_it_is_empty() {
    let rooms = vec![RoomName::parse("lab").unwrap(), RoomName::parse("Default").unwrap()];
    let mut bench = Bench::new(Config { rooms, ..Config::default() });
    let ada = bench.join("Ada", "lab");
    bench.ask(ada, "ROOM_LEAVE", json!({}));
    let listed = bench.ask(ada, "ROOM_LIST", json!({}))["data"]["rooms"].as_array().unwrap().len();
    assert_eq!(listed, 2);
}

#[test]
fn joining_the_same_room_again_is_answered_to_the_sender_alone() {
    let mut bench = Bench::open();
    let (ada, bob) = (bench.join("Ada", "one"), bench.join("Bob", "one"));
    bench.take_all(ada);
    let again = bench.ask(bob, "ROOM_JOIN", json!({"room": "ONE"}));
    assert_eq!(again["data"], json!({"room": "one", "username": "Bob", "members": 2, "seq": 0}));
    assert_eq!(bench.take(ada), Value::Null);
}

#[test]
fn names_are_unique_without_case_and_free_again() {
    let mut bench = Bench::open();
    let ada = bench.join("Ada", "one");
    let other = bench.connect();
    assert_eq!(code(&bench.ask(other, "LOGIN", json!({"username": "aDA"}))), "name_taken");
    assert_eq!(code(&bench.ask(other, "LOGIN", json!({"username": "anon7"}))), "bad_name");
    assert_eq!(code(&bench.ask(other, "LOGIN", json!({"username": "a b"}))), "bad_name");
    bench.service.disconnected(ada, &mut bench.actions);
    bench.carry_out();
    assert_eq!(bench.ask(other, "LOGIN", json!({"username": "ADA"}))["type"], "LOGGED_IN");
    bench.take_all(other);
    assert_eq!(code(&bench.ask(other, "LOGIN", json!({"username": "x"}))), "wrong_state");
}

#[test]
fn a_login_in_a_room_keeps_the_room_and_renames() {
    let mut bench = Bench::open();
    let ada = bench.join("Ada", "one");
    let stranger = bench.connect();
    bench.ask(stranger, "ROOM_JOIN", json!({"room": "one"}));
    bench.take_all(ada);
    assert_eq!(bench.ask(stranger, "LOGIN", json!({"username": "Bob"}))["data"]["room"], "one");
    let seen: Vec<Value> =
        bench.take_all(ada).iter().map(|m| json!([m["type"], m["data"]["username"]])).collect();
    assert_eq!(seen, [json!(["ROOM_LEFT", "anon2"]), json!(["ROOM_JOINED", "Bob"])]);
}

#[test]
fn seq_has_no_gaps_and_everyone_gets_the_same_frame() {
    let mut bench = Bench::open();
    let (ada, bob) = (bench.join("Ada", "one"), bench.join("Bob", "one"));
    bench.take_all(ada);
    for n in 1..=5_u64 {
        bench.send(ada, &json!({"type": "ROOM_ECHO", "data": {"text": n.to_string()}, "id": n}).to_string());
        // A refused one takes no number.
        bench.send(bob, &json!({"type": "ROOM_ECHO", "data": {"text": "x".repeat(40_000)}}).to_string());
    }
    let (to_ada, to_bob) = (bench.take_all(ada), bench.take_all(bob));
    assert_eq!(to_ada.len(), 5);
    assert_eq!(
        to_ada[2],
        json!({"type": "ROOM_ECHOED",
        "data": {"room": "one", "from": "Ada", "text": "3", "seq": 3, "ref": 3}}),
        "an id becomes the ref"
    );
    let heard: Vec<&Value> = to_bob.iter().filter(|m| m["type"] == "ROOM_ECHOED").collect();
    assert_eq!(heard, to_ada.iter().collect::<Vec<_>>());
    let late = bench.join("Eve", "two");
    assert_eq!(bench.ask(late, "ROOM_JOIN", json!({"room": "one"}))["data"]["seq"], 5);
}

#[test]
fn an_answer_over_the_frame_limit_is_a_bad_message_with_its_id() {
    let mut bench = Bench::open();
    let ada = bench.join("Ada", "one");
    // Escaped, each of these takes six bytes.
    let text = "\u{1}".repeat(20_000);
    let refused = bench.ask(ada, "ROOM_ECHO", json!({ "text": text }));
    assert_eq!((code(&refused), &refused["id"]), ("bad_message", &json!(1)));
    let refused = bench.ask(ada, "RECORD_WRITE", json!({"client_id": "ada", "text": text}));
    assert_eq!(code(&refused), "bad_message");
    assert!(bench.work.is_empty());
}

#[test]
fn the_tenth_malformed_message_closes() {
    let mut bench = Bench::open();
    let ada = bench.join("Ada", "one");
    for n in 1..=10 {
        assert!(bench.closed.is_empty(), "closed after {n}");
        bench.send(ada, if n % 2 == 0 { "{" } else { "{\"type\":\"NO_SUCH\"}" });
        let expected = if n % 2 == 0 { "bad_json" } else { "unknown_type" };
        assert_eq!(code(&bench.take(ada)), expected);
    }
    assert_eq!(bench.take(ada)["type"], "BYE");
    assert_eq!(bench.closed, [ada]);
    assert!(bench.groups.values().all(Vec::is_empty), "no ghost");
}

#[test]
fn too_many_messages_are_told_when_to_go_on() {
    let mut bench = Bench::open();
    let ada = bench.connect();
    for _ in 0..60 {
        assert_eq!(bench.ask(ada, "PING", json!(7))["data"], 7);
    }
    let refused = bench.ask(ada, "PING", json!(7));
    assert_eq!(
        (code(&refused), &refused["data"]["retry_after_ms"], &refused["id"]),
        ("rate_limited", &json!(50), &json!(1))
    );
    bench.now += Duration::from_millis(50);
    assert_eq!(bench.ask(ada, "PING", json!(7))["type"], "PONG");
}

#[test]
fn the_number_of_rooms_and_connections_is_limited() {
    let limits = Limits { rooms: 1, connections: 2, ..Limits::default() };
    let mut bench = Bench::new(Config { limits, ..Config::default() });
    let (ada, bob) = (bench.join("Ada", "one"), bench.connect());
    assert_eq!(code(&bench.ask(bob, "ROOM_CREATE", json!({"room": "two"}))), "limit");
    assert_eq!(code(&bench.ask(bob, "ROOM_JOIN", json!({"room": "two", "create": true}))), "limit");
    assert_eq!(code(&bench.ask(bob, "ROOM_CREATE", json!({"room": "ONE"}))), "room_exists");
    assert_eq!(code(&bench.ask(bob, "ROOM_JOIN", json!({"room": "two"}))), "no_such_room");
    let info = bench.ask(ada, "INFO", json!({}))["data"].clone();
    assert_eq!(
        (&info["connections"], &info["free_connections"], &info["rooms"]),
        (&json!(2), &json!(0), &json!(2))
    );
    let refusal = bench.service.connected(bench.now, SERVER, &mut bench.actions).unwrap_err();
    let refusal: Vec<Value> =
        refusal.iter().map(|payload| serde_json::from_slice(payload).unwrap()).collect();
    assert_eq!((code(&refusal[0]), &refusal[1]["type"]), ("busy", &json!("BYE")));
}

#[test]
fn silence_and_unfinished_frames_are_timed() {
    let mut bench = Bench::open();
    let (idle, slow) = (bench.connect(), bench.connect());
    bench.service.begun(bench.now, slow, true);
    bench.pass(9);
    // More bytes of the same frame do not extend its time.
    bench.service.begun(bench.now, slow, true);
    assert!(bench.closed.is_empty());
    bench.pass(1);
    assert_eq!(bench.closed, [slow]);
    assert_eq!((code(&bench.take(slow)), &bench.take(slow)["type"]), ("timeout", &json!("BYE")));
    bench.pass(289);
    assert_eq!(bench.closed, [slow]);
    bench.pass(1);
    assert_eq!(bench.closed, [slow, idle]);
}

#[test]
fn before_a_demanded_login_little_is_heard() {
    let mut bench = with_auth(Auth::Hmac);
    let stranger = bench.connect();
    for kind in ["ROOM_CREATE", "ROOM_JOIN", "ROOM_LIST", "ROOM_LEAVE", "ROOM_ECHO", "INFO", "RECORD_READ"] {
        let data = json!({"room": "a", "text": "b", "client_id": "c"});
        assert_eq!(code(&bench.ask(stranger, kind, data)), "unauthorized", "{kind}");
    }
    assert_eq!(bench.ask(stranger, "PING", json!([]))["type"], "PONG");
    assert_eq!(code(&bench.ask(stranger, "LOGIN", json!({"username": "Ada"}))), "wrong_state");
    assert_eq!(code(&bench.ask(stranger, "PROOF", json!({"mac": "00"}))), "wrong_state");
    assert!(!bench.service.is_admitted(stranger));
    bench.pass(5);
    assert_eq!(code(&bench.take(stranger)), "timeout");
}

#[test]
fn a_proof_of_the_key_logs_in_and_the_server_proves_itself() {
    let mut bench = with_auth(Auth::Hmac);
    let ada = bench.connect();
    let answer = prove(&mut bench, ada, "ada", [9; 32]);
    assert_eq!((&answer["type"], &answer["data"]["username"]), (&json!("LOGGED_IN"), &json!("Ada")));
    let transcript = Transcript::new("ada", SERVER, &[0x55; 32], &[0; 32], NO_BINDING);
    let mac = proof::from_hex(answer["data"]["mac"].as_str().unwrap()).unwrap();
    assert!(transcript.is_server_mac(&[9; 32], &mac));
    assert_eq!(bench.take(ada)["type"], "ROOM_JOINED");
    assert!(bench.service.is_admitted(ada));
    assert_eq!(code(&bench.ask(ada, "AUTH", json!({"username": "ada", "nonce": "00"}))), "wrong_state");
    bench.pass(6);
    assert!(bench.closed.is_empty(), "the time to log in is over, and she has");
}

#[test]
fn failed_logins_look_alike_and_the_third_closes() {
    let mut bench = with_auth(Auth::Hmac);
    let stranger = bench.connect();
    let wrong_key = prove(&mut bench, stranger, "Ada", [8; 32]);
    let unknown = prove(&mut bench, stranger, "nobody", [0; 32]);
    assert_eq!(code(&wrong_key), "login_failed");
    assert_eq!(wrong_key, unknown);
    assert_eq!(
        code(&bench.ask(stranger, "PROOF", json!({"mac": "0".repeat(64)}))),
        "wrong_state",
        "the nonce is used up"
    );
    assert_eq!(prove(&mut bench, stranger, "a b", [0; 32]), unknown);
    assert_eq!(bench.take(stranger)["type"], "BYE");
    assert_eq!(bench.closed, [stranger]);
}

#[test]
fn replayed_reflected_and_crossed_proofs_fail() {
    let mut bench = with_auth(Auth::Hmac);
    let client = [0x55; 32];
    let hex = proof::to_hex(&client);
    let try_mac = |bench: &mut Bench, name: &str, mac: &dyn Fn(&Nonce) -> [u8; 32]| {
        let session = bench.connect();
        let challenge = bench.ask(session, "AUTH", json!({"username": name, "nonce": hex}));
        let nonce = proof::from_hex(challenge["data"]["nonce"].as_str().unwrap()).unwrap();
        let answer = bench.ask(session, "PROOF", json!({"mac": proof::to_hex(&mac(&nonce))}));
        answer["type"] == "LOGGED_IN"
    };
    let transcript = |name, server, nonce: &Nonce| Transcript::new(name, server, &client, nonce, NO_BINDING);
    let key = [9; 32];
    assert!(try_mac(&mut bench, "Ada", &|n| transcript("Ada", SERVER, n).client_mac(&key)), "the right one");
    assert!(
        !try_mac(&mut bench, "Ada", &|_| transcript("Ada", SERVER, &[0; 32]).client_mac(&key)),
        "replayed"
    );
    assert!(!try_mac(&mut bench, "Ada", &|n| transcript("Ada", SERVER, n).server_mac(&key)), "role-swapped");
    assert!(
        !try_mac(&mut bench, "Ada", &|n| transcript("Ada", "127.0.0.1:1", n).client_mac(&key)),
        "relayed"
    );
    assert!(
        !try_mac(&mut bench, "Ada", &|n| transcript("Bob", SERVER, n).client_mac(&key)),
        "another user's"
    );
}

#[test]
fn a_second_auth_discards_the_first() {
    let mut bench = with_auth(Auth::Hmac);
    let ada = bench.connect();
    let auth = json!({"username": "Ada", "nonce": "55".repeat(32)});
    let first = bench.ask(ada, "AUTH", auth.clone());
    bench.ask(ada, "AUTH", auth);
    let nonce = proof::from_hex(first["data"]["nonce"].as_str().unwrap()).unwrap();
    let mac = Transcript::new("Ada", SERVER, &[0x55; 32], &nonce, NO_BINDING).client_mac(&[9; 32]);
    assert_eq!(code(&bench.ask(ada, "PROOF", json!({"mac": proof::to_hex(&mac)}))), "login_failed");
}

#[test]
fn a_later_login_of_the_same_user_replaces_the_older() {
    let mut bench = with_auth(Auth::Hmac);
    let (older, newer) = (bench.connect(), bench.connect());
    prove(&mut bench, older, "Ada", [9; 32]);
    bench.take_all(older);
    assert_eq!(prove(&mut bench, newer, "ADA", [9; 32])["type"], "LOGGED_IN");
    assert_eq!(bench.take(older)["type"], "BYE");
    assert_eq!(bench.closed, [older]);
    assert_eq!(bench.take(newer)["data"]["members"], 1);
}

#[test]
fn a_password_is_checked_off_the_loop_and_answered_in_order() {
    let mut bench = with_auth(Auth::Password);
    let ada = bench.connect();
    bench.send(ada, r#"{"type":"LOGIN","data":{"username":"ada","password":"secret"},"id":4}"#);
    assert!(bench.service.is_waiting(ada), "her next request has to wait");
    let (_, job) = &bench.work[0];
    assert_eq!(*job, Job::VerifyPassword { password: "secret".into(), hash: Some("hash of Ada".into()) });
    assert!(!format!("{job:?}").contains("secret"));
    bench.finish(Done::Verified(true));
    let answer = bench.take(ada);
    assert_eq!(
        (&answer["type"], &answer["data"]["username"], &answer["id"]),
        (&json!("LOGGED_IN"), &json!("Ada"), &json!(4))
    );
    let stranger = bench.connect();
    let guess = r#"{"type":"LOGIN","data":{"username":"nobody","password":"x"}}"#;
    bench.send(stranger, guess);
    assert!(
        matches!(&bench.work[0].1, Job::VerifyPassword { hash: None, .. }),
        "an unknown user costs a hash, too"
    );
    bench.finish(Done::Verified(true));
    assert_eq!(code(&bench.take(stranger)), "login_failed", "even if the dummy matched");
    bench.send(stranger, guess);
    bench.finish(Done::Busy);
    assert_eq!(code(&bench.take(stranger)), "busy");
    assert_eq!(code(&bench.ask(stranger, "LOGIN", json!({"username": "Ada"}))), "bad_message");
}

#[test]
fn an_outcome_for_someone_who_has_gone_is_nobodys() {
    let mut bench = Bench::open();
    let ada = bench.join("Ada", "one");
    bench.send(ada, r#"{"type":"RECORD_READ","data":{"client_id":"x"}}"#);
    bench.service.disconnected(ada, &mut bench.actions);
    bench.carry_out();
    let next = bench.connect();
    assert_eq!(next, ada, "the number is used again");
    bench.finish(Done::NoSuchRecord);
    assert_eq!(bench.take(next), Value::Null);
    assert!(!bench.service.is_waiting(next));
}

#[test]
fn records_belong_to_their_user_and_to_teachers() {
    let mut bench = with_auth(Auth::Hmac);
    let (ada, eve) = (bench.connect(), bench.connect());
    for (session, name) in [(ada, "Ada"), (eve, "Eve")] {
        prove(&mut bench, session, name, [9; 32]);
        bench.take_all(session);
    }
    bench.take_all(ada);
    assert_eq!(code(&bench.ask(ada, "RECORD_READ", json!({"client_id": "bob"}))), "unauthorized");
    assert_eq!(
        code(&bench.ask(ada, "RECORD_WRITE", json!({"client_id": "bob", "text": ""}))),
        "unauthorized"
    );
    assert!(bench.work.is_empty(), "asked before any look-up");
    bench.ask(ada, "RECORD_WRITE", json!({"client_id": "ada", "text": "Name: Ada"}));
    let job = Job::WriteRecord { id: ClientId::parse("ada").unwrap(), text: "Name: Ada".into() };
    assert_eq!(bench.work[0].1, job);
    bench.finish(Done::Written { updated: "2026-01-02 03:04:05".into() });
    let written = json!({"client_id": "ada", "updated": "2026-01-02 03:04:05"});
    assert_eq!(bench.take(ada), json!({"type": "RECORD_WRITTEN", "data": written, "id": 1}));
    bench.ask(eve, "RECORD_READ", json!({"client_id": "bob"}));
    bench.finish(Done::NoSuchRecord);
    assert_eq!(code(&bench.take(eve)), "no_such_record");
    bench.ask(eve, "RECORD_READ", json!({"client_id": "bob"}));
    bench.finish(Done::StoreFailed { reason: "no space left".into() });
    assert_eq!(code(&bench.take(eve)), "store_failed");
    for wrong in ["../x", "nul", ""] {
        assert_eq!(code(&bench.ask(eve, "RECORD_READ", json!({"client_id": wrong}))), "bad_record");
    }
}

#[test]
fn read_only_servers_write_nothing() {
    let mut bench = Bench::new(Config { read_only: true, ..Config::default() });
    let ada = bench.join("Ada", "one");
    assert_eq!(code(&bench.ask(ada, "RECORD_WRITE", json!({"client_id": "a", "text": ""}))), "unauthorized");
}

#[test]
fn silence_locks_nobody_out() {
    let mut config = Config { auth: Auth::Hmac, users: users([9; 32]), ..Config::default() };
    config.limits.unauthenticated = 2;
    let mut bench = Bench::new(config);
    let (first, second) = (bench.connect(), bench.connect());
    prove(&mut bench, second, "Ada", [9; 32]);
    let third = bench.connect();
    assert!(bench.closed.is_empty(), "who has logged in does not count");
    let fourth = bench.connect();
    assert_eq!(bench.closed, [first], "the oldest goes");
    assert_eq!(code(&bench.take(first)), "busy");
    assert_eq!(prove(&mut bench, fourth, "Bob", [9; 32])["type"], "LOGGED_IN");
    assert_eq!(bench.ask(third, "PING", json!(1))["type"], "PONG");
}

#[test]
fn goodbye_is_answered_and_the_others_are_told() {
    let mut bench = Bench::open();
    let (ada, bob) = (bench.join("Ada", "one"), bench.join("Bob", "one"));
    bench.take_all(ada);
    let bye = bench.ask(bob, "BYE", json!({}));
    assert_eq!(
        (&bye["type"], &bye["id"], bye["data"]["reason"].is_string()),
        (&json!("BYE"), &json!(1), true)
    );
    assert_eq!(bench.take(ada)["type"], "ROOM_LEFT");
    assert_eq!(bench.closed, [bob]);
}

#[test]
fn a_broken_stream_is_told_before_it_is_closed() {
    let mut bench = Bench::open();
    let ada = bench.connect();
    bench.service.broken(ada, Code::TooLarge, "frame of 70,000 bytes", &mut bench.actions);
    bench.carry_out();
    assert_eq!(code(&bench.take(ada)), "too_large");
    assert_eq!(bench.take(ada)["type"], "BYE");
    assert_eq!(bench.closed, [ada]);
}

#[test]
fn stopping_answers_who_waits_first() {
    let mut bench = Bench::open();
    let (ada, bob) = (bench.join("Ada", "one"), bench.join("Bob", "one"));
    bench.take_all(ada);
    bench.send(bob, r#"{"type":"RECORD_WRITE","data":{"client_id":"b","text":"x"},"id":9}"#);
    bench.service.stop(&mut bench.actions);
    bench.carry_out();
    assert_eq!(bench.closed, [ada]);
    assert_eq!(bench.take_all(bob), [] as [Value; 0], "its write is under way");
    bench.finish(Done::Written { updated: "2026-01-02 03:04:05".into() });
    let last: Vec<Value> = bench.take_all(bob).iter().map(|message| message["type"].clone()).collect();
    assert_eq!(last, ["RECORD_WRITTEN", "BYE"]);
    assert_eq!(bench.closed, [ada, bob]);
}

#[test]
fn who_waits_for_us_is_not_late() {
    let mut bench = Bench::open();
    let ada = bench.join("Ada", "one");
    bench.send(ada, r#"{"type":"RECORD_READ","data":{"client_id":"b"}}"#);
    bench.pass(1_000);
    assert!(bench.closed.is_empty());
    bench.finish(Done::NoSuchRecord);
    bench.pass(299);
    assert!(bench.closed.is_empty(), "its silence begins with our answer");
    bench.pass(1);
    assert_eq!(bench.closed, [ada]);
}

#[test]
fn before_a_demanded_login_nothing_is_said_about_what_is_not_heard() {
    let mut bench = with_auth(Auth::Hmac);
    let stranger = bench.connect();
    for payload in [r#"{"type":"NO_SUCH"}"#, r#"{"type":"ROOM_JOIN"}"#, r#"{"type":"ROOM_ECHO","data":5}"#] {
        bench.send(stranger, payload);
        assert_eq!(code(&bench.take(stranger)), "unauthorized", "{payload}");
    }
    bench.send(stranger, r#"{"type":"AUTH","data":{}}"#);
    assert_eq!(code(&bench.take(stranger)), "bad_message", "this one is heard");
}

#[test]
fn a_records_text_has_the_same_limit_as_a_message() {
    let mut bench = Bench::open();
    let ada = bench.join("Ada", "one");
    let write = |length: usize| json!({"client_id": "a", "text": "x".repeat(length)});
    assert_eq!(code(&bench.ask(ada, "RECORD_WRITE", write(32_769))), "bad_message");
    bench.ask(ada, "RECORD_WRITE", write(32_768));
    assert_eq!(bench.work.len(), 1);
}

#[test]
fn stopping_tells_everyone() {
    let mut bench = Bench::open();
    let (ada, bob) = (bench.join("Ada", "one"), bench.connect());
    bench.take_all(ada);
    bench.service.stop(&mut bench.actions);
    bench.carry_out();
    for session in [ada, bob] {
        assert_eq!(bench.take(session)["type"], "BYE");
        assert!(bench.closed.contains(&session));
    }
    assert_eq!(bench.service.connections(), 0);
}
