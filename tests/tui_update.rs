//! What each event changes and asks for: the chat's `update` as a pure function, seen through its pictures.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod stage;

use std::sync::Arc;
use std::time::Duration;

use netlab::client::{ClientError, Credentials, LinkEvent, SessionError};
use netlab::framing::Framing;
use netlab::net::Address;
use netlab::protocol::Code;
use netlab::protocol::message::Fault;
use netlab::tui::{self, Effect, Event, Given, Remembered, Secret, Start, Theme};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use stage::{Stage, connects, id_of, quits, request, sent};

fn in_lab() -> Stage {
    Stage::in_lab((80, 24))
}

#[test]
fn the_form_connects_with_what_was_typed() {
    let mut stage = Stage::new((80, 24));
    stage.keys("ada");
    stage.press(KeyCode::Tab);
    stage.press(KeyCode::Right);
    stage.press(KeyCode::Tab);
    stage.keys("secret");
    assert!(!stage.shows("secret") && stage.shows("••••••"), "{}", stage.picture());
    stage.press(KeyCode::Tab);
    stage.keys("lab");
    stage.press(KeyCode::Tab);
    stage.press(KeyCode::Right);
    let effects = stage.press(KeyCode::Enter);
    let wanted = connects(&effects).expect("a connection");
    assert!(
        matches!(&wanted.credentials, Credentials::Password(name, word) if name == "ada" && word == "secret")
    );
    assert_eq!(wanted.address.to_string(), "127.0.0.1:12000");
    assert_eq!(wanted.room.as_ref().unwrap().as_str(), "lab");
    assert_eq!(wanted.framing, Framing::U32);
}

#[test]
fn a_wrong_answer_is_named_and_nothing_is_tried() {
    let cases: [(usize, &str, &str); 4] = [
        (5, "70000", "1 to 65535"),
        (4, "::1:80", "[::1]:80"),
        (0, "a b", "1 to 32"),
        (0, "anon7", "given by the server"),
    ];
    for (back, text, expected) in cases {
        let mut stage = Stage::new((80, 24));
        for _ in 0..back {
            stage.press(KeyCode::Tab);
        }
        stage.control('u');
        let effects = stage.enter(text);
        assert!(connects(&effects).is_none(), "{text}");
        assert!(stage.shows(expected), "{text}: {}", stage.picture());
        stage.press(KeyCode::Backspace);
        assert!(!stage.shows(expected), "the complaint goes as soon as it is answered");
    }
}

#[test]
fn a_key_is_checked_before_it_is_used() {
    let who = Credentials::Name("ada".into());
    let given = Given { user: true, ..Given::default() };
    let start =
        |remembered| Start { request: request(who.clone()), given, ask: Some(Secret::Key), remembered };
    let mut stage = Stage::start((80, 24), start(Remembered::default()), Theme::new(false, false));
    assert!(connects(&stage.enter("abc")).is_none());
    assert!(stage.shows("64 hex digits"));
    stage.control('u');
    let effects = stage.enter(&"0f".repeat(32));
    assert!(matches!(&connects(&effects).unwrap().credentials, Credentials::Key(_, key) if *key == [15; 32]));
}

#[test]
fn flags_go_straight_to_the_room_and_what_was_remembered_fills_the_rest() {
    let remembered = Remembered {
        host: "10.0.0.7".into(),
        port: 4_000,
        username: "eve".into(),
        login: "password".into(),
        room: "lab".into(),
        framing: "u32".into(),
        ..Remembered::default()
    };
    let theme = Theme::new(false, false);
    let given = Given { address: true, user: true, ..Given::default() };
    let flags = Start {
        request: request(Credentials::Name("ada".into())),
        given,
        ask: None,
        remembered: remembered.clone(),
    };
    let mut stage = Stage::start((80, 24), flags, theme);
    let effects = tui::connect(&mut stage.model);
    let wanted = connects(&effects).unwrap();
    assert_eq!(wanted.address.to_string(), "127.0.0.1:12000");
    assert_eq!(wanted.framing, Framing::U16, "another server's framing says nothing about this one");
    assert!(wanted.room.is_none(), "nor do its rooms");
    let none =
        Start { request: request(Credentials::Anonymous), given: Given::default(), ask: None, remembered };
    let mut form = Stage::start((80, 24), none, theme);
    for text in ["10.0.0.7", "4000", "eve", "‹ password ›", "lab", "‹ u32 ›"] {
        assert!(form.shows(text), "{text}: {}", form.picture());
    }
}

