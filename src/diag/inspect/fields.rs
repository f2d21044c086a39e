//! A frame's fields: where each stands, its bytes, its name, what it says.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::framing::Framing;
use crate::text::{Grouped, counted, escape, excerpt, hex};

use super::Message;

/// How many bytes of a field are kept: a page of hex.
const KEPT: usize = 4_096;

/// One frame of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// Where it begins in the stream.
    pub offset: u64,
    /// Its length, all its parts included.
    pub bytes: u64,
    /// Its parts, from the front.
    pub fields: Vec<Field>,
    /// What its payload says to the room server or comes from there.
    pub message: Option<Message>,
}

/// One field of a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Where it begins in the stream.
    pub offset: u64,
    /// Its length.
    pub bytes: u64,
    /// What it is.
    pub name: &'static str,
    /// What it says.
    pub value: Value,
    /// Its bytes, the first 4,096 at most.
    #[serde(serialize_with = "as_hex")]
    pub hex: Vec<u8>,
    /// What it says, in words.
    #[serde(skip)]
    pub words: String,
    /// What it holds, if it has members of its own: names and values.
    pub members: Vec<(String, String)>,
}

fn as_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(bytes))
}

impl Field {
    fn new(name: &'static str, offset: u64, bytes: &[u8], value: Value, words: String) -> Field {
        let kept = bytes[..bytes.len().min(KEPT)].to_vec();
        Field { offset, bytes: bytes.len() as u64, name, value, hex: kept, words, members: Vec::new() }
    }

    /// A length prefix.
    fn length(name: &'static str, offset: u64, bytes: &[u8], length: usize) -> Field {
        let words = format!("{} (u{} BE)", Grouped(length as u64), bytes.len() * 8);
        Field::new(name, offset, bytes, length.into(), words)
    }

    /// Bytes that are text, as a rule.
    fn content(name: &'static str, offset: u64, bytes: &[u8]) -> Field {
        let value = Value::String(excerpt(bytes, KEPT));
        Field::new(name, offset, bytes, value, describe(bytes))
    }
}

/// Bytes and characters: lengths count the first.
fn describe(bytes: &[u8]) -> String {
    let count = counted(bytes.len() as u64, "byte");
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => count,
        Ok(text) => format!("{count}, {}", counted(text.chars().count() as u64, "character")),
        Err(error) => format!("{count}, not UTF-8 at byte {}", error.valid_up_to()),
    }
}

impl Frame {
    /// Takes a whole frame apart: `head` bytes of framing, `payload` bytes of payload, then a delimiter.
    pub(super) fn new(framing: Framing, offset: u64, bytes: &[u8], head: usize, payload: usize) -> Frame {
        let place = |at: usize| offset + at as u64;
        let (front, rest) = bytes.split_at(head);
        let (content, tail) = rest.split_at(payload);
        let mut fields = Vec::new();
        match framing {
            Framing::U16 | Framing::U32 => fields.push(Field::length("length", offset, front, payload)),
            Framing::Header => {
                let (prefix, json) = front.split_at(2);
                fields.push(Field::length("header length", offset, prefix, json.len()));
                let mut header = Field::content("header", place(2), json);
                header.members = members(json);
                fields.push(header);
            }
            Framing::Raw | Framing::Line => {}
        }
        let name = if framing == Framing::Header { "content" } else { "payload" };
        fields.push(Field::content(name, place(head), content));
        if !tail.is_empty() {
            let words = if tail.len() == 1 { "LF" } else { "CR LF" };
            fields.push(Field::new("delimiter", place(head + payload), tail, words.into(), words.into()));
        }
        Frame { offset, bytes: bytes.len() as u64, fields, message: Message::of(content) }
    }

    /// A stream without frames: one field, of which the beginning is shown.
    pub(super) fn raw(bytes: &[u8], length: u64) -> Option<Frame> {
        let mut field = Field::content("bytes", 0, bytes);
        field.bytes = length;
        (length > 0).then_some(Frame { offset: 0, bytes: length, fields: vec![field], message: None })
    }
}

/// The members of a JSON object, each value on one line.
pub(super) fn members(json: &[u8]) -> Vec<(String, String)> {
    match serde_json::from_slice(json) {
        Ok(Value::Object(members)) => {
            members.iter().map(|(name, value)| (name.clone(), line(value))).collect()
        }
        _ => Vec::new(),
    }
}

/// A value on one line, strings without their quotes, at most about 200 bytes of it.
pub(super) fn line(value: &Value) -> String {
    match value {
        Value::String(text) => excerpt(text.as_bytes(), 200),
        other => excerpt(other.to_string().as_bytes(), 200),
    }
}

/// A name as it may be shown.
pub(super) fn shown(name: &str) -> String {
    escape(name.as_bytes())
}
