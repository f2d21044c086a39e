//! `netlab tcp-echo client`, end to end: what it prints, counts, refuses, and its exit codes.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use harness::{Ended, Server, run};

fn client(server: &Server, args: &[&str]) -> Ended {
    let at = server.at();
    run(&[&["tcp-echo", "client", &at], args].concat(), b"")
}

/// A server that treats its first client as `serve` says; returns its address.
fn own_server(serve: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    thread::spawn(move || serve(listener.accept().unwrap().0));
    addr
}

#[test]
fn each_message_is_answered_on_a_line_of_its_own() {
    let server = Server::start(&["tcp-echo", "server", ":0"]);
    let ended = client(&server, &["Hello", "World"]);
    assert_eq!((ended.text().as_str(), ended.code), ("Hello\nWorld\n", Some(0)));
    assert_eq!(ended.stderr, "");
}

#[test]
fn address_and_port_may_be_two_words() {
    let server = Server::start(&["tcp-echo", "server", ":0"]);
    let port = server.addr.port().to_string();
    assert_eq!(run(&["tcp-echo", "client", "127.0.0.1", &port, "Hello"], b"").text(), "Hello\n");
    assert_eq!(run(&["tcp-echo", "client", "127.0.0.1", "-p", &port, "7"], b"").text(), "7\n");
}

#[test]
fn every_framing_carries_messages() {
    for framing in ["line", "u16", "u32", "header"] {
        let server = Server::start(&["tcp-echo", "server", ":0", "--framing", framing, "--reply", "ack"]);
        let ended = client(&server, &["--framing", framing, "Hello", "", "é"]);
        assert_eq!(ended.text(), "ACK: Hello\nACK: \nACK: é\n", "{framing}");
        let piped = run(&["tcp-echo", "client", &server.at(), "--framing", framing], b"a\n\nb");
        assert_eq!(piped.text(), "ACK: a\nACK: \nACK: b\n", "{framing}");
    }
}

#[test]
fn a_pipe_is_binary_safe() {
    let server = Server::start(&["tcp-echo", "server", ":0"]);
    let bytes: Vec<u8> = (0..10_000_000_u32).map(|i| (i ^ (i >> 9)).to_le_bytes()[0]).collect();
    let ended = run(&["tcp-echo", "client", &server.at()], &bytes);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout == bytes, "what came back is not what was sent");
}

#[test]
fn a_reply_that_is_no_echo_is_read_to_its_end() {
    let server = Server::start(&["tcp-echo", "server", ":0", "--reply", "ack"]);
    let ended = client(&server, &["Hello, Server"]);
    assert_eq!((ended.text().as_str(), ended.code), ("ACK: Hello, Server\n", Some(0)));
    let insisting = client(&server, &["--reply", "echo", "Hello, Server"]);
    assert_eq!(insisting.code, Some(1));
    assert!(insisting.stderr.contains("byte 0 is 0x41, not 0x48"), "{}", insisting.stderr);
}

#[test]
fn hex_goes_out_as_it_stands_and_pauses_where_it_is_cut() {
    let server = Server::start(&["tcp-echo", "server", ":0", "--framing", "u16"]);
    let begun = Instant::now();
    let ended = client(&server, &["--framing", "u16", "--hex", "0005 48 | 656c6c6f"]);
    assert_eq!(ended.text(), "48 65 6c 6c 6f  Hello\n");
    assert!(begun.elapsed().as_millis() >= 100, "no pause at the |");
    let raw = Server::start(&["tcp-echo", "server", ":0", "-v"]);
    assert_eq!(client(&raw, &["--hex", "00 1b 0A"]).text(), "00 1b 0a  \\x00\\x1b\\n\n");
}

