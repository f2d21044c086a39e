//! `netlab sockets` from the outside: tables, JSON, filters, the watch, exit codes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

use harness::{PATIENCE, Server, netlab, own_loopback, run};
use serde_json::Value;

/// Any port of this process's own address.
fn any() -> String {
    format!("{}:0", own_loopback())
}

#[test]
fn a_server_is_found_with_its_process_and_its_columns_are_explained() {
    let server = Server::start(&["tcp-echo", "server", &any(), "--backlog", "7"]);
    let ended = run(&["sockets", "-lt", "-p", &server.at()], b"");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let text = ended.text();
    let row: Vec<&str> = text.lines().nth(2).unwrap().split_whitespace().collect();
    let (at, pid) = (server.at(), server.pid().to_string());
    assert_eq!(row, ["tcp", "LISTEN", "0", "7", &at, "*", &pid, "(netlab)"], "{text}");
    assert!(text.contains("recv-q counts connections that wait to be accepted"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let owner = run(&["sockets", "-lt", &server.at()], b"").text();
    assert!(!owner.contains(&pid), "without -p the owner stands there: {owner}");
}

#[test]
fn the_document_has_every_member() {
    let server = Server::start(&["tcp-echo", "server", &any(), "--backlog", "7"]);
    let mut client = TcpStream::connect(server.addr).unwrap();
    // The echo says that the server has accepted: until then the connection waits, and counts in recv-q.
    client.write_all(b"x").unwrap();
    client.read_exact(&mut [0]).unwrap();
    let document = run(&["sockets", &server.at(), "-J"], b"").json();
    let rows = document["sockets"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "{document}");
    let listener = &rows[0];
    assert_eq!(listener["transport"], "tcp");
    assert_eq!(listener["state"], "LISTEN");
    assert_eq!(
        (&listener["recv_q"], &listener["send_q"], &listener["backlog"]),
        (&0.into(), &7.into(), &7.into())
    );
    assert_eq!(listener["local"], server.at());
    assert_eq!(listener["remote"], Value::Null);
    assert_eq!(listener["process"]["pid"], server.pid());
    assert_eq!(listener["process"]["name"], "netlab");
    assert!(listener["uid"].is_u64() && listener["owner"].is_string(), "{listener}");
    let of_client = client.local_addr().unwrap().to_string();
    let connection = rows.iter().find(|row| row["local"] == of_client.as_str()).unwrap();
    assert_eq!(connection["state"], "ESTABLISHED");
    assert_eq!(connection["remote"], server.at());
    assert_eq!(connection["backlog"], Value::Null);
    assert!(connection["tcp_info"]["rtt_us"].is_u64() && connection["tcp_info"]["cwnd"].is_u64());
}

#[test]
fn filters_say_which_sockets() {
    let server = Server::start(&["tcp-echo", "server", &any()]);
    let client = TcpStream::connect(server.addr).unwrap();
    let (at, port) = (server.at(), format!(":{}", server.addr.port()));
    let of_client = client.local_addr().unwrap().to_string();
    let count = |args: &[&str]| {
        let document = run(&[&["sockets", "-J"], args].concat(), b"").json();
        document["sockets"].as_array().unwrap().len()
    };
    let ip = server.addr.ip().to_string();
    assert_eq!(count(&[&at]), 3);
    assert_eq!(count(&[&ip, &port[1..]]), 3);
    assert_eq!(count(&[&at, "-t"]), 3);
    assert_eq!(count(&[&at, "-t", "-u"]), 3);
    assert_eq!(count(&[&at, "-u"]), 0);
    assert_eq!(count(&[&at, "-6"]), 0);
    assert_eq!(count(&[&at, "--state", "listening"]), 1);
    assert_eq!(count(&[&at, "--state", "estab,LISTEN"]), 3);
    assert_eq!(count(&[&at, "--state", "connected"]), 2);
    assert_eq!(count(&[&at, "--state", "time-wait"]), 0);
    let none = run(&["sockets", &at, "--state", "time-wait"], b"");
    assert_eq!((none.code, none.text().as_str()), (Some(0), "no such sockets\n"));
    // A port alone: others may have it, too, at other addresses.
    for by_port in [&port, &port[1..], &of_client] {
        let text = run(&["sockets", by_port], b"").text();
        assert!(text.contains(&of_client) && text.contains(&at), "{by_port}: {text}");
    }
}

#[test]
fn extended_shows_tcp_info() {
    let server = Server::start(&["tcp-echo", "server", &any()]);
    let _client = TcpStream::connect(server.addr).unwrap();
    let text = run(&["sockets", "-e", &server.at()], b"").text();
    let titles = text.lines().find(|line| line.contains("cwnd")).unwrap_or_else(|| panic!("{text}"));
    assert!(["rtt", "mss", "retrans"].iter().all(|title| titles.contains(title)), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn a_watch_prints_each_change_of_a_connections_life() {
    let listener = TcpListener::bind((own_loopback(), 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    let at = addr.to_string();
    for json in [false, true] {
        let mut command = netlab();
        command.args(["sockets", &at, "--watch", "-i", "10ms"]).args(json.then_some("--json-stream"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (to, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).all(|line| to.send(line).is_ok()));
        let mut lines = std::iter::from_fn(|| lines.recv_timeout(PATIENCE).ok());
        let mut wait_for = |event: &str, state: &str, at: &str| {
            let found = lines.find(|line| {
                if !json {
                    let words: Vec<&str> = line.split_whitespace().collect();
                    return words[1] == event && words[3] == at && line.ends_with(state);
                }
                let value: Value = serde_json::from_str(line).unwrap();
                let data = &value["data"];
                value["event"] == event
                    && data["local"] == at
                    && (state.is_empty() || state.ends_with(data["state"].as_str().unwrap()))
                    && (event != "changed" || state.starts_with(data["was"].as_str().unwrap()))
            });
            assert!(found.is_some(), "it ended before {event} {state}");
        };
        wait_for("present", "LISTEN", &addr.to_string());
        let client = TcpStream::connect(addr).unwrap();
        let own = client.local_addr().unwrap().to_string();
        wait_for("new", "ESTABLISHED", &own);
        let (server, _) = listener.accept().unwrap();
        drop(server);
        wait_for("changed", "ESTABLISHED > CLOSE-WAIT", &own);
        drop(client);
        // A look may have met it in LAST-ACK.
        wait_for("gone", "", &own);
        let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(killed.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "Ctrl-C ends it normally");
    }
}

#[test]
fn wrong_usage_is_told_with_what_is_right() {
    for (args, said) in [
        (&["--state", "open"][..], "syn-sent"),
        (&["--watch", "-J"], "cannot be used with"),
        (&["--json-stream"], "--watch"),
        (&["--watch", "-i", "0"], "at least 10ms"),
        (&["localhost", "http"], "no port"),
        (&["::1:80"], "[::1]:80"),
    ] {
        let ended = run(&[&["sockets"], args].concat(), b"");
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{args:?}: {}", ended.stderr);
        assert_eq!(ended.stdout.is_empty(), !args.contains(&"-J"), "{args:?}");
    }
}
