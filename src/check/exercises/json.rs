//! Messages of JSON in frames, which `rooms` and `records` share: what is sent, and what has to be in an answer.

use serde_json::{Value, json};

use crate::check::codec::{Codec, Prefix};
use crate::check::expect::Expect;
use crate::check::plan::{Probe, Turn};
use crate::check::script::{Act, Script};
use crate::check::variant::Variant;

/// What others in a room are told at any time.
pub(super) const NOTICES: &[&str] = &["ROOM_JOINED", "ROOM_LEFT", "ROOM_ECHOED"];

/// A codec, and scripts in its messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Json {
    pub(super) codec: Codec,
}

impl Json {
    pub(super) fn of(variant: &Variant) -> (Json, Prefix) {
        let prefix = variant.prefix(2);
        (Json { codec: Codec::Prefixed(prefix) }, prefix)
    }

    /// An answer with at least these members.
    pub(super) fn answer(self, members: Value, skips: &'static [&'static str]) -> Expect {
        Expect::Json { codec: self.codec, members, skips }
    }

    /// A request and its answer.
    pub(super) fn turn(self, request: &Value, answer: Value) -> Turn {
        let expect = vec![self.answer(answer, NOTICES)];
        Turn { payload: request.to_string().into_bytes(), make: None, expect }
    }

    /// A client sends a payload, JSON or not.
    pub(super) fn send(self, script: &mut Script, client: usize, payload: &[u8]) {
        script.add(client, Act::Send(self.codec.encode(payload)));
    }

    /// A client asks, and is answered.
    pub(super) fn ask(self, script: &mut Script, client: usize, request: &Value, answer: Value) {
        self.send(script, client, request.to_string().as_bytes());
        script.add(client, Act::Expect(self.answer(answer, NOTICES)));
    }

    /// A frame with this payload, as bad input.
    pub(super) fn frame(self, payload: &[u8]) -> Vec<u8> {
        self.codec.encode(payload).bytes
    }
}

/// A message of this type with this data.
pub(super) fn message(kind: &str, data: &Value) -> Value {
    json!({"type": kind, "data": data})
}

/// An `ERROR` of this code; null for any.
pub(super) fn error(code: impl Into<Value>) -> Value {
    json!({"type": "ERROR", "data": {"code": code.into()}})
}

/// What bad input of this payload finds out.
pub(super) fn probe_of(payload: &[u8]) -> Probe {
    if payload.is_empty() { Probe::EmptyFrame } else { Probe::Rules }
}

/// The frame, in the words of a specification.
pub(super) fn frames(prefix: Prefix) -> String {
    let order = if prefix.little { "least significant byte first" } else { "most significant byte first" };
    let counts =
        if prefix.inclusive { "the payload's bytes and its own" } else { "the payload's bytes alone" };
    format!(
        "Frames: a length of {} bytes, {order}, that counts {counts}, and then a payload, which is a JSON object in UTF-8: \
         `{{\"type\": ..., \"data\": {{...}}}}`.",
        prefix.width
    )
}
