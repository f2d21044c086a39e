//! What is asked of every client that has messages: cases made in its exercise's form, so that a variant's codec and
//! texts hold here too. Pure.

use super::forms::Form;
use super::play::{Asks, Play, Said, Turn, Way};
use super::{challenge, requests};
use crate::check::case::{WIDE, numbered};
use crate::check::codec::Codec;
use crate::check::exercise::Exercise;
use crate::check::expect::Expect;
use crate::check::variant::Random;
use crate::net::table::Transport;

/// What is asked of a client.
#[derive(Clone, Debug)]
pub(super) struct ClientCase {
    pub(super) name: &'static str,
    pub(super) expected: &'static str,
    pub(super) needs: &'static [&'static str],
    pub(super) plays: Vec<Play>,
}

/// A text of the slow reader's: more than a socket's buffers hold there, less than any exercise allows. A whole number
/// of groups of [`numbered`], so that the next text goes on where it ends.
const SLOW_TEXT: usize = 29_995;
/// All of them together are less than what is kept of a program's stdout.
const SLOW_TEXTS: usize = 8;

/// All cases of a client of `exercise`.
pub(super) fn cases(exercise: &Exercise, seed: u64) -> Vec<ClientCase> {
    let form = Form::of(exercise.name);
    let mut maker = Maker { exercise, form, random: Random::new(seed) };
    if form == Form::Challenge {
        return challenge::cases(&mut maker);
    }
    let mut cases = maker.messages();
    if exercise.transport == Transport::Tcp {
        cases.extend(maker.pieces());
    }
    cases.extend(requests::cases(&mut maker));
    cases.extend(maker.sizes());
    cases.extend(maker.ends());
    cases
}

pub(super) fn case(
    name: &'static str,
    expected: &'static str,
    needs: &'static [&'static str],
    plays: Vec<Play>,
) -> ClientCase {
    ClientCase { name, expected, needs, plays }
}

/// What every exercise asks first.
pub(super) fn connects(play: Play) -> ClientCase {
    let expected = "The client comes to the port that it was given.";
    case("connects", expected, &[], vec![play.asking(Asks::Connection)])
}

/// The server is not there, or goes: before a connection, by a FIN or by a reset.
pub(super) fn gone(play: &Play) -> [ClientCase; 2] {
    let play = play.clone().asking(Asks::AnyEnd);
    let half = play.answer(0).bytes.len() / 2;
    let closes = "When the server ends or resets the connection before it has answered, the program ends: it neither waits nor spins.";
    let ways = [Way::ClosesAfter(0), Way::ClosesAfter(half), Way::Resets];
    let plays = ways.map(|way| play.clone().by(way)).to_vec();
    let refused = "When nobody listens on the port, the program ends.";
    [
        case("refused", refused, &["exit"], vec![play.by(Way::Refuses)]),
        case("server-closes", closes, &["exit"], plays),
    ]
}

/// Makes plays in an exercise's form.
pub(super) struct Maker<'a> {
    pub(super) exercise: &'a Exercise,
    pub(super) form: Form,
    pub(super) random: Random,
}

