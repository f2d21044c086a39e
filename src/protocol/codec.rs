//! Message <-> payload: `{"type": "...", "data": {...}, "id": 7}` in UTF-8.
//!
//! One envelope for both directions. Clients send `type` before `data`, and are read in one pass. Members in another
//! order are found first and `data` is read when the type is known; so is whatever is wrong, for then there is
//! time to find out what. Text borrows from the frame either way.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer as _, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::Code;
use super::message::{Answer, AnswerKind, Anything, Fault, Request, RequestKind, RoomEchoed, Tag, Text};

/// A message and the `id` that came with it.
#[derive(Clone, Debug)]
pub struct Envelope<'a, M> {
    /// The message.
    pub message: M,
    /// The client's own mark on it.
    pub id: Option<Tag<'a>>,
}

/// A payload that is no message, with the `id` to answer to if one could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed<'a> {
    /// `bad_json`, `bad_message` or `unknown_type`, and what is wrong where.
    pub fault: Fault<'static>,
    /// The client's own mark on it.
    pub id: Option<Tag<'a>>,
    /// What a client wanted, where its type was right and its data was not.
    pub kind: Option<RequestKind>,
}

/// Reads what a client sent.
///
/// # Errors
/// Not UTF-8 or JSON; JSON of another shape; a type that nobody knows.
pub fn decode_request(payload: &[u8]) -> Result<Envelope<'_, Request<'_>>, Malformed<'_>> {
    let text = utf8(payload)?;
    if let Ok(envelope) = in_order(text, RequestKind::by_name) {
        return Ok(envelope);
    }
    let Members { kind, data, id } = members(text)?;
    let Some(known) = RequestKind::by_name(&kind) else { return Err(unknown(&kind, id)) };
    match read(known, data) {
        Ok(message) => Ok(Envelope { message, id }),
        Err(error) => Err(Malformed { kind: Some(known), ..wrong_data(known.name(), &error, id) }),
    }
}

/// Reads what the server sent.
///
/// # Errors
/// As [`decode_request`].
pub fn decode_answer(payload: &[u8]) -> Result<Envelope<'_, Answer<'_>>, Malformed<'_>> {
    let text = utf8(payload)?;
    if let Ok(envelope) = in_order(text, AnswerKind::by_name) {
        return Ok(envelope);
    }
    let Members { kind, data, id } = members(text)?;
    let Some(known) = AnswerKind::by_name(&kind) else { return Err(unknown(&kind, id)) };
    match read(known, data) {
        Ok(message) => Ok(Envelope { message, id }),
        Err(error) => Err(wrong_data(known.name(), &error, id)),
    }
}

/// Appends a request's payload to `out`.
pub fn encode_request(request: &Request<'_>, id: Option<&Tag<'_>>, out: &mut Vec<u8>) {
    let absent = matches!(request, Request::Ping(Anything(None)));
    encode(request.kind().name(), (!absent).then_some(request), id, out);
}

/// Appends an answer's payload to `out`.
pub fn encode_answer(answer: &Answer<'_>, id: Option<&Tag<'_>>, out: &mut Vec<u8>) {
    match (answer, id) {
        (Answer::RoomEchoed(echoed), None) => encode_echoed(echoed, out),
        (Answer::Pong(Anything(None)), _) => encode(answer.kind().name(), None::<&Answer<'_>>, id, out),
        _ => encode(answer.kind().name(), Some(answer), id, out),
    }
}

/// The same as [`encode`] makes of it, by hand: it is what a room server encodes most, and serde_json, which looks
/// at every byte of a text by itself, would take four times as many instructions.
fn encode_echoed(echoed: &RoomEchoed<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"ROOM_ECHOED\",\"data\":{\"room\":");
    write_text(&echoed.room, out);
    out.extend_from_slice(b",\"from\":");
    write_text(&echoed.from, out);
    out.extend_from_slice(b",\"text\":");
    write_text(&echoed.text, out);
    out.extend_from_slice(b",\"seq\":");
    write_json(&echoed.seq, out);
    if let Some(reference) = &echoed.reference {
        out.extend_from_slice(b",\"ref\":");
        write_json(reference, out);
    }
    out.extend_from_slice(b"}}");
}

