//! `netlab config`, end to end: every setting with its source, and errors that lead to their line.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod harness;

use harness::{Ended, finish, netlab};
use serde_json::{Value, json};

const NAMES: [&str; 8] = [
    "SERVER_HOST",
    "SERVER_PORT",
    "MAX_CONNECTION",
    "UPDATE_TIMER",
    "UPDATE_TRESH",
    "FILE_PATH",
    "RECORD_PATH",
    "RECORD_FILE",
];

/// Runs `netlab config` in a folder with this `.env`.
fn config(file: Option<&str>, environment: &[(&str, &str)], args: &[&str]) -> Ended {
    let folder = tempfile::tempdir().expect("a folder");
    if let Some(file) = file {
        std::fs::write(folder.path().join(".env"), file).unwrap();
    }
    let mut command = netlab();
    command.current_dir(folder.path()).arg("config").args(args);
    command.envs(environment.iter().copied());
    finish(&mut command, b"")
}

fn setting(document: &Value, name: &str) -> (Value, String) {
    let settings = document["settings"].as_array().unwrap();
    let setting = settings.iter().find(|setting| setting["name"] == name).unwrap();
    (setting["value"].clone(), setting["source"].as_str().unwrap().to_owned())
}

#[test]
fn the_defaults_are_the_courses() {
    let document = config(None, &[], &["-J"]).json();
    let names: Vec<&str> =
        document["settings"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, NAMES);
    let expected =
        [json!("127.0.0.1"), json!(12_000), json!(256), json!(60), json!(900), json!("records.json")];
    let plain = NAMES.into_iter().filter(|name| !name.ends_with("_PATH"));
    for (name, value) in plain.zip(expected) {
        assert_eq!(setting(&document, name), (value, "default".to_owned()), "{name}");
    }
    assert!(setting(&document, "FILE_PATH").0.as_str().unwrap().contains("netlab"));
}

#[test]
fn each_value_says_where_it_comes_from() {
    let file = "# the course's\nSERVER_PORT=13000\nMAX_CONNECTION=5 # few\nFILE_PATH=\"my records\"\n";
    let environment = [("MAX_CONNECTION", "6"), ("UPDATE_TRESH", "2m")];
    let document = config(Some(file), &environment, &["localhost", "--update-timer", "5", "-J"]).json();
    let expected = [
        ("SERVER_HOST", json!("localhost"), "flag"),
        ("SERVER_PORT", json!(13_000), ".env:2"),
        ("MAX_CONNECTION", json!(6), "environment"),
        ("UPDATE_TIMER", json!(5), "flag"),
        ("UPDATE_TRESH", json!(120), "environment"),
        ("FILE_PATH", json!("my records"), ".env:4"),
        ("RECORD_FILE", json!("records.json"), "default"),
    ];
    for (name, value, source) in expected {
        assert_eq!(setting(&document, name), (value, source.to_owned()), "{name}");
    }
    let table = config(Some(file), &environment, &[]).text();
    let row = table.lines().find(|line| line.contains("SERVER_PORT")).unwrap();
    assert!(row.contains("13000") && row.contains(".env:2"), "{table}");
}

#[test]
fn errors_lead_to_their_line() {
    let cases = [
        ("A=1\nSERVER_PORT=70000\n", ".env:2: SERVER_PORT is `70000`: it must be a port from 0 to 65535"),
        ("UPDATE_TRESH=1\nUPDATE_THRESHOLD=2\n", "UPDATE_TRESH (.env:1) and UPDATE_THRESHOLD (.env:2)"),
        ("\n\nthis is no entry\n", ".env:3: "),
    ];
    for (file, expected) in cases {
        let ended = config(Some(file), &[], &[]);
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        let json = config(Some(file), &[], &["-J"]);
        assert!(json.json()["error"]["message"].as_str().unwrap().contains(expected));
    }
    let missing = config(None, &[], &["--env-file", "other.env"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("other.env"), "{}", missing.stderr);
    assert_eq!(config(None, &[], &["--max-connections", "0"]).code, Some(2));
}

#[test]
fn a_port_base_shifts_the_default_alone() {
    let port =
        |file, base| setting(&config(file, &[("NETLAB_PORT_BASE", base)], &["-J"]).json(), "SERVER_PORT");
    assert_eq!(port(None, "20000"), (json!(20_002), "default".to_owned()));
    assert_eq!(port(Some("SERVER_PORT=12000"), "20000"), (json!(12_000), ".env:1".to_owned()));
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let file = "MAX_CONNECTION=ten\nSERVER_HOST=127.0.0.1\nUPDATE_TIMER=-1\n";
    let ended = config(Some(file), &[("SERVER_PORT", "x")], &[]);
    assert_eq!(ended.code, Some(2));
    for part in [".env:1: MAX_CONNECTION is `ten`", ".env:3: UPDATE_TIMER is `-1`", "SERVER_PORT is `x`"] {
        assert!(ended.stderr.contains(part), "{part} is not in {}", ended.stderr);
    }
}
