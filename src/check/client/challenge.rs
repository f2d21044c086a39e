//! The cases of a client that proves that it knows a key: a challenge, the digest that has to come, and the welcome.

use super::cases::{ClientCase, Maker, case, connects};
use super::play::{Asks, Play, Said, Turn, Want, Way};
use crate::check::expect::Expect;
use crate::check::script::Given;

impl Maker<'_> {
    fn challenge(&self, challenge: &[u8]) -> Play {
        let turn = self.exercise.dialect.ask(0, b"");
        let digest =
            turn.make.map(|make| make(Given { received: challenge, around: None })).unwrap_or_default();
        let welcome = match turn.expect.first() {
            Some(Expect::Exact { payload, .. }) => payload.clone(),
            _ => Vec::new(),
        };
        let fixed = Some(digest.len());
        let turn = Turn { line: None, wanted: Want::Bytes(digest), says: vec![Said::plain(&welcome)] };
        Play { greeting: challenge.to_vec(), fixed, ends: true, ..self.play_of(vec![turn]) }
    }

    fn random_challenge(&mut self) -> Play {
        let bytes: Vec<u8> = (0..4).flat_map(|_| self.random.draw().to_be_bytes()).collect();
        self.challenge(&bytes)
    }
}

pub(super) fn cases(maker: &mut Maker<'_>) -> Vec<ClientCase> {
    let one = maker.random_challenge();
    let size = one.greeting.len();
    let cut = [1, size / 2, size - 1].map(|at| maker.random_challenge().by(Way::CutGreeting(at))).to_vec();
    let welcome = one.answer(0).bytes.len();
    let pieces = [1, welcome / 2].map(|at| one.clone().by(Way::Cut(at))).to_vec();
    // What a program that takes bytes for text would strip, or stop at.
    let strange = [&b" \n\r\t"[..], &vec![0; size - 8], b"\xff\n \0"].concat();
    let ended = one.clone().asking(Asks::AnyEnd);
    let mut nothing = ended.clone().by(Way::ClosesAfter(0));
    nothing.greeting.truncate(size / 2);
    nothing.turns.clear();
    let refused = ended.clone().by(Way::Refuses);
    let turned_away = vec![ended.clone().by(Way::ClosesAfter(0)), nothing, ended.by(Way::Resets)];
    vec![
        connects(one.clone()),
        case(
            "one-message",
            "The challenge is answered with the right digest, and what the server then says is printed.",
            &["connects"],
            vec![one],
        ),
        case(
            "another-challenge",
            "Each challenge, of any bytes, is answered with its own digest.",
            &["one-message"],
            vec![maker.random_challenge(), maker.challenge(&strange)],
        ),
        case(
            "late-answer",
            "A welcome that takes its time is waited for.",
            &["one-message"],
            vec![maker.random_challenge().by(Way::Late)],
        ),
        case(
            "challenge-cut",
            "A challenge that comes in two pieces is answered when it is complete.",
            &["one-message"],
            cut,
        ),
        case(
            "answer-cut",
            "What the server says is printed whole, also if it comes in pieces: until the server ends its side.",
            &["late-answer"],
            pieces,
        ),
        case(
            "answer-byte-at-a-time",
            "The same, byte by byte.",
            &["challenge-cut", "answer-cut"],
            vec![maker.random_challenge().by(Way::Bytes)],
        ),
        case(
            "exit",
            "When the server has ended its side, the program ends with exit status 0.",
            &["one-message"],
            vec![maker.random_challenge().asking(Asks::Exit)],
        ),
        case("refused", "When nobody listens on the port, the program ends.", &["exit"], vec![refused]),
        case(
            "server-closes",
            "When the server ends the connection inside its challenge, or turns the client away, the program ends: it neither waits nor spins.",
            &["exit"],
            turned_away,
        ),
    ]
}
