//! What the room server does with a message besides moving its bytes: reading the JSON, deciding, writing it.
//!
//! `cargo bench --bench rooms`. In memory: what a socket adds is measured from outside, beside a peer.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench has no readers of its docs, and may panic")]

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use netlab::protocol::codec;
use netlab::protocol::message::{Answer, RoomEchoed};
use netlab::service::{Actions, Config, Dispatcher, Limits, SessionId};

/// A message of 80 characters, as a bench client would send it.
fn request() -> Vec<u8> {
    format!(r#"{{"type":"ROOM_ECHO","data":{{"text":"{}"}}}}"#, "x".repeat(80)).into_bytes()
}

fn json(c: &mut Criterion) {
    let request = request();
    let mut group = c.benchmark_group("json");
    group.throughput(Throughput::Elements(1));
    group.bench_function("decode ROOM_ECHO", |b| {
        b.iter(|| codec::decode_request(black_box(&request)).unwrap());
    });
    let text = "x".repeat(80);
    let mut out = Vec::new();
    group.bench_function("encode ROOM_ECHOED", |b| {
        b.iter(|| {
            out.clear();
            let (room, from, text) = ("default".into(), "ada".into(), text.as_str().into());
            let echoed = RoomEchoed { room, from, text, seq: 7, reference: None };
            codec::encode_answer(&Answer::RoomEchoed(echoed), None, &mut out);
        });
    });
    group.finish();
}

/// A service with one room of `members`.
fn room_of(members: usize) -> (Dispatcher, Vec<SessionId>, Actions) {
    let (now, mut actions) = (Instant::now(), Actions::default());
    let limits = Limits { rate: None, ..Limits::default() };
    let mut service = Dispatcher::new(Config { limits, ..Config::default() }, now, &mut actions);
    let join = br#"{"type":"ROOM_JOIN","data":{"room":"default"}}"#;
    let sessions = (0..members)
        .map(|_| {
            let session = service.connected(now, "", &mut actions).unwrap();
            service.handle(now, session, join, &mut || [0; 32], &mut actions);
            session
        })
        .collect();
    (service, sessions, actions)
}

fn dispatch(c: &mut Criterion) {
    let request = request();
    let (mut service, sessions, mut actions) = room_of(50);
    let now = Instant::now();
    c.bench_function("dispatch one broadcast to 50", |b| {
        b.iter(|| {
            actions.clear();
            service.handle(now, sessions[7], black_box(&request), &mut || [0; 32], &mut actions);
            black_box(actions.list().len())
        });
    });
}

criterion_group!(benches, json, dispatch);
criterion_main!(benches);
