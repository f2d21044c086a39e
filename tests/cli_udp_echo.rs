//! `netlab udp-echo server|client`, end to end: the binary's output, JSON, events and exit codes.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

use serde_json::Value;

fn netlab(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netlab"));
    command.arg("udp-echo").args(args).env_remove("NETLAB_PORT_BASE").stdin(Stdio::null());
    command
}

fn client(to: SocketAddr, args: &[&str]) -> Output {
    netlab(&["client", &to.to_string()]).args(args).output().unwrap()
}

fn client_fed(to: SocketAddr, args: &[&str], stdin: &[u8]) -> Output {
    let mut command = netlab(&["client", &to.to_string()]);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A client that refuses its input may be gone before it has read all of it.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

fn json(output: &Output) -> Value {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema_version"], 1);
    document
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    addr: SocketAddr,
}

impl Server {
    fn start(args: &[&str]) -> Server {
        Server::on("127.0.0.1:0", args)
    }

    fn on(addr: &str, args: &[&str]) -> Server {
        let mut child = netlab(&["server", addr]).args(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let addr = if line.starts_with('{') {
            let event: Value = serde_json::from_str(&line).unwrap();
            assert_eq!((&event["event"], &event["data"]["transport"]), (&"listening".into(), &"udp".into()));
            event["data"]["address"].as_str().unwrap().parse().unwrap()
        } else {
            let addr = line.strip_prefix("listening on ").and_then(|rest| rest.strip_suffix(" (udp)\n"));
            addr.unwrap_or_else(|| panic!("{line}")).parse().unwrap()
        };
        Server { child, stdout, addr }
    }

    /// The next event of a JSON stream.
    fn event(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// What the server still says, and its exit code.
    fn rest(mut self) -> (String, Option<i32>) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (rest, self.child.wait().unwrap().code())
    }

    #[cfg(unix)]
    fn interrupt(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server of the test's own, for what a good one never does: `answers` gets each datagram's number and bytes.
fn server(
    datagrams: usize,
    answers: impl Fn(usize, &[u8]) -> Vec<Vec<u8>> + Send + 'static,
) -> (SocketAddr, JoinHandle<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let addr = socket.local_addr().unwrap();
    let serve = move || {
        let mut buffer = [0; 1_000];
        for number in 0..datagrams {
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            for answer in answers(number, &buffer[..length]) {
                socket.send_to(&answer, from).unwrap();
            }
        }
    };
    (addr, spawn(serve))
}

#[test]
fn messages_come_back() {
    let server = Server::start(&[]);
    let output = client(server.addr, &["Hello via UDP", "é", ""]);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), "Hello via UDP\né\n\n".as_bytes()));
    assert!(stderr(&output).contains("3 messages, 3 answered, 0 lost (0 %)"), "{}", stderr(&output));
}

#[test]
fn every_reply_over_both_families() {
    let wanted = [("echo", &b" hi\t\n"[..]), ("ack", b"Message received\n"), ("upper", b"HI\n")];
    for (reply, wanted) in wanted {
        let server = Server::start(&["--reply", reply]);
        assert_eq!(client(server.addr, &[" hi\t"]).stdout, wanted);
    }
    let server = Server::on("[::1]:0", &["-6"]);
    let port = server.addr.port().to_string();
    let output = netlab(&["client", "-6", "-p", &port, "::1", "hi"]).output().unwrap();
    assert_eq!(output.stdout, b"hi\n", "{}", stderr(&output));
}

#[test]
fn once_answers_one_datagram_and_stops() {
    let server = Server::start(&["--once", "--json-stream", "-v"]);
    assert_eq!(client(server.addr, &["Hello"]).stdout, b"Hello\n");
    let (rest, code) = server.rest();
    let events: Vec<Value> = rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(code, Some(0));
    assert_eq!((&events[0]["event"], &events[0]["data"]["text"]), (&"received".into(), &"Hello".into()));
    let stopped = &events[1];
    assert_eq!((&stopped["event"], events.len()), (&"stopped".into(), 2));
    let data = &stopped["data"];
    for totals in [data, &data["peers"][0]] {
        assert_eq!((&totals["received_datagrams"], &totals["received_bytes"]), (&1.into(), &5.into()));
        assert_eq!((&totals["sent_datagrams"], &totals["sent_bytes"]), (&1.into(), &5.into()));
    }
}

#[test]
#[cfg(unix)]
fn ctrl_c_prints_the_totals_of_each_peer() {
    let server = Server::start(&[]);
    let first = json(&client(server.addr, &["-J", "Hello", "World"]));
    let second = json(&client(server.addr, &["-J", ""]));
    server.interrupt();
    let (rest, code) = server.rest();
    let peer = |report: &Value| report["local_address"].as_str().unwrap().to_owned();
    let wanted = format!(
        "peer {}: received 2 datagrams (10 B), sent 2 datagrams (10 B)\n\
         peer {}: received 1 datagram (0 B), sent 1 datagram (0 B)\n\
         stopped: received 3 datagrams (10 B), sent 3 datagrams (10 B)\n",
        peer(&first),
        peer(&second)
    );
    assert_eq!((rest, code), (wanted, Some(0)));
}

#[test]
fn a_report_says_what_was_sent_and_came_back() {
    let server = Server::start(&[]);
    let report = json(&client(server.addr, &["-J", "Hello", ""]));
    for (member, wanted) in [("messages", 2), ("sent_datagrams", 2), ("received_datagrams", 2), ("lost", 0)] {
        assert_eq!(report[member], wanted, "{member}");
    }
    assert_eq!((&report["sent_bytes"], &report["received_bytes"]), (&5.into(), &5.into()));
    assert_eq!(report["remote_address"], server.addr.to_string());
    let replies = report["replies"].as_array().unwrap();
    let times: Vec<u64> = replies.iter().map(|reply| reply["rtt_us"].as_u64().unwrap()).collect();
    let rtt = &report["rtt_us"];
    assert_eq!(
        (rtt["min"].as_u64(), rtt["max"].as_u64()),
        (times.iter().min().copied(), times.iter().max().copied())
    );
    assert_eq!(rtt["avg"], times.iter().sum::<u64>() / 2);
}

#[test]
fn a_silent_server_is_a_loss() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = silent.local_addr().unwrap();
    let start = Instant::now();
    let output = client(addr, &["-w", "50ms", "--retries", "2", "-J", "Hello"]);
    let took = start.elapsed();
    assert_eq!(output.status.code(), Some(1));
    assert!((Duration::from_millis(150)..Duration::from_secs(5)).contains(&took), "three waits: {took:?}");
    let report = json(&output);
    assert_eq!((&report["lost"], &report["sent_datagrams"]), (&1.into(), &3.into()));
    assert_eq!((&report["replies"][0]["rtt_us"], &report["rtt_us"]), (&Value::Null, &Value::Null));
    let text = client(addr, &["-w", "50ms", "Hello"]);
    assert_eq!((text.status.code(), &text.stdout[..]), (Some(1), &b""[..]));
    assert!(
        stderr(&text).contains("1 lost (100 %)") && stderr(&text).contains("hint: "),
        "{}",
        stderr(&text)
    );
}

