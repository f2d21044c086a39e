//! Whose children an ended program takes with it. A process of its own: the first program that it starts decides.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

use std::ffi::OsString;
use std::time::{Duration, Instant};

use netlab::process::{Child, Program};

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

// Catches: an end that takes other people's children, or those of a program that still runs, for its own.
#[test]
fn only_what_the_program_left_behind_is_ended() {
    let mut other = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    // Its child's parent ends: the child comes to us, and is still of a group that runs.
    let keeps = shell("(sleep 1000 & echo $!); read _; sleep 1000");
    let member = said(&keeps);
    shell("setsid sleep 1000 & exit 0").end();
    assert!(alive(&member), "it belongs to a program that runs");
    drop(keeps);
    assert!(!alive(&member));
    let code = other.try_wait().unwrap();
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(code, None, "nobody ended it");
}