impl Maker<'_> {
    /// A play of these turns.
    pub(super) fn play_of(&self, turns: Vec<Turn>) -> Play {
        let codec = match self.exercise.dialect.codec() {
            // Lines in, lines out; on UDP a message is a datagram.
            Codec::Raw if self.form == Form::Stream => Codec::Line,
            codec => codec,
        };
        let (mut greeting, mut greeted) = (Vec::new(), Vec::new());
        if self.form == Form::Stream
            && let Some(Expect::Exact { payload, .. }) = self.exercise.dialect.greeting().first()
        {
            greeting.clone_from(payload);
            greeted.push(payload.strip_suffix(b"\n").unwrap_or(payload).to_vec());
        }
        Play {
            greeting,
            greeted,
            turns,
            push: None,
            way: Way::Whole,
            asks: Asks::Answers,
            one_by_one: false,
            ends: false,
            codec,
            fixed: None,
        }
    }

    /// These texts and their answers, behind what comes first.
    pub(super) fn with_answers(&self, texts: &[(&[u8], &[u8])]) -> Play {
        let turns = texts.iter().map(|(text, answer)| self.form.turn(text, answer));
        self.play_of(self.form.opening().into_iter().chain(turns).collect())
    }

    /// These messages, each with the answer that the exercise's server gives.
    pub(super) fn play(&self, texts: &[&[u8]]) -> Play {
        if self.form.speaks_json() {
            let same: Vec<(&[u8], &[u8])> = texts.iter().map(|text| (*text, *text)).collect();
            return self.with_answers(&same);
        }
        let answer = |text: &&[u8]| match self.exercise.dialect.ask(0, text).expect.first() {
            Some(Expect::Exact { payload, .. } | Expect::Content(payload)) => payload.clone(),
            _ => Vec::new(),
        };
        let answers: Vec<Vec<u8>> = texts.iter().map(answer).collect();
        let pairs: Vec<(&[u8], &[u8])> =
            texts.iter().zip(&answers).map(|(text, answer)| (*text, &answer[..])).collect();
        self.with_answers(&pairs)
    }

    /// Some words as messages.
    pub(super) fn words(&mut self, count: usize) -> Play {
        let words: Vec<String> = (0..count).map(|_| self.random.word()).collect();
        let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
        self.play(&words)
    }

    fn messages(&mut self) -> Vec<ClientCase> {
        let one = self.play(&[b"Hello"]);
        // A server of a stream sends as many bytes as it gets.
        let (first, other): (&[u8], &[u8]) = if self.form == Form::Stream {
            (b"5 bytes", b"others")
        } else {
            (b"quite another text, and longer", b"x")
        };
        let asked: (&[u8], &[u8]) = (b"Hello w", b"Answer");
        let other = self.with_answers(&[(asked.0, first), (asked.1, other)]);
        let mut cases = vec![
            connects(one.clone()),
            case(
                "one-message",
                "A line of stdin is sent as one message, and its answer printed.",
                &["connects"],
                vec![one],
            ),
            case(
                "several-messages",
                "Each line is a message of its own, on the same connection; each answer is printed as a line, in order.",
                &["one-message"],
                vec![self.words(3)],
            ),
            case(
                "line-by-line",
                "A line is sent as soon as it has been read, not at the end of stdin.",
                &["several-messages"],
                vec![self.words(3).line_by_line()],
            ),
            case(
                "other-answers",
                "What is printed is what came, also where that is other text than what was sent.",
                &["several-messages"],
                vec![other],
            ),
        ];
        if !self.form.speaks_json() {
            let expected =
                "An empty line is sent as an empty message, and its empty answer is printed as a line.";
            let plays = vec![self.play(&[b"", b"end"])];
            cases.push(case("empty-message", expected, &["several-messages"], plays));
        }
        cases.push(case(
            "wide-characters",
            "Text beyond ASCII is sent and printed in UTF-8: a length counts bytes, not characters.",
            &["one-message"],
            vec![self.play(&["é".as_bytes(), b"end"]), self.play(&[WIDE.as_bytes(), b"end"])],
        ));
        cases.push(case(
            "late-answer",
            "An answer that takes its time is waited for.",
            &["several-messages"],
            vec![self.words(2).by(Way::Late)],
        ));
        cases
    }

    fn pieces(&mut self) -> Vec<ClientCase> {
        let two = self.words(2);
        let first = two.answer(0);
        let cuts = two.codec.cuts(&first).into_iter().map(|at| two.clone().by(Way::Cut(at))).collect();
        let mut cases = vec![
            case(
                "answer-cut",
                "An answer that comes in two pieces is printed once, when it is complete.",
                &["late-answer"],
                cuts,
            ),
            case(
                "answer-byte-at-a-time",
                "An answer that comes byte by byte is printed once, when it is complete.",
                &["answer-cut"],
                vec![self.words(2).by(Way::Bytes)],
            ),
            case(
                "answers-coalesced",
                "Several answers that come at once are printed one by one. (A client that waits for each answer gets them singly.)",
                &["several-messages"],
                vec![self.words(4).by(Way::Coalesced)],
            ),
        ];
        let wide = self.character_cuts();
        if wide.len() == 2 {
            let expected = "An answer that is cut inside a character is printed as it is.";
            cases.push(case("answer-cut-character", expected, &["answer-cut", "wide-characters"], wide));
        }
        cases
    }

    /// An answer cut between two characters, and inside the second one.
    fn character_cuts(&self) -> Vec<Play> {
        let text = WIDE.as_bytes();
        let wide = match self.form {
            Form::Records => self.with_answers(&[(b"id", text), (b"id", b"end")]),
            _ => self.play(&[text, b"end"]),
        };
        // Each answer is cut at the same place: it lies in the first long one, which has the character.
        let place = |n: usize| wide.answer(n).bytes.iter().position(|byte| *byte == 0xf0);
        let between = (0..wide.turns.len()).find_map(place);
        let at = |at: usize| wide.clone().by(Way::Cut(at));
        between.map_or_else(Vec::new, |before| vec![at(before), at(before + 1)])
    }

    /// The largest answer of the exercise, in bytes.
    fn largest(&self) -> usize {
        match (self.exercise.transport, self.exercise.dialect.codec()) {
            _ if self.form.speaks_json() => 32_000,
            (Transport::Udp, _) => 4_096,
            (_, Codec::Line) => 32_000,
            (_, codec) => codec.prefix().map_or(65_000, |prefix| prefix.max().min(200_000)),
        }
    }

    fn sizes(&mut self) -> Vec<ClientCase> {
        let tcp = self.exercise.transport == Transport::Tcp;
        let largest = self.largest();
        let large = |size: usize| {
            let long = numbered(0, size);
            // A server of a stream sends as many bytes as it gets.
            let asked: &[u8] = if self.form == Form::Stream { &long } else { b"large" };
            self.with_answers(&[(asked, &long), (b"end", b"END")])
        };
        let sizes = [1_025, 2_049, 4_097, 10_000, 65_000, 200_000];
        let mut plays: Vec<Play> = sizes.into_iter().filter(|size| *size < largest).map(large).collect();
        plays.push(large(largest));
        let sizes = if tcp { vec![10_000, SLOW_TEXT] } else { vec![4_000] };
        let long = |size: &usize| self.play(&[&numbered(0, *size), b"end"]);
        let needs: &[&str] = if tcp { &["answer-cut"] } else { &["several-messages"] };
        let mut cases = vec![
            case(
                "large-message",
                "A long line is sent whole, as one message.",
                &["several-messages"],
                sizes.iter().map(long).collect(),
            ),
            case("large-answer", "A long answer is printed whole.", needs, plays),
        ];
        if tcp {
            let texts: Vec<Vec<u8>> =
                (0..SLOW_TEXTS).map(|n| numbered(n * SLOW_TEXT / 7, SLOW_TEXT)).collect();
            let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
            let slow = self.play(&texts).by(Way::Slow);
            let expected = "Long lines come whole also where the server reads slowly, so that a send takes a part alone.";
            cases.push(case("slow-server", expected, &["large-message"], vec![slow]));
        }
        cases
    }

    fn ends(&mut self) -> Vec<ClientCase> {
        let nothing = self.play_of(Vec::new());
        let exit = vec![self.words(2).asking(Asks::Exit), nothing.asking(Asks::Exit)];
        let expected = "When stdin has ended and all answers have come, the program ends with exit status 0; also if there was no line at all.";
        let mut cases = vec![case("exit", expected, &["one-message"], exit)];
        if self.exercise.transport == Transport::Tcp {
            cases.extend(gone(&self.words(2)));
        }
        cases
    }

    /// A message that nobody asked for.
    pub(super) fn pushed(play: Play, push: Said) -> Play {
        Play { push: Some(push), ..play }.by(Way::Unasked).line_by_line()
    }
}
