//! Every message, with its data. Strings borrow from the frame wherever JSON did not escape them.
//!
//! # A new message type
//! 1. a line in one of the two tables below: the variant, its name on the wire, its data;
//! 2. a struct for the data, if no other fits;
//! 3. a handler in the service, and its row in the dispatcher's table: the compiler insists on both.
//!
//! Names and members are the protocol page's own; what they mean is said there.
#![expect(missing_docs, reason = "the protocol page describes every message and member")]

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, forward_to_deserialize_any};
use serde_json::value::RawValue;

use super::names::{ClientId, RoomName, Username};
use super::{Code, MAX_NUMERIC_TAG, MAX_TEXT_TAG};

/// Defines one direction's messages: the enum, its kinds, and their names on the wire.
macro_rules! messages {
    ($(#[$doc:meta])* $message:ident, $kind:ident { $($variant:ident $name:literal $data:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize)]
        #[serde(untagged)]
        pub enum $message<'a> {
            $($variant($data),)*
        }

        /// The `type` of such a message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $kind {
            $($variant,)*
        }

        impl $kind {
            /// Every kind, in the order of the protocol page.
            pub const ALL: &[$kind] = &[$($kind::$variant,)*];

            /// The name on the wire.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $($kind::$variant => $name,)*
                }
            }

            /// The kind of that name.
            #[must_use]
            pub fn by_name(name: &str) -> Option<$kind> {
                match name {
                    $($name => Some($kind::$variant),)*
                    _ => None,
                }
            }
        }

        impl<'a> $message<'a> {
            /// The message's kind.
            #[must_use]
            pub fn kind(&self) -> $kind {
                match self {
                    $($message::$variant(_) => $kind::$variant,)*
                }
            }
        }

        /// The kind knows how to read its data: an object, except where anything goes.
        impl<'de> DeserializeSeed<'de> for $kind {
            type Value = $message<'de>;

            fn deserialize<D: Deserializer<'de>>(self, data: D) -> Result<$message<'de>, D::Error> {
                match self {
                    $($kind::$variant => Deserialize::deserialize(Object(data)).map($message::$variant),)*
                }
            }
        }
    };
}

messages! {
    /// What a client sends.
    Request, RequestKind {
        Login "LOGIN" Login<'a>,
        Auth "AUTH" Auth<'a>,
        Proof "PROOF" Proof<'a>,
        RoomCreate "ROOM_CREATE" RoomCreate<'a>,
        RoomJoin "ROOM_JOIN" RoomJoin<'a>,
        RoomLeave "ROOM_LEAVE" Nothing,
        RoomList "ROOM_LIST" Nothing,
        RoomMembers "ROOM_MEMBERS" RoomMembers<'a>,
        RoomEcho "ROOM_ECHO" RoomEcho<'a>,
        RecordWrite "RECORD_WRITE" RecordWrite<'a>,
        RecordRead "RECORD_READ" RecordRead<'a>,
        Info "INFO" Nothing,
        Ping "PING" Anything<'a>,
        Bye "BYE" Nothing,
    }
}

messages! {
    /// What the server sends: answers, notices to a room, errors.
    Answer, AnswerKind {
        LoggedIn "LOGGED_IN" LoggedIn<'a>,
        Challenge "CHALLENGE" Challenge<'a>,
        RoomCreated "ROOM_CREATED" RoomCreated<'a>,
        RoomJoined "ROOM_JOINED" RoomJoined<'a>,
        RoomLeft "ROOM_LEFT" RoomLeft<'a>,
        RoomListed "ROOM_LISTED" RoomListed<'a>,
        RoomMembers "ROOM_MEMBERS" MembersOfRoom<'a>,
        RoomEchoed "ROOM_ECHOED" RoomEchoed<'a>,
        RecordWritten "RECORD_WRITTEN" RecordWritten<'a>,
        Record "RECORD" Record<'a>,
        Info "INFO" Info<'a>,
        Pong "PONG" Anything<'a>,
        Bye "BYE" Bye<'a>,
        Error "ERROR" Fault<'a>,
    }
}

impl RequestKind {
    /// True for what a client may say before a login that is demanded.
    #[must_use]
    pub fn is_heard_before_login(self) -> bool {
        use RequestKind::{Auth, Bye, Login, Ping, Proof};
        matches!(self, Login | Auth | Proof | Ping | Bye)
    }
}

/// Has serde read a struct from an object alone; by itself it would take an array, too.
struct Object<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Object<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    // `Anything` is no struct.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Text that borrows from the frame if it can: if JSON escaped nothing in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    /// The text as it may be shown: what a terminal would obey is escaped.
    #[must_use]
    pub fn escaped(&self) -> String {
        crate::text::escape(self.as_bytes())
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Text<'a> {
        Text(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Text(Cow::Owned(text))
    }
}