#[test]
fn a_retry_makes_good_what_was_lost() {
    let (addr, served) = server(2, |number, bytes| if number == 0 { vec![] } else { vec![bytes.to_vec()] });
    let output = client(addr, &["-w", "100ms", "--retries", "1", "-J", "Hello"]);
    served.join().unwrap();
    let report = json(&output);
    assert_eq!(
        (output.status.code(), &report["lost"], &report["replies"][0]["sends"]),
        (Some(0), &0.into(), &2.into())
    );
    assert!(report["replies"][0]["rtt_us"].as_u64() >= Some(100_000), "measured from the first send");
    assert_eq!(report["rtt_us"], Value::Null, "nobody knows which send was answered");
}

#[test]
fn late_and_doubled_replies_are_not_the_next_messages() {
    // The first is answered when the second comes; the second twice.
    let (addr, served) = server(3, |number, bytes| match number {
        0 => vec![],
        1 => vec![b"one".to_vec(), b"one".to_vec(), bytes.to_vec(), bytes.to_vec()],
        _ => vec![bytes.to_vec()],
    });
    let output = client(addr, &["-w", "200ms", "-J", "one", "two", "three"]);
    served.join().unwrap();
    let report = json(&output);
    let texts: Vec<&Value> = (0..3).map(|i| &report["replies"][i]["text"]).collect();
    assert_eq!(texts, ["one", "two", "three"], "{report}");
    let late: Vec<&Value> = (0..3).map(|i| &report["replies"][i]["late"]).collect();
    assert_eq!(late, [true, false, false]);
    assert_eq!(
        (&report["late"], &report["extra_datagrams"], &report["lost"]),
        (&1.into(), &2.into(), &0.into())
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn at_the_end_of_stdin_late_replies_are_waited_for() {
    let late = |linger: &str| {
        let (addr, served) = server(1, |_, bytes| {
            std::thread::sleep(Duration::from_millis(300));
            vec![bytes.to_vec()]
        });
        let output = client_fed(addr, &["-w", "20ms", "-q", linger], b"Hello");
        served.join().unwrap();
        (output.status.code(), output.stdout)
    };
    assert_eq!(late("5s"), (Some(0), b"Hello\n".to_vec()));
    assert_eq!(late("0"), (Some(1), Vec::new()));
}

#[test]
fn a_larger_datagram_is_cut_off_and_its_end_is_gone() {
    let server = Server::start(&[]);
    let output = client(server.addr, &["--recv-size", "5", "HelloWorld", "Again"]);
    assert_eq!(output.stdout, b"Hello\nAgain\n", "the rest does not come with the next one");
    assert!(
        stderr(&output).contains("5 bytes are gone") || cfg!(not(target_os = "linux")),
        "{}",
        stderr(&output)
    );
    let report = json(&client(server.addr, &["--recv-size", "5", "-J", "HelloWorld", "Again"]));
    let truncated: Vec<&Value> = (0..2).map(|i| &report["replies"][i]["truncated"]).collect();
    assert_eq!(truncated, [true, false]);
    let cut = Server::start(&["--recv-size", "5"]);
    assert_eq!(client(cut.addr, &["HelloWorld"]).stdout, b"Hello\n", "by the server too");
}

// Catches: a cut datagram that the server is silent about, or shouts about for each of a thousand.
#[test]
fn the_server_says_when_it_cut_a_datagram() {
    let wanted = |events: &[&str]| {
        let named = events.iter().map(|name| Value::from(*name));
        named.collect::<Vec<_>>()
    };
    for (args, events) in [
        (&["--recv-size", "5", "--json-stream"][..], &["truncated"][..]),
        (&["--recv-size", "5", "--json-stream", "-v"], &["received", "truncated", "received", "truncated"]),
    ] {
        let mut server = Server::start(args);
        assert_eq!(
            client(server.addr, &["HelloWorld", "Good night", "Again"]).stdout,
            b"Hello\nGood \nAgain\n"
        );
        let seen: Vec<Value> = events.iter().map(|_| server.event()).collect();
        assert_eq!(seen.iter().map(|event| event["event"].clone()).collect::<Vec<_>>(), wanted(events));
        let cut = seen.iter().find(|event| event["event"] == "truncated").unwrap();
        assert_eq!((&cut["data"]["bytes"], &cut["data"]["cut_off_bytes"]), (&5.into(), &5.into()));
    }
    let mut server = Server::start(&["--recv-size", "5"]);
    client(server.addr, &["HelloWorld"]);
    let mut line = String::new();
    server.stdout.read_line(&mut line).unwrap();
    assert!(line.starts_with("truncated 127.0.0.1:") && line.contains("5 B fitted in --recv-size"), "{line}");
}

#[test]
#[cfg(unix)]
fn totals_count_what_was_cut() {
    let server = Server::start(&["--recv-size", "5", "--json-stream"]);
    client(server.addr, &["HelloWorld", "Good night", "Again"]);
    server.interrupt();
    let (rest, _) = server.rest();
    let stopped: Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    assert_eq!(stopped["data"]["truncated_datagrams"], 2, "{rest}");
}

// Catches: a default that overrules the user, or that nobody gets.
#[test]
#[cfg(target_os = "linux")]
fn the_receive_buffer_is_ample_unless_asked_otherwise() {
    let kernel = |args: &[&str]| {
        let mut server = Server::start(&[&["--show-options", "--json-stream"], args].concat());
        let event = server.event();
        let options = event["data"]["options"].as_array().unwrap().clone();
        let rcvbuf = options.iter().find(|option| option["option"] == "SO_RCVBUF").unwrap().clone();
        (rcvbuf["asked"].clone(), rcvbuf["kernel"].as_str().unwrap().parse::<usize>().unwrap())
    };
    let most: usize = std::fs::read_to_string("/proc/sys/net/core/rmem_max").unwrap().trim().parse().unwrap();
    // Linux doubles what it grants.
    assert_eq!(kernel(&[]), (Value::Null, 2 * most.min(4 << 20)));
    assert_eq!(kernel(&["--so-rcvbuf", "8192"]), ("8192".into(), 16_384));
}

#[test]
fn what_no_datagram_carries_is_refused_before_anything_is_sent() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let addr = silent.local_addr().unwrap();
    let too_large = "x".repeat(65_508);
    let output = client(addr, &["first", &too_large]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("65,508") && stderr(&output).contains("65,507"), "{}", stderr(&output));
    assert!(silent.recv(&mut [0; 10]).is_err(), "nothing was sent");
    let fed = client_fed(addr, &["-J"], too_large.as_bytes());
    assert_eq!(fed.status.code(), Some(2));
    assert!(json(&fed)["error"]["message"].as_str().unwrap().contains("65,508"));
    let largest = Server::start(&[]);
    assert_eq!(client(largest.addr, &[&too_large[1..]]).stdout.len(), 65_508, "65,507 and a line feed");
}

#[test]
fn nobody_listening_is_refused_with_a_hint() {
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = client(gone, &["Hello"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("hint: nobody listens on"), "{}", stderr(&output));
    let output = client(gone, &["-J", "Hello"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(json(&output)["error"]["hint"].as_str().unwrap().contains("nobody listens"));
}

#[test]
fn lines_of_stdin_are_datagrams() {
    let mut server = Server::start(&["-v", "--json-stream"]);
    let output = client_fed(server.addr, &[], b"one\n\n\x1b\xff\nlast");
    assert_eq!(output.stdout, b"one\n\n\x1b\xff\nlast\n", "raw, because piped");
    let report = json(&client_fed(server.addr, &["-J"], b""));
    assert_eq!((&report["messages"], &report["lost"]), (&0.into(), &0.into()));
    let sizes: Vec<u64> = (0..4).map(|_| server.event()["data"]["bytes"].as_u64().unwrap()).collect();
    assert_eq!(sizes, [3, 0, 2, 4], "an empty line is a datagram too, and the last needs no line feed");
}

#[test]
fn repeating_one_message_stays_below_the_loop_guard_and_hammering_does_not() {
    let server = Server::start(&["--json-stream"]);
    let calm = json(&client(server.addr, &["-J", "-c", "70", "x"]));
    assert_eq!((&calm["lost"], &calm["messages"]), (&0.into(), &70.into()));
    let hammering = client(server.addr, &["-J", "-c", "70", "-i", "0", "-w", "10ms", "x"]);
    assert!(json(&hammering)["lost"].as_u64() > Some(0));
    let open = Server::start(&["--no-loop-guard"]);
    assert_eq!(json(&client(open.addr, &["-J", "-c", "500", "-i", "0", "x"]))["lost"], 0);
}

#[test]
fn wrong_usage_exits_2() {
    let wrong: [&[&str]; 6] = [
        &["client", "::1:80", "x"],
        &["client", "-c", "0", "--", "x"],
        &["client", "-w", "soon", "--", "x"],
        &["client", "127.0.0.1:1", "-p", "2", "x"],
        &["server", "--reply", "shout"],
        &["server", "127.0.0.1:0", "and", "more"],
    ];
    for args in wrong {
        assert_eq!(netlab(args).output().unwrap().status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_port_that_is_taken_exits_1_and_names_a_way_out() {
    let first = Server::start(&[]);
    let second = netlab(&["server", &first.addr.to_string()]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(stderr(&second).contains("hint: "), "{}", stderr(&second));
}
