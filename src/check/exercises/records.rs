//! `records`: texts under an id, kept in files.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::json::{Json, error, frames, message, probe_of};
use crate::check::case::{Case, Shape, numbered, of_streams};
use crate::check::codec::Codec;
use crate::check::exercise::{Exercise, Lab};
use crate::check::plan::{Dialect, Probe, Turn};
use crate::check::script::{Act, Given, Make, Script};
use crate::check::variant::{Random, Variant};
use crate::net::table::Transport;

/// A text that outgrows the buffers of files, in bytes.
const LONG: usize = 20_000;

struct Records {
    json: Json,
}

impl Dialect for Records {
    fn codec(&self) -> Codec {
        self.json.codec
    }

    fn ask(&self, client: usize, payload: &[u8]) -> Turn {
        // An id for each text, so that the answers tell which of them they are for.
        let mark =
            payload.iter().fold(0_u32, |mark, byte| mark.wrapping_mul(31).wrapping_add((*byte).into()));
        let (id, text) = (format!("client-{client}-{mark:08x}"), String::from_utf8_lossy(payload));
        self.json.turn(&write(&id, &text), written(&id))
    }
}

fn write(id: &str, text: &str) -> Value {
    message("RECORD_WRITE", &json!({"client_id": id, "text": text}))
}

fn written(id: &str) -> Value {
    json!({"type": "RECORD_WRITTEN", "data": {"client_id": id, "updated": null}})
}

fn read(id: &str) -> Value {
    message("RECORD_READ", &json!({"client_id": id}))
}

fn record(id: &str, text: &str) -> Value {
    json!({"type": "RECORD", "data": {"client_id": id, "updated": null, "text": text}})
}

pub(super) fn records(variant: &Variant, seed: u64) -> Exercise {
    let (json, prefix) = Json::of(variant);
    let dialect = Records { json };
    let shape = Shape {
        message: "request",
        once: false,
        many: true,
        empty: true,
        binary: false,
        largest: 32_768,
        bad: vec![
            vec![0],
            json.frame(b"no json"),
            json.frame(b"[1]"),
            json.frame(b"\xff\xfe"),
            json.frame(b"{\"type\":7}"),
            json.frame(b"{\"type\":\"\xc3\x28\"}"),
            json.frame(b"{\"type\":\"RECORD_READ\",\"data\":[7]}"),
            json.frame(b"{\"type\":\"RECORD_READ\",\"data\":{\"client_id\":7}}"),
        ],
    };
    let mut cases = of_streams(&dialect, &shape, seed);
    cases.extend(rules(json, &mut Random::new(seed)));
    Exercise {
        name: "records",
        summary: "A server that keeps texts in files",
        specification: format!("A TCP server. {}\n\n{RULES}", frames(prefix)),
        lab: Lab { folder: "12-records", section: "Round 1: settings and files" },
        transport: Transport::Tcp,
        once: false,
        env: Vec::new(),
        folder_env: Some("FILE_PATH"),
        cases,
        dialect: Arc::new(dialect),
    }
}

const RULES: &str = "\
RECORD_WRITE {client_id, text} replaces the record of that id and is answered by RECORD_WRITTEN {client_id, updated}, once it is in its file; \
RECORD_READ {client_id} is answered by RECORD {client_id, updated, text}. `updated` is the time of the last write, `YYYY-MM-DD HH:MM:SS` in UTC. No login \
is asked for.

A record is the file `CLIENT_ID.txt` in the folder that the variable FILE_PATH names: the line `Last updated: ` with that time, and then the text. \
A client_id has 1 to 32 of the characters A-Z, a-z, 0-9, _ and -. No client reaches any other file.

What can't be done is answered by ERROR {code, message}, and the connection goes on: `no_such_record`, `bad_record` (an id that can't be one), \
`bad_json`, `bad_message` (no object, no type, data that is missing), `unknown_type`.

When the client ends its side, the server sends what is left to send and closes. Where the stream is cut into segments means nothing. Several clients \
are served at once, for as long as the server runs; whatever one of them sends, and however it leaves (a reset, too), \
harms no other.";