#[test]
fn the_json_document_counts_bytes_and_times_replies() {
    let server = Server::start(&["tcp-echo", "server", ":0", "--framing", "u16"]);
    let report = client(&server, &["--framing", "u16", "-J", "Hello", "é"]).json();
    assert_eq!(report["remote_address"], server.at());
    assert!(report["local_address"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!((&report["sent_bytes"], &report["received_bytes"]), (&11.into(), &11.into()));
    let reply = &report["replies"][0];
    assert_eq!((&reply["sent_bytes"], &reply["text"]), (&7.into(), &"Hello".into()));
    assert!(reply["rtt_us"].as_u64().unwrap() > 0);
}

#[test]
fn a_refused_connection_is_1_with_a_hint_also_in_json() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let ended = run(&["tcp-echo", "client", &free, "Hello"], b"");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(&format!("error: connect to {free}")), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: nobody listens"), "{}", ended.stderr);
    let ended = run(&["tcp-echo", "client", &free, "-J", "Hello"], b"");
    assert_eq!(ended.code, Some(1));
    assert!(ended.json()["error"]["message"].as_str().unwrap().contains("connect to"));
}

#[test]
fn wrong_usage_is_2_and_names_what_is_wrong() {
    let wrong: [(&[&str], &str); 7] = [
        (&["::1:80", "x"], "[::1]:80"),
        (&["localhost:99999"], "`99999` is no port"),
        (&["localhost:80", "-p", "81"], "given twice"),
        (&["localhost", "--framing", "u8"], "u8"),
        (&["localhost", "--hex", "0"], "odd number"),
        (&["localhost", "-w", "soon"], "500ms"),
        (&["localhost:80", "--hex", "00", "more"], "--hex is the message"),
    ];
    for (args, named) in wrong {
        let ended = run(&[&["tcp-echo", "client"], args].concat(), b"");
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(named), "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn a_server_that_closes_early_or_stays_silent_is_1_and_says_how_far_it_came() {
    let closes = own_server(|mut stream| {
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(b"Hel").unwrap();
    });
    let ended = run(&["tcp-echo", "client", &closes, "Hello"], b"");
    assert_eq!((ended.code, ended.text().as_str()), (Some(1), "Hel\n"));
    assert!(ended.stderr.contains("after 3 of 5 reply bytes"), "{}", ended.stderr);

    let silent = own_server(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let ended = run(&["tcp-echo", "client", &silent, "-w", "100ms", "Hello"], b"");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("hint:"), "{}", ended.stderr);

    let cut = own_server(|mut stream| {
        stream.read_exact(&mut [0; 7]).unwrap();
        stream.write_all(b"\x00\x05He").unwrap();
    });
    let ended = run(&["tcp-echo", "client", &cut, "--framing", "u16", "Hello"], b"");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("truncated frame, 2 of 5 bytes"), "{}", ended.stderr);
}

#[test]
fn a_pipe_whose_server_dies_is_1() {
    let dies = own_server(|mut stream| stream.read_exact(&mut [0; 100]).unwrap());
    let ended = run(&["tcp-echo", "client", &dies], &vec![7; 5_000_000]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("error:"), "{}", ended.stderr);
}

#[test]
fn an_address_in_use_names_its_holder_and_a_free_port() {
    let server = Server::start(&["tcp-echo", "server", ":0"]);
    let ended = run(&["tcp-echo", "server", &server.at()], b"");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("hint:") && ended.stderr.contains("which is free"), "{}", ended.stderr);
    if cfg!(target_os = "linux") {
        assert!(ended.stderr.contains(&format!("pid {}", server.pid())), "{}", ended.stderr);
    }
}

#[test]
fn the_port_base_shifts_the_default() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().min(65_000);
    let run_with = |base: &str| {
        let mut command = harness::netlab();
        command.args(["tcp-echo", "client", "127.0.0.1", "-w", "1s"]).env("NETLAB_PORT_BASE", base);
        harness::finish(&mut command, b"")
    };
    assert!(run_with(&free.to_string()).stderr.contains(&format!("127.0.0.1:{free}")));
    let wrong = run_with("many");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("NETLAB_PORT_BASE is `many`"), "{}", wrong.stderr);
}

#[test]
fn options_are_shown_as_the_kernel_reports_them() {
    let server = Server::start(&["tcp-echo", "server", ":0"]);
    let ended = client(&server, &["--show-options", "--no-nodelay", "--so-sndbuf", "20000", "-J", "x"]);
    let options = ended.json()["socket_options"].clone();
    let find = |name: &str| options.as_array().unwrap().iter().find(|o| o["option"] == name).unwrap().clone();
    assert_eq!(find("TCP_NODELAY")["kernel"], "off");
    assert_eq!(find("SO_SNDBUF")["asked"], "20000");
    if cfg!(target_os = "linux") {
        assert_eq!(find("SO_SNDBUF")["kernel"], "40000", "Linux doubles it");
    }
    assert!(ended.stderr.contains("SO_SNDBUF"), "{}", ended.stderr);
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let server = Server::start(&["tcp-echo", "server", ":0"]);
    let script =
        format!("head -c 3000000 /dev/zero | \"$0\" tcp-echo client {} | head -c 10 | wc -c", server.at());
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &format!("{script}; echo \"${{PIPESTATUS[1]}}\"")]).arg(env!("CARGO_BIN_EXE_netlab"));
    let ended = harness::finish(&mut command, b"");
    assert_eq!(ended.text().split_whitespace().collect::<Vec<_>>(), ["10", "0"], "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
}
