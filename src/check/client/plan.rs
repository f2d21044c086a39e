//! What the server plays for a client: the messages that the client is given, the answers, and how these are cut.
//! Made from the exercise's dialect, so that a variant's codec and texts hold here too. Pure.

use crate::check::case::{WIDE, numbered};
use crate::check::codec::{Codec, Wire};
use crate::check::exercise::Exercise;
use crate::check::expect::Expect;
use crate::check::script::Given;
use crate::check::variant::Random;
use crate::net::table::Transport;

/// How the server sends what it has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Each answer in one send.
    Whole,
    /// Each answer in one send, after a pause.
    Late,
    /// Each answer in two pieces.
    Cut(usize),
    /// The greeting in two pieces.
    CutGreeting(usize),
    /// Everything byte by byte.
    Bytes,
    /// All answers in one send, if the client asks on while it waits.
    Coalesced,
    /// So many bytes of the first answer, and then the end.
    ClosesAfter(usize),
}

/// What has to be seen before a play is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// The client comes.
    Connection,
    /// Messages and printed answers.
    Answers,
    /// The same, and the program's end with exit status 0.
    Exit,
    /// Some end of the program, whatever it printed.
    AnyEnd,
}

/// One play.
#[derive(Clone, Debug)]
pub(super) struct Play {
    /// What the server says first.
    pub(super) greeting: Vec<u8>,
    /// The lines of the program's stdin.
    pub(super) lines: Vec<Vec<u8>>,
    /// The messages that have to come.
    pub(super) wanted: Vec<Vec<u8>>,
    /// The payloads of their answers.
    pub(super) answers: Vec<Vec<u8>>,
    pub(super) way: Way,
    pub(super) asks: Asks,
    /// A line is given when the one before it was answered, and the end of stdin last.
    pub(super) one_by_one: bool,
    /// The server ends its side after its last answer.
    pub(super) ends: bool,
    /// How answers stand on the wire.
    pub(super) codec: Codec,
    /// Each message is so many bytes, where the codec does not tell.
    pub(super) fixed: Option<usize>,
}

/// What is asked of a client.
#[derive(Clone, Debug)]
pub(super) struct ClientCase {
    pub(super) name: &'static str,
    pub(super) expected: &'static str,
    pub(super) needs: &'static [&'static str],
    pub(super) plays: Vec<Play>,
}

impl Play {
    /// The first message of `bytes`.
    pub(super) fn decode(&self, bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
        match self.fixed {
            Some(size) => Ok(bytes.get(..size).map(|message| (message.to_vec(), size))),
            None => self.codec.decode(bytes),
        }
    }

    /// Answer number `number` on the wire.
    pub(super) fn answer(&self, number: usize) -> Wire {
        self.codec.encode(&self.answers[number])
    }

    /// The program's stdin.
    pub(super) fn stdin(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect()
    }

    fn by(mut self, way: Way) -> Play {
        self.way = way;
        self
    }

    fn asking(mut self, asks: Asks) -> Play {
        self.asks = asks;
        self
    }
}

/// Makes plays in an exercise's form.
struct Maker<'a> {
    exercise: &'a Exercise,
    random: Random,
}

/// All cases of a client of `exercise`, which is one that has such a form.
pub(super) fn cases(exercise: &Exercise, seed: u64) -> Vec<ClientCase> {
    let mut maker = Maker { exercise, random: Random::new(seed) };
    if !exercise.dialect.greeting().is_empty() && exercise.dialect.ask(0, b"").make.is_some() {
        return challenge(&mut maker);
    }
    let mut cases = maker.messages();
    if exercise.transport == Transport::Tcp {
        cases.extend(maker.pieces());
    }
    cases.extend(maker.ends());
    cases
}

fn case(
    name: &'static str,
    expected: &'static str,
    needs: &'static [&'static str],
    plays: Vec<Play>,
) -> ClientCase {
    ClientCase { name, expected, needs, plays }
}

