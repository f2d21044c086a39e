//! What an answer has to be: bytes judged as they come. Pure.

use serde_json::Value;

use super::codec::Codec;
use crate::text::{byte_count, excerpt};

/// What is expected next on a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// A message with exactly this payload, byte for byte.
    Exact {
        /// How it stands on the wire.
        codec: Codec,
        /// What it says.
        payload: Vec<u8>,
    },
    /// A message with a header of the server's own choice, and exactly this content.
    Content(Vec<u8>),
    /// A message that is a JSON object with at least these members. Messages that `skips` names are passed over.
    Json {
        /// How it stands on the wire.
        codec: Codec,
        /// The members; null stands for any value.
        members: Value,
        /// Types of messages that may come before it.
        skips: &'static [&'static str],
    },
    /// So many bytes, whatever they are.
    Any(usize),
}

/// How far the bytes that came fulfil it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// So far so good; more has to come.
    More,
    /// Fulfilled by the first so many bytes.
    Done(usize),
    /// Wrong from this byte on, and why.
    Wrong(usize, String),
}

impl Expect {
    /// Judges the bytes that have come since the last answer.
    #[must_use]
    pub fn judge(&self, got: &[u8]) -> Judged {
        match self {
            Expect::Exact { codec, payload } => judge_bytes(&codec.encode(payload).bytes, got),
            Expect::Any(count) if got.len() < *count => Judged::More,
            Expect::Any(count) => Judged::Done(*count),
            Expect::Content(content) => match Codec::Header.decode(got) {
                Ok(None) => Judged::More,
                Ok(Some((payload, used))) if payload == *content => match odd_member(content, got) {
                    Some(why) => Judged::Wrong(2, why),
                    None => Judged::Done(used),
                },
                Ok(Some((payload, used))) => {
                    let start = used - payload.len();
                    let at = start + common(content, &payload);
                    Judged::Wrong(at, format!("the content is not {}", quoted(content)))
                }
                Err(why) => Judged::Wrong(0, why),
            },
            Expect::Json { codec, members, skips } => judge_json(*codec, members, skips, got),
        }
    }

    /// How many of the first bytes are messages that this answer passes over, a beginning of one included.
    #[must_use]
    pub fn passed_over(&self, got: &[u8]) -> usize {
        let Expect::Json { codec, skips, .. } = self else { return 0 };
        let mut at = 0;
        while !skips.is_empty() && at < got.len() {
            match codec.decode(&got[at..]) {
                Ok(Some((payload, used))) if is_skipped(&payload, skips) => at += used,
                Ok(None) => return got.len(),
                Ok(Some(_)) | Err(_) => break,
            }
        }
        at
    }

    /// The same answer as a server would send it that means another codec.
    #[must_use]
    pub fn recoded(&self, codec: Codec) -> Expect {
        let mut other = self.clone();
        match &mut other {
            Expect::Exact { codec: own, .. } | Expect::Json { codec: own, .. } => *own = codec,
            Expect::Content(_) | Expect::Any(_) => {}
        }
        other
    }

    /// The bytes, where only these will do.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Expect::Exact { codec, payload } => Some(codec.encode(payload).bytes),
            _ => None,
        }
    }

    /// What is expected, in words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Expect::Exact { codec: Codec::Raw, payload } => quoted(payload),
            Expect::Exact { codec: Codec::Line, payload } => format!("the line {}", quoted(payload)),
            Expect::Exact { payload, .. } => format!("a message with {}", quoted(payload)),
            Expect::Content(content) => format!("a message with the content {}", quoted(content)),
            Expect::Json { members, .. } => format!("a message like {}", shortened(members)),
            Expect::Any(count) => byte_count(*count as u64),
        }
    }
}

fn judge_bytes(wanted: &[u8], got: &[u8]) -> Judged {
    let same = common(wanted, got);
    if same == wanted.len() {
        Judged::Done(same)
    } else if same == got.len() {
        Judged::More
    } else {
        Judged::Wrong(same, format!("{:02x} instead of {:02x}", got[same], wanted[same]))
    }
}

fn judge_json(codec: Codec, members: &Value, skips: &[&str], got: &[u8]) -> Judged {
    let mut at = 0;
    loop {
        let (payload, used) = match codec.decode(&got[at..]) {
            Ok(None) => return Judged::More,
            Ok(Some(message)) => message,
            Err(why) => return Judged::Wrong(at, why),
        };
        // A line's end stands behind it, a prefix in front.
        let start = if matches!(codec, Codec::Line) { at } else { at + used - payload.len() };
        at += used;
        let Ok(found) = serde_json::from_slice::<Value>(&payload) else {
            return Judged::Wrong(start, format!("no JSON: {}", excerpt(&payload, 60)));
        };
        if covers(members, &found) {
            return Judged::Done(at);
        }
        if !is_skipped(&payload, skips) {
            return Judged::Wrong(start, format!("{} instead", excerpt(&payload, 160)));
        }
    }
}

