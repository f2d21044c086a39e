//! The calls in Python: a line to import, one to connect, one to send, one to print.

use super::PORT;
use super::calls::{Call, computed};
use super::literal::{COUNT, literal};
use crate::check::case::Trial;
use crate::check::exercise::Exercise;
use crate::check::expect::Expect;
use crate::check::outcome::{Failure, Outcome};
use crate::check::script::{Act, Step};
use crate::net::table::Transport;
use crate::text::excerpt;

/// More calls than this make no reproduction that anyone reads.
const CALLS: usize = 40;
/// Statements share a line up to this width; a single one is never broken.
const WIDTH: usize = 110;
/// Answers up to this length are printed whole.
const SHORT: usize = 1_000;
/// Bytes that are printed around a wrong one.
const AROUND: usize = 20;

/// The lines.
pub(super) fn python(
    exercise: &Exercise,
    trial: &Trial,
    calls: &[(usize, Call<'_>)],
    outcome: &Outcome,
) -> String {
    let mut script = Writer::new(exercise, calls, outcome);
    for (at, (client, call)) in calls.iter().enumerate().take(CALLS) {
        script.call(*client, call, &calls[at + 1..]);
    }
    script.last(outcome, owed(exercise, trial, calls, outcome).as_ref());
    script.lines()
}

/// Lines in the making.
struct Writer {
    udp: bool,
    clients: usize,
    proof: bool,
    open: Vec<bool>,
    lines: Vec<String>,
    line: String,
}

impl Writer {
    fn new(exercise: &Exercise, calls: &[(usize, Call<'_>)], outcome: &Outcome) -> Writer {
        let used = calls.iter().map(|(client, _)| client + 1).max().unwrap_or(1);
        let failed = outcome.failure.as_ref().map_or(0, |(client, _)| *client);
        Writer {
            udp: exercise.transport == Transport::Udp,
            clients: used.max(failed + 1),
            proof: calls.iter().any(|(_, call)| matches!(call, Call::Challenge(_))),
            open: vec![false; used.max(failed + 1)],
            lines: Vec::new(),
            line: String::new(),
        }
    }

    fn name(&self, client: usize) -> String {
        if self.clients == 1 { "s".to_owned() } else { format!("s{}", client + 1) }
    }

    /// Adds a statement to the line, or begins a new one.
    fn add(&mut self, statement: &str) {
        if !self.line.is_empty() && self.line.len() + statement.len() > WIDTH {
            self.end_line();
        }
        if !self.line.is_empty() {
            self.line.push_str("; ");
        }
        self.line.push_str(statement);
    }

    fn end_line(&mut self) {
        if !self.line.is_empty() {
            self.lines.push(std::mem::take(&mut self.line));
        }
    }

    fn connected(&self, client: usize) -> String {
        let s = self.name(client);
        if self.udp {
            return format!(
                "{s} = socket.socket(type=socket.SOCK_DGRAM); {s}.connect((\"127.0.0.1\", {PORT})); {s}.settimeout(3)"
            );
        }
        format!("{s} = socket.create_connection((\"127.0.0.1\", {PORT}), 3)")
    }

    fn call(&mut self, client: usize, call: &Call<'_>, rest: &[(usize, Call<'_>)]) {
        let s = self.name(client);
        match call {
            Call::Open => {
                self.open[client] = true;
                let connected = self.connected(client);
                self.end_line();
                self.lines.push(connected);
            }
            Call::Send(bytes) => self.send(client, &literal(bytes)),
            Call::SendMade(text) => self.send(client, &text.clone()),
            Call::Read => self.add(&format!("{s}.recv(65536)")),
            Call::Challenge(key) => {
                let sends =
                    rest.iter().any(|(own, call)| *own == client && matches!(call, Call::SendMade(_)));
                if sends {
                    self.add(&format!("challenge = {s}.recv(32)"));
                    self.add(&computed(key, "mac"));
                } else {
                    self.add(&format!("challenge{} = {s}.recv(32)", client + 1));
                }
            }
            Call::Pause => self.add("time.sleep(0.5)"),
            // A datagram socket has nothing to end.
            Call::HalfClose if self.udp => {}
            Call::HalfClose => self.add(&format!("{s}.shutdown(socket.SHUT_WR)")),
            Call::Reset => {
                self.open[client] = false;
                // SO_LINGER on, 0 seconds.
                let linger = "socket.SOL_SOCKET, socket.SO_LINGER, b\"\\1\" + bytes(7)";
                self.add(&format!("{s}.setsockopt({linger}); {s}.close()"));
            }
            Call::Close => {
                self.open[client] = false;
                self.add(&format!("{s}.close()"));
            }
        }
    }

    fn send(&mut self, client: usize, bytes: &str) {
        let (s, send) = (self.name(client), if self.udp { "send" } else { "sendall" });
        self.add(&format!("{s}.{send}({bytes})"));
    }

    /// The statement that shows the fault, and what a right server would show.
    fn last(&mut self, outcome: &Outcome, owed: Option<&Owed>) {
        let client = outcome.failure.as_ref().map_or(0, |(client, _)| *client);
        self.end_line();
        let s = self.name(client);
        let failure = outcome.failure.as_ref().map(|(_, failure)| failure);
        let line = match failure {
            Some(Failure::Refused) => {
                format!("{}; print(\"accepted\")  # expected accepted", self.connected(client))
            }
            Some(Failure::Busy(_)) => {
                "time.sleep(30)  # expected: meanwhile `top` shows the server at 0 % of a processor"
                    .to_owned()
            }
            Some(Failure::StaysOpen) => {
                format!(
                    "print({s}.recv(65536)); print({s}.recv(65536))  # expected: the answer, then b'' for the end"
                )
            }
            Some(Failure::Trace(trace)) if outcome.trace.is_none() => {
                format!("print({s}.recv(65536))  # expected: RECORD_WRITTEN, and its file; but {trace}")
            }
            Some(Failure::Trace(_)) => {
                format!("print({s}.recv(65536))  # expected: an error, and no new file outside of the folder")
            }
            Some(Failure::Wrong { .. }) if self.repeated(outcome) => {
                "print(challenge1 == challenge2)  # expected False".to_owned()
            }
            Some(Failure::Unasked { .. }) => {
                format!(
                    "time.sleep(0.5); print({s}.recv(65536))  # expected: b'' or a time-out, {}",
                    nothing_more(outcome)
                )
            }
            _ => answer(&s, self.udp, outcome, owed),
        };
        let closed = !self.open[client] && !matches!(failure, Some(Failure::Refused | Failure::Busy(_)));
        let line = if closed { format!("{}; {line}", self.connected(client)) } else { line };
        self.lines.push(line);
    }

    /// True if what is wrong is that two challenges are the same.
    fn repeated(&self, outcome: &Outcome) -> bool {
        let any = matches!(outcome.missing(), Some(Expect::Any(_)));
        any && self.proof && self.clients == 2 && outcome.talks.iter().all(|talk| talk.sent.is_empty())
    }

    fn lines(mut self) -> String {
        let imports = if self.proof { "import hmac, socket, time" } else { "import socket, time" };
        let mut lines = vec![imports.to_owned()];
        if self.lines.iter().any(|line| line.contains("count(")) {
            lines.push(COUNT.to_owned());
        }
        self.end_line();
        lines.append(&mut self.lines);
        lines.join("\n")
    }
}

fn nothing_more(outcome: &Outcome) -> String {
    format!("not {}", literal(&outcome.wrong_bytes()[..outcome.wrong_bytes().len().min(40)]))
}

/// What the last recv is to return.
struct Owed {
    bytes: Vec<u8>,
    /// How many of them came right, in answers of their own.
    answered: usize,
}

/// All that the failed client is owed and has not read yet: what was asked for together comes together. `None` where
/// more than one form of it is right.
fn owed(exercise: &Exercise, trial: &Trial, calls: &[(usize, Call<'_>)], outcome: &Outcome) -> Option<Owed> {
    let (failed, _) = outcome.failure.as_ref()?;
    let own = |call: &&(usize, Call<'_>)| call.0 == *failed;
    let read =
        calls.iter().filter(own).filter(|(_, call)| matches!(call, Call::Read | Call::Challenge(_))).count();
    let answers = outcome.failed_talk()?.expected.len().checked_sub(1)?;
    let steps = trial.script(&*exercise.dialect).steps;
    let expect = |step: &Step| match &step.act {
        Act::Expect(expect) if step.client == *failed => Some(expect.clone()),
        _ => None,
    };
    let mut owed = Owed { bytes: Vec::new(), answered: 0 };
    let mut seen = 0;
    for step in &steps {
        let Some(expect) = expect(step) else {
            if seen > answers {
                break;
            }
            continue;
        };
        if seen >= read {
            owed.bytes.extend(expect.bytes()?);
        }
        seen += 1;
        if seen == answers {
            owed.answered = owed.bytes.len();
        }
    }
    Some(owed)
}

/// Prints the answer, or of a long one the bytes around the first wrong one.
fn answer(s: &str, udp: bool, outcome: &Outcome, owed: Option<&Owed>) -> String {
    let Some(expect) = outcome.missing() else { return format!("print({s}.recv(65536))") };
    // One recv returns one datagram.
    let owed = if udp { None } else { owed };
    let Some(bytes) = owed.map(|owed| owed.bytes.clone()).or_else(|| expect.bytes()) else {
        let words = excerpt(expect.describe().as_bytes(), 120);
        return format!("time.sleep(0.5); print({s}.recv(65536))  # expected {words}");
    };
    if bytes.len() <= SHORT {
        let wanted = if bytes.len() <= 60 { literal(&bytes) } else { format!("{} bytes", bytes.len()) };
        return format!("time.sleep(0.5); print({s}.recv(65536))  # expected {wanted}");
    }
    let right = outcome.failed_talk().map_or(0, |talk| talk.right);
    let Some((_, Failure::Wrong { at, .. })) = &outcome.failure else {
        let length = bytes.len();
        return format!("time.sleep(0.5); print(len({s}.recv(1 << 20)))  # expected {length}");
    };
    let at = at - right + owed.map_or(0, |owed| owed.answered);
    let (from, to) = (at.saturating_sub(AROUND), (at + AROUND).min(bytes.len()));
    let wanted = literal(&bytes[from..to]);
    let got =
        if udp { format!("{s}.recv(65536)[:{to}]") } else { format!("{s}.makefile(\"rb\").read({to})") };
    format!("got = {got}; print(got[{from}:])  # expected {wanted}")
}
