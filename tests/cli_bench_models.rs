//! `netlab bench models`, end to end: models that differ as they must, and servers that never outlive it.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::io::Read;
use std::process::Stdio;

use harness::{netlab, run};
use serde_json::Value;

/// Small and short; a client that is not served is waited for long enough for a machine that is busy.
const SMALL: [&str; 11] =
    ["bench", "models", "-t", "300ms", "--warm-up", "0", "--connections", "8", "--idle", "40", "-w"];

fn bench(wait: &str, args: &[&str]) -> harness::Ended {
    run(&[&SMALL[..], &[wait], args].concat(), b"")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn the_models_differ_as_they_must() {
    let ended = bench("1s", &["-J"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report = ended.json();
    assert_eq!(
        (&report["connections"], &report["idle_connections"], &report["interrupted"]),
        (&8.into(), &40.into(), &false.into())
    );
    let models: Vec<&Value> = report["models"].as_array().unwrap().iter().collect();
    let names: Vec<&str> = models.iter().map(|model| model["model"].as_str().unwrap()).collect();
    assert_eq!(names, ["iterative", "threads", "event-loop"]);
    for model in &models {
        let (load, idle, beside) = (&model["load"], &model["idle"], &model["beside_non_reader"]);
        let one_at_a_time = model["model"] == "iterative";
        let served = if one_at_a_time { (1, 7, 1) } else { (8, 0, 40) };
        let found = [&load["served_connections"], &load["waiting_connections"], &idle["served_connections"]];
        assert_eq!(found, [served.0, served.1, served.2].map(Value::from).each_ref(), "{model}");
        assert!(number(&load["rate_per_s"]) > 0.0 && number(&load["p99_us"]) > 0.0, "{model}");
        assert_eq!(idle["connections"], 40, "{model}");
        assert_eq!(beside["non_reader_held_up"], true, "{model}");
        let sentence = model["sentence"].as_str().unwrap();
        assert_eq!(sentence.contains("one client that never reads stops all others"), one_at_a_time);
        if one_at_a_time {
            // Nobody was answered: that has no percentile.
            assert_eq!((&beside["replies"], &beside["p99_us"]), (&0.into(), &Value::Null), "{model}");
            assert_eq!(beside["waiting_connections"], 8, "{model}");
        } else {
            assert!(number(&beside["rate_ratio"]) > 0.0, "{model}");
            assert_eq!(beside["waiting_connections"], 0, "{model}");
        }
    }
    if cfg!(target_os = "linux") {
        let threads = |model: &Value, when: &str| model["idle"][when].as_i64().unwrap();
        let more = |model: &&Value| threads(model, "threads_with") - threads(model, "threads_without");
        let threads: Vec<i64> = models.iter().map(more).collect();
        assert_eq!(threads, [0, 40, 0]);
        let memory = |model: &Value| number(&model["idle"]["memory_per_connection_bytes"]);
        assert!(memory(models[1]) > 2.0 * memory(models[2]), "a stack for each costs more: {report}");
        assert_eq!(models[0]["idle"]["memory_per_connection_bytes"], Value::Null, "of one: no figure");
        // On a machine that is busy there may be too few replies for a step of the system's clock: then no figure.
        let cpu = |model: &&Value| model["load"]["cpu_us_per_reply"].as_f64().is_none_or(|us| us > 0.0);
        assert!(models.iter().all(cpu), "{report}");
        assert!(number(&models[2]["idle"]["cpu_utilisation"]) < 0.5, "idle, yet it is busy: {report}");
        assert!(models[1]["sentence"].as_str().unwrap().contains("a thread more for each"), "{report}");
    }
}

#[test]
fn what_is_measured_is_told_as_it_comes() {
    let ended = bench("300ms", &["--model", "event-loop", "--json-stream"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let text = ended.text();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["load", "idle", "beside_non_reader", "summary"]);
    let mut load = events[0]["data"].clone();
    assert_eq!(load.as_object_mut().unwrap().remove("model"), Some("event-loop".into()));
    assert_eq!(events[3]["data"]["models"][0]["load"], load);

    let ended = bench("300ms", &["--model", "event-loop"]);
    let (text, lines) = (ended.text(), ended.stderr);
    for part in ["8 of 8", "replies/s", "idle: CPU", "event-loop: 8 clients were served"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(lines.lines().count(), 3, "{lines}");
}

#[test]
fn wrong_usage_is_2() {
    let wrong: [(&[&str], &str); 5] = [
        (&["--model", "fibers"], "event-loop"),
        (&["--connections", "0"], "above 0"),
        (&["--idle", "99999999"], "descriptors"),
        (&["-J", "--json-stream"], "cannot be used with"),
        (&["127.0.0.1:1"], "unexpected argument"),
    ];
    for (args, named) in wrong {
        let ended = run(&[&["bench", "models"], args].concat(), b"");
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(named), "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn a_server_stops_when_its_stdin_ends() {
    let mut command = netlab();
    command.args(["tcp-echo", "server", ":0", "--end-with-stdin"]);
    let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 1];
    server.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert!(server.try_wait().unwrap().is_none(), "its stdin is open");
    drop(server.stdin.take());
    let output = server.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("stopped: 0 connections"), "{text}");
}

/// Whether a process lives can be asked of /proc alone.
#[cfg(target_os = "linux")]
mod ends {
    use std::process::{Child, Command, Stdio};

    use serde_json::Value;

    use super::harness::{eventually, netlab};

    /// Starts a comparison that takes long, and waits until its first server runs.
    fn long_comparison() -> (Child, Vec<u32>) {
        let mut command = netlab();
        command.args(["bench", "models", "-t", "60", "--model", "event-loop", "-J"]);
        let bench = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut servers = Vec::new();
        eventually("a server runs", || {
            servers = children(bench.id());
            !servers.is_empty()
        });
        (bench, servers)
    }

    /// The processes whose parent is `pid`, by the fourth member of each /proc/PID/stat.
    fn children(pid: u32) -> Vec<u32> {
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        let child = |name: String| {
            let child: u32 = name.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
            let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<u32>().ok()?;
            (parent == pid).then_some(child)
        };
        all.filter_map(|entry| child(entry.file_name().into_string().ok()?)).collect()
    }

    fn runs(pid: u32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // An orphan that has ended stays in the table until whoever adopted it looks.
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    }

    #[test]
    fn no_server_outlives_the_comparison_however_it_ends() {
        for signal in ["-INT", "-TERM", "-KILL"] {
            let (bench, servers) = long_comparison();
            assert!(servers.iter().all(|server| runs(*server)), "{signal}");
            Command::new("kill").args([signal, &bench.id().to_string()]).status().unwrap();
            let output = bench.wait_with_output().unwrap();
            if signal == "-KILL" {
                assert_eq!(output.status.code(), None);
                eventually("its servers are gone", || !servers.iter().any(|server| runs(*server)));
            } else {
                assert!(!servers.iter().any(|server| runs(*server)), "{signal}: they outlive it");
                let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
                // Before the load had begun there is nothing to report.
                let told = report["interrupted"] == true || report["error"].is_object();
                assert!(told, "{signal}: {report}");
            }
        }
    }
}
