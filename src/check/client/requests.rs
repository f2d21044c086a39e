//! The cases of clients that ask in JSON: rooms and records. What comes unasked, what is refused, and what nobody can
//! read.

use super::cases::{ClientCase, Maker, case};
use super::forms::{self, Form, request};
use super::play::{Play, Said, Way};

pub(super) fn cases(maker: &mut Maker<'_>) -> Vec<ClientCase> {
    match maker.form {
        Form::Rooms => {
            let mut cases = vec![all_requests(maker)];
            cases.extend(pushes(maker));
            cases.extend(refusals(maker));
            cases
        }
        Form::Records => {
            let asks = [
                request("RECORD_WRITE ada two words", vec![forms::written("ada")]),
                request("RECORD_READ ada", vec![forms::record("ada", "two words")]),
                request("RECORD_READ bob_1", vec![forms::record("bob_1", "Student ID: 7\nName: Bob")]),
            ];
            let expected = "Records are written and read; a text of several lines is printed as it is.";
            let plays = vec![maker.play_of(asks.to_vec())];
            let mut cases = vec![case("all-requests", expected, &["several-messages"], plays)];
            cases.extend(refusals(maker));
            cases
        }
        _ => Vec::new(),
    }
}

fn all_requests(maker: &Maker<'_>) -> ClientCase {
    let asks = [
        request("ROOM_CREATE blue", vec![forms::created("blue")]),
        request("ROOM_LIST", vec![forms::listed(&[("default", 3), ("blue", 1)])]),
        request("ROOM_LEAVE", vec![forms::left("blue", "ada")]),
        request("ROOM_JOIN red-1", vec![forms::joined("red-1", "ada", 2)]),
        request("ROOM_LIST", vec![forms::listed(&[("default", 4)])]),
        request("ROOM_ECHO  two  words ", vec![forms::echoed("ada", " two  words ")]),
    ];
    let turns = maker.form.opening().into_iter().chain(asks).collect();
    let expected =
        "Each request has its type and its data, and each answer's values are printed in their order.";
    case("all-requests", expected, &["several-messages"], vec![maker.play_of(turns)])
}

/// What others in the room are told comes at any time.
fn pushes(maker: &mut Maker<'_>) -> Vec<ClientCase> {
    let word = maker.random.word();
    let mut between = maker.words(3).by(Way::Pushed);
    between.turns[1].says.insert(0, forms::joined("default", "bob", 2));
    between.turns[2].says.insert(0, forms::echoed("bob", &word));
    let mut coalesced = between.clone().by(Way::Coalesced);
    // Behind the answer: what is lost there is the rest of the buffer.
    coalesced.turns.iter_mut().for_each(|turn| turn.says.reverse());
    let unasked = Maker::pushed(maker.words(2), forms::echoed("bob", &word));
    let said = "What another one says or does comes between a request and its answer: both are printed, in the order in which they came.";
    let together = "The same in one send with the answer.";
    let idle = "What comes while nobody types is printed at once, not with the next line.";
    vec![
        case("notice-between", said, &["several-messages"], vec![between]),
        case("notice-coalesced", together, &["notice-between", "answer-cut"], vec![coalesced]),
        case("notice-unasked", idle, &["line-by-line", "notice-between"], vec![unasked]),
    ]
}

/// An error is an answer, too; and what is no message is passed over.
fn refusals(maker: &mut Maker<'_>) -> Vec<ClientCase> {
    let (asks, code) = match maker.form {
        Form::Rooms => ("ROOM_JOIN nowhere", "no_such_room"),
        _ => ("RECORD_READ nobody", "no_such_record"),
    };
    let behind = |first: Vec<Said>| {
        let more = maker.form.turn(b"more", b"more");
        let asked = request(asks, first);
        maker.play_of(maker.form.opening().into_iter().chain([asked, more]).collect())
    };
    let error = forms::error(code, "there is none of that name");
    let no_json = Said { payload: b"{no json".to_vec(), shown: None };
    let no_text = Said { payload: b"\xff\xfe".to_vec(), shown: None };
    let and_error = |first: Said| -> Play { behind(vec![first, error.clone()]).by(Way::Pushed) };
    let others = [forms::unknown(), no_json, no_text].map(and_error).to_vec();
    vec![
        case(
            "error-answer",
            "An ERROR is printed like any answer, and the client goes on.",
            &["several-messages"],
            vec![behind(vec![error.clone()])],
        ),
        case(
            "strange-message",
            "Of a message that the client does not know, or that is no JSON, nothing is printed, and the client goes on.",
            &["error-answer"],
            others,
        ),
    ]
}
