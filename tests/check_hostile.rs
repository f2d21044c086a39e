//! Programs that nobody should trust, checked and graded: `netlab check` and `netlab grade` end in time, stay small,
//! give a valid report, and leave nothing behind.
//!
//! The programs are in tests/hostile. Each runs in a copy of that folder, with a word among its arguments that no
//! other process on this machine has: what still carries it afterwards has outlived its run.
#![allow(clippy::print_stdout, reason = "a run of minutes says how far it is")]
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use harness::{netlab, run};
use serde_json::Value;
use tempfile::TempDir;

/// How long one run may take on a loaded machine.
const BOUND: Duration = Duration::from_secs(60);
/// What netlab itself may take of memory, in KiB.
const MEMORY: u64 = 64 << 10;
/// How many programs are checked at a time.
const AT_ONCE: usize = 3;

/// A program, the exercise that it is checked by, and whether it is confined.
struct Hostile {
    name: &'static str,
    exercise: &'static str,
    confined: bool,
}

const fn confined(name: &'static str, exercise: &'static str) -> Hostile {
    Hostile { name, exercise, confined: true }
}

const fn free(name: &'static str, exercise: &'static str) -> Hostile {
    Hostile { name, exercise, confined: false }
}

/// Clients, in the folder's `clients`.
const CLIENTS: [Hostile; 7] = [
    free("clients/floods", "framed-echo-u16"),
    free("clients/never", "framed-echo-u16"),
    free("clients/escapes", "framed-echo-u16"),
    confined("clients/escapes", "tcp-echo"),
    free("clients/forks", "framed-echo-u16"),
    confined("clients/forks", "framed-echo-u16"),
    free("clients/drips", "framed-echo-u16"),
];

/// Those that a short run takes.
const QUICK: [Hostile; 3] =
    [free("escapes", "tcp-echo"), free("last_words", "upper-lines"), free("daemons", "tcp-echo-once")];

const ALL: [Hostile; 37] = [
    free("endless_answer", "tcp-echo"),
    confined("endless_answer", "upper-lines"),
    confined("gigantic_frame", "framed-echo-u32"),
    free("silent", "framed-echo-header"),
    free("drip", "tcp-echo"),
    confined("escapes", "upper-lines"),
    confined("last_words", "tcp-echo"),
    confined("daemons", "tcp-echo"),
    free("joins_the_checker", "tcp-echo"),
    free("fake_score", "tcp-echo"),
    free("endless_stdout", "tcp-echo"),
    free("stubborn", "tcp-echo"),
    free("stopped", "tcp-echo"),
    free("closes", "framed-echo-u16"),
    free("resets", "rooms"),
    confined("fork_bomb", "tcp-echo"),
    confined("fork_bomb_sessions", "tcp-echo"),
    confined("memory_hog", "tcp-echo"),
    confined("descriptors", "tcp-echo"),
    confined("disk", "tcp-echo"),
    free("spin", "tcp-echo"),
    free("self_connect", "tcp-echo"),
    free("elsewhere", "tcp-echo"),
    confined("kills_parent", "tcp-echo"),
    confined("writes_results", "records"),
    free("writes_results", "tcp-echo"),
    free("deletes_itself", "tcp-echo"),
    confined("udp_flood", "udp-echo"),
    confined("bomb_spinning", "tcp-echo"),
    confined("phoenix", "tcp-echo"),
    confined("memory_children", "tcp-echo"),
    confined("many_files", "tcp-echo"),
    confined("shared_names", "tcp-echo"),
    confined("leftovers", "tcp-echo"),
    confined("canary", "tcp-echo"),
    confined("squatter", "tcp-echo"),
    confined("reaches", "tcp-echo"),
];

/// A word that only the processes of one run carry.
fn marker() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("hostile-{}-{}-end", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst))
}

/// The command lines with `marker` in them; zombies have none.
fn carriers(marker: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(marker)).collect()
}

/// A folder with a copy of the programs.
fn programs() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_programs(folder.path());
    folder
}

fn copy_programs(to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    fs::create_dir(to.join("clients")).unwrap();
    let entries = [".", "clients"].map(|folder| fs::read_dir(from.join(folder)).unwrap());
    for entry in entries.into_iter().flatten().flatten().filter(|entry| entry.path().is_file()) {
        let path = entry.path();
        fs::copy(&path, to.join(path.strip_prefix(&from).unwrap())).unwrap();
    }
}

