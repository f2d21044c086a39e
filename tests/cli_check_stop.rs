//! Ctrl-C and SIGTERM during `netlab check`: the program's whole group is gone, what was judged is reported, exit 130.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::{eventually, netlab};
use serde_json::Value;
use tempfile::TempDir;

/// Echoes its first client, and is silent to the others, so that the check waits. It ignores what can be ignored, as does
/// its child; both write their numbers to a file when the second client has come.
const STUCK: &str = r#"import os, signal, socket, sys, time

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
client, _ = server.accept()
while data := client.recv(1024):
    client.sendall(data)
client.close()
server.accept()
child = os.fork()
if child == 0:
    time.sleep(600)
with open("pids.new", "w") as file:
    file.write(f"{os.getpid()} {child}")
os.rename("pids.new", "pids")
time.sleep(600)
"#;

/// How long the check would wait for the silent server.
const PATIENCE: &str = "100s";
/// It is to take less than half a second; a loaded machine gets more. Far below the patience.
const AT_ONCE: Duration = Duration::from_secs(10);

/// A check that waits for a silent server, and that server's processes.
struct Waiting {
    check: Child,
    folder: TempDir,
    pids: Vec<String>,
}

fn waiting(options: &[&str]) -> Waiting {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("stuck.py"), STUCK).unwrap();
    let mut command = netlab();
    command.current_dir(folder.path()).env("XDG_DATA_HOME", folder.path()).args(["check", "tcp-echo"]);
    command.args(["--seed", "7", "-w", PATIENCE]).args(options).args(["--", "python3", "stuck.py", "{port}"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let check = command.spawn().unwrap();
    let file = folder.path().join("pids");
    eventually("the second client comes", || file.exists());
    let pids = fs::read_to_string(file).unwrap().split(' ').map(str::to_owned).collect();
    Waiting { check, folder, pids }
}

fn lives(pid: &str) -> bool {
    Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status().unwrap().success()
}

/// Sends the signal; returns exit code, stdout, stderr, and how long the end took.
fn signalled(waiting: Waiting, signal: &str) -> (Option<i32>, Vec<u8>, String) {
    let Waiting { check, folder, pids } = waiting;
    assert!(pids.len() == 2 && pids.iter().all(|pid| lives(pid)), "they run until then");
    let begun = Instant::now();
    assert!(Command::new("kill").args([signal, &check.id().to_string()]).status().unwrap().success());
    let output = check.wait_with_output().unwrap();
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    eventually("nothing of the program is left", || !pids.iter().any(|pid| lives(pid)));
    drop(folder);
    (output.status.code(), output.stdout, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn ctrl_c_ends_the_program_and_reports_what_was_judged() {
    let (code, stdout, stderr) = signalled(waiting(&["-J"]), "-INT");
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("interrupted"), "{stderr}");
    let report: Value = serde_json::from_slice(&stdout).unwrap();
    assert_eq!(report["schema_version"], 1);
    let status = |name: &str| {
        let cases = report["cases"].as_array().unwrap();
        cases.iter().find(|case| case["name"] == name).unwrap().clone()
    };
    assert_eq!(status("one-message")["status"], "passed");
    // The end of the program was not its own doing: that case is not judged.
    assert_eq!(status("several-messages")["status"], "skipped");
    assert_eq!(status("idle")["observed"], "Not tried: the check was interrupted.");
    assert_eq!((&report["passed"], &report["failed"]), (&2.into(), &0.into()));
}

#[test]
fn sigterm_does_the_same() {
    let (code, stdout, stderr) = signalled(waiting(&[]), "-TERM");
    assert_eq!(code, Some(130), "{stderr}");
    let text = String::from_utf8(stdout).unwrap();
    assert!(text.contains("2 of 15 cases passed"), "{text}");
    assert!(stderr.contains("interrupted"), "{stderr}");
}

#[test]
fn a_watched_check_is_interrupted_too() {
    let (code, _, stderr) = signalled(waiting(&["--watch"]), "-INT");
    assert_eq!(code, Some(130), "{stderr}");
}

/// Nothing can end a server that runs already: it is left alone, and the check does not wait for it.
#[test]
fn a_server_that_runs_already_is_left_alone() {
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let target = silent.local_addr().unwrap().to_string();
    let mut command = netlab();
    command
        .args(["check", "tcp-echo", "-w", PATIENCE, "--target", &target])
        .env("XDG_DATA_HOME", Path::new("/nonexistent"));
    let mut check = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let client = silent.accept().unwrap();
    let begun = Instant::now();
    assert!(Command::new("kill").args(["-INT", &check.id().to_string()]).status().unwrap().success());
    assert_eq!(check.wait().unwrap().code(), Some(130));
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    drop(client);
}