#[test]
fn a_login_remembers_everything_but_the_secret() {
    let mut stage = Stage::with(
        (80, 24),
        Credentials::Password("ada".into(), "secret".into()),
        None,
        Theme::new(false, false),
    );
    stage.press(KeyCode::Enter);
    let effects = stage.link(LinkEvent::LoggedIn { username: Some("ada".into()), room: None });
    let kept = effects.iter().find_map(|effect| match effect {
        Effect::Remember(values) => Some(serde_json::to_string(values).unwrap()),
        _ => None,
    });
    let kept = kept.expect("something to remember");
    assert!(kept.contains("ada") && kept.contains("password") && !kept.contains("secret"), "{kept}");
}

#[test]
fn a_refusal_says_why_and_what_to_do() {
    let mut stage = Stage::new((80, 24));
    stage.press(KeyCode::Enter);
    stage.link(LinkEvent::Connecting { address: Address::new("127.0.0.1", 12_000), attempt: 1 });
    assert!(stage.shows("connecting to 127.0.0.1:12000"));
    let fault = Fault::new(Code::NameTaken, "somebody is called ada already");
    let error = ClientError::Session(SessionError::Login(fault));
    stage.link(LinkEvent::Refused { reason: error.to_string(), error: Arc::new(error) });
    assert!(stage.shows("somebody is called ada already") && stage.shows("choose another username"));
    let fault = Fault::new(Code::BadMessage, "missing field `password`");
    let error = ClientError::Session(SessionError::Login(fault));
    stage.link(LinkEvent::Refused { reason: error.to_string(), error: Arc::new(error) });
    assert!(stage.line_with("none").contains("▸ Login"), "the focus is where the mistake is");
}

