//! Altered records must get other verdicts: each test changes what `recv` returned, and nothing else.

use std::time::Duration;

use super::*;
use crate::demo::sticky::nagle::Run;
use crate::demo::sticky::record::{Call, Message};
use crate::framing::Framing;
use crate::net::table::Transport;

fn calls(bytes: &[&[u8]]) -> Vec<Call> {
    let call =
        |(n, bytes): (usize, &&[u8])| Call { at: Duration::from_micros(n as u64), bytes: bytes.to_vec() };
    bytes.iter().enumerate().map(call).collect()
}

fn record(transport: Transport, messages: &[&str], recvs: &[&str]) -> Record {
    let messages: Vec<&[u8]> = messages.iter().map(|text| text.as_bytes()).collect();
    Record {
        transport,
        framing: Framing::Raw,
        queued: None,
        messages: messages.iter().map(|payload| Message::raw(payload)).collect(),
        sends: calls(&messages),
        recvs: calls(&recvs.iter().map(|text| text.as_bytes()).collect::<Vec<_>>()),
    }
}

fn tcp(messages: &[&str], recvs: &[&str]) -> Record {
    record(Transport::Tcp, messages, recvs)
}

fn udp(messages: &[&str], recvs: &[&str]) -> Record {
    record(Transport::Udp, messages, recvs)
}

fn framed(framing: Framing, messages: &[&str], recvs: &[&[u8]]) -> Record {
    let wire = |text: &&str| Message::framed(framing, text.as_bytes()).unwrap();
    Record {
        framing,
        messages: messages.iter().map(wire).collect(),
        recvs: calls(recvs),
        ..tcp(messages, &[])
    }
}

const THREE: [&str; 3] = ["Hello", "World", "Again"];

#[test]
fn merging_needs_two_whole_messages_in_one_recv() {
    assert!(merged(&tcp(&THREE, &["HelloWorldAgain"])).observed);
    assert!(merged(&tcp(&THREE, &["Hel", "loWorldAgain"])).observed);
    for otherwise in
        [&["Hello", "World", "Again"][..], &["Hell", "oWorl", "dAgai", "n"], &["HelloWor", "ldAgain"]]
    {
        assert!(!merged(&tcp(&THREE, otherwise)).observed, "{otherwise:?}");
    }
}

#[test]
fn splitting_needs_a_recv_that_stops_inside_of_a_message() {
    let found = split(&tcp(&THREE[..2], &["Hel", "loWorld"]));
    assert!(found.observed);
    assert!(found.sentence.starts_with("Split: recv 1 stopped after 3 of message 1's 5 bytes"), "{found:?}");
    assert!(split(&tcp(&THREE[..2], &["HelloW", "orld"])).sentence.contains("after 1 of message 2's 5"));
    assert!(!split(&tcp(&THREE[..2], &["Hello", "World"])).observed);
    assert!(!split(&tcp(&THREE[..2], &["HelloWorld"])).observed);
}

#[test]
fn mixing_needs_a_whole_message_and_a_part_in_one_recv() {
    assert!(mixed(&tcp(&THREE[..2], &["HelloWo", "rld"])).observed);
    assert!(mixed(&tcp(&THREE[..2], &["Hel", "loWorld"])).observed);
    assert!(!mixed(&tcp(&THREE[..2], &["HelloWorld"])).observed);
    assert!(!mixed(&tcp(&THREE[..2], &["Hel", "lo", "World"])).observed);
}

#[test]
fn missing_and_wrong_bytes_prove_nothing() {
    for verdict in [merged, split, mixed] {
        for recvs in [&["HelloWorldAgai"][..], &["HelloWorldAgaim"], &[], &["Hel", "loWurldAgain"]] {
            let found = verdict(&tcp(&THREE, recvs));
            assert!(!found.observed, "{recvs:?}: {}", found.sentence);
            assert!(found.sentence.starts_with("Not observed: "));
        }
    }
}

