//! How the line mode says what happens: sentences for people, objects for programs.
//!
//! What is said in the rooms, and the answers to commands, go to stdout; what is about the connection goes to
//! stderr. As objects, all of it goes to stdout. What others wrote is escaped.

use std::io;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use crate::client::chat_line::COMMANDS;
use crate::protocol::Code;
use crate::protocol::message::{
    Answer, MembersOfRoom, RoomCount, RoomEchoed, RoomJoined, RoomLeft, RoomListed, Text,
};
use crate::text::{counted, safe_json};

use super::super::output::Output;

/// The line mode's voice.
pub(super) struct Voice {
    pub(super) json: bool,
    /// A prompt stands on the current line of the terminal: what is said goes over it.
    pub(super) prompted: bool,
}

impl Voice {
    pub(super) fn new(json: bool) -> Voice {
        Voice { json, prompted: false }
    }

    /// Says something in the room's place: a sentence, or an event with its data.
    fn say(&mut self, event: &str, data: &impl Serialize, sentence: &str) -> io::Result<()> {
        if self.json {
            return object(event, data);
        }
        self.clear_prompt();
        Output::print(&format!("{sentence}\n"))
    }

    /// Says something about the connection.
    fn note(&mut self, event: &str, data: &impl Serialize, sentence: &str) -> io::Result<()> {
        if self.json {
            return object(event, data);
        }
        self.clear_prompt();
        Output::note(sentence);
        Ok(())
    }

    fn clear_prompt(&mut self) {
        if std::mem::take(&mut self.prompted) {
            // Back to the line's start: every sentence is longer than a prompt.
            eprint_prompt("\r");
        }
    }

    /// Goes to a line of its own.
    pub(super) fn end_prompt(&mut self) {
        if std::mem::take(&mut self.prompted) {
            eprint_prompt("\n");
        }
    }

    /// Shows the prompt of somebody who types, again where something was said over it.
    pub(super) fn prompt(&mut self) {
        if !self.prompted {
            eprint_prompt("> ");
            self.prompted = true;
        }
    }

    pub(super) fn connecting(&mut self, address: &str, attempt: u32) -> io::Result<()> {
        let data = json!({ "address": address, "attempt": attempt });
        let again = if attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
        self.note("connecting", &data, &format!("connecting to {address}{again}"))
    }

    pub(super) fn connected(&mut self, address: &str) -> io::Result<()> {
        if self.json { object("connected", &json!({ "address": address })) } else { Ok(()) }
    }

    pub(super) fn logged_in(&mut self, username: Option<&str>, room: Option<&str>) -> io::Result<()> {
        let data = json!({ "username": username, "room": room });
        match username {
            Some(name) if !self.json => {
                self.say("", &data, &format!("* you are {}", Text::from(name).escaped()))
            }
            None if !self.json => Ok(()),
            _ => object("logged_in", &data),
        }
    }