/// Writes a JSON string. What needs no escape (RFC 8259, section 7) is copied as it is.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "without branches the compiler looks at many bytes at a time"
)]
fn write_text(text: &str, out: &mut Vec<u8>) {
    let plain =
        text.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\'));
    if !plain {
        return write_json(text, out);
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

fn write_json(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("messages have string keys, and a Vec takes all");
}

fn encode(kind: &str, data: Option<&impl Serialize>, id: Option<&Tag<'_>>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.push(b'"');
    if let Some(data) = data {
        out.extend_from_slice(b",\"data\":");
        write_json(data, out);
    }
    if let Some(id) = id {
        out.extend_from_slice(b",\"id\":");
        write_json(id, out);
    }
    out.push(b'}');
}

fn utf8(payload: &[u8]) -> Result<&str, Malformed<'_>> {
    std::str::from_utf8(payload).map_err(|error| {
        let message = format!("not UTF-8 at byte {}", error.valid_up_to());
        Malformed { fault: Fault::new(Code::BadJson, message), id: None, kind: None }
    })
}

/// Reads a message whose members come in the usual order. An error says only that the other way has to be taken.
fn in_order<'a, K>(
    text: &'a str,
    by_name: fn(&str) -> Option<K>,
) -> serde_json::Result<Envelope<'a, K::Value>>
where
    K: DeserializeSeed<'a> + Copy,
{
    let mut json = Deserializer::from_str(text);
    let envelope = json.deserialize_map(InOrder { by_name })?;
    json.end()?;
    Ok(envelope)
}

struct InOrder<K> {
    by_name: fn(&str) -> Option<K>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Member {
    Type,
    Data,
    Id,
    #[serde(other)]
    Other,
}

impl<'de, K: DeserializeSeed<'de> + Copy> Visitor<'de> for InOrder<K> {
    type Value = Envelope<'de, K::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut kind, mut message, mut id) = (None, None, None);
        while let Some(member) = map.next_key()? {
            match (member, kind) {
                (Member::Type, None) => kind = (self.by_name)(&map.next_value::<Text<'_>>()?),
                (Member::Data, Some(kind)) if message.is_none() => {
                    message = Some(map.next_value_seed(kind)?);
                }
                (Member::Id, _) if id.is_none() => id = Some(map.next_value()?),
                (Member::Other, _) => drop(map.next_value::<IgnoredAny>()?),
                // Unknown, doubled, or data before its type.
                _ => return Err(A::Error::custom("out of order")),
            }
        }
        let message = message.ok_or_else(|| A::Error::missing_field("data"))?;
        Ok(Envelope { message, id })
    }
}

#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<Tag<'a>>,
}

/// Finds the members in whatever order they come.
fn members(text: &str) -> Result<Members<'_>, Malformed<'_>> {
    // serde would read a struct from an array, too.
    let object = text.trim_ascii_start().starts_with('{');
    match serde_json::from_str(text) {
        Ok(members) if object => Ok(members),
        Err(error) if object || text.trim_ascii().is_empty() => Err(wrong_envelope(text, &error.to_string())),
        _ => Err(wrong_envelope(text, "a message is a JSON object")),
    }
}

/// Reads data that was found before. Where there was none, an object without members must do, or nothing.
fn read<'a, K>(kind: K, data: Option<&'a RawValue>) -> serde_json::Result<K::Value>
where
    K: DeserializeSeed<'a> + Copy,
{
    let of = |text| kind.deserialize(&mut Deserializer::from_str(text));
    match data {
        Some(data) => of(data.get()),
        None => of("null").or_else(|_| of("{}")),
    }
}

/// Finds out whether it is JSON at all, and whom to answer. This path may take its time: ten such messages
/// end a connection.
fn wrong_envelope<'a>(text: &'a str, problem: &str) -> Malformed<'a> {
    #[derive(Deserialize)]
    struct Id<'a> {
        #[serde(borrow)]
        id: Tag<'a>,
    }
    match serde_json::from_str::<IgnoredAny>(text) {
        Err(error) => Malformed { fault: Fault::new(Code::BadJson, error.to_string()), id: None, kind: None },
        Ok(_) => Malformed {
            fault: Fault::new(Code::BadMessage, problem.to_owned()),
            id: serde_json::from_str::<Id<'a>>(text).ok().map(|found| found.id),
            kind: None,
        },
    }
}

fn unknown<'a>(kind: &str, id: Option<Tag<'a>>) -> Malformed<'a> {
    let kind: String = kind.chars().take(40).collect();
    let message = format!("unknown type `{}`", crate::text::escape(kind.as_bytes()));
    Malformed { fault: Fault::new(Code::UnknownType, message), id, kind: None }
}