#[test]
fn a_queue_that_was_not_full_in_time_proves_nothing() {
    let mut record = Record { queued: Some(15), ..tcp(&THREE, &["HelloWorldAgain"]) };
    assert!(merged(&record).observed);
    record.queued = Some(10);
    assert_eq!(merged(&record).sentence, "Not observed: 10 of 15 bytes were queued in time.");
}

#[test]
fn per_recv_counts_what_equals_the_next_unread_message() {
    let recovered = |record: &Record| Counts::of(record).recovered_per_recv;
    let cases: [(&[&str], usize); 7] = [
        (&["Hello", "World", "Again"], 3),
        (&["HelloWorldAgain"], 0),
        (&["Hel", "lo", "World", "Again"], 2),
        (&["Hello", "WorldAgain"], 1),
        (&["HelloW", "orld", "Again"], 1),
        (&["Hello", "Wurld", "Again"], 2),
        (&["World", "Hello", "Again"], 1),
    ];
    for (recvs, expected) in cases {
        assert_eq!(recovered(&tcp(&THREE, recvs)), expected, "{recvs:?}");
    }
    assert_eq!(recovered(&tcp(&["a", "", "b"], &["a", "b"])), 2, "an empty message leaves no bytes");
    assert_eq!(recovered(&udp(&["a", "", "b"], &["a", "", "b"])), 3, "an empty datagram is a message");
    assert_eq!(recovered(&udp(&THREE, &["Hel", "World", "Again"])), 2, "a cut datagram spoils itself alone");
}

#[test]
fn by_framing_is_counted_only_where_something_is_framed() {
    let recovered = |record: &Record| Counts::of(record).recovered_by_framing;
    assert_eq!(recovered(&tcp(&THREE, &["Hello", "World", "Again"])), None);
    let wire = b"\0\x05Hello\0\x05World";
    for cut in 0..=wire.len() {
        let (a, b) = wire.split_at(cut);
        assert_eq!(recovered(&framed(Framing::U16, &THREE[..2], &[a, b])), Some(2), "cut at {cut}");
    }
    let altered = b"\0\x05Hello\0\x04World";
    assert_eq!(recovered(&framed(Framing::U16, &THREE[..2], &[altered])), Some(1));
    assert_eq!(recovered(&framed(Framing::U16, &THREE[..2], &[&wire[..13]])), Some(1));
}

#[test]
fn a_framing_cures_only_if_no_cut_harms_it() {
    let wire = b"\0\x05Hello\0\x05World";
    let good = || framed(Framing::U16, &THREE[..2], &[&wire[..3], &wire[3..]]);
    assert!(whole(&good(), &[good(), good()]).observed);
    let mut wrong = good();
    wrong.recvs[1].bytes[1] ^= 1;
    assert!(!whole(&good(), &[good(), wrong.clone()]).observed);
    assert!(!whole(&wrong, &[]).observed);
    // The same bytes on both sides, but the prefix counts itself, a favourite mistake: other frames come out.
    let mistaken = b"\0\x07Hello\0\x07World";
    let mut record = framed(Framing::U16, &THREE[..2], &[mistaken]);
    record.messages[0].wire = mistaken[..7].to_vec();
    record.messages[1].wire = mistaken[7..].to_vec();
    assert!(!whole(&record, &[]).observed);
}

#[test]
fn decoded_frames_know_their_place() {
    let record = framed(Framing::Line, &["Hello", "World"], &[b"Hello\nW", b"orld\n"]);
    let places: Vec<_> = decode(&record).into_iter().map(|found| (found.frame, found.payload)).collect();
    assert_eq!(places, [(0..6, 0..5), (6..12, 6..11)]);
    let record = framed(Framing::U32, &["Hello"], &[b"\0\0", b"\0\x05Hello"]);
    assert_eq!(decode(&record)[0].payload, 4..9);
}

