//! A typed line of the chat, and what is meant by it. The full screen and the line mode share it. Pure.

use crate::protocol::MAX_TEXT;
use crate::protocol::names::{NameError, RoomName};

/// What a line means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatLine {
    /// Say this in the room.
    Say(String),
    /// Enter a room that exists.
    Join(RoomName),
    /// Make a room and enter it.
    Create(RoomName),
    /// Leave the room.
    Leave,
    /// List the rooms; those whose name contains the text, if there is one.
    Rooms(Option<String>),
    /// List the members of a room, or of the one that one is in.
    Members(Option<RoomName>),
    /// End the chat.
    Quit,
    /// Show the commands.
    Help,
}

/// A command, as the help shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandHelp {
    /// Its name, with the slash.
    pub name: &'static str,
    /// What stands behind it; empty if nothing does.
    pub argument: &'static str,
    /// What it does.
    pub what: &'static str,
}

/// Every command, in the order of the help.
pub const COMMANDS: [CommandHelp; 7] = [
    CommandHelp { name: "/join", argument: "ROOM", what: "enter a room that exists" },
    CommandHelp { name: "/create", argument: "ROOM", what: "make a room and enter it" },
    CommandHelp { name: "/leave", argument: "", what: "leave the room" },
    CommandHelp { name: "/rooms", argument: "[TEXT]", what: "list the rooms, those with TEXT in their name" },
    CommandHelp { name: "/members", argument: "[ROOM]", what: "list who is in the room" },
    CommandHelp { name: "/quit", argument: "", what: "end the chat" },
    CommandHelp { name: "/help", argument: "", what: "show the commands; //text says /text" },
];

/// Why a line means nothing. Each message says what to type instead; what was typed stands in it escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChatLineError {
    /// A slash with another word behind it.
    #[error("`{0}` is no command: /help shows them, and //text says /text")]
    Unknown(String),
    /// A command without what has to stand behind it.
    #[error("{0} needs a room: {0} ROOM")]
    NoRoom(&'static str),
    /// More behind a command than it takes.
    #[error("{0} takes {1}: `{2}` is too much")]
    TooMuch(&'static str, &'static str, String),
    /// A room's name that can't be one.
    #[error("`{0}` is no room: {1}")]
    Name(String, NameError),
    /// A text that no server takes.
    #[error("the text has {0} bytes, and a message at most {MAX_TEXT}")]
    TooLong(usize),
}

/// Reads a line; an empty one, or one of spaces, means nothing.
///
/// # Errors
/// A command that there is not, or that lacks something; a text that is too long.
pub fn parse(line: &str) -> Result<Option<ChatLine>, ChatLineError> {
    let trimmed = line.trim();
    if trimmed.is_empty() {
        return Ok(None);
    }
    match line.trim_start().strip_prefix('/') {
        // What is said keeps its spaces; a doubled slash is one that is meant.
        None => say(line),
        Some(text) if text.starts_with('/') => say(text),
        Some(_) => command(trimmed).map(Some),
    }
}

fn say(text: &str) -> Result<Option<ChatLine>, ChatLineError> {
    let text = text.trim_end_matches(['\r', '\n']);
    if text.len() > MAX_TEXT {
        Err(ChatLineError::TooLong(text.len()))
    } else {
        Ok(Some(ChatLine::Say(text.to_owned())))
    }
}

fn command(line: &str) -> Result<ChatLine, ChatLineError> {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let words = Words { rest: rest.trim() };
    match name {
        "/join" => Ok(ChatLine::Join(words.room("/join")?)),
        "/create" => Ok(ChatLine::Create(words.room("/create")?)),
        "/leave" => words.none("/leave", ChatLine::Leave),
        "/rooms" => Ok(ChatLine::Rooms(words.one("/rooms", "one word")?.map(str::to_owned))),
        "/members" => words.one("/members", "one room")?.map(room_name).transpose().map(ChatLine::Members),
        "/quit" => words.none("/quit", ChatLine::Quit),
        "/help" => words.none("/help", ChatLine::Help),
        _ => Err(ChatLineError::Unknown(crate::text::excerpt(name.as_bytes(), SHOWN))),
    }
}