/// What a run of netlab left behind.
struct Run {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
    /// Its own peak of resident memory, in KiB.
    peak: u64,
    took: Duration,
}

/// Runs netlab to its end, which must come within `bound`, and watches its memory.
fn watched(command: &mut Command, bound: Duration) -> Run {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    let (out, err) = (reader(child.stdout.take().unwrap()), reader(child.stderr.take().unwrap()));
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_of(&child));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > bound {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{command:?} did not end within {bound:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let stderr = String::from_utf8_lossy(&err.join().unwrap()).into_owned();
    let took = begun.elapsed();
    Run { code: status.code(), stdout: out.join().unwrap(), stderr, peak, took }
}

fn reader(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// VmHWM of a process that has not been waited for; 0 for one that has ended.
fn peak_of(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Checks one program; panics if netlab's answer is wrong.
fn check(hostile: &Hostile) {
    let Hostile { name, exercise, confined } = *hostile;
    let (folder, marker) = (programs(), marker());
    let scratch = tempfile::tempdir().unwrap();
    let mut command = netlab();
    command.env("TMPDIR", scratch.path()).env("SECRET", "a token");
    // What is passed here is nobody's progress.
    command.env("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"));
    command.current_dir(folder.path()).args(["check", exercise, "-J", "--wait", "1s"]);
    if confined {
        command.arg("--confine");
    }
    let client = name.starts_with("clients/");
    if client {
        command.arg("--client");
    }
    command.args(["--", "python3", &format!("{name}.py"), "{port}", &marker]);
    let run = watched(&mut command, BOUND);
    let took = run.took.as_secs_f64();
    println!("{name:20} {exercise:20} exit {:?} {took:5.1} s {:6} KiB", run.code, run.peak);
    assert!(matches!(run.code, Some(0 | 1)), "{name}: {:?} {}", run.code, run.stderr);
    assert!(run.peak > 0 && run.peak < MEMORY, "{name}: netlab took {} KiB", run.peak);
    assert_eq!(carriers(&marker), Vec::<String>::new(), "{name}: left behind");
    assert!(harmless(&run.stdout) && harmless(run.stderr.as_bytes()), "{name}: unescaped text");
    let document: Value = serde_json::from_slice(&run.stdout).unwrap_or_else(|e| panic!("{name}: {e}"));
    is_valid(&document, exercise);
    assert_eq!(run.code == Some(0), document["failed"] == 0, "{name}: the code is not the document's");
    let fooled = [
        "fake_score",
        "closes",
        "resets",
        "silent",
        "stopped",
        "writes_results",
        "last_words",
        "canary",
        "reaches",
    ];
    assert!(!(client || fooled.contains(&name)) || document["failed"] != 0, "{name} passed");
    if confined {
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "{name}: files left behind");
        assert!(!folder.path().join("results.json").exists(), "{name} wrote into its folder");
    }
}

/// The members that the issue promises, and that they fit together.
fn is_valid(document: &Value, exercise: &str) {
    assert_eq!(document["schema_version"], 1, "{document}");
    assert_eq!(document["exercise"], exercise);
    assert!(document["seed"].is_u64(), "{document}");
    let (score, most) = (document["score"].as_f64().unwrap(), document["max_score"].as_f64().unwrap());
    assert!((0.0..=most).contains(&score), "{score} of {most}");
    let cases = document["cases"].as_array().unwrap();
    let count = |status: &str| cases.iter().filter(|case| case["status"] == status).count();
    assert_eq!(document["passed"], count("passed"), "{document}");
    assert_eq!(document["failed"], count("failed"), "{document}");
    assert_eq!(count("error"), 0, "the program failed, not the checker: {document}");
    for case in cases {
        assert!(case["name"].is_string() && case["expected"].is_string(), "{case}");
        assert!(case.get("observed").is_some() && case.get("reproduce").is_some(), "{case}");
        let known = ["passed", "failed", "skipped", "error"];
        assert!(known.iter().any(|status| case["status"] == *status), "{case}");
        let diagnosis = &case["diagnosis"];
        let told = diagnosis["class"].is_string() && diagnosis["explanation"].is_string();
        assert!(diagnosis.is_null() || told, "{case}");
    }
}

/// True if nothing in it is obeyed by a terminal, or turns text around.
fn harmless(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let turns =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().all(|c| c == '\n' || !(c.is_control() || turns(c)))
}

/// Some at a time. A failure is told at once, and the other threads go on with the rest.
fn check_all(all: &[Hostile]) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(hostile) = all.get(next.fetch_add(1, Ordering::SeqCst)) {
                    check(hostile);
                }
            });
        }
    });
}

