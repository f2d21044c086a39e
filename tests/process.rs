//! Child programs that end, that don't want to end, and that leave somebody behind.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

use std::ffi::OsString;
use std::time::{Duration, Instant};

use netlab::process::{Child, Exit, Limits, Program};

fn shell(script: &str) -> Child {
    let command = ["sh", "-c", script].map(OsString::from).to_vec();
    Program { command, ..Program::default() }.spawn().unwrap()
}

fn alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

fn said(child: &Child) -> String {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let text = String::from_utf8(child.stdout().head).unwrap();
        if text.ends_with('\n') {
            return text;
        }
        assert!(Instant::now() < end, "it said nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_exit_is_seen_with_its_code_and_its_words() {
    let mut child = shell("echo out; echo err >&2; exit 3");
    assert_eq!(child.wait(Duration::from_secs(20)), Some(Exit::Code(3)));
    assert_eq!(child.exited(), Some(Exit::Code(3)), "it is no secret the second time");
    assert_eq!(said(&child), "out\n");
    assert_eq!(child.end(), Some(Exit::Code(3)));
}

#[test]
fn who_ignores_signals_ends_with_all_it_started() {
    let mut child = shell("trap '' TERM INT HUP; sleep 1000 & echo $!; wait");
    let grandchild = said(&child);
    assert!(alive(&grandchild));
    assert_eq!(child.exited(), None);
    assert_eq!(child.end(), Some(Exit::Signal(9)));
    assert!(!alive(&grandchild));
}

#[test]
fn who_left_the_group_ends_too() {
    let mut child = shell("setsid sh -c 'echo $$; exec sleep 1000' & wait");
    let daemon = said(&child);
    assert!(alive(&daemon));
    child.end();
    assert!(!alive(&daemon), "{daemon}");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let missing = Program { command: vec!["no-such-program".into()], ..Program::default() };
    assert_eq!(missing.spawn().unwrap_err().to_string(), "start no-such-program");
}

#[test]
fn limits_hold() {
    let command = ["sh", "-c", "read _; ulimit -n"].map(OsString::from).to_vec();
    let limits = Limits { descriptors: Some(77), ..Limits::default() };
    let mut child = Program { command, limits, stdin: true, ..Program::default() }.spawn().unwrap();
    child.write(b"go\n").unwrap();
    assert!(said(&child).starts_with("77\n"), "{}", said(&child));
}
