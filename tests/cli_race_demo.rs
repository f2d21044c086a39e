//! `netlab race-demo` from the outside: what it prints, its JSON document, its exit codes.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::process::{Command, Output};

use serde_json::Value;

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netlab"));
    command.arg("race-demo").args(args).env("LC_ALL", "C.UTF-8").output().unwrap()
}

fn count<'a>(document: &'a Value, method: &str) -> &'a Value {
    let mut counts = document["counts"].as_array().unwrap().iter();
    counts.find(|count| count["method"] == method).unwrap()
}

#[test]
fn updates_are_lost_without_a_lock_and_none_with_one_every_time() {
    for _ in 0..20 {
        let output = run(&["-J"]);
        assert_eq!(output.status.code(), Some(0));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["schema_version"], 1);
        let unprotected = count(&document, "unprotected");
        assert!(unprotected["lost"].as_u64().unwrap() > 0, "{unprotected}");
        let (expected, counted) = (&unprotected["expected"], unprotected["counted"].as_u64().unwrap());
        assert_eq!(expected, 8_000);
        assert_eq!(counted + unprotected["lost"].as_u64().unwrap(), 8_000);
        for method in ["mutex", "semaphore_1", "fetch_add"] {
            assert_eq!(count(&document, method)["counted"], 8_000, "{method}");
        }
    }
}

#[test]
fn the_interleaving_is_told_by_its_own_values() {
    let document: Value = serde_json::from_slice(&run(&["-J"]).stdout).unwrap();
    let (mut value, mut lost) = (0, 0);
    for step in document["timeline"]["steps"].as_array().unwrap() {
        let here = step["value"].as_u64().unwrap();
        if step["action"] == "read" {
            assert_eq!(here, value, "a read finds what was written last");
        } else {
            lost += u64::from(here != value + 1);
            value = here;
        }
    }
    assert_eq!(document["timeline"]["lost"], lost);
    assert!(lost > 0);
}

#[test]
fn the_text_fits_a_screen_and_says_what_was_lost() {
    let text = String::from_utf8(run(&[]).stdout).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for part in ["num_clients += 1", "updates were lost", "an update is lost", "a queue for each thread"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_race_of_one_is_refused() {
    for args in [["--threads", "1"], ["--threads", "65"], ["--updates", "0"]] {
        let output = run(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(args[0]));
    }
}