impl Maker<'_> {
    /// These messages, each with the answer that the exercise's server gives.
    fn play(&self, messages: &[&[u8]]) -> Play {
        let answer = |message: &&[u8]| match self.exercise.dialect.ask(0, message).expect.first() {
            Some(Expect::Exact { payload, .. } | Expect::Content(payload)) => payload.clone(),
            _ => Vec::new(),
        };
        let messages_owned: Vec<Vec<u8>> = messages.iter().map(|message| message.to_vec()).collect();
        Play {
            greeting: Vec::new(),
            lines: messages_owned.clone(),
            answers: messages.iter().map(answer).collect(),
            wanted: messages_owned,
            way: Way::Whole,
            asks: Asks::Answers,
            one_by_one: false,
            ends: false,
            codec: self.exercise.dialect.codec(),
            fixed: None,
        }
    }

    fn words(&mut self, count: usize) -> Play {
        let words: Vec<String> = (0..count).map(|_| self.random.word()).collect();
        let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
        self.play(&words)
    }

    fn messages(&mut self) -> Vec<ClientCase> {
        let one = self.play(&[b"Hello"]);
        let mut other = self.words(2);
        other.answers = vec![b"quite another text, and longer".to_vec(), b"x".to_vec()];
        let mut line_by_line = self.words(3);
        line_by_line.one_by_one = true;
        vec![
            case(
                "connects",
                "The client comes to the port that it was given.",
                &[],
                vec![one.clone().asking(Asks::Connection)],
            ),
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
                vec![line_by_line],
            ),
            case(
                "other-answers",
                "What is printed is what came, also where that is longer or shorter than what was sent.",
                &["several-messages"],
                vec![other],
            ),
            case(
                "empty-message",
                "An empty line is sent as an empty message, and its empty answer is printed as a line.",
                &["several-messages"],
                vec![self.play(&[b"", b"end"])],
            ),
            case(
                "wide-characters",
                "Text beyond ASCII is sent and printed in UTF-8: a length counts bytes, not characters.",
                &["one-message"],
                vec![self.play(&["é".as_bytes(), b"end"]), self.play(&[WIDE.as_bytes(), b"end"])],
            ),
            case(
                "late-answer",
                "An answer that takes its time is waited for.",
                &["several-messages"],
                vec![self.words(2).by(Way::Late)],
            ),
        ]
    }

    fn pieces(&mut self) -> Vec<ClientCase> {
        let two = self.words(2);
        let first = two.answer(0);
        let cuts = two.codec.cuts(&first).into_iter().map(|at| two.clone().by(Way::Cut(at))).collect();
        vec![
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
                vec![self.words(3).by(Way::Coalesced)],
            ),
        ]
    }

    fn ends(&mut self) -> Vec<ClientCase> {
        let tcp = self.exercise.transport == Transport::Tcp;
        let largest = match (self.exercise.transport, self.exercise.dialect.codec()) {
            (Transport::Udp, _) => 4_096,
            (_, Codec::Line) => 32_000,
            (_, codec) => codec.prefix().map_or(65_000, |prefix| prefix.max().min(200_000)),
        };
        let large = |size: usize| {
            let mut play = self.play(&[b"large", b"end"]);
            play.answers[0] = numbered(0, size);
            play
        };
        let sizes = [1_025, 2_049, 4_097, 10_000, 65_000, 200_000];
        let mut plays: Vec<Play> = sizes.into_iter().filter(|size| *size < largest).map(large).collect();
        plays.push(large(largest));
        let long = numbered(0, if tcp { 10_000 } else { 4_000 });
        let needs: &[&str] = if tcp { &["answer-cut"] } else { &["several-messages"] };
        let exit = vec![self.words(2).asking(Asks::Exit), self.play(&[]).asking(Asks::Exit)];
        let mut cases = vec![
            case(
                "large-message",
                "A long line is sent whole, as one message.",
                &["several-messages"],
                vec![{
                    let mut play = self.play(&[&long, b"end"]);
                    play.answers[0] = b"received".to_vec();
                    play
                }],
            ),
            case("large-answer", "A long answer is printed whole.", needs, plays),
            case(
                "exit",
                "When stdin has ended and all answers have come, the program ends with exit status 0; also if there was no line at all.",
                &["one-message"],
                exit,
            ),
        ];
        if tcp {
            let two = self.words(2).asking(Asks::AnyEnd);
            let half = two.answer(0).bytes.len() / 2;
            let expected = "When the server ends the connection before it has answered, the program ends: it neither waits nor spins.";
            let plays = vec![two.clone().by(Way::ClosesAfter(0)), two.by(Way::ClosesAfter(half))];
            cases.push(case("server-closes", expected, &["exit"], plays));
        }
        cases
    }

    /// A challenge, the digest that has to come, and the welcome.
    fn challenge(&self, challenge: &[u8]) -> Play {
        let turn = self.exercise.dialect.ask(0, b"");
        let digest =
            turn.make.map(|make| make(Given { received: challenge, around: None })).unwrap_or_default();
        let mut play = self.play(&[&digest]);
        play.greeting = challenge.to_vec();
        play.lines = Vec::new();
        play.fixed = Some(digest.len());
        play.ends = true;
        play
    }

    fn random_challenge(&mut self) -> Play {
        let bytes: Vec<u8> = (0..4).flat_map(|_| self.random.draw().to_be_bytes()).collect();
        self.challenge(&bytes)
    }
}

/// The cases where the client proves that it knows a key.
fn challenge(maker: &mut Maker<'_>) -> Vec<ClientCase> {
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
    nothing.wanted.clear();
    vec![
        case(
            "connects",
            "The client comes to the port that it was given.",
            &[],
            vec![one.clone().asking(Asks::Connection)],
        ),
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
        case(
            "server-closes",
            "When the server ends the connection inside its challenge, or turns the client away, the program ends: it neither waits nor spins.",
            &["exit"],
            vec![ended.by(Way::ClosesAfter(0)), nothing],
        ),
    ]
}