fn has_python() -> bool {
    Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success())
}

fn can_confine() -> bool {
    run(&["confined", "--", "true"], b"").code == Some(0)
}

// Catches: a program's text that reaches the terminal, a daemon that outlives its run, a failure of the program that
// is told as the checker's.
#[test]
fn three_hostile_programs_are_checked() {
    if has_python() {
        check_all(&QUICK);
    }
}

// Catches: as above, and a run that never ends or that takes the checker's memory with it.
#[test]
#[ignore = "needs python3"]
fn hostile_programs_are_checked_in_time_and_leave_nothing() {
    assert!(can_confine(), "this kernel has no Landlock");
    check_all(&ALL);
}

// Catches: the same of clients: connections that nobody asked for, one that never comes, and one that never ends.
#[test]
#[ignore = "needs python3"]
fn hostile_clients_are_checked_in_time_and_leave_nothing() {
    assert!(can_confine(), "this kernel has no Landlock");
    check_all(&CLIENTS);
}

// Catches: a launcher that hands on what it came by: a file that somebody else opened for netlab.
#[test]
fn descriptors_are_not_handed_on() {
    if !can_confine() {
        return;
    }
    let script = "exec 7</dev/null; exec \"$0\" confined --read / -- ls /proc/self/fd";
    let output = Command::new("sh").args(["-c", script]).arg(netlab().get_program()).output().unwrap();
    // 3 is that of the listing.
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n1\n2\n3\n", "{output:?}");
}

/// A class of programs whose runs are short.
const CLASS: [&str; 10] = [
    "escapes",
    "last_words",
    "daemons",
    "fake_score",
    "fork_bomb",
    "kills_parent",
    "memory_hog",
    "writes_results",
    "deletes_itself",
    "leftovers",
];

// Catches: a program that stops the class or another's check, that writes itself a grade, or text of a program that
// reaches the reports unescaped.
#[test]
#[ignore = "needs python3"]
fn a_hostile_class_is_graded() {
    assert!(can_confine(), "this kernel has no Landlock");
    let (class, marker) = (tempfile::tempdir().unwrap(), marker());
    let grades = class.path().join("grades");
    for name in CLASS {
        let own = class.path().join("submissions").join(name);
        fs::create_dir_all(&own).unwrap();
        copy_programs(&own);
        fs::write(own.join("run"), format!("#!/bin/sh\nexec python3 {name}.py $1 {marker}\n")).unwrap();
        fs::set_permissions(own.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = netlab();
    // What is passed here is nobody's progress.
    command.env("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"));
    command.current_dir(class.path()).args(["grade", "tcp-echo", "submissions", "-o", "grades", "-J"]);
    command.args(["--limit", "10s", "--jobs", "2"]);
    let run = watched(&mut command, BOUND * 2);
    println!("the class: exit {:?} {:.1} s {} KiB", run.code, run.took.as_secs_f64(), run.peak);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.peak > 0 && run.peak < MEMORY, "netlab took {} KiB", run.peak);
    assert_eq!(carriers(&marker), Vec::<String>::new(), "left behind");
    let document: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((&document["graded"], &document["submissions"]), (&CLASS.len().into(), &CLASS.len().into()));
    // The daemons serve as they should, although the program itself has ended.
    for row in document["rows"].as_array().unwrap().iter().filter(|row| row["submission"] != "daemons") {
        assert!(row["score"].as_f64().unwrap() < row["max_score"].as_f64().unwrap(), "{row}");
    }
    for name in CLASS {
        let report = fs::read(grades.join(format!("{name}.txt"))).unwrap();
        assert!(harmless(&report), "{name}: {}", String::from_utf8_lossy(&report));
        assert!(!class.path().join("submissions").join(name).join("results.json").exists(), "{name}");
    }
    assert!(harmless(&fs::read(grades.join("grades.csv")).unwrap()));
}
