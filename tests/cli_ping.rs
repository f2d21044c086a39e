//! `netlab ping` from the outside: its lines, its JSON, its exit codes, Ctrl-C.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, UdpSocket};
use std::process::{Command, Stdio};

use harness::{Ended, Server, netlab, run};
use serde_json::Value;

fn ping(args: &[&str]) -> Ended {
    run(&[&["ping", "-i", "10ms"], args].concat(), b"")
}

#[test]
fn each_mode_asks_its_server() {
    let tcp = Server::start(&["tcp-echo", "server", ":0"]);
    let udp = Server::start(&["udp-echo", "server", ":0"]);
    for (flag, server, line) in [
        ("--tcp", &tcp, "connected to ADDR: seq=1 time="),
        ("--echo", &tcp, "56 bytes from ADDR: seq=1 time="),
        ("--udp", &udp, "56 bytes from ADDR: seq=1 time="),
    ] {
        let ended = ping(&[flag, &server.at(), "-c", "3"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{flag}");
        let text = ended.text();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with(&format!("PING {}: ", server.at())), "{text}");
        assert!(lines[1].starts_with(&line.replace("ADDR", &server.at())), "{text}");
        assert!(
            lines.contains(&format!("--- {} {} ping statistics ---", server.at(), &flag[2..]).as_str()),
            "{text}"
        );
        assert!(text.contains("3 sent, 3 received, 0 lost (0 %), time "), "{text}");
        assert!(text.contains("rtt min/avg/max/mdev = ") && text.contains("p50/p99 = "), "{text}");
        assert_eq!(lines.len(), 8, "{text}");
    }
}

#[test]
fn the_document_counts() {
    let udp = Server::start(&["udp-echo", "server", ":0"]);
    let ended = ping(&["--udp", &udp.at(), "-c", "5", "-J"]);
    let document = ended.json();
    assert_eq!(
        (ended.code, document["mode"].as_str(), document["target"].as_str()),
        (Some(0), Some("udp"), Some(udp.at().as_str()))
    );
    for (name, count) in [
        ("sent", 5),
        ("received", 5),
        ("lost", 0),
        ("duplicates", 0),
        ("reordered", 0),
        ("late", 0),
        ("strays", 0),
    ] {
        assert_eq!(document[name], count, "{name}: {document}");
    }
    for name in ["min", "avg", "max", "mdev", "p50", "p99"] {
        assert!(document["rtt_us"][name].as_f64().is_some(), "{name}: {document}");
    }
    assert_eq!(document["probes"].as_array().unwrap().len(), 5);
}

#[test]
fn the_stream_has_a_line_for_each_probe_and_the_summary_last() {
    let udp = Server::start(&["udp-echo", "server", ":0"]);
    let ended = ping(&["--udp", &udp.at(), "-c", "3", "--json-stream"]);
    let events: Vec<Value> = ended.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["started", "reply", "reply", "reply", "summary"]);
    assert_eq!(events[1]["data"]["seq"], 1);
    assert!(events[1]["data"]["rtt_us"].as_f64().unwrap() > 0.0);
    assert_eq!(events[4]["data"]["received"], 3);
}

#[test]
fn without_a_mode_the_port_decides() {
    let tcp = Server::start(&["tcp-echo", "server", ":0"]);
    let document = ping(&[&tcp.at(), "-c", "1", "-J"]).json();
    assert_eq!((&document["mode"], &document["received"]), (&"tcp".into(), &1.into()));
    // Whether this user may send ICMP is the machine's business; either answer is a whole one.
    let ended = ping(&["127.0.0.1", "-c", "1", "-J"]);
    let document = ended.json();
    match ended.code {
        Some(0) => assert_eq!((&document["mode"], &document["received"]), (&"icmp".into(), &1.into())),
        Some(2) => {
            assert!(
                document["error"]["message"].as_str().unwrap().contains("ICMP to 127.0.0.1 is not allowed")
            );
            assert!(document["error"]["hint"].as_str().unwrap().contains("--tcp"), "{document}");
        }
        code => panic!("{code:?}: {document}"),
    }
}

