//! `netlab bench`, end to end: figures that add up, and wrong servers that are caught.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use harness::{Ended, Server, run};
use serde_json::Value;

const SIZE: usize = 64;

fn bench(addr: &str, args: &[&str]) -> Ended {
    run(&[&["bench", "tcp-echo", addr], args].concat(), b"")
}

/// A server of this test: what it answers to each request of 64 bytes, counted from 0 on its connection.
fn own_server(answer: impl Fn(usize, &[u8]) -> Vec<u8> + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            thread::spawn(move || serve(stream.unwrap(), &answer));
        }
    });
    addr
}

fn serve(mut stream: TcpStream, answer: &dyn Fn(usize, &[u8]) -> Vec<u8>) {
    stream.set_nodelay(true).unwrap();
    let mut request = [0; SIZE];
    for n in 0.. {
        if stream.read_exact(&mut request).is_err() || stream.write_all(&answer(n, &request)).is_err() {
            return;
        }
    }
}

/// The checks that are not zero.
fn wrong(report: &Value) -> Vec<(String, u64)> {
    let checks = report["checks"].as_object().unwrap().iter();
    checks.map(|(name, n)| (name.clone(), n.as_u64().unwrap())).filter(|(_, n)| *n > 0).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn the_figures_of_a_closed_loop_add_up() {
    let server = Server::start(&["tcp-echo", "server", ":0"]);
    let args = ["--connections", "5", "--depth", "4", "--size", "100", "-t", "0.3", "--warm-up", "0.1", "-J"];
    let ended = bench(&server.at(), &args);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report = ended.json();
    let replies = report["replies"].as_u64().unwrap();
    assert!(replies > 100, "{report}");
    assert_eq!(report["requests"], replies, "each is answered");
    assert_eq!(
        (&report["sent_bytes"], &report["received_bytes"]),
        (&(replies * 100).into(), &(replies * 100).into())
    );
    assert_eq!(wrong(&report), []);
    let elapsed = number(&report["elapsed_s"]);
    assert!((0.3..5.0).contains(&elapsed), "{elapsed}");
    assert!((number(&report["rate_per_s"]) - number(&report["replies"]) / elapsed).abs() <= 1.0);
    let latency = &report["latency"];
    let rising = ["min_us", "p50_us", "p90_us", "p99_us", "p99_9_us", "max_us"].map(|p| number(&latency[p]));
    assert!(rising.is_sorted() && rising[0] > 0.0, "{rising:?}");
    assert_eq!(report["latency_from_intended"], Value::Null, "a closed loop intends nothing");
    if cfg!(target_os = "linux") {
        assert_eq!(report["cpu"]["server"]["pid"], server.pid());
        assert!(number(&report["cpu"]["generator"]["us_per_reply"]) > 0.0);
    }
}

#[test]
fn a_count_is_kept_by_every_framing_and_model() {
    for framing in ["raw", "line", "u16", "u32", "header"] {
        for model in ["iterative", "threads", "event-loop"] {
            let server = Server::start(&["tcp-echo", "server", ":0", "--framing", framing, "--model", model]);
            let connections = if model == "iterative" { "1" } else { "7" };
            let args =
                ["--connections", connections, "--depth", "3", "-c", "1000", "-J", "--framing", framing];
            let report = bench(&server.at(), &args).json();
            let name = format!("{framing} {model}: {report}");
            assert_eq!((&report["requests"], &report["replies"]), (&1000.into(), &1000.into()), "{name}");
            assert_eq!(wrong(&report), [], "{name}");
        }
    }
}

#[test]
fn large_requests_come_back_in_pieces_and_are_put_together() {
    let server = Server::start(&["tcp-echo", "server", ":0", "--recv-size", "1000"]);
    for size in ["1", "7", "300k"] {
        let report = bench(&server.at(), &["--connections", "2", "-c", "20", "--size", size, "-J"]).json();
        assert_eq!((&report["replies"], wrong(&report)), (&20.into(), vec![]), "{size}");
    }
}

#[test]
fn a_wrong_reply_is_counted_as_what_it_is() {
    type Answer = fn(usize, &[u8]) -> Vec<u8>;
    let wrongs: [(&str, u64, Answer); 4] = [
        ("corrupted", 99, |n, request| {
            let mut reply = request.to_vec();
            reply[SIZE - 1] ^= u8::from(n == 10);
            reply
        }),
        ("lost", 99, |n, request| if n == 10 { vec![] } else { request.to_vec() }),
        ("duplicated", 100, |n, request| if n == 10 { request.repeat(2) } else { request.to_vec() }),
        ("corrupted", 99, |n, request| if n == 10 { vec![b'x'; SIZE] } else { request.to_vec() }),
    ];
    for (what, replies, answer) in wrongs {
        let args = ["--connections", "1", "--depth", "4", "-c", "100", "-w", "300ms", "-J"];
        let ended = bench(&own_server(answer), &args);
        let report = ended.json();
        assert_eq!(wrong(&report), [(what.to_owned(), 1)], "{report}");
        assert_eq!((ended.code, &report["replies"]), (Some(1), &replies.into()), "{what}");
    }
}

#[test]
fn swapped_replies_are_out_of_order_and_not_lost() {
    let held = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let addr = own_server(move |n, request| {
        let mut held = held.lock().unwrap();
        match n {
            10 => {
                held.extend_from_slice(request);
                vec![]
            }
            11 => [request, &held].concat(),
            _ => request.to_vec(),
        }
    });
    let ended = bench(&addr, &["--connections", "1", "--depth", "4", "-c", "100", "-J"]);
    assert_eq!(wrong(&ended.json()), [("reordered".to_owned(), 1)]);
    assert_eq!((ended.code, &ended.json()["replies"]), (Some(1), &100.into()));
}

#[test]
fn an_open_loop_keeps_its_pace() {
    let server = Server::start(&["tcp-echo", "server", ":0"]);
    let args = ["--rate", "1000", "-t", "0.3", "--connections", "3", "-J"];
    let report = bench(&server.at(), &args).json();
    assert_eq!((&report["requests"], &report["replies"]), (&300.into(), &300.into()));
    assert!((0.3..2.0).contains(&number(&report["elapsed_s"])), "{report}");
    assert!(number(&report["latency_from_intended"]["p50_us"]) >= number(&report["latency"]["p50_us"]));
}

#[test]
fn a_stall_shows_in_the_latency_from_when_requests_were_due_alone() {
    let addr = own_server(|n, request| {
        if n == 100 {
            thread::sleep(Duration::from_millis(200));
        }
        request.to_vec()
    });
    let report = bench(&addr, &["--rate", "1000", "-t", "0.5", "--connections", "1", "-J"]).json();
    let (sent, due) = (&report["latency"], &report["latency_from_intended"]);
    assert_eq!(wrong(&report), [], "{report}");
    assert!(number(&due["p99_us"]) > 150_000.0, "the stall is hidden: {report}");
    assert!(number(&sent["p99_us"]) < 100_000.0, "a closed loop's view does not see it: {report}");
    assert!(number(&sent["max_us"]) > 150_000.0, "one request met it: {report}");
}

#[test]
fn a_server_that_ends_connections_or_frames_wrongly_is_1() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.read_exact(&mut [0; SIZE]).unwrap();
    });
    let ended = bench(&addr, &["--connections", "1", "-t", "5", "-J"]);
    let report = ended.json();
    assert_eq!(ended.code, Some(1));
    assert_eq!(report["checks"]["closed_connections"], 1, "{report}");
    assert_eq!(report["checks"]["lost"], 1, "{report}");
    assert!(number(&report["elapsed_s"]) <= 5.0);

    let shouting = own_server(|_, _| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    let args = ["--connections", "1", "-c", "5", "--size", "62", "--framing", "header", "-w", "300ms"];
    let ended = bench(&shouting, &args);
    assert_eq!(ended.code, Some(1), "{}", ended.text());
}

