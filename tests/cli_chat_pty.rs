//! `netlab chat` on its full screen, in a pseudo-terminal, against `netlab serve`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]
#![allow(clippy::print_stdout, reason = "what was measured")]

mod harness;
mod rooms;
mod terminal;

use std::io::Write;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use rooms::{Client, Place, frame};
use terminal::Terminal;

/// `netlab chat` with a home of its own.
fn chat(place: &Place, args: &[&str]) -> Command {
    let mut command = place.netlab();
    command.arg("chat").args(args).env("HOME", place.path("home")).env_remove("XDG_DATA_HOME");
    command
}

fn chat_in(place: &Place, at: &str, user: &str) -> Terminal {
    Terminal::start(chat(place, &[at, "--user", user]), 24, 80)
}

// Catches: a message that one of them does not see, a room that is not entered or left, a restart that ends the
// chat or forgets name and room.
#[test]
fn two_people_talk_switch_rooms_and_survive_a_restart() {
    let place = Place::new();
    let server = place.serve(&[]);
    let at = server.at();
    let ada = chat_in(&place, &at, "ada");
    ada.wait_for("you are in default");
    let bob = chat_in(&place, &at, "bob");
    ada.wait_for("bob came in");
    bob.wait_for("you are in default");
    ada.type_keys("Good morning\r");
    bob.wait_for("ada  Good morning");
    bob.type_keys("/create den\r");
    ada.wait_for("bob left");
    bob.wait_for("you are in den");
    ada.type_keys("/join den\r");
    bob.wait_for("ada came in");
    bob.type_keys("in here\r");
    ada.wait_for("bob  in here");
    drop(server);
    ada.wait_for("trying again in");
    bob.wait_for("trying again in");
    let _server = place.serve(&[&at]);
    for person in [&ada, &bob] {
        person.wait_until("back in the room", |screen| {
            screen.contains("connected") && screen.contains(" den  as ")
        });
    }
    ada.type_keys("still here\r");
    bob.wait_for("ada  still here");
}

/// The modes of the terminal while a shell would have it, and those that a full screen sets by escape sequences.
fn state(terminal: &Terminal) -> (String, [bool; 4]) {
    let screen = terminal.screen();
    let set = [
        screen.alternate_screen(),
        screen.hide_cursor(),
        screen.bracketed_paste(),
        screen.application_cursor(),
    ];
    (terminal.modes(), set)
}

/// Starts a chat, has it end in some way, and holds the terminal's modes against those before.
fn dies_well(
    way: &str,
    panicking: &str,
    code: Option<i32>,
    end: impl FnOnce(&Terminal, &mut Option<harness::Server>),
) -> String {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut terminal = Terminal::open(24, 80);
    let before = state(&terminal);
    assert_eq!(before.1, [false; 4]);
    let mut command = chat(&place, &[&server.at(), "--user", "ada"]);
    command.env("NETLAB_PANIC", panicking).env("RUST_BACKTRACE", "0");
    terminal.run(command);
    terminal.wait_for("you are in default");
    let taken = state(&terminal);
    assert!(taken.0 != before.0 && taken.1[0], "{way}: the modes tell nothing");
    // Kept until the chat has ended, unless its death is the way: what is typed has to reach a room.
    let mut server = Some(server);
    end(&terminal, &mut server);
    assert_eq!(terminal.end(), code, "{way}: {}", terminal.text());
    // What was written last may still be on its way to the emulator.
    terminal.wait_until("the shell's screen", |_| state(&terminal).1 == before.1);
    assert_eq!(state(&terminal), before, "{way}");
    terminal.text()
}

// Catches: each of these ways with a terminal that is left raw, on the second screen, without a cursor.
#[test]
fn the_terminal_is_as_before_in_every_way_to_end() {
    dies_well("/quit", "", Some(0), |terminal, _| terminal.type_keys("/quit\r"));
    dies_well("Ctrl-C", "", Some(0), |terminal, _| terminal.type_keys("\u{3}"));
    for signal in ["TERM", "HUP", "INT"] {
        dies_well(signal, "", Some(0), |terminal, _| terminal.signal(signal));
    }
    dies_well("the server's death", "", Some(0), |terminal, server| {
        drop(server.take());
        terminal.wait_for("trying again in");
        terminal.type_keys("\u{3}");
    });
}

// Catches: a panic that leaves the terminal raw, or is told on a screen that vanishes with it.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "needs a debug build: a release build does not panic when asked")]
fn the_terminal_is_as_before_after_a_panic_of_any_thread() {
    for (thread, code) in [("network", 1), ("screen", 101)] {
        let told = dies_well(thread, thread, Some(code), |terminal, _| terminal.type_keys("x\r"));
        assert!(told.contains("panicked") && told.contains("NETLAB_PANIC"), "{thread}: {told}");
    }
}

// Catches: a stop that leaves the terminal to us, a way back that does not draw or reads no keys.
#[test]
#[cfg(target_os = "linux")]
fn it_stops_and_goes_on_as_the_shell_wants() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut terminal = Terminal::open(24, 80);
    let before = state(&terminal);
    terminal.run(chat(&place, &[&server.at(), "--user", "ada"]));
    terminal.wait_for("you are in default");
    terminal.type_keys("half a line");
    terminal.wait_for("half a line");
    let taken = state(&terminal);
    for _ in 0..2 {
        terminal.signal("TSTP");
        harness::eventually("stopped", || terminal.is_stopped());
        terminal.wait_until("the shell's screen", |_| state(&terminal) == before);
        assert!(!terminal.text().contains("half a line"));
        terminal.signal("CONT");
        terminal.wait_for("half a line");
        terminal.wait_until("our screen", |_| state(&terminal) == taken);
    }
    terminal.type_keys(" and the rest\r");
    terminal.wait_for("ada  half a line and the rest");
}

