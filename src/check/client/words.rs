//! A failed run in words, drawn, and as a server of a few lines of Python.

use super::Run;
use super::play::{Asks, Want, Way};
use super::seen::{Did, Fault, Wrong, lines, lines_of};
use crate::check::Config;
use crate::check::reproduce::{COUNT, literal};
use crate::net::table::Transport;
use crate::report::{Exchange, ExchangeRow, Span};
use crate::text::{byte_count, counted, excerpt, printable};

/// Rows of an exchange that are shown: its end is where the failure is.
const ROWS: usize = 10;
/// Bytes of a row that are shown.
const SHOWN: usize = 400;
/// Of a text in a sentence.
const QUOTED: usize = 60;

/// What was observed, in a sentence or two.
pub(super) fn sentence(run: &Run, wrong: &Wrong) -> String {
    let said = match wrong {
        Wrong::Talk(fault) => talk(run, fault),
        Wrong::Printed(number) => printed(run, *number),
        Wrong::Lives => {
            let busy = run
                .seen
                .busy
                .map_or(String::new(), |percent| format!(", and uses {percent} % of a processor"));
            let since = if run.play.way == Way::Refuses {
                "nobody listens on the port"
            } else if run.play.asks == Asks::AnyEnd {
                "the server has ended the connection"
            } else {
                "all answers have come"
            };
            format!("The program does not end although {since}{busy}")
        }
        Wrong::Exit(exit) => format!("All was printed, but the program ended with {exit}"),
    };
    let mut text = format!("{said}{}.", of_way(run.play.way));
    let stderr = String::from_utf8_lossy(&run.seen.stderr);
    let last = stderr.lines().rfind(|line| !line.trim().is_empty());
    if let Some(exit) = run.seen.exit.filter(|_| !matches!(wrong, Wrong::Exit(_))) {
        text.push_str(" The program ended with ");
        text.push_str(&exit.to_string());
        text.push('.');
    }
    if let Some(line) = last {
        text.push_str(" Its last words: `");
        text.push_str(&excerpt(line.trim().as_bytes(), 120));
        text.push_str("`.");
    }
    text
}

fn talk(run: &Run, fault: &Fault) -> String {
    let (came, of) = (run.seen.messages.len(), counted(run.play.turns.len() as u64, "message"));
    let rest = run.seen.received.len();
    match fault {
        Fault::NoConnection if run.seen.exit.is_some() => {
            "The program ended without coming to its port".to_owned()
        }
        Fault::NoConnection => "The program runs, but nothing came to its port".to_owned(),
        Fault::Garbled(why) => format!("What the client sends is no message: {why}"),
        Fault::Wrong(number) => {
            let text = |message: Option<Vec<u8>>| message.map_or(String::new(), |m| excerpt(&m, QUOTED));
            let turn = run.play.turns.get(*number);
            let got = text(run.seen.messages.get(*number).cloned());
            let line = text(turn.and_then(|turn| turn.line.clone()));
            if run.play.fixed.is_some() {
                "The digest is not the one of this challenge under NETLAB_KEY".to_owned()
            } else if let Some(Want::Json(members)) = turn.map(|turn| &turn.wanted) {
                let members = excerpt(members.to_string().as_bytes(), 2 * QUOTED);
                format!("Message {} is `{got}`, and its line `{line}` asks for `{members}`", number + 1)
            } else {
                format!("Message {} is `{got}`, and its line was `{line}`", number + 1)
            }
        }
        Fault::Silent => {
            let waits = if run.play.one_by_one { "; stdin is still open" } else { "" };
            format!("{came} of {of} came whole, in {}, and then nothing more{waits}", byte_count(rest as u64))
        }
        Fault::Hoards => {
            "Nothing came although stdin had a line; when stdin was ended, the message came".to_owned()
        }
        Fault::Ended => format!("The client ended its side after {came} of {of}"),
        Fault::Reset => {
            format!("The client closed the connection after {came} of {of}, while answers were on their way")
        }
        Fault::Flood => format!("The client sends without end: {} so far", byte_count(rest as u64)),
        Fault::Unread => "The client does not read its answers".to_owned(),
        Fault::Unshown { push, later } => {
            let what = if *push {
                "What came while stdin was silent"
            } else {
                "The answer that came while stdin was open"
            };
            let then = if *later { ": the next line of stdin brought it to light" } else { "" };
            format!("{what} was not printed{then}")
        }
        Fault::Surplus(more) => format!(
            "The client sent {} after its last message: `{}`",
            byte_count(more.len() as u64),
            excerpt(more, QUOTED)
        ),
    }
}

fn printed(run: &Run, number: usize) -> String {
    let (lines, texts) = (lines(&run.seen.stdout), run.play.printed());
    let wanted = lines_of(&texts);
    match (lines.get(number), wanted.get(number)) {
        (Some(line), Some(answer)) => {
            let (line, answer) = around(line, answer);
            format!("Line {} on stdout is {line} instead of {answer}", number + 1)
        }
        (Some(line), None) => format!("A line more than answers was printed: `{}`", excerpt(line, QUOTED)),
        (None, _) => {
            let (shown, all) = (lines.len(), counted(wanted.len() as u64, "line"));
            format!("{shown} of {all} were printed")
        }
    }
}

/// Two texts in short; with their lengths where they are long.
fn around(line: &[u8], answer: &[u8]) -> (String, String) {
    let shown = |text: &[u8]| {
        let length =
            if text.len() > QUOTED { format!(" ({})", byte_count(text.len() as u64)) } else { String::new() };
        format!("`{}`{length}", excerpt(text, QUOTED))
    };
    (shown(line), shown(answer))
}