fn is_skipped(payload: &[u8], skips: &[&str]) -> bool {
    let message = serde_json::from_slice::<Value>(payload);
    message.is_ok_and(|found| found["type"].as_str().is_some_and(|kind| skips.contains(&kind)))
}

/// A member of the header at the start of `got` that is not the one of a request with this content.
fn odd_member(content: &[u8], got: &[u8]) -> Option<String> {
    let asked = header(&Codec::Header.encode(content).bytes)?;
    let said = header(got)?;
    ["content-type", "content-encoding"].into_iter().find(|name| asked[*name] != said[*name]).map(|name| {
        let (asked, said) = (asked[name].to_string(), said[name].to_string());
        format!("the request's {name} is {asked}, the answer's is {}", excerpt(said.as_bytes(), 40))
    })
}

/// The JSON header at the start of a message, without its length.
pub(super) fn header(bytes: &[u8]) -> Option<Value> {
    let length = usize::from(u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]));
    serde_json::from_slice(bytes.get(2..2 + length)?).ok()
}

/// True if `found` has all that `wanted` asks for; null asks for any value.
pub(super) fn covers(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Null, _) => true,
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().all(|(name, value)| found.get(name).is_some_and(|found| covers(value, found)))
        }
        // A list asks for these members, in any order, among others.
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.iter().all(|w| found.iter().any(|f| covers(w, f)))
        }
        _ => wanted == found,
    }
}

/// How many bytes are the same from the start.
pub(super) fn common(a: &[u8], b: &[u8]) -> usize {
    // In blocks first: answers of megabytes are compared here.
    const BLOCK: usize = 4 << 10;
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK)).take_while(|(a, b)| a == b).count() * BLOCK;
    blocks + a[blocks..].iter().zip(&b[blocks..]).take_while(|(a, b)| a == b).count()
}

/// A payload for a sentence.
pub(super) fn quoted(payload: &[u8]) -> String {
    match payload.len() {
        0 => "nothing in it".to_owned(),
        n if n > 40 => format!("{} (`{}...`)", byte_count(n as u64), excerpt(&payload[..16], 16)),
        _ => format!("`{}`", excerpt(payload, 40)),
    }
}

fn shortened(members: &Value) -> String {
    let text = members.to_string().replace("null", "...");
    excerpt(text.as_bytes(), 160)
}

#[cfg(test)]
mod tests {
    use super::super::codec::Prefix;
    use super::*;
    use serde_json::json;

    const U16: Codec = Codec::Prefixed(Prefix { width: 2, little: false, inclusive: false });

    #[test]
    fn bytes_are_judged_as_they_come() {
        let expect = Expect::Exact { codec: U16, payload: b"Hi".to_vec() };
        assert_eq!(expect.judge(b""), Judged::More);
        assert_eq!(expect.judge(b"\0\x02H"), Judged::More);
        assert_eq!(expect.judge(b"\0\x02Hi\0"), Judged::Done(4));
        assert_eq!(expect.judge(b"\0\x01H"), Judged::Wrong(1, "01 instead of 02".into()));
    }

    #[test]
    fn json_is_judged_by_the_members_asked_for() {
        let members = json!({"type": "A", "data": {"x": null, "list": [1, 4]}});
        let expect = Expect::Json { codec: Codec::Line, members, skips: &["NOTICE"] };
        let judge = |text: &str| expect.judge(text.as_bytes());
        assert_eq!(judge("{\"type\":\"A\""), Judged::More);
        let good = "{\"type\":\"A\",\"id\":1,\"data\":{\"x\":false,\"list\":[2,4,1]}}\n";
        assert_eq!(judge(good), Judged::Done(good.len()));
        let behind = format!("{{\"type\":\"NOTICE\"}}\n{good}");
        assert_eq!(judge(&behind), Judged::Done(behind.len()));
        assert!(matches!(judge("{\"type\":\"B\"}\n"), Judged::Wrong(0, _)));
        assert!(matches!(judge("x\n"), Judged::Wrong(0, _)));
        assert!(matches!(judge("{\"type\":\"A\",\"data\":{\"x\":1,\"list\":[1,2,3]}}\n"), Judged::Wrong(..)));
    }

    #[test]
    fn megabytes_are_compared_to_the_byte() {
        let a = vec![7; 100_000];
        let mut b = a.clone();
        b[65_537] = 8;
        assert_eq!((common(&a, &b), common(&a, &a), common(&a, &a[..5])), (65_537, 100_000, 5));
    }
}
