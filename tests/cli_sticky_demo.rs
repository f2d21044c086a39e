//! `netlab sticky-demo` from the outside: what it prints, its JSON document, its exit codes.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netlab"));
    command.arg("sticky-demo").args(args).env("LC_ALL", "C.UTF-8");
    command
}

fn run(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn text(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The document's scenarios, and the exit code.
fn json(args: &[&str]) -> (Vec<Value>, Option<i32>) {
    let output = run(&[args, &["-J"]].concat());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema_version"], 1);
    (document["scenarios"].as_array().unwrap().clone(), output.status.code())
}

fn one(args: &[&str]) -> Value {
    let (mut scenarios, code) = json(args);
    assert_eq!((scenarios.len(), code), (1, Some(0)), "{scenarios:?}");
    scenarios.remove(0)
}

fn bytes(calls: &Value) -> Vec<u64> {
    calls.as_array().unwrap().iter().map(|call| call["bytes"].as_u64().unwrap()).collect()
}

#[test]
fn every_scenario_runs_by_default_and_shows_its_pattern() {
    let shown = text(&[]);
    for name in ["merge", "split", "mixed", "nagle", "framed", "udp"] {
        assert!(shown.lines().any(|line| line.starts_with(&format!("{name:11}"))), "{name}: {shown}");
    }
    assert!(!shown.contains("Not observed"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    assert!(!shown.contains('\x1b'), "no colours in a pipe");
}

#[test]
fn the_picture_of_merge() {
    let picture = "\
merge      3 messages, 3 sends, 1 recv
 send()    ├─1─┤├─2─┤├─3─┤               3 calls: 5+5+5 B
 stream    HelloWorldAgain               no marks in a stream
 recv()    ├──────1──────┤               1 call: 15 B
 per recv  0 of 3 messages
";
    assert!(text(&["--scenario", "merge"]).starts_with(picture));
}

#[test]
fn the_picture_of_framed() {
    let picture = "\
framed     u32, recv(7), then recv(1024)
 send()    ├───1───┤├───2───┤            2 calls: 9+9 B
 stream    ····Hello····World            · = not text
 recv()    ├──1──┤├────2────┤            2 calls: 7+11 B
 decoded   ‹ 5›Hello‹ 5›World            prefix 00 00 00 05
 frames    ├───1───┤├───2───┤            2 of 2 messages
";
    assert!(text(&["--scenario", "framed", "--framing", "u32"]).starts_with(picture));
}

#[test]
fn ascii_is_ascii() {
    let shown = text(&["--ascii", "--race", "--text", "Grüße,x"]);
    assert!(shown.is_ascii(), "{shown}");
    assert!(shown.contains("Gr..."), "{shown}");
}

#[test]
fn the_document_holds_every_call() {
    let merge = one(&["--scenario", "merge"]);
    assert_eq!((&merge["name"], &merge["transport"]), (&"merge".into(), &"tcp".into()));
    assert_eq!(merge["sends"][0]["text"], "Hello");
    assert_eq!(merge["sends"][0]["at_us"], 0);
    assert_eq!((bytes(&merge["sends"]), bytes(&merge["recvs"])), (vec![5, 5, 5], vec![15]));
    assert_eq!(merge["recvs"][0]["text"], "HelloWorldAgain");
    assert_eq!((&merge["messages_sent"], &merge["recovered_per_recv"]), (&3.into(), &0.into()));
    assert_eq!(merge["recovered_by_framing"], Value::Null);
    let times: Vec<u64> = ["sends", "recvs"]
        .iter()
        .flat_map(|calls| merge[calls].as_array().unwrap())
        .map(|call| call["at_us"].as_u64().unwrap())
        .collect();
    assert!(times.is_sorted(), "the reader waited for all sends: {times:?}");
}

#[test]
fn framing_undoes_a_merge() {
    let merge = one(&["--scenario", "merge", "--framing", "u32"]);
    assert_eq!(bytes(&merge["recvs"]), [27]);
    assert_eq!((&merge["recovered_per_recv"], &merge["recovered_by_framing"]), (&0.into(), &3.into()));
}

#[test]
fn recv_sizes_are_each_calls_own() {
    let split = one(&["--scenario", "split", "--recv-size", "3,1024"]);
    assert_eq!(bytes(&split["recvs"]), [3, 7]);
    let split = one(&["--scenario", "split", "--recv-size", "4,1,2"]);
    assert_eq!(bytes(&split["recvs"]), [4, 1, 2, 2, 1], "the last one repeats");
    let mixed = one(&["--scenario", "mixed", "--text", "abcd,efgh"]);
    assert_eq!(bytes(&mixed["recvs"]), [6, 2]);
}

#[test]
fn a_pattern_that_does_not_come_is_reported_with_exit_code_1() {
    let (scenarios, code) = json(&["--scenario", "merge", "--recv-size", "5"]);
    assert_eq!((code, &scenarios[0]["observed"]), (Some(1), &false.into()));
    assert_eq!(scenarios[0]["recovered_per_recv"], 3, "recv calls of the messages' size hide the problem");
    let shown = run(&["--scenario", "split", "--recv-size", "5"]);
    assert_eq!(shown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&shown.stdout).contains("Not observed: no recv stopped inside"));
}

#[test]
fn nagle_waits_and_nodelay_does_not() {
    let nagle = one(&["--scenario", "nagle"]);
    let [off, on] = [&nagle["runs"][0], &nagle["runs"][1]];
    assert_eq!((&off["nodelay"], &on["nodelay"]), (&false.into(), &true.into()));
    assert_eq!(bytes(&off["sends"]), [5; 10]);
    assert_eq!(off["exchanges_us"].as_array().unwrap().len(), 20);
    let median = |run: &Value| run["median_exchange_us"].as_u64().unwrap();
    assert!(median(off) > 4 * median(on), "{} against {}", median(off), median(on));
    assert_eq!(bytes(&nagle["nodelay_merged"]["recvs"]), [50], "merging stays");
    if cfg!(target_os = "linux") {
        let segments = |run: &Value| run["data_segments_sent"].as_u64().unwrap();
        assert!(segments(off) < segments(on), "Nagle gathers small sends");
        assert_eq!(segments(on), 10, "a segment for each send");
    }
}

#[test]
fn framed_has_an_entry_for_each_framing() {
    let framed = one(&["--scenario", "framed"]);
    let framings = framed["framings"].as_array().unwrap();
    let names: Vec<_> = framings.iter().map(|entry| entry["framing"].as_str().unwrap()).collect();
    assert_eq!(names, ["u32", "u16", "header", "line"]);
    for entry in framings {
        assert_eq!((&entry["messages_sent"], &entry["recovered_by_framing"]), (&2.into(), &2.into()));
        assert_eq!(entry["recovered_per_recv"], 0);
        assert!(entry["cuts_tried"].as_u64().unwrap() > 10, "{entry}");
    }
    let newline = &framings[3]["newline"];
    assert_eq!((&newline["messages_sent"], &newline["recovered_by_framing"]), (&1.into(), &0.into()));
    assert!(newline["refused"].as_str().unwrap().contains("holds a newline"));
}

#[test]
fn a_text_with_a_newline_is_lost_on_lines_alone() {
    let framed = one(&["--scenario", "framed", "--text", "a\nb,c"]);
    let recovered = |n: usize| framed["framings"][n]["recovered_by_framing"].as_u64().unwrap();
    assert_eq!([0, 1, 2].map(recovered), [2, 2, 2]);
    assert_eq!(recovered(3), 0, "a, b instead of a\\nb, c");
}

#[test]
fn udp_keeps_boundaries_and_loses_what_does_not_fit() {
    let udp = one(&["--scenario", "udp"]);
    assert_eq!((&udp["transport"], &udp["recovered_per_recv"]), (&"udp".into(), &3.into()));
    assert_eq!(udp["recovered_by_framing"], Value::Null);
    assert_eq!(bytes(&udp["truncated"]["sends"]), [15, 5]);
    assert_eq!(bytes(&udp["truncated"]["recvs"]), [8, 5]);
    assert_eq!(udp["truncated"]["lost_bytes"], 7);
}

#[test]
fn race_is_a_distribution_and_waiting_is_what_makes_merge_certain() {
    let race = one(&["--scenario", "race", "--send-gap", "1ms"]);
    let outcomes = race["distribution"].as_array().unwrap();
    let times: u64 = outcomes.iter().map(|outcome| outcome["times"].as_u64().unwrap()).sum();
    assert_eq!((times, &race["repetitions"]), (200, &200.into()));
    let separate = outcomes.iter().any(|outcome| outcome["recv_bytes"].as_array().unwrap().len() > 1);
    assert!(separate, "without waiting, and with gaps, messages come one by one: {outcomes:?}");
    let (scenarios, _) = json(&["--race", "--scenario", "merge"]);
    assert_eq!(scenarios.iter().map(|s| s["name"].as_str().unwrap()).collect::<Vec<_>>(), ["merge", "race"]);
}

#[test]
fn step_reveals_nothing_before_enter() {
    let mut child = command(&["--scenario", "split", "--step"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The prompt comes after the question: what stdout holds by then is all that the class sees.
    let mut prompt = [0; 8];
    child.stderr.as_mut().unwrap().read_exact(&mut prompt).unwrap();
    assert_eq!(&prompt, b"Predict:");
    let question = "\
split      2 messages, recv(3), then recv(1024)
 send()    ├─1─┤├─2─┤                    2 calls: 5+5 B
 stream    HelloWorld                    no marks in a stream
";
    let mut seen = vec![0; question.len()];
    child.stdout.as_mut().unwrap().read_exact(&mut seen).unwrap();
    assert_eq!(String::from_utf8_lossy(&seen), question);
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains(" recv()    ├1┤├──2──┤"));
}

#[test]
fn wrong_usage_exits_with_2() {
    let wrong: [&[&str]; 10] = [
        &["--scenario", "nonsense"],
        &["--messages", "0"],
        &["--messages", "Hello"],
        &["--messages", "99999999"],
        &["--recv-size", "0"],
        &["--recv-size", "3,x"],
        &["--send-gap", "soon"],
        &["--framing", "u64"],
        &["--step", "--json"],
        &["--framing", "line", "--text", "a\nb"],
    ];
    for args in wrong {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let mut child = command(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn socket_options_reach_the_sockets() {
    let shown = text(&["--scenario", "merge", "--show-options", "--no-nodelay", "--so-rcvbuf", "20000"]);
    assert!(shown.contains("TCP_NODELAY") && shown.contains("20000"), "{shown}");
    let output = run(&["--scenario", "merge", "--show-options", "-J"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["socket_options"].as_array().is_some_and(|options| options.len() > 4));
}

#[test]
fn help_has_examples_and_they_run() {
    let help = text(&["--help"]);
    let examples = help.lines().filter_map(|line| line.trim().strip_prefix("netlab sticky-demo"));
    let commands: Vec<&str> = examples.map(|rest| rest.split("  ").next().unwrap_or_default()).collect();
    assert!(commands.len() >= 3, "{help}");
    for example in commands {
        let args: Vec<&str> = example.split_whitespace().map(|word| word.trim_matches('\'')).collect();
        let status = command(&args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.unwrap().success(), "{example}");
    }
}
