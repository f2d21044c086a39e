//! Every screen as a picture, at three sizes. `INSTA_UPDATE=always cargo test --test tui_screens` draws them anew;
//! look at the difference before it is committed.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod stage;

use std::time::Duration;

use insta::assert_snapshot;
use netlab::client::{Credentials, Direction, LinkEvent};
use netlab::net::Address;
use netlab::tui::{Secret, Theme};
use ratatui::crossterm::event::KeyCode;

use stage::{SIZES, Stage};

/// One picture for each size.
fn pictures(name: &str, prepare: impl Fn(&mut Stage), make: impl Fn((u16, u16)) -> Stage) {
    for (columns, rows) in SIZES {
        let mut stage = make((columns, rows));
        prepare(&mut stage);
        let picture = stage.picture();
        assert!(picture.lines().count() <= usize::from(rows));
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            assert_snapshot!(format!("{name}-{columns}x{rows}"), picture);
        });
    }
}

fn talk(stage: &mut Stage) {
    stage.say("bob", 5, "Good morning, everyone");
    stage.say(
        "ada",
        6,
        "Good morning! Does everyone see the length prefix in front of each message? F2 shows it.",
    );
    stage.server(r#"{"type":"ROOM_JOINED","data":{"room":"lab","username":"eve","members":4}}"#);
    stage.say("zoe.m", 7, "漢字とかな take two cells, é one, and 👩‍👩‍👧 two again");
    stage.say("eve", 9, "\u{1b}[2J\u{202e}evil\nbob  I did not say this");
    stage.server(r#"{"type":"ROOM_LEFT","data":{"room":"lab","username":"eve","members":3}}"#);
}

fn conversation(stage: &mut Stage) {
    stage.wire(Direction::Sent, &[r#"{"type":"LOGIN","data":{"username":"ada"},"id":0}"#], 0);
    let joined = r#"{"type":"ROOM_JOINED","data":{"room":"lab","username":"ada","members":3,"seq":4}}"#;
    let echoed = r#"{"type":"ROOM_ECHOED","data":{"room":"lab","from":"bob","text":"Good morning","seq":5}}"#;
    stage.wire(Direction::Received, &[joined, echoed], 70);
}

#[test]
fn the_form() {
    pictures("form", |_| {}, Stage::new);
}

#[test]
fn the_form_with_a_mistake() {
    let wrong = |stage: &mut Stage| {
        stage.keys("no spaces please");
        stage.press(KeyCode::Enter);
    };
    pictures("form-wrong", wrong, Stage::new);
}

#[test]
fn the_form_after_a_refusal() {
    let refused = |stage: &mut Stage| {
        stage.enter("ada");
        stage.link(LinkEvent::Connecting { address: Address::new("127.0.0.1", 12_000), attempt: 1 });
        let lost = "the server closed the connection: it is stopping";
        stage.link(LinkEvent::Lost { reason: lost.into(), retry_in: Some(Duration::from_secs(2)) });
    };
    pictures("form-lost", refused, Stage::new);
}

#[test]
fn the_form_asks_for_a_password_that_is_not_shown() {
    let make = |size| {
        let who = Credentials::Name("ada".into());
        let mut stage = Stage::with(size, who, Some(Secret::Password), Theme::new(false, false));
        assert!(stage.shows("Password"), "{}", stage.picture());
        stage
    };
    pictures("form-password", |stage| stage.keys("correct horse"), make);
}

#[test]
fn the_room() {
    pictures("room", talk, Stage::in_lab);
}

#[test]
fn the_room_in_ascii() {
    let make = |size| {
        let mut stage = Stage::with(size, Credentials::Anonymous, None, Theme::new(false, true));
        stage.enter_lab();
        stage
    };
    let ascii = |stage: &mut Stage| {
        stage.say("bob", 5, "Good morning, everyone");
        stage.server(r#"{"type":"ROOM_JOINED","data":{"room":"lab","username":"eve","members":4}}"#);
        assert!(stage.picture().is_ascii(), "{}", stage.picture());
    };
    pictures("room-ascii", ascii, make);
}

#[test]
fn the_room_scrolled_up() {
    let scrolled = |stage: &mut Stage| {
        for seq in 5..60 {
            stage.say("bob", seq, &format!("message {seq}"));
        }
        stage.press(KeyCode::PageUp);
        stage.say("zoe.m", 60, "nobody has seen this");
        stage.say("zoe.m", 61, "nor this");
        stage.keys("while I read, I type");
    };
    pictures("room-scrolled", scrolled, Stage::in_lab);
}

#[test]
fn the_room_with_what_is_new_marked() {
    let marked = |stage: &mut Stage| {
        stage.say("bob", 5, "seen");
        stage.press(KeyCode::F(1));
        stage.say("bob", 6, "came while the help was open");
        stage.say("bob", 7, "and this");
        stage.press(KeyCode::Esc);
    };
    pictures("room-marked", marked, Stage::in_lab);
}

#[test]
fn the_wire() {
    let wire = |stage: &mut Stage| {
        talk(stage);
        conversation(stage);
        stage.press(KeyCode::F(2));
    };
    pictures("wire", wire, Stage::in_lab);
}

#[test]
fn the_help() {
    pictures("help", |stage| drop(stage.press(KeyCode::Char('?'))), Stage::in_lab);
}

#[test]
fn the_help_of_the_form() {
    pictures("help-form", |stage| drop(stage.press(KeyCode::F(1))), Stage::new);
}

#[test]
fn the_list_of_rooms() {
    let rooms = |stage: &mut Stage| {
        talk(stage);
        stage.press(KeyCode::F(3));
        stage.keys("la");
    };
    pictures("rooms", rooms, Stage::in_lab);
}

#[test]
fn a_new_room() {
    let create = |stage: &mut Stage| {
        stage.press(KeyCode::F(4));
        stage.keys("project x");
        stage.press(KeyCode::Enter);
    };
    pictures("new-room", create, Stage::in_lab);
}

// Catches: a picture for the size of a moment ago, drawn on a terminal that was made smaller since.
#[test]
fn a_terminal_that_shrinks_before_it_says_so_breaks_nothing() {
    for mut stage in [Stage::in_lab((80, 24)), Stage::new((80, 24))] {
        for size in [(40, 10), (20, 3), (1, 1), (79, 24), (80, 23)] {
            stage.shrink_unseen(size);
        }
    }
}

#[test]
fn no_size_breaks_a_screen() {
    type Prepare = fn(&mut Stage);
    let screens: [Prepare; 5] = [
        |_| {},
        |stage| drop(stage.press(KeyCode::F(2))),
        |stage| drop(stage.press(KeyCode::F(3))),
        |stage| drop(stage.press(KeyCode::F(1))),
        |stage| {
            stage.press(KeyCode::F(2));
            stage.event(netlab::tui::Event::Paste("many\nlines\nof\ntext ".repeat(9)));
        },
    ];
    for prepare in screens {
        let mut room = Stage::in_lab((80, 24));
        talk(&mut room);
        conversation(&mut room);
        let mut form = Stage::new((80, 24));
        prepare(&mut room);
        prepare(&mut form);
        // Every size at which something comes or goes, and what lies beside it.
        for columns in (1..24).chain([39, 40, 53, 54, 59, 60, 75, 76, 80, 99, 100, 300]) {
            for rows in (1..10).chain([13, 14, 24, 29, 30, 60]) {
                for stage in [&mut room, &mut form] {
                    stage.event(netlab::tui::Event::Resize(columns, rows));
                    stage.press(KeyCode::PageUp);
                    stage.picture();
                }
            }
        }
    }
}

#[test]
fn without_colours_nothing_is_coloured() {
    for color in [false, true] {
        let mut stage = Stage::with((80, 24), Credentials::Anonymous, None, Theme::new(color, false));
        stage.enter_lab();
        talk(&mut stage);
        assert_eq!(stage.is_plain(), !color);
    }
}