#[test]
fn the_default_addresses_are_the_servers() {
    // A base of one's own: a test must not meet whoever holds the real default ports.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let base = free.min(64_000).to_string();
    for (flag, offset) in [("--tcp", 0), ("--echo", 0), ("--udp", 1)] {
        let mut command = netlab();
        command.args(["ping", flag, "-c", "1", "-i", "1ms", "-w", "200ms"]).env("NETLAB_PORT_BASE", &base);
        let ended = harness::finish(&mut command, b"");
        let port = base.parse::<u16>().unwrap() + offset;
        let said = ended.text() + &ended.stderr;
        assert!(said.contains(&format!("127.0.0.1:{port}")), "{flag}: {said}");
    }
}

#[test]
fn nobody_there_is_exit_1_with_a_hint() {
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for flag in ["--tcp", "--udp", "--echo"] {
        let ended = ping(&[flag, &gone, "-c", "2", "-w", "300ms"]);
        assert_eq!(ended.code, Some(1), "{flag}: {}", ended.stderr);
        assert!(ended.stderr.contains(&format!("nobody listens on {gone}")), "{flag}: {}", ended.stderr);
    }
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let ended = ping(&["--udp", &silent.local_addr().unwrap().to_string(), "-c", "1", "-w", "50ms"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.text().contains("no answer from "), "{}", ended.text());
    assert!(ended.stderr.contains("hint: UDP does not say"), "{}", ended.stderr);
}

#[test]
fn a_server_that_does_not_echo_is_named() {
    let ack = Server::start(&["udp-echo", "server", ":0", "--reply", "ack"]);
    let ended = ping(&["--udp", &ack.at(), "-c", "2", "-w", "100ms"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("the server answers with something else"), "{}", ended.stderr);
    let upper = Server::start(&["udp-echo", "server", ":0", "--reply", "upper"]);
    assert_eq!(ping(&["--udp", &upper.at(), "-c", "1"]).code, Some(0), "probes are in capitals");
    let ack = Server::start(&["tcp-echo", "server", ":0", "--reply", "ack"]);
    let ended = ping(&["--echo", &ack.at(), "-c", "2"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("does not echo"), "{}", ended.stderr);
}

#[test]
fn wrong_usage_is_told_with_what_is_right() {
    for (args, said) in [
        (&[][..], "whom to ping"),
        (&["--icmp", "127.0.0.1:80"], "ICMP knows no ports"),
        (&["--tcp", "--udp", "127.0.0.1:80"], "cannot be used with"),
        (&["127.0.0.1:0", "-c", "1"], "port 0"),
        (&["127.0.0.1:80", "-i", "0"], "at least 1ms"),
        (&["127.0.0.1:80", "-w", "0"], "time-out of 0"),
        (&["127.0.0.1:80", "-c", "0"], "above 0"),
        (&["127.0.0.1:80", "--size", "5"], "from 31"),
        (&["--udp", "127.0.0.1:80", "--size", "65508"], "to 65507"),
        (&["::1:80"], "[::1]:80"),
        (&["127.0.0.1:80", "-J", "--json-stream"], "cannot be used with"),
    ] {
        let ended = run(&[&["ping"], args].concat(), b"");
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{args:?}: {}", ended.stderr);
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_prints_the_summary() {
    let udp = Server::start(&["udp-echo", "server", ":0"]);
    let mut child = netlab();
    let mut child = child.args(["ping", "--udp", &udp.at()]).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("seq=1") {
        line.clear();
        assert!(stdout.read_line(&mut line).unwrap() > 0, "it ended too early");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("1 sent, 1 received, 0 lost (0 %)"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_reader_who_has_seen_enough_ends_it_quietly() {
    let udp = Server::start(&["udp-echo", "server", ":0"]);
    let mut command = netlab();
    command.args(["ping", "--udp", &udp.at(), "-i", "5ms"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]));
}
