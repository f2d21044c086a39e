//! The TCP echo server against clients that no one here wrote: ncat, socat, Python's standard library.
//! They are run by `cargo test -- --ignored` where the programs are; `.ci/run` installs them.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod echo_server;

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread;

use netlab::echo::Reply;
use netlab::echo::tcp_server::{Config, Model};
use netlab::framing::Framing;

use echo_server::{Server, config};

/// Every model with every reply to `Hello`, and what comes back.
fn every_model_and_reply(client: impl Fn(&Server) -> Output) {
    for model in Model::ALL {
        for (reply, expected) in [(Reply::Echo, "Hello"), (Reply::Ack, "ACK: Hello"), (Reply::Upper, "HELLO")]
        {
            let server = Server::start(Config { reply, ..config(model) });
            let output = client(&server);
            let (out, err) = (text(&output.stdout), text(&output.stderr));
            assert!(output.status.success(), "{} {}: {err}", model.name(), reply.name());
            assert_eq!(out, expected, "{} {}: {err}", model.name(), reply.name());
            assert_eq!(server.disconnected(), None);
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a program to its end with these bytes on its stdin.
fn run(program: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let writer = thread::spawn(move || stdin.write_all(&input).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn python(script: &str, server: &Server, arguments: &[&str]) -> Output {
    let script = format!("{}/tests/peers/{script}", env!("CARGO_MANIFEST_DIR"));
    let port = server.addr.port().to_string();
    let all = [&[script.as_str(), "127.0.0.1", &port], arguments].concat();
    run("python3", &all, b"")
}

#[test]
#[ignore = "needs ncat"]
fn ncat_gets_its_bytes_back() {
    every_model_and_reply(|server| {
        run("ncat", &["-w", "30", "127.0.0.1", &server.addr.port().to_string()], b"Hello")
    });
}

#[test]
#[ignore = "needs ncat"]
fn ncat_gets_many_bytes_back() {
    let bytes: Vec<u8> = (0..4_000_000_u32).flat_map(|n| n.to_be_bytes()[1..].to_vec()).collect();
    for model in Model::ALL {
        let server = Server::start(config(model));
        let output = run("ncat", &["-w", "30", "127.0.0.1", &server.addr.port().to_string()], &bytes);
        assert!(output.stdout == bytes, "{}: {} bytes came back", model.name(), output.stdout.len());
    }
}

#[test]
#[ignore = "needs socat"]
fn socat_gets_its_bytes_back() {
    every_model_and_reply(|server| run("socat", &["-t30", "-", &format!("TCP:{}", server.addr)], b"Hello"));
}

#[test]
#[ignore = "needs python3"]
fn pythons_socket_gets_its_bytes_back() {
    every_model_and_reply(|server| python("socket_client.py", server, &["Hello"]));
}

#[test]
#[ignore = "needs python3"]
fn pythons_connection_exchanges_bytes_by_u32() {
    all_come_back("connection_client.py", Framing::U32);
}

#[test]
#[ignore = "needs python3"]
fn the_socket_guides_client_exchanges_messages_by_header() {
    all_come_back("header_client.py", Framing::Header);
}

fn all_come_back(script: &str, framing: Framing) {
    for model in Model::ALL {
        let server = Server::start(Config { framing, ..config(model) });
        let output = python(script, &server, &[]);
        assert_eq!(text(&output.stdout).trim_end(), "all came back", "{}", text(&output.stderr));
        assert_eq!(server.disconnected(), None);
    }
}