    pub(super) fn rtt(&mut self, rtt: Duration) -> io::Result<()> {
        let rtt_us = u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX);
        if self.json { object("rtt", &json!({ "rtt_us": rtt_us })) } else { Ok(()) }
    }

    pub(super) fn refused(&mut self, reason: &str) -> io::Result<()> {
        // The sentence is the error's, which the program ends with.
        if self.json { object("refused", &json!({ "reason": reason })) } else { Ok(()) }
    }

    pub(super) fn lost(&mut self, reason: &str, retry_in: Option<Duration>) -> io::Result<()> {
        let retry_in_ms = retry_in.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        let data = json!({ "reason": reason, "retry_in_ms": retry_in_ms });
        let next = match retry_in {
            Some(wait) => format!("; trying again in {:.1} s", wait.as_secs_f64()),
            None => String::new(),
        };
        self.note("lost", &data, &format!("connection lost: {reason}{next}"))
    }

    pub(super) fn disconnected(&mut self) -> io::Result<()> {
        if self.json { object("disconnected", &json!({})) } else { Ok(()) }
    }

    /// A line that could not be obeyed, or of which nobody knows whether it was.
    pub(super) fn failed(&mut self, event: &str, line: &str, reason: &str) -> io::Result<()> {
        let data = json!({ "line": line, "reason": reason });
        self.note(event, &data, &format!("error: {reason}"))
    }

    pub(super) fn missed(&mut self, room: &str, messages: u64) -> io::Result<()> {
        let data = json!({ "room": room, "messages": messages });
        let (room, count) = (Text::from(room).escaped(), counted(messages, "message"));
        self.say("missed", &data, &format!("* {count} in {room} passed you by"))
    }

    pub(super) fn help(&mut self) -> io::Result<()> {
        let lines: Vec<String> = COMMANDS
            .iter()
            .map(|command| {
                let usage = format!("{} {}", command.name, command.argument);
                format!("* {usage:<16} {}", command.what)
            })
            .collect();
        let commands: Vec<_> = COMMANDS
            .iter()
            .map(
                |command| json!({ "name": command.name, "argument": command.argument, "what": command.what }),
            )
            .collect();
        self.say("help", &json!({ "commands": commands }), &lines.join("\n"))
    }

    /// A message of the server; `rooms` picks those to list.
    pub(super) fn message(&mut self, answer: &Answer<'_>, rooms: Option<&str>) -> io::Result<()> {
        if self.json {
            let event = answer.kind().name().to_ascii_lowercase();
            return match answer {
                Answer::RoomListed(listed) => object(&event, &picked(listed, rooms)),
                _ => object(&event, answer),
            };
        }
        match answer {
            Answer::Error(fault) => {
                self.clear_prompt();
                Output::note(&format!("error: {} ({})", fault.message.escaped(), fault.code.name()));
                if fault.code == Code::NoSuchRoom {
                    Output::note("hint: /create ROOM makes one, /rooms lists those that there are");
                }
                Ok(())
            }
            _ => match sentence(answer, rooms) {
                Some(sentence) => self.say("", &(), &sentence),
                None => Ok(()),
            },
        }
    }
}

fn eprint_prompt(text: &str) {
    use std::io::Write;
    // Without stderr there is nobody to prompt.
    let _ = write!(io::stderr(), "{text}").and_then(|()| io::stderr().flush());
}

/// One object on a line of stdout, as the servers' events are.
fn object(event: &str, data: &impl Serialize) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a, T> {
        event: &'a str,
        data: &'a T,
    }
    let json = serde_json::to_string(&Line { event, data }).map_err(io::Error::other)?;
    Output::print(&format!("{}\n", safe_json(json)))
}

/// The rooms whose name contains the text.
fn picked<'a>(listed: &RoomListed<'a>, rooms: Option<&str>) -> RoomListed<'a> {
    let text = rooms.unwrap_or_default().to_ascii_lowercase();
    let fits = |name: &str| name.to_ascii_lowercase().contains(&text);
    RoomListed { rooms: listed.rooms.iter().filter(|entry| fits(&entry.room)).cloned().collect() }
}

fn sentence(answer: &Answer<'_>, rooms: Option<&str>) -> Option<String> {
    let members = |n: usize| counted(n as u64, "member");
    Some(match answer {
        Answer::RoomEchoed(RoomEchoed { from, text, .. }) => {
            format!("{}: {}", from.escaped(), text.escaped())
        }
        Answer::RoomJoined(RoomJoined { room, members: n, seq: Some(_), .. }) => {
            format!("* you are in {} ({})", room.escaped(), members(*n))
        }
        Answer::RoomJoined(RoomJoined { room, username, members: n, seq: None }) => {
            format!("* {} joined {} ({})", username.escaped(), room.escaped(), members(*n))
        }
        Answer::RoomCreated(created) => format!("* you made {} and are in it", created.room.escaped()),
        Answer::RoomLeft(RoomLeft { room, members: None, .. }) => format!("* you left {}", room.escaped()),
        Answer::RoomLeft(RoomLeft { room, username, members: Some(n) }) => {
            format!("* {} left {} ({})", username.escaped(), room.escaped(), members(*n))
        }
        Answer::RoomListed(listed) => {
            let listed = picked(listed, rooms);
            let line =
                |entry: &RoomCount<'_>| format!("* {:<32} {}", entry.room.escaped(), members(entry.members));
            match listed.rooms.as_slice() {
                [] => "* there is no such room".to_owned(),
                rooms => rooms.iter().map(line).collect::<Vec<_>>().join("\n"),
            }
        }
        Answer::RoomMembers(MembersOfRoom { room, members: names, total }) => {
            let shown: Vec<String> = names.iter().map(Text::escaped).collect();
            let more = total.saturating_sub(names.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("* in {}: {}{more} ({})", room.escaped(), shown.join(", "), members(*total))
        }
        _ => return None,
    })
}
