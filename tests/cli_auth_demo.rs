//! `netlab auth-demo` from the outside: the naive login against a client of the standard library's own making,
//! and the attacks.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod harness;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use harness::{Ended, Server, run};

fn auth_demo(args: &[&str]) -> Ended {
    run(&[&["auth-demo"], args].concat(), b"")
}

fn mac(key: &[u8], challenge: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(challenge);
    mac.finalize().into_bytes().to_vec()
}

/// Answers a challenge in pieces of `piece` bytes; what the server says then.
fn log_in(server: &Server, key: &[u8], piece: usize) -> (Vec<u8>, Vec<u8>) {
    let mut stream = TcpStream::connect(server.addr).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut challenge = vec![0; 32];
    stream.read_exact(&mut challenge).unwrap();
    for part in mac(key, &challenge).chunks(piece) {
        stream.write_all(part).unwrap();
    }
    let mut verdict = Vec::new();
    stream.read_to_end(&mut verdict).unwrap();
    (challenge, verdict)
}

/// Stops a server; how often it granted and denied.
fn outcomes(server: Server) -> (usize, usize) {
    let (rest, code) = server.stop();
    let events: Vec<Value> = rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!((of("stopped"), code), (1, Some(0)), "{rest}");
    (of("granted"), of("denied"))
}

#[test]
fn the_server_lets_in_who_knows_the_key_and_reports_both_outcomes() {
    let server = Server::start(&["auth-demo", "server", ":0", "--json-stream"]);
    let (first, verdict) = log_in(&server, b"secret", 32);
    assert_eq!(verdict, b"Access Granted");
    let (second, verdict) = log_in(&server, b"secret", 1);
    assert_eq!(verdict, b"Access Granted", "however the answer is cut");
    assert_ne!(first, second, "a challenge is used once");
    assert_eq!(log_in(&server, b"wrong", 32).1, b"");
    assert_eq!(outcomes(server), (2, 1));
}

#[test]
fn the_client_tells_its_outcome_by_its_exit_code() {
    let server = Server::start(&["auth-demo", "server", ":0", "--json-stream"]);
    let address = server.at();
    let output = auth_demo(&["client", &address]);
    assert_eq!((output.code, output.stdout.as_slice()), (Some(0), &b"Access Granted\n"[..]));
    let output = auth_demo(&["client", &address, "--key", "wrong", "-J"]);
    assert_eq!(output.code, Some(1));
    let report = output.json();
    assert_eq!((&report["granted"], &report["reply"]), (&Value::from(false), &Value::from("")));
    assert_eq!(report["challenge"].as_str().unwrap().len(), 64);
    let output = auth_demo(&["client", "127.0.0.1:1"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("hint:"), "{output:?}");
}

#[test]
fn every_attack_fools_the_naive_scheme_and_none_the_mutual_one() {
    let output = auth_demo(&["-J"]);
    assert_eq!(output.code, Some(0));
    let report = output.json();
    let trials = report["trials"].as_array().unwrap();
    let outcome = |attack: &str, scheme: &str| {
        let trial = trials.iter().find(|trial| trial["attack"] == attack && trial["scheme"] == scheme);
        trial.unwrap()["outcome"].clone()
    };
    for attack in ["replay", "reflect", "relay"] {
        assert_eq!(
            (outcome(attack, "naive"), outcome(attack, "mutual")),
            ("fooled".into(), "refused".into())
        );
    }
}

#[test]
fn an_attack_runs_against_a_server_elsewhere_too() {
    let server = Server::start(&["auth-demo", "server", ":0", "--json-stream"]);
    let output = auth_demo(&["client", &server.at(), "--attack", "relay,replay", "-J"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    // The relayed login and the recorded one are granted, the replayed HMAC is not.
    assert_eq!(outcomes(server), (2, 1));
}

#[test]
fn a_server_without_a_challenge_is_named() {
    let echo = Server::start(&["tcp-echo", "server", ":0", "--json-stream"]);
    let output = auth_demo(&["client", &echo.at(), "-w", "200ms"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.starts_with("error: "), "{output:?}");
    assert_eq!(auth_demo(&["--attack", "guess"]).code, Some(2));
}

/// A server that has `talk` with one client, and its address.
fn stranger(talk: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || talk(listener.accept().unwrap().0));
    address
}

#[test]
fn a_server_may_leave_the_connection_open_behind_its_verdict() {
    let (done, ended) = channel::<()>();
    let address = stranger(move |mut stream| {
        stream.write_all(&[7; 32]).unwrap();
        stream.read_exact(&mut [0; 32]).unwrap();
        stream.write_all(b"Access Granted").unwrap();
        let _ = ended.recv();
    });
    let output = auth_demo(&["client", &address]);
    drop(done);
    assert_eq!((output.code, output.stdout.as_slice()), (Some(0), &b"Access Granted\n"[..]), "{output:?}");
}

// Catches: a limit for each byte, so that a server which sends one now and then holds its client for hours.
#[test]
fn a_challenge_that_drips_is_not_waited_for_longer_than_asked() {
    let address = stranger(|mut stream| {
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let output = auth_demo(&["client", &address, "-w", "500ms"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("no answer in time"), "{output:?}");
}

#[test]
fn an_attack_waits_no_longer_than_asked() {
    let (done, ended) = channel::<()>();
    let address = stranger(move |_stream| {
        let _ = ended.recv();
    });
    let start = Instant::now();
    let output = auth_demo(&["client", &address, "--attack", "replay", "-w", "200ms"]);
    drop(done);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("no answer in time"), "{output:?}");
    assert!(start.elapsed() < Duration::from_secs(8), "the default is 10 s");
}

#[test]
fn an_attack_with_a_key_that_is_not_the_servers_says_so() {
    let server = Server::start(&["auth-demo", "server", ":0", "--json-stream"]);
    let output = auth_demo(&["client", &server.at(), "--key", "other", "--attack", "relay", "-J"]);
    assert_eq!(output.code, Some(1));
    let report = output.json();
    assert_eq!(report["trials"][0]["outcome"], "refused");
    assert!(report["trials"][0]["why"].as_str().unwrap().contains("another key"), "{report}");
}