#[test]
fn the_text_has_the_figures_and_a_picture() {
    let server = Server::start(&["tcp-echo", "server", ":0"]);
    let hist = tempfile::NamedTempFile::new().unwrap();
    let path = hist.path().to_str().unwrap();
    let ended = bench(&server.at(), &["-t", "1.2", "--ascii", "--hist", path]);
    let text = ended.text();
    for part in ["50 connections, depth 1", "p99.9", "#####", "every reply came, in order", "limit:"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(ended.stderr.contains("1 s") && ended.stderr.contains("/s  p50"), "{}", ended.stderr);
    let lines = std::fs::read_to_string(path).unwrap();
    let counts = lines.lines().skip(1).map(|line| line.split_once('\t').unwrap().1.parse::<u64>().unwrap());
    let replies = text.lines().nth(1).unwrap().split(' ').next().unwrap().replace(',', "");
    assert_eq!(counts.sum::<u64>(), replies.parse::<u64>().unwrap(), "every latency is in the file");
}

#[test]
fn a_stream_has_a_line_each_second_and_ends_with_the_summary() {
    let server = Server::start(&["tcp-echo", "server", ":0"]);
    let ended = bench(&server.at(), &["-t", "1.2", "--json-stream"]);
    let text = ended.text();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["interval", "summary"]);
    let (second, summary) = (&events[0]["data"], &events[1]["data"]);
    assert_eq!(second["at_s"], 1);
    assert!(second["replies"].as_u64() < summary["replies"].as_u64());
    assert_eq!(summary["intervals"][0], *second);
}

