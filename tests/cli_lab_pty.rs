//! `netlab lab N` in a pseudo-terminal: what stands on the screen when, and what a walk leaves behind.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;
mod terminal;

use std::path::Path;
use std::process::Command;

use harness::netlab;
use terminal::Terminal;

/// `netlab lab ARGS...`, at home and at work in this folder.
fn lab(folder: &Path, args: &[&str]) -> Command {
    let mut command = netlab();
    command.arg("lab").args(args).current_dir(folder).env("HOME", folder).env("XDG_DATA_HOME", folder);
    command
}

/// Waits until this stands on the screen and an answer is awaited below it.
fn asked(terminal: &Terminal, text: &str) {
    asked_so(terminal, text, |screen| screen.contains(text));
}

fn asked_so(terminal: &Terminal, what: &str, wanted: impl Fn(&str) -> bool) {
    terminal.wait_until(&format!("a question below {what:?}"), |screen| {
        wanted(screen) && screen.trim_end().ends_with("\n>")
    });
}

/// Answers, and waits for the next question.
fn answer(terminal: &Terminal, text: &str, next: &str) {
    terminal.type_keys(&format!("{text}\r"));
    asked(terminal, next);
}

/// Goes to the first prediction of lab 01.
fn to_the_prediction(terminal: &Terminal) {
    asked(terminal, "Lab 01");
    answer(terminal, "", "Goal");
    answer(terminal, "", "Your prediction: A or B or C");
}

fn first_round(terminal: &Terminal) {
    asked(terminal, "terminal 1 $ netlab tcp-echo server");
    answer(terminal, "", "\"Hello, Server\"");
    answer(terminal, "", "\"Hello again\"");
    assert!(terminal.text().contains("[2] ACK: Hello, Server"));
    answer(terminal, "", "What did you observe?");
    answer(terminal, "a port\r", "Your answers.");
    answer(terminal, "\u{5d0}\u{202e}\r", "Your prediction: A or B or C, and why");
}

// Catches: a run before its prediction, a pasted line or a wrong key that is taken for an answer, a walk whose notes
// are lost or whose worksheet is refused or overwritten at the next one.
#[test]
fn a_walk_is_begun_left_and_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(lab(folder.path(), &["1", "--worksheet"]), 40, 80);
    to_the_prediction(&terminal);
    let screen = terminal.text();
    assert!(!screen.contains("terminal 1 $") && !screen.contains("Observe"), "{screen}");
    // Pasted: the second line would be a prediction.
    answer(&terminal, "I think\rB", "A or B or C, please");
    assert!(!terminal.text().contains("terminal 1 $"));
    // Keys of no meaning here: up, Escape.
    terminal.type_keys("\u{1b}[A\r");
    asked_so(&terminal, "two refusals", |screen| screen.matches("please").count() == 2);
    answer(&terminal, "b, \u{5df2}\u{7ecf} caf\u{e9}", "terminal 1 $");
    terminal.type_keys("x\r");
    asked_so(&terminal, "the same question", |screen| screen.matches("Enter does it").count() == 2);
    assert!(!terminal.text().contains("listening on"));
    first_round(&terminal);
    terminal.type_keys("\u{3}");
    assert_eq!(terminal.end(), Some(0));
    terminal.wait_for("1 round passed now");
    terminal.wait_for("`netlab lab 1 --round 2` goes on");
    let sheet = || std::fs::read_to_string(folder.path().join("lab-01.md")).unwrap();
    for part in [
        "**B. Refused.** \u{5df2}\u{7ecf} caf\u{e9}\n",
        "[2] ACK: Hello, Server\n",
        "- a port\n",
        "\\u{202e}",
    ] {
        assert!(sheet().contains(part), "{part} in {}", sheet());
    }
    let first = sheet();
    terminal.run(lab(folder.path(), &["1", "--worksheet"]));
    asked(&terminal, "1 round passed before: `netlab lab 1 --round 2` goes on there");
    terminal.type_keys("\u{4}");
    assert_eq!(terminal.end(), Some(0));
    assert_eq!(sheet(), first, "no round was begun");
    terminal.run(lab(folder.path(), &["1", "--round", "2", "--worksheet"]));
    asked(&terminal, "Lab 01");
    answer(&terminal, "", "layers");
    answer(&terminal, "", "Your prediction");
    answer(&terminal, "C", "terminal 1 $");
    terminal.type_keys("q\r");
    assert_eq!(terminal.end(), Some(0));
    assert!(sheet().starts_with(&first) && sheet().contains("**C. By both ends.**"), "{}", sheet());
}

// Catches: an hour's work that ends with an error because the progress can't be noted; a lab that is refused a
// second time because its first, empty worksheet is there.
#[test]
fn what_cannot_be_noted_ends_no_lab() {
    let folder = tempfile::tempdir().unwrap();
    // Its lock can't be taken: nothing can be noted.
    std::fs::create_dir_all(folder.path().join("netlab/labs.json.lock")).unwrap();
    let mut terminal = Terminal::start(lab(folder.path(), &["1", "--worksheet"]), 40, 80);
    asked(&terminal, "Lab 01");
    terminal.type_keys("q\r");
    assert_eq!(terminal.end(), Some(0));
    assert!(!folder.path().join("lab-01.md").exists());
    terminal.run(lab(folder.path(), &["1", "--worksheet"]));
    to_the_prediction(&terminal);
    answer(&terminal, "A", "terminal 1 $");
    first_round(&terminal);
    assert!(terminal.text().contains("warning: it can't be noted"), "{}", terminal.text());
    terminal.type_keys("\u{4}");
    assert_eq!(terminal.end(), Some(0));
    assert!(std::fs::read_to_string(folder.path().join("lab-01.md")).unwrap().contains("ACK: Hello, Server"));
}

// Catches: text that keeps the width of the terminal's first size.
#[test]
fn a_walk_follows_the_size_of_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = Terminal::start(lab(folder.path(), &["1"]), 90, 80);
    asked(&terminal, "Lab 01");
    terminal.resize(90, 44);
    answer(&terminal, "", "0 bytes mean.");
    let line = "- who of the two waits and who calls, and";
    assert!(terminal.text().lines().any(|shown| shown == line), "{}", terminal.text());
}

// Catches: text that scrolls off unread; a table that waits for nobody; `q` that only turns the page.
#[test]
fn a_full_screen_waits() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(lab(folder.path(), &["1"]), 16, 60);
    asked(&terminal, "Lab 01");
    answer(&terminal, "", "Enter reads on");
    assert!(terminal.text().contains("Goal"), "what was shown first is there: {}", terminal.text());
    answer(&terminal, "", "IP address");
    terminal.type_keys("q\r");
    assert_eq!(terminal.end(), Some(0));
    terminal.wait_for("0 rounds passed now");
}

// Catches: another's essay that is written over.
#[test]
fn a_file_that_is_no_worksheet_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lab-01.md"), "# My essay\n").unwrap();
    let mut terminal = Terminal::start(lab(folder.path(), &["1", "--worksheet"]), 40, 80);
    assert_eq!(terminal.end(), Some(2));
    terminal.wait_for("is no worksheet of this lab");
    assert_eq!(std::fs::read_to_string(folder.path().join("lab-01.md")).unwrap(), "# My essay\n");
}