fn of_way(way: Way) -> String {
    match way {
        Way::Whole | Way::Unasked | Way::Refuses => String::new(),
        Way::Late => " (each answer came after a pause)".to_owned(),
        Way::Cut(at) => format!(" (each answer cut after byte {at})"),
        Way::CutGreeting(at) => format!(" (the challenge cut after byte {at})"),
        Way::Bytes => " (byte by byte)".to_owned(),
        Way::Coalesced => " (all answers in one send)".to_owned(),
        Way::Pushed => " (messages that nobody asked for came between)".to_owned(),
        Way::Slow => " (the server read slowly)".to_owned(),
        Way::Resets => " (the server reset the connection in place of an answer)".to_owned(),
        Way::ClosesAfter(0) => " (the server ended the connection in place of an answer)".to_owned(),
        Way::ClosesAfter(at) => format!(" (the server ended the connection after byte {at} of its answer)"),
    }
}

/// What went over the wire, the last rows of it, and what was printed.
pub(super) fn exchange(run: &Run) -> Exchange {
    let row = |label: &str, bytes: &[u8]| ExchangeRow {
        label: label.to_owned(),
        bytes: bytes[..bytes.len().min(SHOWN)].to_vec(),
        length: bytes.len(),
        ..ExchangeRow::default()
    };
    let note =
        |label: &str, note: String| ExchangeRow { label: label.to_owned(), note, ..ExchangeRow::default() };
    let mut rows: Vec<ExchangeRow> = run
        .seen
        .did
        .iter()
        .map(|did| match did {
            Did::Connects => note("client", "connects".to_owned()),
            Did::Sends(bytes) => row("client", bytes),
            Did::Gets(bytes, fields) => {
                let span = |f: &crate::check::codec::Field| Span {
                    start: f.start,
                    end: f.end,
                    label: f.name.to_owned(),
                };
                ExchangeRow { fields: fields.iter().map(span).collect(), ..row("server", bytes) }
            }
            Did::Waits => note("server", "(waits until the client has read it)".to_owned()),
            Did::Paused(time) => note("server", format!("(waits {} ms)", time.as_millis())),
            Did::ServerEnds => note("server", "ends its side (FIN)".to_owned()),
            Did::ServerResets => note("server", "resets the connection (RST)".to_owned()),
        })
        .collect();
    let left_out = rows.len().saturating_sub(ROWS);
    rows.drain(..left_out);
    let expected: Vec<u8> =
        run.play.printed().iter().flat_map(|answer| [answer, &b"\n"[..]].concat()).collect();
    let mut stdout = row("stdout", &run.seen.stdout);
    if let Some(Wrong::Printed(_)) = run.wrong {
        let at = crate::check::expect::common(&expected, &run.seen.stdout);
        stdout.wrong = (at < run.seen.stdout.len()).then_some(at);
        rows.push(stdout);
        rows.push(row("expected", &expected));
    } else if !run.seen.stdout.is_empty() {
        rows.push(stdout);
    }
    Exchange { left_out, rows }
}

/// A server in Python that says the same, and how the client is started.
pub(super) fn reproduce(
    run: &Run,
    transport: Transport,
    config: &Config,
    env: &[(&'static str, String)],
) -> String {
    let stdin = run.play.stdin();
    let quoted = literal(&stdin);
    let shown = if config.shown.is_empty() { "your client" } else { &config.shown };
    let env: Vec<String> =
        env.iter().map(|(name, value)| format!(" with {name}={}", printable(value))).collect();
    let env = env.concat();
    let udp = transport == Transport::Udp;
    if run.play.way == Way::Refuses {
        return format!("# a port where nobody listens: {}{env}", shown.replace("PORT", "1"));
    }
    let mut text = vec![
        format!("# a server that says the same; then start: {shown}{env}"),
        format!("# and give it the lines {quoted}"),
        "import socket, time".to_owned(),
    ];
    if udp {
        text.push("s = socket.socket(type=socket.SOCK_DGRAM); s.bind((\"127.0.0.1\", PORT))".to_owned());
    } else {
        text.push("s, _ = socket.create_server((\"127.0.0.1\", PORT)).accept()".to_owned());
    }
    let mut calls = calls(run, udp);
    if !udp && !run.seen.did.contains(&Did::ServerResets) {
        calls.push("print(s.recv(65536))".to_owned());
    }
    let mut line = String::new();
    for call in calls {
        if !line.is_empty() && line.len() + call.len() > 100 {
            text.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push_str("; ");
        }
        line.push_str(&call);
    }
    text.push(line);
    if text.iter().any(|line| line.contains("count(")) {
        text.insert(3, COUNT.to_owned());
    }
    text.join("\n")
}

/// The server's calls, those of a long run cut short.
fn calls(run: &Run, udp: bool) -> Vec<String> {
    let mut calls: Vec<String> = Vec::new();
    for did in &run.seen.did {
        calls.push(match did {
            Did::Sends(_) if udp => "data, peer = s.recvfrom(65536); print(data)".to_owned(),
            Did::Sends(_) => "print(s.recv(65536))".to_owned(),
            Did::Gets(bytes, _) if udp => format!("s.sendto({}, peer)", literal(bytes)),
            Did::Gets(bytes, _) => format!("s.sendall({})", literal(bytes)),
            Did::Waits => "time.sleep(0.2)".to_owned(),
            Did::Paused(_) => "time.sleep(0.4)".to_owned(),
            Did::ServerEnds => "s.shutdown(socket.SHUT_WR)".to_owned(),
            Did::ServerResets => {
                "s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b\"\\1\\0\\0\\0\" + bytes(4)); s.close()"
                    .to_owned()
            }
            Did::Connects => continue,
        });
    }
    calls.truncate(16);
    calls
}
