//! Answers that own their texts, for whoever keeps one longer than the frame that it came in: a queue, a screen.
//!
//! It stands apart because the server has no use for it: there, every message is handled while its frame is lent.

use super::message::{
    Answer, Anything, Bye, Challenge, Fault, Info, LoggedIn, MembersOfRoom, Record, RecordWritten, RoomCount,
    RoomCreated, RoomEchoed, RoomJoined, RoomLeft, RoomListed, Tag, Text,
};

impl Answer<'_> {
    /// The same message with texts of its own. The data of a `PONG` is left behind: it was the client's own.
    #[must_use]
    pub fn into_owned(self) -> Answer<'static> {
        match self {
            Answer::LoggedIn(data) => Answer::LoggedIn(data.own()),
            Answer::Challenge(data) => Answer::Challenge(data.own()),
            Answer::RoomCreated(data) => Answer::RoomCreated(data.own()),
            Answer::RoomJoined(data) => Answer::RoomJoined(data.own()),
            Answer::RoomLeft(data) => Answer::RoomLeft(data.own()),
            Answer::RoomListed(data) => Answer::RoomListed(data.own()),
            Answer::RoomMembers(data) => Answer::RoomMembers(data.own()),
            Answer::RoomEchoed(data) => Answer::RoomEchoed(data.own()),
            Answer::RecordWritten(data) => Answer::RecordWritten(data.own()),
            Answer::Record(data) => Answer::Record(data.own()),
            Answer::Info(data) => Answer::Info(data.own()),
            Answer::Pong(_) => Answer::Pong(Anything(None)),
            Answer::Bye(data) => Answer::Bye(data.own()),
            Answer::Error(data) => Answer::Error(data.own()),
        }
    }
}

/// What can be had with texts of its own.
trait Own {
    type Owned;
    fn own(self) -> Self::Owned;
}

/// Structs: each member for itself. The compiler misses a member that is not listed.
macro_rules! members {
    ($($data:ident { $($member:ident),* })*) => {
        $(impl Own for $data<'_> {
            type Owned = $data<'static>;

            fn own(self) -> $data<'static> {
                $data { $($member: self.$member.own()),* }
            }
        })*
    };
}

members! {
    LoggedIn { username, room, mac }
    Challenge { server, nonce }
    RoomCreated { room }
    RoomJoined { room, username, members, seq }
    RoomLeft { room, username, members }
    RoomListed { rooms }
    RoomCount { room, members }
    MembersOfRoom { room, members, total }
    RoomEchoed { room, from, text, seq, reference }
    RecordWritten { client_id, updated }
    Record { client_id, updated, text }
    Info { connections, max_connections, free_connections, rooms, records, uptime_s, version }
    Bye { reason }
}

impl Own for Text<'_> {
    type Owned = Text<'static>;

    fn own(self) -> Text<'static> {
        self.0.into_owned().into()
    }
}

impl Own for Tag<'_> {
    type Owned = Tag<'static>;

    fn own(self) -> Tag<'static> {
        self.into_owned()
    }
}

impl Own for Fault<'_> {
    type Owned = Fault<'static>;

    fn own(self) -> Fault<'static> {
        self.into_owned()
    }
}

impl<T: Own> Own for Option<T> {
    type Owned = Option<T::Owned>;

    fn own(self) -> Self::Owned {
        self.map(T::own)
    }
}

impl<T: Own> Own for Vec<T> {
    type Owned = Vec<T::Owned>;

    fn own(self) -> Self::Owned {
        self.into_iter().map(T::own).collect()
    }
}

impl Own for usize {
    type Owned = usize;

    fn own(self) -> usize {
        self
    }
}

impl Own for u64 {
    type Owned = u64;

    fn own(self) -> u64 {
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::codec::{decode_answer, encode_answer};

    // Catches: a member that is lost or swapped on the way out of the frame.
    #[test]
    fn what_is_owned_says_the_same() {
        for payload in [
            r#"{"type":"LOGGED_IN","data":{"username":"a","room":"r","mac":"00"}}"#,
            r#"{"type":"ROOM_JOINED","data":{"room":"r","username":"a","members":2,"seq":7}}"#,
            r#"{"type":"ROOM_LEFT","data":{"room":"r","username":"a","members":1}}"#,
            r#"{"type":"ROOM_LISTED","data":{"rooms":[{"room":"r","members":2}]}}"#,
            r#"{"type":"ROOM_MEMBERS","data":{"room":"r","members":["a","b"],"total":2}}"#,
            r#"{"type":"ROOM_ECHOED","data":{"room":"r","from":"a","text":"\"é","seq":9,"ref":"x"}}"#,
            r#"{"type":"RECORD","data":{"client_id":"i","updated":"u","text":"t"}}"#,
            r#"{"type":"ERROR","data":{"code":"rate_limited","message":"m","retry_after_ms":5}}"#,
        ] {
            let frame = payload.as_bytes().to_vec();
            let answer = decode_answer(&frame).unwrap().message.into_owned();
            drop(frame);
            let mut out = Vec::new();
            encode_answer(&answer, None, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), payload);
        }
    }
}