#[test]
fn a_newline_breaks_a_line_or_the_verdict_says_otherwise() {
    let by_hand = |payload: &str, recvs: &[&[u8]]| Record {
        framing: Framing::Line,
        messages: vec![Message::line_by_hand(payload.as_bytes())],
        recvs: calls(recvs),
        ..tcp(&[payload], &[])
    };
    let found = broken_by_newline(&by_hand("Hello\nWorld", &[b"Hello\nW", b"orld\n"]));
    assert!(found.observed && found.sentence.contains("came out as 2 messages"), "{found:?}");
    assert!(!broken_by_newline(&by_hand("Hello", &[b"Hello\n"])).observed);
    assert!(!broken_by_newline(&by_hand("Hello\nWorld", &[b"Hello\n"])).observed);
}

#[test]
fn datagrams_keep_their_boundaries_or_the_verdict_says_otherwise() {
    assert!(kept(&udp(&THREE, &THREE)).observed);
    assert!(kept(&udp(&THREE, &["Hel", "Wor", "Aga"])).sentence.contains("3 of them cut off"));
    for otherwise in [&["HelloWorld", "Again"][..], &["Hello", "World"], &["World", "Hello", "Again"]] {
        assert!(!kept(&udp(&THREE, otherwise)).observed, "{otherwise:?}");
    }
}

#[test]
fn the_rest_of_a_datagram_is_gone_or_the_verdict_says_otherwise() {
    let sent = ["HelloWorldAgain", "Hello"];
    assert!(cut_off(&udp(&sent, &["HelloWor", "Hello"])).sentence.contains("the other 7 are gone"));
    for otherwise in
        [&["HelloWor", "ldAgain"][..], &["HelloWorldAgain", "Hello"], &["HelloWor"], &["HelloWxr", "Hello"]]
    {
        assert!(!cut_off(&udp(&sent, otherwise)).observed, "{otherwise:?}");
    }
}

#[test]
fn chance_is_counted() {
    let (kind, unkind) = (tcp(&THREE, &THREE), tcp(&THREE, &["HelloWorldAgain"]));
    let found = left_to_chance(&[kind.clone(), unkind, kind.clone()]);
    assert!(found.sentence.starts_with("Chance: in 2 of 3 runs"), "{found:?}");
    assert!(!left_to_chance(&[kind, tcp(&THREE, &["Hello"])]).observed);
    assert!(!left_to_chance(&[]).observed);
}

fn nagle(off_us: &[u64], on_us: &[u64], merged_recvs: &[&str]) -> Nagle {
    let run = |nodelay, exchanges: &[u64]| Run {
        nodelay,
        record: tcp(&THREE, &["Hello", "WorldAgain"]),
        data_segments_sent: None,
        median_exchange_us: median(exchanges),
        exchanges_us: exchanges.to_vec(),
    };
    Nagle { runs: [run(false, off_us), run(true, on_us)], nodelay_merged: tcp(&THREE, merged_recvs) }
}

#[test]
fn nagle_is_seen_in_the_medians_and_merging_in_the_records() {
    let one = ["HelloWorldAgain"];
    let found = waited(&nagle(&[44_030, 43_000, 80_000], &[20, 19, 3_000], &one));
    assert!(found.observed, "{found:?}");
    assert!(found.sentence.contains("took 44.03 ms with Nagle, 0.02 ms with TCP_NODELAY"), "{found:?}");
    assert!(!waited(&nagle(&[25, 30, 20], &[20, 19, 21], &one)).observed, "no wait");
    assert!(!waited(&nagle(&[20], &[44_000], &one)).observed, "the other way round");
    assert!(!waited(&nagle(&[44_000], &[20], &THREE)).observed, "no merging");
    assert!(!waited(&nagle(&[], &[20], &one)).observed, "no exchange");
    assert!(!waited(&nagle(&[44_000], &[20], &["Hello"])).observed, "bytes missing");
}
