//! `netlab grade` from the outside: a class with right, wrong and hostile submissions.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use harness::{Ended, run};
use serde_json::Value;
use tempfile::TempDir;

/// The right answer to framed-echo-u16.
const RIGHT: &str = r#"#!/usr/bin/env python3
import socket, struct, sys, threading

def exactly(conn, n):
    data = b""
    while len(data) < n:
        more = conn.recv(n - len(data))
        if not more:
            return None
        data += more
    return data

def serve(conn):
    with conn:
        while (head := exactly(conn, 2)) is not None:
            body = exactly(conn, struct.unpack("!H", head)[0])
            if body is None:
                return
            conn.sendall(head + body)

with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"#;

struct Class {
    folder: TempDir,
}

impl Class {
    fn new(submissions: &[(&str, &str)]) -> Class {
        let folder = tempfile::tempdir().unwrap();
        for (name, program) in submissions {
            let own = folder.path().join("submissions").join(name);
            fs::create_dir_all(&own).unwrap();
            fs::write(own.join("run"), program).unwrap();
            fs::set_permissions(own.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
        }
        Class { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn grade(&self, flags: &[&str]) -> Ended {
        let (from, to) = (self.path("submissions"), self.path("grades"));
        let fixed = ["grade", "framed-echo-u16", from.to_str().unwrap(), "-o", to.to_str().unwrap()];
        run(&[&fixed, flags].concat(), b"")
    }
}

fn has_python() -> bool {
    std::process::Command::new("python3")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

fn row<'a>(document: &'a Value, name: &str) -> &'a Value {
    document["rows"].as_array().unwrap().iter().find(|row| row["submission"] == name).unwrap()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

// Catches: a crash that stops the class, a submission that is graded by another's result, a name that is a formula,
// a hostile program that outlives its run.
#[test]
fn a_class_is_graded_whatever_its_programs_do() {
    if !has_python() {
        return;
    }
    let forks = "#!/bin/sh\nsleep 4711 &\nsetsid sleep 4711 &\nexit 3\n";
    let fake = "#!/bin/sh\necho '{\"score\": 100, \"tests\": []}'\nexec sleep 4711\n";
    let class = Class::new(&[("ada", RIGHT), ("=cmd", forks), ("fake", fake)]);
    fs::create_dir(class.path("submissions/empty")).unwrap();
    let ended = class.grade(&["-J", "--format", "gradescope", "--jobs", "2"]);
    assert_eq!(ended.code, Some(1), "one has no program: {}", ended.stderr);
    let document = ended.json();
    assert_eq!((&document["submissions"], &document["graded"]), (&Value::from(4), &Value::from(3)));
    let ada = row(&document, "ada");
    assert_eq!(ada["score"], ada["max_score"], "{ada}");
    assert_eq!(row(&document, "=cmd")["score"], 0);
    assert_eq!(row(&document, "fake")["score"], 0);
    assert_eq!(row(&document, "empty")["outcome"], "no_program");
    let results: Value = serde_json::from_str(&read(&class.path("grades/ada.json"))).unwrap();
    assert_eq!(results["score"], results["max_score"]);
    let csv = read(&class.path("grades/grades.csv"));
    assert!(csv.lines().any(|line| line.starts_with("'=cmd,graded,0,")), "{csv}");
    let left = std::process::Command::new("pgrep").args(["-f", "sleep 4711"]).output();
    assert!(left.is_ok_and(|output| output.stdout.is_empty()), "nothing outlives its run");
}

// Catches: a grading that begins anew, or that does not see a new version.
#[test]
fn a_grading_goes_on_and_notices_what_changed() {
    if !has_python() {
        return;
    }
    let class = Class::new(&[("ada", "#!/bin/sh\nexit 1\n"), ("bob", "#!/bin/sh\nexit 1\n")]);
    let first = class.grade(&["-J"]).json();
    let seed = read(&class.path("grades/.ledger/terms.json"));
    fs::write(class.path("submissions/ada/run"), RIGHT).unwrap();
    let second = class.grade(&["-J"]).json();
    assert_eq!(seed, read(&class.path("grades/.ledger/terms.json")));
    assert_eq!(row(&first, "bob"), row(&second, "bob"), "not graded again: the time it took is the same");
    assert_ne!(row(&first, "ada")["score"], row(&second, "ada")["score"]);
    let other = class.grade(&["--variant", "7"]);
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    assert!(other.stderr.contains("not the same --variant"), "{}", other.stderr);
    let other = class.grade(&["--format", "junit"]);
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    assert!(other.stderr.contains("not the same --format"), "{}", other.stderr);
    fs::remove_file(class.path("grades/bob.txt")).unwrap();
    assert_eq!(class.grade(&[]).code, Some(0));
    assert!(class.path("grades/bob.txt").exists(), "a report that is gone is made again");
}

// Catches: a program that reads another submission or the grades, writes into its own, or kills the checker.
#[test]
fn a_program_is_confined_to_its_folder() {
    if !has_python() || run(&["confined", "--", "true"], b"").code != Some(0) {
        return;
    }
    let class = Class::new(&[("ada", RIGHT)]);
    let secret = class.path("submissions/ada/run");
    let spy = format!(
        "#!/bin/sh\ncat {secret} > /dev/null && echo READ >&2\necho x > mine && echo WROTE >&2\n\
         echo x > \"$TMPDIR/mine\" || echo NO_TMP >&2\nkill -9 $PPID && echo KILLED >&2\necho done >&2\n",
        secret = secret.display()
    );
    let own = class.path("submissions/spy");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("run"), spy).unwrap();
    let ended = class.grade(&["-J"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!own.join("mine").exists());
    let report = read(&class.path("grades/spy.txt"));
    assert!(report.contains("done"), "{report}");
    for word in ["READ", "WROTE", "NO_TMP", "KILLED"] {
        assert!(!report.contains(word), "{report}");
    }
}

#[test]
fn weights_are_read_and_wrong_ones_named() {
    let class = Class::new(&[("ada", "#!/bin/sh\nexit 1\n")]);
    fs::write(class.path("points"), "cut 50 # the hard one\nno-such-case 1\n").unwrap();
    let points = class.path("points");
    let ended = class.grade(&["--points", points.to_str().unwrap()]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("points: line 2: `no-such-case` is no case of framed-echo-u16"),
        "{}",
        ended.stderr
    );
    fs::write(&points, "cut 50\ncut 5\n").unwrap();
    let ended = class.grade(&["--points", points.to_str().unwrap()]);
    assert!(ended.stderr.contains("line 2: `cut` has its points"), "{}", ended.stderr);
    fs::write(&points, "\u{feff}cut 50\n").unwrap();
    let document = class.grade(&["-J", "--points", points.to_str().unwrap()]).json();
    assert!(row(&document, "ada")["max_score"].as_u64().unwrap() > 50);
}

#[test]
fn an_empty_class_is_named() {
    let class = Class::new(&[]);
    fs::create_dir(class.path("submissions")).unwrap();
    let ended = class.grade(&[]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("no folder in it"), "{}", ended.stderr);
}

// Catches: a submission that is left out without a word, one whose name stops the class, grades that count as one.
#[test]
fn nobody_is_left_out_and_no_name_stops_the_class() {
    let long = "é".repeat(127);
    let class = Class::new(&[("ada", "#!/bin/sh\nexit 1\n"), (&long, "#!/bin/sh\nexit 1\n")]);
    std::os::unix::fs::symlink("/nowhere/at/all", class.path("submissions/lost")).unwrap();
    fs::create_dir_all(class.path("submissions/folder/run")).unwrap();
    let (from, to) = (class.path("submissions"), class.path("submissions/grades"));
    let words = ["grade", "tcp-echo", from.to_str().unwrap(), "-J", "-o", to.to_str().unwrap()];
    for _ in 0..2 {
        let ended = run(&words, b"");
        assert_eq!(ended.code, Some(1), "two have no program: {}", ended.stderr);
        let document = ended.json();
        assert_eq!((&document["submissions"], &document["graded"]), (&Value::from(4), &Value::from(2)));
        let lost = row(&document, "lost");
        assert_eq!((&lost["outcome"], &lost["score"]), (&Value::from("no_program"), &Value::from(0)));
        assert_eq!(lost["max_score"], row(&document, "ada")["max_score"], "0 of what the others can get");
        assert!(row(&document, "folder")["reason"].as_str().unwrap().contains("`run` is no file"));
    }
}

// Catches: the checker's own failure as a student's grade, or kept for good.
#[test]
fn the_checkers_failure_is_no_grade_and_is_tried_again() {
    let class = Class::new(&[("ada", "#!/bin/sh\nexit 1\n")]);
    let (from, to) = (class.path("submissions"), class.path("grades"));
    let words = ["grade", "tcp-echo", from.to_str().unwrap(), "-o", to.to_str().unwrap()];
    let output = harness::netlab().args(words).env("TMPDIR", class.path("nowhere")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let csv = read(&class.path("grades/grades.csv"));
    assert!(csv.contains("\nada,checker failed,,,,,,the checker failed: no temporary folder"), "{csv}");
    assert_eq!(run(&words, b"").code, Some(0));
    let csv = read(&class.path("grades/grades.csv"));
    assert!(csv.contains("\nada,graded,0,14,"), "{csv}");
}

// Catches: a folder that can't be read or written, told as a class that did badly.
#[test]
fn grades_that_cannot_be_kept_are_the_graders_trouble() {
    let class = Class::new(&[("ada", "#!/bin/sh\nexit 1\n")]);
    fs::write(class.path("file"), "").unwrap();
    let from = class.path("submissions");
    let file = class.path("file");
    for (submissions, grades) in [(&from, &file), (&file, &from), (&class.path("nowhere"), &from)] {
        let words = ["grade", "tcp-echo", submissions.to_str().unwrap(), "-o", grades.to_str().unwrap()];
        let ended = run(&words, b"");
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    }
}
