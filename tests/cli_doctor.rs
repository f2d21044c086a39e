//! `netlab doctor` from the outside: what it finds where the test has put something amiss.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::net::TcpListener;

use harness::{Ended, finish, netlab};
use serde_json::Value;

fn doctor(environment: &[(&str, &str)], args: &[&str]) -> Ended {
    let mut command = netlab();
    command.arg("doctor").args(args).envs(environment.iter().copied());
    finish(&mut command, b"")
}

fn check(document: &Value, name: &str) -> Value {
    let checks = document["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {document}")).clone()
}

/// A base with room for every default port, of which the first one is held by the listener.
fn held_base() -> (TcpListener, u16) {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if port <= 65_000 {
            return (listener, port);
        }
    }
}

#[test]
fn a_port_that_is_held_is_a_warning_that_names_its_holder() {
    let (listener, base) = held_base();
    let text = base.to_string();
    let environment = [("NETLAB_PORT_BASE", text.as_str())];
    let ended = doctor(&environment, &["-J"]);
    let document = ended.json();
    let held = check(&document, "tcp-echo");
    assert_eq!(held["status"], "warning");
    assert!(held["fix"].as_str().unwrap().contains("-p"), "{held}");
    if cfg!(target_os = "linux") {
        let pid = std::process::id();
        assert!(held["found"].as_str().unwrap().contains(&format!("held by pid {pid} (")), "{held}");
    }
    drop(listener);
    let document = doctor(&environment, &["-J"]).json();
    assert_eq!(check(&document, "tcp-echo")["status"], "ok", "{document}");
}

#[test]
fn the_exit_code_is_that_of_what_labs_need() {
    let ended = doctor(&[], &["-J"]);
    let document = ended.json();
    let failed = document["failed"].as_u64().unwrap();
    assert_eq!(ended.code, Some(i32::from(failed > 0)), "{document}");
    // Without a search path there is no Python, which labs need.
    let ended = doctor(&[("PATH", "")], &["-J"]);
    let python = check(&ended.json(), "Python");
    assert_eq!((ended.code, &python["status"]), (Some(1), &"failed".into()), "{python}");
    assert!(python["fix"].as_str().unwrap().contains("3.10"), "{python}");
}

#[test]
fn a_base_that_is_none_is_a_failure_and_so_said() {
    for base in ["x", "0", "65001", "80"] {
        let ended = doctor(&[("NETLAB_PORT_BASE", base)], &["-J"]);
        let check = check(&ended.json(), "port base");
        assert_eq!((ended.code, &check["status"]), (Some(1), &"failed".into()), "{base}: {check}");
        assert!(check["fix"].as_str().unwrap().contains("NETLAB_PORT_BASE"), "{check}");
    }
}

#[test]
fn each_line_that_is_amiss_ends_in_its_fix() {
    let ended = doctor(&[("LC_ALL", "C")], &[]);
    let text = ended.text();
    assert!(text.contains("LC_ALL=C: pictures are drawn in ASCII"), "{text}");
    assert!(text.contains("fix: export LC_ALL=C.UTF-8"), "{text}");
    assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 80), "{text}");
    let document = doctor(&[("LC_ALL", "C")], &["-J"]).json();
    for check in document["checks"].as_array().unwrap() {
        assert_eq!(check["fix"].is_null(), check["status"] == "ok", "{check}");
    }
}
