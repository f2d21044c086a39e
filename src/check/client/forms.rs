//! What clients of an exercise do with a line of their stdin: it is a message, or a request in words. Pure.
//!
//! ```text
//! Stream      the bytes as they are, newlines included, in both directions
//! Messages    a line is one message, an answer is one line
//! Challenge   nothing is read: a digest answers what the server says first
//! Rooms       LOGIN ada          {"type":"LOGIN","data":{"username":"ada"}}      LOGGED_IN ada default
//! Records     RECORD_READ ada    {"type":"RECORD_READ","data":{"client_id":"ada"}}   RECORD ada 2026-... text
//! ```

use serde_json::{Value, json};

use super::play::{Said, Turn, Want};

/// What kind of client an exercise asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Stream,
    Messages,
    Challenge,
    Rooms,
    Records,
}

/// When a record was written, in plays.
pub(super) const STAMP: &str = "2026-03-01 12:34:56";

impl Form {
    /// The form of an exercise's clients.
    pub(super) fn of(exercise: &str) -> Form {
        match exercise {
            "tcp-echo-once" | "tcp-echo" | "tcp-echo-many" => Form::Stream,
            "hmac-challenge" => Form::Challenge,
            "rooms" => Form::Rooms,
            "records" => Form::Records,
            _ => Form::Messages,
        }
    }

    /// True if lines are requests in words, and answers JSON.
    pub(super) fn speaks_json(self) -> bool {
        matches!(self, Form::Rooms | Form::Records)
    }

    /// What comes before the first message.
    pub(super) fn opening(self) -> Vec<Turn> {
        let login = || request("LOGIN ada", vec![logged_in("ada")]);
        if self == Form::Rooms { vec![login()] } else { Vec::new() }
    }

    /// A request with this text in it.
    pub(super) fn turn(self, text: &[u8], answer: &[u8]) -> Turn {
        let (text_, answer_) = (String::from_utf8_lossy(text), String::from_utf8_lossy(answer));
        match self {
            Form::Rooms => request(&format!("ROOM_ECHO {text_}"), vec![echoed("ada", &answer_)]),
            // A write's answer has no text in it, a read's has.
            Form::Records if text == answer => {
                request(&format!("RECORD_WRITE ada {text_}"), vec![written("ada")])
            }
            Form::Records => request("RECORD_READ ada", vec![record("ada", &answer_)]),
            _ => Turn {
                line: Some(text.to_vec()),
                wanted: Want::Bytes(text.to_vec()),
                says: vec![Said::plain(answer)],
            },
        }
    }
}

/// The members of `data` that are printed behind a message's type, in this order.
const SHOWN: [(&str, &[&str]); 9] = [
    ("LOGGED_IN", &["username", "room"]),
    ("ROOM_CREATED", &["room"]),
    ("ROOM_JOINED", &["room", "username", "members"]),
    ("ROOM_LEFT", &["room", "username"]),
    ("ROOM_LISTED", &["rooms"]),
    ("ROOM_ECHOED", &["room", "from", "text"]),
    ("RECORD_WRITTEN", &["client_id", "updated"]),
    ("RECORD", &["client_id", "updated", "text"]),
    ("ERROR", &["code", "message"]),
];

/// A request in words as a message; the last value takes the rest of the line.
fn message_of(line: &str) -> Value {
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    let members: &[&str] = match kind {
        "LOGIN" => &["username"],
        "ROOM_CREATE" | "ROOM_JOIN" => &["room"],
        "ROOM_ECHO" => &["text"],
        "RECORD_WRITE" => &["client_id", "text"],
        "RECORD_READ" => &["client_id"],
        _ => return json!({"type": kind}),
    };
    let values = members.iter().zip(rest.splitn(members.len(), ' '));
    let data: serde_json::Map<String, Value> =
        values.map(|(name, value)| ((*name).to_owned(), value.into())).collect();
    json!({"type": kind, "data": data})
}

/// What is printed of a message; `None` for a type that clients don't know.
fn shown(message: &Value) -> Option<String> {
    let kind = message["type"].as_str()?;
    let (_, members) = SHOWN.iter().find(|(own, _)| *own == kind)?;
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(rooms) => {
            let room =
                |room: &Value| format!("{}={}", room["room"].as_str().unwrap_or_default(), room["members"]);
            rooms.iter().map(room).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    let values = members.iter().map(|name| format!(" {}", plain(&message["data"][*name])));
    Some(kind.to_owned() + &values.collect::<String>())
}

/// A message of the server, and what is printed of it.
pub(super) fn said(message: &Value) -> Said {
    Said { payload: message.to_string().into_bytes(), shown: shown(message).map(String::into_bytes) }
}

/// A line that asks, and what the server says to it.
pub(super) fn request(line: &str, says: Vec<Said>) -> Turn {
    Turn { line: Some(line.as_bytes().to_vec()), wanted: Want::Json(message_of(line)), says }
}

fn message(kind: &str, data: &Value) -> Said {
    said(&json!({"type": kind, "data": data}))
}

pub(super) fn logged_in(name: &str) -> Said {
    message("LOGGED_IN", &json!({"username": name, "room": "default"}))
}

pub(super) fn echoed(from: &str, text: &str) -> Said {
    message("ROOM_ECHOED", &json!({"room": "default", "from": from, "text": text, "seq": 1}))
}

pub(super) fn joined(room: &str, name: &str, members: u32) -> Said {
    message("ROOM_JOINED", &json!({"room": room, "username": name, "members": members}))
}

pub(super) fn left(room: &str, name: &str) -> Said {
    message("ROOM_LEFT", &json!({"room": room, "username": name, "members": 1}))
}

pub(super) fn created(room: &str) -> Said {
    message("ROOM_CREATED", &json!({"room": room}))
}

pub(super) fn listed(rooms: &[(&str, u32)]) -> Said {
    let rooms: Vec<Value> =
        rooms.iter().map(|(room, members)| json!({"room": room, "members": members})).collect();
    message("ROOM_LISTED", &json!({"rooms": rooms}))
}

pub(super) fn written(id: &str) -> Said {
    message("RECORD_WRITTEN", &json!({"client_id": id, "updated": STAMP}))
}

pub(super) fn record(id: &str, text: &str) -> Said {
    message("RECORD", &json!({"client_id": id, "updated": STAMP, "text": text}))
}

pub(super) fn error(code: &str, why: &str) -> Said {
    message("ERROR", &json!({"code": code, "message": why}))
}

/// A message of a type that clients don't know: nothing is printed of it.
pub(super) fn unknown() -> Said {
    message("SERVER_NEWS", &json!({"text": "of another version"}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers_in_words() {
        assert_eq!(message_of("ROOM_LIST"), json!({"type": "ROOM_LIST"}));
        let write = json!({"type": "RECORD_WRITE", "data": {"client_id": "ada", "text": "two words"}});
        assert_eq!(message_of("RECORD_WRITE ada two words"), write);
        let shows = |said: Said| said.shown.map(|line| String::from_utf8(line).unwrap());
        assert_eq!(shows(listed(&[("a", 1), ("b", 2)])).as_deref(), Some("ROOM_LISTED a=1 b=2"));
        assert_eq!(shows(joined("a", "bob", 2)).as_deref(), Some("ROOM_JOINED a bob 2"));
        assert_eq!(shows(unknown()), None);
    }
}