fn wrong_data<'a>(kind: &str, error: &serde_json::Error, id: Option<Tag<'a>>) -> Malformed<'a> {
    Malformed { fault: Fault::new(Code::BadMessage, format!("data of {kind}: {error}")), id, kind: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(payload: &str) -> (Code, String) {
        let fault = decode_request(payload.as_bytes()).unwrap_err().fault;
        (fault.code, fault.message.to_string())
    }

    #[test]
    fn a_request_is_read_in_any_order_of_its_members() {
        for payload in [
            r#"{"type":"ROOM_ECHO","data":{"text":"Hi"},"id":7}"#,
            r#" {"id":7,"x":[{}],"data":{"more":1,"text":"Hi"},"type":"ROOM_ECHO"} "#,
        ] {
            let Envelope { message, id } = decode_request(payload.as_bytes()).unwrap();
            assert_eq!(id, Some(Tag::Number(7)));
            let Request::RoomEcho(echo) = message else { panic!("{message:?}") };
            assert_eq!(&*echo.text, "Hi");
            assert!(matches!(echo.text.0, std::borrow::Cow::Borrowed(_)), "copied without need");
        }
    }

    #[test]
    fn what_clients_send_is_read_in_one_pass() {
        for (payload, once) in [
            (r#"{"type":"ROOM_ECHO","data":{"text":"Hi"},"id":7}"#, true),
            (r#"{"id":"a","x":[{}],"type":"PING","data":[1]}"#, true),
            (r#"{"data":{"text":"Hi"},"type":"ROOM_ECHO"}"#, false),
            (r#"{"type":"ROOM_ECHO","data":["Hi"]}"#, false),
            (r#"{"type":"ROOM_ECHO","data":{"text":"Hi"}} x"#, false),
            (r#"{"type":"PING","data":1,"data":1}"#, false),
            (r#"["ROOM_ECHO",{"text":"Hi"}]"#, false),
        ] {
            assert_eq!(in_order(payload, RequestKind::by_name).is_ok(), once, "{payload}");
        }
    }

    #[test]
    fn data_may_be_left_out_where_all_of_it_is_optional() {
        assert!(decode_request(br#"{"type":"ROOM_MEMBERS"}"#).is_ok());
        assert!(decode_request(br#"{"type":"BYE"}"#).is_ok());
        let (code, message) = refused(r#"{"type":"ROOM_JOIN"}"#);
        assert_eq!(code, Code::BadMessage);
        assert!(message.contains("ROOM_JOIN") && message.contains("`room`"), "{message}");
    }

    #[test]
    fn each_class_of_malformed_payload_has_its_code() {
        let cases = [
            ("", Code::BadJson),
            ("{", Code::BadJson),
            ("{} {}", Code::BadJson),
            ("{\"type\":\"PING\"} x", Code::BadJson),
            ("{\"type\":\"PING\",}", Code::BadJson),
            ("[]", Code::BadMessage),
            ("[\"PING\"]", Code::BadMessage),
            ("42", Code::BadMessage),
            ("{}", Code::BadMessage),
            ("{\"type\":7}", Code::BadMessage),
            ("{\"type\":\"PING\",\"type\":\"PING\"}", Code::BadMessage),
            ("{\"type\":\"PING\",\"data\":1,\"data\":2}", Code::BadMessage),
            ("{\"type\":\"LOGIN\",\"data\":[\"Ada\"]}", Code::BadMessage),
            ("{\"data\":[\"Ada\"],\"type\":\"LOGIN\"}", Code::BadMessage),
            ("{\"type\":\"LOGIN\",\"data\":{\"username\":7}}", Code::BadMessage),
            ("{\"type\":\"PING\",\"id\":-1}", Code::BadMessage),
            ("{\"type\":\"PING\",\"id\":1.5}", Code::BadMessage),
            ("{\"type\":\"PING\",\"id\":9007199254740992}", Code::BadMessage),
            ("{\"type\":\"PING\",\"id\":[]}", Code::BadMessage),
            ("{\"type\":\"NO_SUCH\"}", Code::UnknownType),
            ("{\"type\":\"ping\"}", Code::UnknownType),
        ];
        for (payload, code) in cases {
            assert_eq!(refused(payload).0, code, "{payload}");
        }
        assert_eq!(decode_request(b"{\"type\":\"\xff\"}").unwrap_err().fault.code, Code::BadJson);
        let long = format!("{{\"type\":\"PING\",\"id\":\"{}\"}}", "x".repeat(65));
        assert_eq!(refused(&long).0, Code::BadMessage);
        assert!(
            decode_request(format!("{{\"type\":\"PING\",\"id\":\"{}\"}}", "x".repeat(64)).as_bytes()).is_ok()
        );
        assert!(decode_request(br#"{"type":"PING","id":9007199254740991}"#).is_ok());
        let deep = format!("{{\"type\":\"PING\",\"data\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        // Data that PING sends back is found, not built: no depth exhausts the stack.
        assert!(decode_request(deep.as_bytes()).is_ok());
    }

    #[test]
    fn an_error_answers_to_the_id_of_its_request() {
        let malformed = decode_request(br#"{"type":"LOGIN","data":{},"id":"a"}"#).unwrap_err();
        assert_eq!(malformed.id, Some(Tag::Text("a".into())));
        let malformed = decode_request(br#"{"type":7,"id":3}"#).unwrap_err();
        assert_eq!(malformed.id, Some(Tag::Number(3)));
        let malformed = decode_request(br#"{"type":"X","id":3}"#).unwrap_err();
        assert_eq!(malformed.id, Some(Tag::Number(3)));
    }

    #[test]
    fn ping_keeps_its_data_as_it_was_written() {
        for data in ["{\"a\": [1,  2.50]}", "\"x\"", "17", "[ ]"] {
            let payload = format!("{{\"type\":\"PING\",\"data\":{data}}}");
            let Request::Ping(ping) = decode_request(payload.as_bytes()).unwrap().message else { panic!() };
            let mut out = Vec::new();
            encode_answer(&Answer::Pong(ping), None, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{{\"type\":\"PONG\",\"data\":{data}}}"));
        }
        let mut out = Vec::new();
        let Request::Ping(ping) = decode_request(br#"{"type":"PING","id":1}"#).unwrap().message else {
            panic!()
        };
        encode_answer(&Answer::Pong(ping), Some(&Tag::Number(1)), &mut out);
        assert_eq!(out, br#"{"type":"PONG","id":1}"#);
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        use crate::protocol::message::RoomJoin;
        let mut out = Vec::new();
        let echoed = RoomEchoed {
            room: "r".into(),
            from: "a".into(),
            text: "\"é\n".into(),
            seq: 9,
            reference: Some(Tag::Number(4)),
        };
        encode_answer(&Answer::RoomEchoed(echoed), None, &mut out);
        assert_eq!(
            std::str::from_utf8(&out).unwrap(),
            r#"{"type":"ROOM_ECHOED","data":{"room":"r","from":"a","text":"\"é\n","seq":9,"ref":4}}"#
        );
        let Answer::RoomEchoed(echoed) = decode_answer(&out).unwrap().message else { panic!() };
        assert_eq!((&*echoed.text, echoed.reference), ("\"é\n", Some(Tag::Number(4))));
        out.clear();
        encode_request(
            &Request::RoomJoin(RoomJoin { room: "r".into(), create: true }),
            Some(&Tag::Text("i".into())),
            &mut out,
        );
        assert_eq!(out, br#"{"type":"ROOM_JOIN","data":{"room":"r","create":true},"id":"i"}"#);
        let envelope = decode_request(&out).unwrap();
        assert!(matches!(envelope.message, Request::RoomJoin(RoomJoin { create: true, .. })));
    }

    #[test]
    fn a_broadcast_written_by_hand_is_what_serde_makes_of_it() {
        for text in ["", "Hi", "\"", "\\", "a\u{1f}", "\n", "\u{7f}\u{e9}\u{2028}\u{1f600}", &"x".repeat(200)]
        {
            for reference in [None, Some(Tag::Number(4)), Some(Tag::Text("\t".into()))] {
                let (room, from) = ("r".into(), "Ada".into());
                let echoed = RoomEchoed { room, from, text: text.into(), seq: u64::MAX, reference };
                let answer = Answer::RoomEchoed(echoed);
                let (mut by_hand, mut by_serde) = (Vec::new(), Vec::new());
                encode_answer(&answer, None, &mut by_hand);
                encode(answer.kind().name(), Some(&answer), None, &mut by_serde);
                assert_eq!(String::from_utf8(by_hand), String::from_utf8(by_serde));
            }
        }
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in RequestKind::ALL {
            assert_eq!(RequestKind::by_name(kind.name()), Some(*kind));
        }
        for kind in AnswerKind::ALL {
            assert_eq!(AnswerKind::by_name(kind.name()), Some(*kind));
        }
    }
}
