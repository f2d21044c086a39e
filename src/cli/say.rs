//! `netlab say`: a message into a room, for scripts.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use crate::client::{ClientError, Connection};
use crate::protocol::Code;
use crate::protocol::message::{Answer, Fault, Request, RoomEcho, RoomJoin};
use crate::protocol::names::RoomName;
use crate::render;
use crate::report::Failure;
use crate::text::escape;

use super::address::ROOMS;
use super::output::Output;
use super::room_client::{self, RoomClientArgs};
use super::stdin_lines::StdinLines;
use super::{UsageError, hint};

/// Say something in a room and wait until it has come back
///
/// Words become one message. Without any, each line of stdin is a message; the server's pace is kept.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab say 127.0.0.1:12000 --room lab --user ada Hello everyone
  netlab say --room lab --user ada -- Hello             to the default address
  dmesg | netlab say 127.0.0.1:12000 --room lab --user ada --key-file ada.key")]
pub(super) struct SayArgs {
    /// The server, then the text: HOST, HOST:PORT, HOST PORT or [IPV6]:PORT [default: 127.0.0.1:12000]
    #[arg(value_name = "ADDR [TEXT")]
    words: Vec<String>,
    /// The text; with no address before the `--`, to the default one
    #[arg(last = true, value_name = "TEXT")]
    text: Vec<String>,
    /// The room; it is made if there is none
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = room_client::room_name)]
    room: RoomName,
    /// The name under which to say it; without one the server gives one
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    client: RoomClientArgs,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    pub(super) json: bool,
}

/// What was said.
#[derive(Debug, Default, Serialize)]
struct SayReport {
    messages: Vec<Said>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

/// One message as it came back.
#[derive(Debug, Serialize)]
struct Said {
    room: String,
    from: String,
    text: String,
    seq: u64,
    rtt_us: u64,
}

/// How often to read what others say while stdin is silent.
const KEEP_UP: Duration = Duration::from_millis(20);
/// A line longer than this is refused by every server.
const LONGEST_LINE: usize = crate::protocol::MAX_TEXT;

impl SayArgs {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let (address, words) = self.client.address.split(&self.words, ROOMS)?;
        let words: Vec<&str> = words.iter().chain(&self.text).map(String::as_str).collect();
        let mut connection = self.client.connect(&address, self.user.as_deref())?;
        let mut report = SayReport::default();
        let result = self.say_all(&mut connection, &words, &mut report);
        self.conclude(report, result)
    }

    fn say_all(
        &self,
        connection: &mut Connection,
        words: &[&str],
        report: &mut SayReport,
    ) -> anyhow::Result<()> {
        join(connection, &self.room)?;
        if !words.is_empty() {
            return self.say(connection, &words.join(" "), report);
        }
        let mut lines = StdinLines::new(LONGEST_LINE);
        // What others say meanwhile is read too, or the server would close a client that only waits for its stdin.
        while let Some(line) = lines.next_while(KEEP_UP, || connection.keep_up(&mut |_| {}))? {
            let line = String::from_utf8(line?)
                .map_err(|_| UsageError::new("a line of stdin is not UTF-8".to_owned()))?;
            self.say(connection, &line, report)?;
        }
        Ok(())
    }

    fn say(&self, connection: &mut Connection, text: &str, report: &mut SayReport) -> anyhow::Result<()> {
        let begun = Instant::now();
        let request = Request::RoomEcho(RoomEcho { text: text.into(), reference: None });
        let mut said = in_pace(|| {
            connection.ask(&request, &mut |_| {}, &mut |answer| match answer {
                Answer::RoomEchoed(echoed) => Some(Said {
                    room: echoed.room.to_string(),
                    from: echoed.from.to_string(),
                    text: echoed.text.to_string(),
                    seq: echoed.seq,
                    rtt_us: 0,
                }),
                _ => None,
            })
        })?;
        said.rtt_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        if !self.json {
            let (room, from, text) =
                (escape(said.room.as_bytes()), escape(said.from.as_bytes()), escape(said.text.as_bytes()));
            Output::print(&format!("{room} #{} {from}: {text}\n", said.seq))?;
        }
        report.messages.push(said);
        Ok(())
    }

    fn conclude(&self, mut report: SayReport, result: anyhow::Result<()>) -> anyhow::Result<ExitCode> {
        let Err(error) = result else {
            if self.json {
                Output::print(&render::document(&report))?;
            }
            return Ok(ExitCode::SUCCESS);
        };
        if super::output::is_broken_pipe(&error) {
            return Err(error);
        }
        let failure = hint::failure(&error);
        if self.json {
            report.error = Some(failure.clone());
            Output::print(&render::document(&report))?;
        }
        Output::failure(&failure);
        Ok(ExitCode::from(hint::exit_code(&error)))
    }
}

/// Joins a room, which is made if there is none.
fn join(connection: &mut Connection, room: &RoomName) -> Result<(), ClientError> {
    let request = Request::RoomJoin(RoomJoin { room: room.into(), create: true });
    connection.ask(&request, &mut |_| {}, &mut |answer| matches!(answer, Answer::RoomJoined(_)).then_some(()))
}

/// Tries again for as long as the server says when to.
fn in_pace<T>(mut attempt: impl FnMut() -> Result<T, ClientError>) -> Result<T, ClientError> {
    loop {
        match attempt() {
            Err(ClientError::Refused(Fault {
                code: Code::RateLimited, retry_after_ms: Some(ms), ..
            })) => {
                thread::sleep(Duration::from_millis(ms));
            }
            result => return result,
        }
    }
}