#[test]
fn a_loss_leads_to_the_form_and_back_to_the_same_room() {
    let mut stage = Stage::in_lab((120, 40));
    stage.say("bob", 5, "before");
    stage.keys("half a sentence");
    let lost =
        LinkEvent::Lost { reason: "the server is gone".into(), retry_in: Some(Duration::from_secs(4)) };
    stage.link(lost);
    assert!(stage.shows("the server is gone") && stage.shows("trying again in 4 s"), "{}", stage.picture());
    stage.pass(Duration::from_millis(1_500));
    assert!(stage.shows("trying again in 3 s"));
    assert!(matches!(stage.press(KeyCode::Esc)[..], [Effect::Disconnect]));
    stage.link(LinkEvent::Connecting { address: Address::new("127.0.0.1", 12_000), attempt: 2 });
    assert!(stage.shows("attempt 2"));
    stage.link(LinkEvent::LoggedIn { username: Some("ada".into()), room: Some("default".into()) });
    stage.server(r#"{"type":"ROOM_JOINED","data":{"room":"lab","username":"ada","members":1,"seq":8}}"#);
    let picture = stage.picture();
    assert!(picture.contains("before") && picture.contains("half a sentence"), "{picture}");
    assert!(picture.contains("3 messages were said while you were away"), "{picture}");
}

// Catches: the rest of a sentence that is typed into the form's name when the connection breaks; an Enter that gives
// up the place and the further attempts.
#[test]
fn what_is_typed_while_the_connection_breaks_changes_nothing_in_the_form() {
    let mut stage = Stage::in_lab((80, 24));
    stage.keys("half a ");
    stage.link(LinkEvent::Lost { reason: "gone".into(), retry_in: Some(Duration::from_secs(4)) });
    let before = stage.line_with("Username");
    stage.keys("sentence");
    stage.event(Event::Paste("pasted".into()));
    assert_eq!(stage.line_with("Username"), before);
    assert!(matches!(stage.press(KeyCode::Enter)[..], [Effect::Retry]));
    assert!(matches!(stage.press(KeyCode::Esc)[..], [Effect::Disconnect]));
    stage.link(LinkEvent::Disconnected);
    stage.keys("x");
    assert_ne!(stage.line_with("Username"), before, "given up, it can be edited");
}

#[test]
fn somebody_elses_server_is_named() {
    let mut stage = Stage::new((120, 40));
    let effects = stage.link(LinkEvent::Connected { address: "127.0.0.1:12000".parse().unwrap() });
    assert!(matches!(effects[..], [Effect::FindOwner(address)] if address.port() == 12_000));
    stage.event(Event::Foreign { owner: "mallory".into() });
    stage.link(LinkEvent::LoggedIn { username: Some("ada".into()), room: None });
    stage.server(r#"{"type":"ROOM_JOINED","data":{"room":"lab","username":"ada","members":3,"seq":4}}"#);
    assert!(stage.shows("this server belongs to mallory"), "{}", stage.picture());
}

#[test]
fn what_was_said_into_a_dying_connection_is_not_taken_for_said() {
    let mut stage = Stage::in_lab((120, 40));
    let id = id_of(&stage.enter("heard"));
    let echoed =
        r#"{"type":"ROOM_ECHOED","data":{"room":"lab","from":"ada","text":"heard","seq":5,"ref":ID}}"#;
    stage.server(&echoed.replace("ID", &id.to_string()));
    stage.enter("unheard");
    stage.link(LinkEvent::Lost { reason: "gone".into(), retry_in: None });
    stage.enter_lab();
    assert!(stage.shows("1 message may not have arrived"), "{}", stage.picture());
}

#[test]
fn what_is_typed_is_said_and_comes_back_with_the_arrows() {
    let mut stage = in_lab();
    let effects = stage.enter("Hello, everyone");
    assert_eq!(sent(&effects), [r#"{"type":"ROOM_ECHO","data":{"text":"Hello, everyone"}}"#]);
    assert!(stage.shows("say something in lab"), "the line is empty again");
    stage.keys("draft");
    stage.press(KeyCode::Up);
    assert!(stage.line_with("›").contains("Hello, everyone"));
    stage.press(KeyCode::Down);
    assert!(stage.line_with("›").contains("draft"));
}

#[test]
fn commands_do_what_they_say() {
    let cases = [
        ("/join default", r#"{"type":"ROOM_JOIN","data":{"room":"default"}}"#),
        ("/create new", r#"{"type":"ROOM_CREATE","data":{"room":"new"}}"#),
        ("/leave", r#"{"type":"ROOM_LEAVE","data":{}}"#),
        ("/rooms", r#"{"type":"ROOM_LIST","data":{}}"#),
        ("/members default", r#"{"type":"ROOM_MEMBERS","data":{"room":"default"}}"#),
        ("//not a command", r#"{"type":"ROOM_ECHO","data":{"text":"/not a command"}}"#),
    ];
    for (line, expected) in cases {
        assert_eq!(sent(&in_lab().enter(line)), [expected], "{line}");
    }
    assert!(quits(&in_lab().enter("/quit")));
    let mut stage = in_lab();
    stage.enter("/help");
    assert!(stage.shows("Commands"));
    let mut wrong = in_lab();
    assert!(sent(&wrong.enter("/jion lab")).is_empty());
    assert!(wrong.shows("no command") && wrong.line_with("›").contains("/jion lab"), "{}", wrong.picture());
}

#[test]
fn the_list_of_rooms_filters_enters_and_makes() {
    let mut stage = in_lab();
    stage.press(KeyCode::F(3));
    stage.keys("def");
    assert!(stage.shows("default") && !stage.line_with("Filter").contains("lab"));
    assert_eq!(sent(&stage.press(KeyCode::Enter)), [r#"{"type":"ROOM_JOIN","data":{"room":"default"}}"#]);
    stage.press(KeyCode::F(3));
    stage.keys("physics");
    assert_eq!(sent(&stage.press(KeyCode::Enter)), [r#"{"type":"ROOM_CREATE","data":{"room":"physics"}}"#]);
    stage.press(KeyCode::F(4));
    stage.keys("a b");
    assert!(sent(&stage.press(KeyCode::Enter)).is_empty());
    assert!(stage.shows("1 to 32"));
    stage.press(KeyCode::Esc);
    assert!(stage.shows("say something"));
}

#[test]
fn keys_switch_rooms_around_the_ends_of_the_list() {
    let mut stage = in_lab();
    let first = r#"{"type":"ROOM_JOIN","data":{"room":"a-room-with-a-long-name"}}"#;
    assert_eq!(sent(&stage.control('n')), [first], "lab is the last one");
    assert_eq!(sent(&stage.control('p')), [r#"{"type":"ROOM_JOIN","data":{"room":"default"}}"#]);
    assert_eq!(sent(&stage.press(KeyCode::F(5))), [r#"{"type":"ROOM_LEAVE","data":{}}"#]);
}

#[test]
fn an_error_names_what_failed_and_the_next_step() {
    let cases = [
        ("/join nowhere", "no_such_room", "can't enter nowhere: no; /create nowhere makes it"),
        ("/create lab", "room_exists", "can't make lab: no; /join lab enters it"),
        ("Hello", "not_in_room", "not said: no; /join ROOM or F3 enters one"),
    ];
    for (line, code, expected) in cases {
        let mut stage = Stage::in_lab((120, 40));
        let id = id_of(&stage.enter(line));
        stage.server(&format!(r#"{{"type":"ERROR","id":{id},"data":{{"code":"{code}","message":"no"}}}}"#));
        assert!(stage.shows(expected), "{}", stage.picture());
    }
    let mut stage = Stage::in_lab((120, 40));
    let id = id_of(&stage.enter("Hello"));
    stage.link(LinkEvent::Unsent { id, reason: "not connected".into() });
    assert!(stage.shows("not said: not connected"));
}

#[test]
fn a_gap_is_shown_where_it_is() {
    let mut stage = in_lab();
    stage.say("bob", 5, "five");
    stage.say("bob", 9, "nine");
    let picture = stage.picture();
    let at = |text: &str| picture.find(text).unwrap_or_else(|| panic!("no {text} in\n{picture}"));
    assert!(at("five") < at("3 messages are missing: 6 to 8"));
    assert!(at("3 messages are missing") < at("nine"));
}

#[test]
fn who_comes_and_goes_is_counted() {
    let mut stage = in_lab();
    stage.server(r#"{"type":"ROOM_JOINED","data":{"room":"lab","username":"eve","members":4}}"#);
    assert!(stage.shows("eve came in") && stage.line_with("Members").contains('4'));
    assert!(stage.line_with("▸ lab").contains('4'), "{}", stage.picture());
    stage.server(r#"{"type":"ROOM_LEFT","data":{"room":"lab","username":"bob","members":3}}"#);
    assert!(stage.shows("bob left") && !stage.picture().lines().any(|line| line.ends_with(" bob")));
    let names: Vec<String> = (0..500).map(|n| format!("\"user{n:03}\"")).collect();
    let names = names.join(",");
    stage.server(&format!(
        r#"{{"type":"ROOM_MEMBERS","data":{{"room":"lab","members":[{names}],"total":700}}}}"#
    ));
    assert!(stage.shows("and 683 more"), "{}", stage.picture());
}

#[test]
fn a_dot_tells_that_somebody_went_to_another_room() {
    let mut stage = in_lab();
    let rooms = |n: usize| {
        format!(
            r#"{{"type":"ROOM_LISTED","data":{{"rooms":[{{"room":"default","members":{n}}},{{"room":"lab","members":3}}]}}}}"#
        )
    };
    stage.server(&rooms(13));
    assert!(stage.line_with("default").contains("default ●"), "{}", stage.picture());
    stage.server(&rooms(11));
    assert!(stage.line_with("default").contains('●'), "it stays until one has looked");
    stage.press(KeyCode::F(3));
    stage.press(KeyCode::Esc);
    assert!(!stage.line_with("default").contains('●'));
    stage.server(&rooms(5));
    assert!(!stage.line_with("default").contains('●'), "who leaves is no news");
}

#[test]
fn scrolling_keeps_what_one_reads_and_counts_what_comes() {
    let mut stage = in_lab();
    for seq in 5..60 {
        stage.say("bob", seq, &format!("message {seq}."));
    }
    assert!(stage.shows("message 59."));
    stage.press(KeyCode::PageUp);
    let before: Vec<String> = stage.picture().lines().take(15).map(str::to_owned).collect();
    stage.say("bob", 60, "message 60.");
    let after: Vec<String> = stage.picture().lines().take(15).map(str::to_owned).collect();
    assert_eq!(before[6..], after[6..], "the text stands still");
    assert!(stage.line_with("▸ lab").contains("+1") && stage.shows("1 new"));
    stage.press(KeyCode::End);
    assert!(
        stage.shows("message 60.") && !stage.shows("+1") && stage.shows("── new ──"),
        "{}",
        stage.picture()
    );
    stage.press(KeyCode::Esc);
    assert!(!stage.shows("── new ──"), "read");
    stage.press(KeyCode::Home);
    assert!(stage.shows("you are in lab"));
}

#[test]
fn texts_and_names_give_no_orders() {
    let mut stage = Stage::in_lab((120, 40));
    stage.say("e\\u001b[31mve", 5, "\u{1b}]0;title\u{7} \u{202e}right to left\u{9b}2J");
    let picture = stage.picture();
    assert!(picture.contains("\\x1b]0;title\\x07 \\u{202e}right to left"), "{picture}");
    assert!(!picture.chars().any(|c| c != '\n' && netlab::text::is_unsafe(c)));
    stage.event(Event::Paste("\u{1b}[2Jpasted\u{202e}".into()));
    assert!(stage.line_with("›").contains("[2Jpasted"));
    assert!(!stage.picture().chars().any(|c| c != '\n' && netlab::text::is_unsafe(c)));
}

#[test]
fn a_pasted_text_of_several_lines_is_one_message() {
    let mut stage = in_lab();
    stage.event(Event::Paste("one\r\ntwo\nthree\n".into()));
    let picture = stage.picture();
    assert!(picture.contains("› one") && picture.contains("   two"), "{picture}");
    let effects = stage.press(KeyCode::Enter);
    assert_eq!(sent(&effects), [r#"{"type":"ROOM_ECHO","data":{"text":"one\ntwo\nthree"}}"#]);
    stage.event(Event::Paste("x".repeat(40_000)));
    assert!(sent(&stage.press(KeyCode::Enter)).is_empty());
    assert!(stage.shows("40000"), "a text over the limit is named and kept: {}", stage.picture());
}

#[test]
fn keys_that_end_suspend_and_draw_again() {
    for screen in [Stage::new((80, 24)), in_lab()] {
        let mut stage = screen;
        assert!(matches!(stage.control('z')[..], [Effect::Suspend]));
        assert!(matches!(stage.control('l')[..], [Effect::Repaint]));
        assert!(quits(&stage.control('c')));
    }
    assert!(quits(&in_lab().control('d')));
    let mut typing = in_lab();
    typing.keys("ab");
    assert!(!quits(&typing.control('d')), "with a text it deletes");
    let release =
        KeyEvent { kind: KeyEventKind::Release, ..KeyEvent::new(KeyCode::Char('x'), KeyModifiers::NONE) };
    typing.event(Event::Key(release));
    assert!(typing.line_with("›").ends_with("ab"), "a key that is let go types nothing");
}

#[test]
fn tab_completes_names_and_commands() {
    let mut stage = in_lab();
    stage.keys("bo");
    stage.press(KeyCode::Tab);
    assert!(stage.line_with("›").contains("bob:"));
    stage.control('u');
    stage.keys("/cr");
    stage.press(KeyCode::Tab);
    stage.keys("x");
    assert!(stage.line_with("›").contains("/create x"));
}

#[test]
fn the_rooms_are_asked_for_while_their_list_is_seen() {
    let mut stage = in_lab();
    assert!(sent(&stage.pass(Duration::from_secs(1))).is_empty());
    assert_eq!(sent(&stage.pass(Duration::from_secs(5))), [r#"{"type":"ROOM_LIST","data":{}}"#]);
    stage.press(KeyCode::F(2));
    assert!(sent(&stage.pass(Duration::from_secs(60))).is_empty(), "the wire covers the list");
    stage.press(KeyCode::F(2));
    assert_eq!(sent(&stage.pass(Duration::from_secs(1))).len(), 1);
    stage.link(LinkEvent::Lost { reason: "gone".into(), retry_in: None });
    assert!(sent(&stage.pass(Duration::from_secs(60))).is_empty());
}

#[test]
fn ten_thousand_messages_cost_bounded_time_and_memory() {
    let mut stage = in_lab();
    for seq in 5..10_005 {
        stage.say("bob", seq, "the quick brown fox jumps over the lazy dog");
    }
    stage.press(KeyCode::Home);
    let oldest = stage.picture();
    assert!(!oldest.contains("you are in lab"), "the oldest are dropped: {oldest}");
    stage.press(KeyCode::Esc);
    assert!(stage.shows("lazy dog"));
}