// By hand, because serde's own impl for `Cow` always copies.
impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(text.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(text.to_owned().into())
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Nothing {}

/// Any JSON value, kept as it was written; absent where there was none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Anything<'a>(#[serde(borrow)] pub Option<&'a RawValue>);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Login<'a> {
    #[serde(borrow)]
    pub username: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Text<'a>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Auth<'a> {
    #[serde(borrow)]
    pub username: Text<'a>,
    #[serde(borrow)]
    pub nonce: Text<'a>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proof<'a> {
    #[serde(borrow)]
    pub mac: Text<'a>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomCreate<'a> {
    #[serde(borrow)]
    pub room: Text<'a>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomJoin<'a> {
    #[serde(borrow)]
    pub room: Text<'a>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomMembers<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Text<'a>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomEcho<'a> {
    #[serde(borrow)]
    pub text: Text<'a>,
    #[serde(borrow, default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Tag<'a>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordWrite<'a> {
    #[serde(borrow)]
    pub client_id: Text<'a>,
    #[serde(borrow)]
    pub text: Text<'a>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordRead<'a> {
    #[serde(borrow)]
    pub client_id: Text<'a>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoggedIn<'a> {
    #[serde(borrow)]
    pub username: Text<'a>,
    #[serde(borrow)]
    pub room: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Text<'a>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Challenge<'a> {
    #[serde(borrow)]
    pub server: Text<'a>,
    #[serde(borrow)]
    pub nonce: Text<'a>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomCreated<'a> {
    #[serde(borrow)]
    pub room: Text<'a>,
}

/// With `seq` the answer to who joined, without it the notice to the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomJoined<'a> {
    #[serde(borrow)]
    pub room: Text<'a>,
    #[serde(borrow)]
    pub username: Text<'a>,
    pub members: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

/// Without `members` the answer to who left, with it the notice to the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomLeft<'a> {
    #[serde(borrow)]
    pub room: Text<'a>,
    #[serde(borrow)]
    pub username: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<usize>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomListed<'a> {
    #[serde(borrow)]
    pub rooms: Vec<RoomCount<'a>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomCount<'a> {
    #[serde(borrow)]
    pub room: Text<'a>,
    pub members: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MembersOfRoom<'a> {
    #[serde(borrow)]
    pub room: Text<'a>,
    #[serde(borrow)]
    pub members: Vec<Text<'a>>,
    pub total: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomEchoed<'a> {
    #[serde(borrow)]
    pub room: Text<'a>,
    #[serde(borrow)]
    pub from: Text<'a>,
    #[serde(borrow)]
    pub text: Text<'a>,
    pub seq: u64,
    #[serde(borrow, default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Tag<'a>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordWritten<'a> {
    #[serde(borrow)]
    pub client_id: Text<'a>,
    #[serde(borrow)]
    pub updated: Text<'a>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record<'a> {
    #[serde(borrow)]
    pub client_id: Text<'a>,
    #[serde(borrow)]
    pub updated: Text<'a>,
    #[serde(borrow)]
    pub text: Text<'a>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Info<'a> {
    pub connections: usize,
    pub max_connections: usize,
    pub free_connections: usize,
    pub rooms: usize,
    pub records: usize,
    pub uptime_s: u64,
    #[serde(borrow)]
    pub version: Text<'a>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bye<'a> {
    #[serde(borrow)]
    pub reason: Text<'a>,
}

/// The data of an `ERROR`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault<'a> {
    pub code: Code,
    #[serde(borrow)]
    pub message: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl<'a> Fault<'a> {
    /// An error of this code; the message says what and where.
    pub fn new(code: Code, message: impl Into<Text<'a>>) -> Fault<'a> {
        Fault { code, message: message.into(), retry_after_ms: None }
    }

    /// The same error with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> Fault<'static> {
        Fault::new(self.code, self.message.0.into_owned()).after(self.retry_after_ms)
    }

    /// The same error with the time after which to try again.
    #[must_use]
    pub fn after(self, retry_after_ms: Option<u64>) -> Fault<'a> {
        Fault { retry_after_ms, ..self }
    }
}

/// A number or a short text, chosen by the client and sent back: an `id`, or a `ref`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Tag<'a> {
    /// 0 to 2^53-1.
    Number(u64),
    /// At most 64 bytes.
    Text(Text<'a>),
}

impl Tag<'_> {
    /// The same tag with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> Tag<'static> {
        match self {
            Tag::Number(n) => Tag::Number(n),
            Tag::Text(text) => Tag::Text(text.0.into_owned().into()),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Tag<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tag<'a>, D::Error> {
        deserializer.deserialize_any(TagVisitor)
    }
}

struct TagVisitor;

impl TagVisitor {
    fn short<E: Error>(text: &str) -> Result<(), E> {
        if text.len() > MAX_TEXT_TAG { Err(E::invalid_length(text.len(), &TagVisitor)) } else { Ok(()) }
    }
}

impl<'de> Visitor<'de> for TagVisitor {
    type Value = Tag<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer from 0 to 2^53-1 or a string of at most 64 bytes")
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Tag<'de>, E> {
        if n > MAX_NUMERIC_TAG {
            return Err(E::invalid_value(serde::de::Unexpected::Unsigned(n), &self));
        }
        Ok(Tag::Number(n))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Tag<'de>, E> {
        TagVisitor::short(text).map(|()| Tag::Text(text.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Tag<'de>, E> {
        TagVisitor::short(text).map(|()| Tag::Text(text.to_owned().into()))
    }
}

impl<'a> From<&'a Username> for Text<'a> {
    fn from(name: &'a Username) -> Text<'a> {
        name.as_str().into()
    }
}

impl<'a> From<&'a RoomName> for Text<'a> {
    fn from(name: &'a RoomName) -> Text<'a> {
        name.as_str().into()
    }
}

impl<'a> From<&'a ClientId> for Text<'a> {
    fn from(id: &'a ClientId) -> Text<'a> {
        id.as_str().into()
    }
}
