//! The README's picture of the chat: the real screen, as a terminal shows it, made into an SVG.
//!
//! ```text
//! cargo test --test chat_picture -- --ignored      makes tests/pictures/chat.svg anew; needs no network
//! cargo test --test chat_picture                   holds its text against what the chat shows today
//! ```
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;
mod rooms;
mod terminal;

use std::path::{Path, PathBuf};

use anstyle_svg::{Term, WIN10_CONSOLE};
use serde_json::json;

use rooms::{Client, Place};
use terminal::Terminal;

const ROWS: u16 = 24;
const COLUMNS: u16 = 80;

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures/chat.svg")
}

/// A class at work, on ada's screen.
fn picture() -> String {
    let place = Place::new();
    let server = place.serve(&["--room", "lab", "--room", "help"]);
    let mut terminal = Terminal::open(ROWS, COLUMNS);
    let mut command = place.netlab();
    command.args(["chat", &server.at(), "--user", "ada", "--room", "lab"]).env("HOME", place.path("home"));
    terminal.run(command);
    terminal.wait_for("you are in lab");
    let mut others = ["bob", "eve", "zoe.m"].map(|name| {
        let mut client = Client::named(server.addr, name);
        client.ask("ROOM_JOIN", &json!({ "room": "lab" }));
        terminal.wait_for(&format!("{name} came in"));
        client
    });
    let mut says = |who: usize, text: &str, shown: &str| {
        others[who].ask("ROOM_ECHO", &json!({ "text": text }));
        terminal.wait_for(shown);
    };
    says(0, "Good morning! Two sends, one recv: where did my second message go?", "message go?");
    terminal.type_keys("Nowhere: TCP is a stream of bytes. Look at the length in front: F2.\r");
    terminal.wait_for("in front: F2.");
    // No wide characters: in an SVG their width is the font's, not two cells.
    says(2, "é is one character and two bytes: lengths count bytes", "count bytes");
    says(1, "\u{1b}[2J\u{202e}I clear your screen", "your screen");
    others[1].ask("ROOM_JOIN", &json!({ "room": "help" }));
    terminal.wait_for("eve left");
    terminal.type_keys("/join he");
    terminal.wait_for("/join he");
    terminal.wait_until("the members of the other room", |screen| {
        screen.contains("RTT") && screen.lines().any(|line| line.contains("help ") && line.contains("1 │"))
    });
    let svg = Term::new().palette(WIN10_CONSOLE).min_width_px(0).render_svg(&ansi(&terminal.screen()));
    terminal.type_keys("\u{3}");
    assert_eq!(terminal.end(), Some(0));
    svg
}

/// The screen as text with colours: a line for each row, nothing that moves the cursor.
fn ansi(screen: &vt100::Screen) -> String {
    let mut text = String::new();
    for row in 0..ROWS {
        let mut style = String::new();
        for column in 0..COLUMNS {
            let cell = screen.cell(row, column).unwrap();
            if cell.is_wide_continuation() {
                continue;
            }
            let wanted = sgr(cell);
            if wanted != style {
                text += &wanted;
                style = wanted;
            }
            text += if cell.contents().is_empty() { " " } else { cell.contents() };
        }
        text += "\u{1b}[0m\n";
    }
    text
}

/// The escape sequence that sets a cell's looks.
fn sgr(cell: &vt100::Cell) -> String {
    let mut codes = vec!["0".to_owned()];
    let flags = [
        (cell.bold(), "1"),
        (cell.dim(), "2"),
        (cell.italic(), "3"),
        (cell.underline(), "4"),
        (cell.inverse(), "7"),
    ];
    codes.extend(flags.iter().filter(|(set, _)| *set).map(|(_, code)| (*code).to_owned()));
    for (color, code) in [(cell.fgcolor(), 38), (cell.bgcolor(), 48)] {
        match color {
            vt100::Color::Default => {}
            vt100::Color::Idx(n) => codes.push(format!("{code};5;{n}")),
            vt100::Color::Rgb(r, g, b) => codes.push(format!("{code};2;{r};{g};{b}")),
        }
    }
    format!("\u{1b}[{}m", codes.join(";"))
}

/// The text of an SVG, without what differs from one run to the next: times, the port, spaces.
fn text_of(svg: &str) -> String {
    let body = svg.split_once("<text").unwrap().1;
    let mut text = String::new();
    let mut in_tag = true;
    for c in body.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ if in_tag || c.is_whitespace() => {}
            c if c.is_ascii_digit() || c == '.' || c == ':' => {
                if !text.ends_with('#') {
                    text.push('#');
                }
            }
            c => text.push(c),
        }
    }
    text
}

// Catches: a picture that shows what the chat no longer does.
#[test]
fn the_picture_shows_the_chat_of_today() {
    let shown = std::fs::read_to_string(file()).unwrap();
    let (shown, today) = (text_of(&shown), text_of(&picture()));
    assert!(shown.contains("ada(you)") && shown.len() > 500, "{shown}");
    assert_eq!(shown, today, "make it anew: cargo test --test chat_picture -- --ignored");
}

#[test]
#[ignore = "writes the README's picture"]
fn make_the_picture() {
    std::fs::create_dir_all(file().parent().unwrap()).unwrap();
    std::fs::write(file(), picture()).unwrap();
}