/// How much of a wrong word is shown, in bytes.
const SHOWN: usize = 40;

/// What stands behind a command.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn none(&self, name: &'static str, meant: ChatLine) -> Result<ChatLine, ChatLineError> {
        if self.rest.is_empty() { Ok(meant) } else { Err(self.too_much(name, "nothing", self.rest)) }
    }

    fn one(&self, name: &'static str, takes: &'static str) -> Result<Option<&'a str>, ChatLineError> {
        match self.rest.split_once(char::is_whitespace) {
            Some((_, more)) => Err(self.too_much(name, takes, more.trim())),
            None => Ok(Some(self.rest).filter(|word| !word.is_empty())),
        }
    }

    fn room(&self, name: &'static str) -> Result<RoomName, ChatLineError> {
        room_name(self.one(name, "one room")?.ok_or(ChatLineError::NoRoom(name))?)
    }

    #[expect(clippy::unused_self, reason = "reads as what it is about")]
    fn too_much(&self, name: &'static str, takes: &'static str, more: &str) -> ChatLineError {
        ChatLineError::TooMuch(name, takes, crate::text::excerpt(more.as_bytes(), SHOWN))
    }
}

fn room_name(word: &str) -> Result<RoomName, ChatLineError> {
    RoomName::parse(word)
        .map_err(|error| ChatLineError::Name(crate::text::excerpt(word.as_bytes(), SHOWN), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(line: &str) -> ChatLine {
        parse(line).unwrap().unwrap()
    }

    fn wrong(line: &str) -> String {
        parse(line).unwrap_err().to_string()
    }

    fn room(name: &str) -> RoomName {
        RoomName::parse(name).unwrap()
    }

    #[test]
    fn a_line_is_said_unless_it_begins_with_a_slash() {
        assert_eq!(meant("Hello  world "), ChatLine::Say("Hello  world ".into()));
        assert_eq!(meant("  indented"), ChatLine::Say("  indented".into()));
        assert_eq!(meant("//etc"), ChatLine::Say("/etc".into()));
        assert_eq!(meant("a /quit"), ChatLine::Say("a /quit".into()));
        assert_eq!(meant("with\r\n"), ChatLine::Say("with".into()));
        assert_eq!((parse(""), parse(" \t")), (Ok(None), Ok(None)));
    }

    #[test]
    fn every_command_is_understood() {
        assert_eq!(meant("/join  Lab "), ChatLine::Join(room("lab")));
        assert_eq!(meant(" /create x"), ChatLine::Create(room("x")));
        assert_eq!(
            (meant("/leave"), meant("/quit "), meant("/help")),
            (ChatLine::Leave, ChatLine::Quit, ChatLine::Help)
        );
        assert_eq!(
            (meant("/rooms"), meant("/rooms la")),
            (ChatLine::Rooms(None), ChatLine::Rooms(Some("la".into())))
        );
        assert_eq!(meant("/members"), ChatLine::Members(None));
        assert_eq!(meant("/members lab"), ChatLine::Members(Some(room("lab"))));
        for help in COMMANDS {
            let line = format!("{} {}", help.name, if help.argument == "ROOM" { "lab" } else { "" });
            assert!(parse(&line).is_ok(), "{line} stands in the help");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_what_to_type() {
        assert_eq!(wrong("/jion lab"), "`/jion` is no command: /help shows them, and //text says /text");
        assert_eq!(wrong("/join"), "/join needs a room: /join ROOM");
        assert_eq!(wrong("/join a b"), "/join takes one room: `b` is too much");
        assert_eq!(wrong("/quit now"), "/quit takes nothing: `now` is too much");
        assert!(
            wrong("/join a/b").contains("`a/b` is no room: a name has 1 to 32"),
            "{}",
            wrong("/join a/b")
        );
        assert!(wrong("/\u{1b}[2J").contains("`/\\x1b[2J`"));
        assert!(wrong(&"x".repeat(MAX_TEXT + 1)).contains("32769"));
        assert!(parse(&"x".repeat(MAX_TEXT)).is_ok());
        assert!(wrong(&format!("/{}", "y".repeat(9_000))).len() < 150);
    }
}