fn rules(json: Json, random: &mut Random) -> Vec<Case> {
    let (id, one, two) =
        (format!("id-{}", random.word()), random.word(), format!("漢字\nline {}", random.word()));
    let begin = || {
        let mut script = Script::default();
        script.add(0, Act::Open { holds: false });
        script
    };
    let mut kept = begin();
    json.ask(&mut kept, 0, &write(&id, &one), written(&id));
    json.ask(&mut kept, 0, &read(&id), record(&id, &one));
    json.ask(&mut kept, 0, &write(&id, &two), written(&id));
    json.ask(&mut kept, 0, &read(&id), record(&id, &two));
    // Another client reads what the first one wrote.
    kept.add(0, Act::HalfClose).add(1, Act::Open { holds: false });
    json.ask(&mut kept, 1, &read(&id), record(&id, &two));

    // Names differ by case, and each has its file.
    let (upper, lower) = (format!("{id}-A"), format!("{id}-a"));
    let mut apart = begin();
    json.ask(&mut apart, 0, &write(&upper, &one), written(&upper));
    json.ask(&mut apart, 0, &write(&lower, "another"), written(&lower));
    json.ask(&mut apart, 0, &read(&upper), record(&upper, &one));

    let mut filed = begin();
    json.ask(&mut filed, 0, &write(&id, &two), written(&id));
    filed.add(0, Act::File { name: format!("{id}.txt"), first: "Last updated: ", rest: two.clone() });

    let long = String::from_utf8_lossy(&numbered(0, LONG)).into_owned();
    let mut whole = begin();
    json.ask(&mut whole, 0, &write(&id, &long), written(&id));
    json.ask(&mut whole, 0, &read(&id), record(&id, &long));

    let mut missing = begin();
    json.ask(&mut missing, 0, &read(&format!("no-{id}")), error("no_such_record"));
    json.ask(&mut missing, 0, &write(&id, &one), written(&id));

    let wrong: [(&[u8], &str); 6] = [
        (b"no json", "bad_json"),
        (b"", "bad_json"),
        (b"[1]", "bad_message"),
        (b"{\"type\":\"NO_SUCH_TYPE\"}", "unknown_type"),
        (b"{\"type\":\"RECORD_READ\",\"data\":{}}", "bad_message"),
        (b"{\"type\":\"RECORD_WRITE\",\"data\":{\"client_id\":\"half\"}}", "bad_message"),
    ];
    let expected = "What can't be done is answered by its error, and the connection goes on.";
    let mut errors = Case::new("errors", expected, &["one-message"]);
    for (payload, code) in wrong {
        let mut script = begin();
        json.send(&mut script, 0, payload);
        script.add(0, Act::Expect(json.answer(error(code), &[])));
        json.ask(&mut script, 0, &write(&id, &one), written(&id));
        errors = errors.probe(probe_of(payload), script);
    }
    let expected = "An id that can't be one is answered by `bad_record`, and the connection goes on.";
    let mut ids = Case::new("bad-ids", expected, &["one-message"]);
    for bad in [&"x".repeat(33), "a b", "a.b", "\u{e9}"] {
        let mut script = begin();
        json.ask(&mut script, 0, &read(bad), error("bad_record"));
        json.ask(&mut script, 0, &write(&id, &one), written(&id));
        ids = ids.probe(Probe::Rules, script);
    }
    let expected = "What was written last is read, by any client.";
    vec![
        Case::new("write-and-read", expected, &["next-client"])
            .probe(Probe::Rules, kept)
            .probe(Probe::LongText, whole)
            .probe(Probe::Rules, apart),
        Case::new(
            "file",
            "A record is the file of its id, with the time in its first line.",
            &["one-message"],
        )
        .probe(Probe::Rules, filed),
        Case::new("no-such-record", "A record that is not there is answered by its error.", &["one-message"])
            .probe(Probe::Rules, missing),
        errors,
        ids,
        outside(json),
    ]
}

/// A request about a record, by its id.
type About = fn(&str) -> Value;

/// Ids that lead out of the server's folder, if they become a part of a path.
fn outside(json: Json) -> Case {
    let refused = |script: &mut Script| {
        script.add(0, Act::Expect(json.answer(error(Value::Null), &[])));
    };
    let mut tried: Vec<Script> = Vec::new();
    // What is read outside proves most, so that comes first. Some programs take `../` out once, or decode an id as a URL.
    for (request, name) in [
        (read("../out"), "read"),
        (read("....//out"), "read"),
        (read("%2e%2e%2fout"), "read"),
        (read("../files/../out"), "read"),
        (write("../new", "out"), "write"),
        (write("....//new", "out"), "write"),
        (write("x/../../new", "out"), "write"),
    ] {
        let mut script = Script::default();
        script.add(0, Act::Open { holds: false });
        // A file below must exist for some of these to be read.
        json.ask(&mut script, 0, &write(name, "mine"), written(name));
        json.send(&mut script, 0, request.to_string().as_bytes());
        refused(&mut script);
        tried.push(script);
    }
    // A path from the root replaces the folder in front of it. Short names: an id has up to 32 characters.
    let absolute: [(About, &str); 2] = [(|path| read(path), "out"), (|path| write(path, "out"), "new")];
    for (at, (request, name)) in [4, 6].into_iter().zip(absolute) {
        let made: Make = Arc::new(move |Given { around, .. }: Given<'_>| {
            let path = around.unwrap_or(Path::new("/nowhere")).join(name);
            json.frame(request(&path.to_string_lossy()).to_string().as_bytes())
        });
        let mut script = Script::default();
        script.add(0, Act::Open { holds: false }).add(0, Act::SendMade(made, Vec::new()));
        refused(&mut script);
        tried.insert(at, script);
    }
    let case = Case::new("ids", "An id that could lead to another file is refused.", &["one-message"]);
    tried.into_iter().fold(case, |case, script| case.probe(Probe::OutsidePath, script))
}
