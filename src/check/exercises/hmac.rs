//! `hmac-challenge`: who knows the key proves it without saying it.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::check::case::{Case, reset, silent_client};
use crate::check::codec::Codec;
use crate::check::exercise::{Exercise, Lab};
use crate::check::expect::Expect;
use crate::check::plan::{Dialect, Plan, Probe, Turn, Way};
use crate::check::script::{Act, Given, Make, Script};
use crate::check::variant::{Random, Variant};
use crate::net::table::Transport;

/// Bytes of the challenge, and of the answer.
const SIZE: usize = 32;

struct Challenge {
    key: String,
    granted: Vec<u8>,
}

impl Dialect for Challenge {
    fn codec(&self) -> Codec {
        Codec::Raw
    }

    fn greeting(&self) -> Vec<Expect> {
        vec![Expect::Any(SIZE)]
    }

    fn ask(&self, _client: usize, payload: &[u8]) -> Turn {
        let expect = vec![Expect::Exact { codec: Codec::Raw, payload: self.granted.clone() }];
        Turn { payload: payload.to_vec(), make: Some(self.answer(|mac| mac)), expect }
    }
}

impl Challenge {
    /// Makes the answer to a challenge, as `bend` leaves it.
    fn answer(&self, bend: fn(Vec<u8>) -> Vec<u8>) -> Make {
        let key = self.key.clone();
        Arc::new(move |Given { received, .. }: Given<'_>| {
            let mut mac =
                <Hmac<Sha256> as KeyInit>::new_from_slice(key.as_bytes()).expect("a key of any length");
            mac.update(&received[..received.len().min(SIZE)]);
            bend(mac.finalize().into_bytes().to_vec())
        })
    }

    /// A client that answers wrongly, and is turned away; then one that answers rightly.
    fn denied(&self, bend: fn(Vec<u8>) -> Vec<u8>, half_close: bool) -> Script {
        let mut script = Script::default();
        script.add(0, Act::Open { holds: false }).add(0, Act::Expect(Expect::Any(SIZE)));
        script.add(0, Act::SendMade(self.answer(bend), Vec::new()));
        if half_close {
            script.add(0, Act::HalfClose);
        }
        script.add(0, Act::Denied(self.granted.clone()));
        script
    }
}

pub(super) fn challenge(variant: &Variant, seed: u64) -> Exercise {
    let mut random = Random::new(seed);
    let dialect = Challenge {
        key: format!("{}-{}-{}", random.word(), random.word(), random.word()),
        granted: variant.text("Access Granted").into_bytes(),
    };
    let granted = variant.text("Access Granted");
    Exercise {
        name: "hmac-challenge",
        summary: "Let in who knows the key",
        specification: format!(
            "A TCP server and a key that the client knows, too: the bytes of the variable NETLAB_KEY. To each new client the server sends a challenge \
             of 32 random bytes, new ones each time. The client answers with 32 bytes: HMAC-SHA256 of the challenge under the key. If they are \
             right, all of them, the server sends `{granted}`; if not, it closes the connection without saying that. When the client ends its side, \
             the server closes.\n\nWhere the stream is cut into segments means nothing: the answer may come in pieces. Several clients may be connected at \
             once, for as long as the server runs; whatever a client sends, and however it leaves (a \
             reset, too), harms no other client."
        ),
        lab: Lab { folder: "11-authentication", section: "Round 1: a challenge" },
        transport: Transport::Tcp,
        once: false,
        env: vec![("NETLAB_KEY", dialect.key.clone())],
        folder_env: None,
        cases: cases(&dialect),
        dialect: Arc::new(dialect),
    }
}

fn cases(dialect: &Challenge) -> Vec<Case> {
    let plan = |way| Plan::new(way, &[b"mac"]);
    let case = |name, expected: &str, needs: &[&'static str]| Case::new(name, expected, needs);
    let mut fresh = Script::default();
    for client in 0..2 {
        fresh.add(client, Act::Open { holds: false }).add(client, Act::Expect(Expect::Any(SIZE)));
        // An iterative server turns to the next one when this one has ended.
        fresh.add(client, Act::HalfClose);
    }
    fresh.add(1, Act::Differs(0));
    let all_wrong: fn(Vec<u8>) -> Vec<u8> = |mac| mac.iter().map(|byte| byte ^ 0xff).collect();
    let last_wrong: fn(Vec<u8>) -> Vec<u8> = |mut mac| {
        mac[SIZE - 1] ^= 1;
        mac
    };
    let half_wrong: fn(Vec<u8>) -> Vec<u8> = |mut mac| {
        mac[4..].iter_mut().for_each(|byte| *byte ^= 0x55);
        mac
    };
    let first_wrong: fn(Vec<u8>) -> Vec<u8> = |mut mac| {
        mac[0] ^= 1;
        mac
    };
    let start_wrong: fn(Vec<u8>) -> Vec<u8> = |mut mac| {
        mac[..SIZE - 4].iter_mut().for_each(|byte| *byte ^= 0x55);
        mac
    };
    let half: fn(Vec<u8>) -> Vec<u8> = |mac| mac[..SIZE / 2].to_vec();
    let mut cut = case("cut", "An answer that comes in pieces is right all the same.", &["one-message"]);
    for at in [1, 16, 31] {
        cut = cut.plan(plan(Way::Cut(vec![at])));
    }
    vec![
        case("one-message", "The right answer to the challenge is granted access.", &["listens"])
            .plan(plan(Way::Whole)),
        case("wrong-digest", "A wrong answer is turned away.", &["one-message"])
            .probe(Probe::WrongDigest, dialect.denied(all_wrong, false)),
        case("partial-digest", "An answer that is right in part is turned away.", &["wrong-digest"])
            .probe(Probe::PartialDigest, dialect.denied(last_wrong, false))
            .probe(Probe::PartialDigest, dialect.denied(half_wrong, false))
            .probe(Probe::PartialDigest, dialect.denied(first_wrong, false))
            .probe(Probe::PartialDigest, dialect.denied(start_wrong, false))
            .probe(Probe::PartialDigest, dialect.denied(half, true)),
        case("next-client", "When a client has left, the next one is served.", &["one-message"])
            .plan(plan(Way::Successive)),
        case("fresh-challenge", "Each client gets a challenge of its own.", &["next-client"])
            .probe(Probe::FreshChallenge, fresh),
        cut,
        case("byte-at-a-time", "An answer that comes byte by byte is right all the same.", &["cut"])
            .plan(plan(Way::Bytes)),
        case(
            "half-close",
            "A client that ends its side after its answer is granted access.",
            &["one-message"],
        )
        .plan(plan(Way::HalfClosed)),
        case(
            "many-clients",
            "Several clients are served at once, each with its own challenge.",
            &["next-client"],
        )
        .plan(plan(Way::Interleaved)),
        silent_client(b"mac"),
        reset(b"half", b"mac"),
        case("bad-input", "Whatever a client sends, the next one is served.", &["next-client"])
            .plan(plan(Way::AfterBad(b"short".to_vec())))
            .plan(plan(Way::AfterBad(vec![0xff; 100]))),
        case("idle", "A server with nothing to do uses no processor time.", &["one-message"])
            .plan(plan(Way::Idle)),
    ]
}