#[test]
fn ctrl_c_ends_the_load_with_its_summary() {
    let server = Server::start(&["tcp-echo", "server", ":0"]);
    let mut command = harness::netlab();
    command.args(["bench", "tcp-echo", &server.at(), "-t", "60", "-J"]);
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    // Its first line on stderr comes after a second of load.
    let mut first = [0; 1];
    child.stderr.as_mut().unwrap().read_exact(&mut first).unwrap();
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["interrupted"]), (Some(0), &true.into()), "{report}");
    assert_eq!((wrong(&report), &report["requests"]), (vec![], &report["replies"]), "{report}");
}

#[test]
fn nobody_there_is_1_with_a_hint_and_wrong_usage_is_2() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let ended = bench(&free, &["-J"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("hint: nobody listens"), "{}", ended.stderr);
    assert!(ended.json()["error"]["message"].as_str().unwrap().contains("connect to"));
    let wrong: [(&[&str], &str); 7] = [
        (&["--connections", "0"], "above 0"),
        (&["--rate", "0"], "a rate is"),
        (&["-t", "1", "-c", "5"], "cannot be used with"),
        (&["-J", "--json-stream"], "cannot be used with"),
        (&["--framing", "u8"], "u8"),
        (&["--framing", "u16", "--size", "70000"], "65535 bytes is the most"),
        (&["more", "words"], "more"),
    ];
    for (args, named) in wrong {
        let ended = bench(&free, args);
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(named), "{args:?}: {}", ended.stderr);
    }
}

/// A room server without a rate limit, and the folder that it needs.
fn room_server() -> (Server, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let args = ["serve", ":0", "--rate-limit", "0", "--file-path", path, "--record-path", path];
    (Server::start(&args), dir)
}

fn bench_rooms(addr: &str, args: &[&str]) -> Ended {
    run(&[&["bench", "rooms", addr], args].concat(), b"")
}