// Catches: a screen that keeps its old size, or breaks when it is small.
#[test]
fn it_follows_the_size_of_the_terminal() {
    let place = Place::new();
    let server = place.serve(&[]);
    let terminal = chat_in(&place, &server.at(), "ada");
    terminal.wait_for("you are in default");
    terminal.wait_for("F2 wire");
    for (rows, columns) in [(40, 120), (10, 40), (24, 80)] {
        terminal.resize(rows, columns);
        let text = format!("at {rows} by {columns}");
        terminal.type_keys(&format!("{text}\r"));
        terminal.wait_until(&text, |screen| {
            let lines: Vec<&str> = screen.lines().collect();
            screen.lines().any(|line| line.contains("ada") && line.contains(&text))
                && lines.len() == usize::from(rows)
        });
    }
}

// Catches: an escape sequence of somebody else that reaches the terminal.
#[test]
fn what_others_write_is_shown_and_not_obeyed() {
    let place = Place::new();
    let server = place.serve(&[]);
    let terminal = chat_in(&place, &server.at(), "ada");
    terminal.wait_for("you are in default");
    let mut eve = Client::named(server.addr, "eve");
    eve.ask("ROOM_ECHO", &json!({ "text": "\u{1b}[?1049l\u{9b}5n\u{202e}evil" }));
    terminal.wait_for("\\x1b[?1049l\\u{9b}5n\\u{202e}evil");
    assert!(terminal.screen().alternate_screen());
}

// Catches: a wire view that encodes once more what it shows.
#[test]
fn the_wire_is_seen_while_chatting() {
    let place = Place::new();
    let server = place.serve(&[]);
    let terminal = Terminal::start(chat(&place, &[&server.at(), "--user", "ada"]), 100, 120);
    terminal.wait_for("you are in default");
    terminal.type_keys("\u{1b}OQ");
    terminal.wait_for("wire, framed as u16");
    terminal.type_keys("look\r");
    terminal.wait_until("both directions of what was said", |screen| {
        screen.contains("ROOM_ECHO  send") && screen.contains("ROOM_ECHOED  recv")
    });
}

/// How many messages, and in what time.
const FLOOD: (u32, Duration) = (10_000, Duration::from_secs(5));

/// Sends [`FLOOD`] evenly, each a line of a chat, while the other thread reads what comes back: a client that does
/// not read is closed.
fn flood(addr: SocketAddr) -> thread::JoinHandle<()> {
    let mut client = Client::named(addr, "crowd");
    let mut writer = client.stream().try_clone().unwrap();
    thread::spawn(move || {
        let reader = thread::spawn(move || while client.next_of("ROOM_ECHOED")["data"]["seq"] != FLOOD.0 {});
        let begun = Instant::now();
        for n in 0..FLOOD.0 {
            let message = json!({ "type": "ROOM_ECHO", "data": { "text": format!("message {n} of a crowd that talks") } });
            writer.write_all(&frame(message.to_string())).unwrap();
            // An open loop: what is late is made up for.
            thread::sleep((begun + FLOOD.1 * n / FLOOD.0).saturating_duration_since(Instant::now()));
        }
        reader.join().unwrap();
    })
}

// Catches: a screen that is drawn for each message, keys that wait behind the network, a history without an end.
#[test]
#[cfg(target_os = "linux")]
fn a_key_is_seen_at_once_while_ten_thousand_messages_come() {
    let place = Place::new();
    let server = place.serve(&["--rate-limit", "0"]);
    let terminal = chat_in(&place, &server.at(), "ada");
    terminal.wait_for("you are in default");
    let before = rooms::resident_kib(terminal.pid());
    let flood = flood(server.addr);
    terminal.wait_for("message 1");
    let (mut waits, mut most, mut line) = (Vec::new(), before, String::new());
    while !flood.is_finished() {
        line.push(char::from(b'a' + u8::try_from(waits.len() % 26).unwrap()));
        let pressed = Instant::now();
        terminal.type_keys(&line[line.len() - 1..]);
        terminal.wait_for(&format!("› {line}"));
        waits.push(pressed.elapsed());
        most = most.max(rooms::resident_kib(terminal.pid()));
        if line.len() == 40 {
            // Ctrl-U: an empty line again.
            terminal.type_keys("\u{15}");
            terminal.wait_for("› say something");
            line.clear();
        }
        // As people type: twenty keys a second.
        thread::sleep(Duration::from_millis(50));
    }
    flood.join().unwrap();
    terminal.wait_for(&format!("message {} of a crowd", FLOOD.0 - 1));
    waits.sort_unstable();
    let (median, worst) = (waits[waits.len() / 2], waits[waits.len() - 1]);
    println!(
        "{} keys: median {median:?}, worst {worst:?}; memory {before} KiB, then {most} KiB",
        waits.len()
    );
    assert!(waits.len() > 4, "{} keys are too few to tell", waits.len());
    assert!(most < before + (64 << 10), "{before} KiB grew to {most} KiB");
    // The promise is 100 ms: run this alone on a quiet machine, with `--nocapture`, and read the line above. Here
    // others may have the processors; keys that wait behind the network would wait for seconds all the same.
    assert!(median < Duration::from_secs(1), "half of the keys took longer than {median:?}");
}
