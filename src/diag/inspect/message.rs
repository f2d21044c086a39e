//! What a payload says to the room server, or what the room server says in it.

use serde::Serialize;

use crate::protocol::codec::{Malformed, decode_answer, decode_request};
use crate::protocol::{AnswerKind, RequestKind};

use super::fields::{line, members};

/// A payload that is a message of the room server's protocol, or nearly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Who says such things: `client`, `server`, or `either`.
    pub from: &'static str,
    /// Its data, names and values.
    pub data: Vec<(String, String)>,
    /// What is wrong with its data, as the server would say it.
    pub problem: Option<String>,
}

impl Message {
    /// Reads a payload. `None`: it is something else.
    pub(super) fn of(payload: &[u8]) -> Option<Message> {
        let (request, answer) = (decode_request(payload), decode_answer(payload));
        let (kind, from) = match (&request, &answer) {
            (Ok(request), Ok(_)) => (request.message.kind().name(), "either"),
            (Ok(request), Err(_)) => (request.message.kind().name(), "client"),
            (Err(_), Ok(answer)) => (answer.message.kind().name(), "server"),
            (Err(_), Err(_)) => return Message::malformed(payload, request.err()?),
        };
        Some(Message { kind, from, data: data(payload)?, problem: None })
    }

    /// A known type with data that does not fit it.
    fn malformed(payload: &[u8], malformed: Malformed<'_>) -> Option<Message> {
        let named: serde_json::Value = serde_json::from_slice(payload).ok()?;
        let named = named.get("type")?.as_str()?;
        let (request, answer) = (RequestKind::by_name(named), AnswerKind::by_name(named));
        let (kind, from) = match (request, answer) {
            (Some(kind), Some(_)) => (kind.name(), "either"),
            (Some(kind), None) => (kind.name(), "client"),
            (None, Some(kind)) => (kind.name(), "server"),
            (None, None) => return None,
        };
        let fault = match request {
            Some(_) => malformed.fault,
            None => decode_answer(payload).err()?.fault,
        };
        let problem = Some(format!("{}: {}", fault.code.name(), fault.message.escaped()));
        Some(Message { kind, from, data: data(payload)?, problem })
    }
}

/// The members of `data`, and the `id`.
fn data(payload: &[u8]) -> Option<Vec<(String, String)>> {
    let message: serde_json::Value = serde_json::from_slice(payload).ok()?;
    let mut found = match message.get("data") {
        Some(data) => members(data.to_string().as_bytes()),
        None => Vec::new(),
    };
    found.extend(message.get("id").map(|id| ("id".to_owned(), line(id))));
    Some(found)
}
