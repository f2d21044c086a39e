//! Message <-> payload: `{"type": "...", "data": {...}, "id": 7}` in UTF-8.
//!
//! One envelope for both directions. `data` is found first and read when the type is known, in whatever order
//! the members come; what it borrows, it borrows from the frame.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::Code;
use super::message::{Answer, AnswerKind, Anything, Fault, Request, RequestKind, Tag, Text};

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

#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<Tag<'a>>,
}

/// Reads what a client sent.
///
/// # Errors
/// Not UTF-8 or JSON; JSON of another shape; a type that nobody knows.
pub fn decode_request(payload: &[u8]) -> Result<Envelope<'_, Request<'_>>, Malformed<'_>> {
    let Members { kind, data, id } = members(payload)?;
    let Some(known) = RequestKind::by_name(&kind) else { return Err(unknown(&kind, id)) };
    match object(data, known == RequestKind::Ping).and_then(|data| Request::read(known, data)) {
        Ok(message) => Ok(Envelope { message, id }),
        Err(error) => Err(Malformed { kind: Some(known), ..wrong_data(known.name(), &error, id) }),
    }
}

/// Reads what the server sent.
///
/// # Errors
/// As [`decode_request`].
pub fn decode_answer(payload: &[u8]) -> Result<Envelope<'_, Answer<'_>>, Malformed<'_>> {
    let Members { kind, data, id } = members(payload)?;
    let Some(known) = AnswerKind::by_name(&kind) else { return Err(unknown(&kind, id)) };
    match object(data, known == AnswerKind::Pong).and_then(|data| Answer::read(known, data)) {
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
    let absent = matches!(answer, Answer::Pong(Anything(None)));
    encode(answer.kind().name(), (!absent).then_some(answer), id, out);
}

fn encode(kind: &str, data: Option<&impl serde::Serialize>, id: Option<&Tag<'_>>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.push(b'"');
    if let Some(data) = data {
        out.extend_from_slice(b",\"data\":");
        serde_json::to_writer(&mut *out, data).expect("messages have string keys, and a Vec takes all");
    }
    if let Some(id) = id {
        out.extend_from_slice(b",\"id\":");
        serde_json::to_writer(&mut *out, id).expect("a Vec takes all");
    }
    out.push(b'}');
}

fn members(payload: &[u8]) -> Result<Members<'_>, Malformed<'_>> {
    let text = std::str::from_utf8(payload).map_err(|error| {
        let message = format!("not UTF-8 at byte {}", error.valid_up_to());
        Malformed { fault: Fault::new(Code::BadJson, message), id: None, kind: None }
    })?;
    // serde would read a struct from an array, too.
    let object = text.trim_ascii_start().starts_with('{');
    match serde_json::from_str(text) {
        Ok(members) if object => Ok(members),
        Err(error) if object || text.trim_ascii().is_empty() => Err(wrong_envelope(text, &error.to_string())),
        _ => Err(wrong_envelope(text, "a message is a JSON object")),
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

/// The text of the data: an object, unless `anything` goes; an empty one where there was none.
fn object(data: Option<&RawValue>, anything: bool) -> serde_json::Result<&str> {
    match data {
        None if anything => Ok("null"),
        None => Ok("{}"),
        Some(data) if anything || data.get().starts_with('{') => Ok(data.get()),
        Some(_) => Err(serde::de::Error::custom("not an object")),
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
        use crate::protocol::message::{RoomEchoed, RoomJoin};
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
    fn every_kind_is_found_by_its_name() {
        for kind in RequestKind::ALL {
            assert_eq!(RequestKind::by_name(kind.name()), Some(*kind));
        }
        for kind in AnswerKind::ALL {
            assert_eq!(AnswerKind::by_name(kind.name()), Some(*kind));
        }
    }
}