#[test]
fn every_message_is_delivered_to_every_member() {
    let (server, _dir) = room_server();
    for load in [&["-c", "200", "--window", "4"][..], &["-c", "200", "--rate", "2000"]] {
        let args = ["--rooms", "3", "--members", "5", "--size", "500", "-J"];
        let ended = bench_rooms(&server.at(), &[&args, load].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let report = ended.json();
        assert_eq!(
            (&report["messages"], &report["replies"]),
            (&200.into(), &1000.into()),
            "{load:?} {report}"
        );
        assert_eq!(wrong(&report), [], "{load:?}");
        assert!(number(&report["latency"]["p50_us"]) > 0.0);
    }
    let text = bench_rooms(&server.at(), &["--members", "3", "-t", "0.3"]).text();
    assert!(text.contains("1 room of 3 members") && text.contains("every delivery came"), "{text}");
}

#[test]
fn a_room_server_that_loses_a_delivery_is_caught() {
    let (server, _dir) = room_server();
    let addr = forgetful_proxy(&server.at());
    let args = ["--members", "2", "--window", "8", "-c", "50", "-w", "300ms", "--framing", "u16", "-J"];
    let ended = bench_rooms(&addr, &args);
    assert_eq!((ended.code, wrong(&ended.json())), (Some(1), vec![("lost".to_owned(), 2)]));
}

/// Stands before a room server and drops the 20th message that mentions ROOM_ECHOED, on each connection.
fn forgetful_proxy(server: &str) -> String {
    let (listener, server) = (TcpListener::bind("127.0.0.1:0").unwrap(), server.to_owned());
    let addr = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut upstream) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            let (mut from, mut to) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            thread::spawn(move || {
                let (mut length, mut seen) = ([0; 2], 0);
                while upstream.read_exact(&mut length).is_ok() {
                    let mut frame = vec![0; usize::from(u16::from_be_bytes(length))];
                    upstream.read_exact(&mut frame).unwrap();
                    seen += usize::from(frame.windows(11).any(|part| part == b"ROOM_ECHOED"));
                    let dropped = seen == 20;
                    seen += usize::from(dropped);
                    if !dropped && client.write_all(&[&length[..], &frame].concat()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    addr
}

#[test]
fn a_room_server_that_limits_the_rate_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let server = Server::start(&["serve", ":0", "--file-path", path, "--record-path", path]);
    let ended = bench_rooms(&server.at(), &["--members", "2", "-c", "500", "-w", "300ms", "-J"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.json()["connection_error"].as_str().unwrap().contains("rate_limited"), "{}", ended.text());
    assert!(ended.stderr.contains("hint: the server limits its clients: start it with --rate-limit 0"));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let refused = bench_rooms(&free, &[]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("hint: nobody listens"), "{}", refused.stderr);
    assert_eq!(bench_rooms(&free, &["--size", "33000"]).code, Some(2));
}

#[test]
fn members_log_in_as_the_users_of_a_class() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let names: Vec<String> = (0..20).map(|n| format!("user{n}")).collect();
    std::fs::write(file("class.txt"), names.join("\n")).unwrap();
    let added = run(&["users", "add", "--from", &file("class.txt"), "--users", &file("u.json")], b"");
    assert_eq!(added.code, Some(0), "{}", added.stderr);
    let (path, users) = (file("records"), file("u.json"));
    let folders = ["--file-path", &path, "--record-path", &path, "--users", &users, "--rate-limit", "0"];
    let server = Server::start(&[&["serve", ":0", "--auth", "hmac"], &folders[..]].concat());
    let class = file("class.txt");
    let by_key = |args: &[&str]| bench_rooms(&server.at(), &[&["--from", &class, "-J"], args].concat());
    let report = by_key(&["-c", "50"]).json();
    assert_eq!((&report["members"], wrong(&report)), (&20.into(), vec![]), "all of the list: {report}");
    let report = by_key(&["-c", "50", "--rooms", "3"]).json();
    assert_eq!((&report["members"], &report["replies"]), (&6.into(), &300.into()), "{report}");

    let too_many = by_key(&["--rooms", "3", "--members", "7"]);
    assert_eq!(too_many.code, Some(2), "{}", too_many.stderr);
    assert!(too_many.stderr.contains("20 users"), "{}", too_many.stderr);
    let stranger = bench_rooms(&server.at(), &[]);
    assert_eq!(stranger.code, Some(1));
    assert!(stranger.stderr.contains("hint: the server demands a login: pass --from"), "{}", stranger.stderr);
    // user0 has another key now than the server knows.
    std::fs::write(file("user0.key"), "0".repeat(64)).unwrap();
    let refused = by_key(&[]);
    assert_eq!((refused.code, refused.json()["error"]["message"].is_string()), (Some(1), true));
    assert!(
        refused.stderr.contains("login_failed") && refused.stderr.contains("hint:"),
        "{}",
        refused.stderr
    );
}

#[test]
fn socket_options_are_set_and_shown() {
    let server = Server::start(&["tcp-echo", "server", ":0"]);
    let args = ["-c", "10", "--connections", "2", "--no-nodelay", "--show-options", "-J"];
    let ended = bench(&server.at(), &args);
    assert_eq!((ended.code, &ended.json()["replies"]), (Some(0), &10.into()));
    let nodelay = ended.stderr.lines().find(|line| line.contains("TCP_NODELAY")).unwrap();
    assert_eq!(nodelay.split_whitespace().take(3).collect::<Vec<_>>(), ["TCP_NODELAY", "off", "off"]);
}

fn bench_udp(addr: &str, args: &[&str]) -> Ended {
    run(&[&["bench", "udp-echo", addr], args].concat(), b"")
}

/// A UDP server of this test: the datagrams that it sends for the `n`-th one of 64 bytes.
fn own_udp_server(mut answer: impl FnMut(usize, &[u8]) -> Vec<Vec<u8>> + Send + 'static) -> String {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut buffer, mut n) = ([0; 100], 0);
        loop {
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            let replies = if length == SIZE { answer(n, &buffer[..length]) } else { vec![vec![0]] };
            n += usize::from(length == SIZE);
            for reply in replies {
                socket.send_to(&reply, from).unwrap();
            }
        }
    });
    addr
}

#[test]
fn datagrams_are_counted_and_compared() {
    let server = Server::start(&["udp-echo", "server", ":0"]);
    for load in [&["--window", "16", "-c", "500"][..], &["--rate", "1000", "-c", "200"]] {
        let ended = bench_udp(&server.at(), &[load, &["-J"]].concat());
        let report = ended.json();
        assert_eq!((ended.code, wrong(&report)), (Some(0), vec![]), "{load:?} {report}");
        assert_eq!((&report["transport"], &report["replies"]), (&"udp".into(), &report["requests"]));
        assert_eq!(report["replies"].as_u64().unwrap().to_string(), load[3], "{load:?}");
    }
}

#[test]
fn wrong_datagrams_are_counted_as_what_they_are() {
    type Answer = fn(usize, &[u8]) -> Vec<Vec<u8>>;
    let wrongs: [(&str, Answer); 3] = [
        ("lost", |n, request| if n == 10 { vec![] } else { vec![request.to_vec()] }),
        ("duplicated", |n, request| vec![request.to_vec(); if n == 10 { 2 } else { 1 }]),
        ("corrupted", |n, request| vec![if n == 10 { vec![b'x'; SIZE] } else { request.to_vec() }]),
    ];
    for (what, answer) in wrongs {
        for window in ["1", "4"] {
            let args = ["--window", window, "-c", "100", "-w", "200ms", "-J"];
            let ended = bench_udp(&own_udp_server(answer), &args);
            let report = ended.json();
            assert_eq!(
                (ended.code, wrong(&report)),
                (Some(1), vec![(what.to_owned(), 1)]),
                "{window} {report}"
            );
        }
    }
    let mut held = Vec::new();
    let swapping = own_udp_server(move |n, request| {
        let reply = request.to_vec();
        match n {
            10 => {
                held = reply;
                vec![]
            }
            11 => vec![reply, held.clone()],
            _ => vec![reply],
        }
    });
    let ended = bench_udp(&swapping, &["--window", "4", "-c", "100", "-J"]);
    assert_eq!(wrong(&ended.json()), [("reordered".to_owned(), 1)]);
}

#[test]
fn a_port_without_a_udp_server_is_1_and_too_large_a_datagram_2() {
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let ended = bench_udp(&free, &[]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("hint: nobody listens"), "{}", ended.stderr);
    let large = bench_udp(&free, &["--size", "65508"]);
    assert_eq!(large.code, Some(2));
    assert!(large.stderr.contains("65507 bytes is the most"), "{}", large.stderr);
}
