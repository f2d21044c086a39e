//! The same attacks on the mutual login. All three fail, each for another reason.
//!
//! To show that the reason is the one that is told, each trial takes the other defences away: in replay and
//! reflect both ends are given the name that the server goes by, so that no address saves them.

use std::net::SocketAddr;
use std::thread;

use super::super::client::connect;
use super::super::login::{self, Frames, Recording};
use super::super::{AuthError, WAIT, nonce};
use super::{Attack, Journal, Party, Scheme, Trap, Trial};
use crate::client::SessionError;
use crate::net::socket::AcceptWaker;
use crate::protocol::codec;
use crate::protocol::message;
use crate::protocol::message::{Answer, Tag};
use crate::protocol::proof::Key;

/// What the server goes by where its address shall not matter.
const NAME: &str = "the-server";
/// What another program's server goes by.
const OTHER_NAME: &str = "another-server";

/// Runs one attack. Server, client and key are this process's own.
pub(in crate::demo::auth) fn run(attack: Attack) -> Result<Trial, AuthError> {
    let key = nonce()?;
    match attack {
        Attack::Replay => replay(&key),
        Attack::Reflect => reflect(&key),
        Attack::Relay => relay(&key),
    }
}

/// Has a server serve one connection while `talk` runs; `talk` gets its address.
fn with_server<T>(
    key: &Key,
    name: Option<&str>,
    talk: impl FnOnce(SocketAddr) -> Result<T, AuthError>,
) -> Result<T, AuthError> {
    let place = Trap::new()?;
    let waker = AcceptWaker::new(place.address)?;
    thread::scope(|scope| {
        let serving = scope.spawn(|| login::serve(place.accept()?, key, name));
        let result = talk(place.address);
        // In case nobody came, so that the server does not wait for ever.
        waker.wake();
        let ended = serving.join().expect("the server does not panic");
        // A client that breaks off is the attack's way of leaving: that alone is no failure of the trial.
        result.map_err(|error| ended.err().unwrap_or(error))
    })
}

/// Has a client log in at `address` while `attacker` waits for it there; what the client made of it.
fn with_client(
    key: &Key,
    name: Option<&str>,
    address: SocketAddr,
    attacker: impl FnOnce() -> Result<(), AuthError>,
) -> Result<Result<(), SessionError>, AuthError> {
    thread::scope(|scope| {
        let stream = connect(&[address], WAIT)?;
        let victim = scope.spawn(move || login::log_in(stream, key, name));
        attacker()?;
        Ok(victim.join().expect("the client does not panic")?.0)
    })
}

/// The next payload, noted; empty at the end of the stream.
fn hear(
    frames: &mut Frames,
    journal: &mut Journal,
    from: Party,
    what: &'static str,
) -> Result<Vec<u8>, AuthError> {
    let payload = frames.next()?.unwrap_or_default();
    journal.note(from, Party::Attacker, what, &payload);
    Ok(payload)
}

fn say(
    frames: &Frames,
    journal: &mut Journal,
    to: Party,
    what: &'static str,
    payload: &[u8],
) -> Result<(), AuthError> {
    journal.note(Party::Attacker, to, what, payload);
    frames.send(payload)
}

/// True if the server let someone in.
fn logged_in(payload: &[u8]) -> bool {
    matches!(codec::decode_answer(payload), Ok(envelope) if matches!(envelope.message, Answer::LoggedIn(_)))
}

fn replay(key: &Key) -> Result<Trial, AuthError> {
    use Party::{Client, Server};
    let (mut journal, mut fooled) = (Journal::default(), Vec::new());
    let (honest, recorded) =
        with_server(key, Some(NAME), |server| login::log_in(connect(&[server], WAIT)?, key, Some(NAME)))?;
    debug_assert!(honest.is_ok(), "{honest:?}");
    let Recording { sent, received } = &recorded;
    journal.note(Client, Server, "AUTH, recorded", &sent[0]);
    journal.note(Server, Client, "CHALLENGE, recorded", &received[0]);
    journal.note(Client, Server, "PROOF, recorded", &sent[1]);
    journal.note(Server, Client, "LOGGED_IN, recorded", &received[1]);

    let verdict = with_server(key, Some(NAME), |server| {
        let mut to_server = Frames::new(connect(&[server], WAIT)?)?;
        say(&to_server, &mut journal, Server, "the old AUTH", &sent[0])?;
        hear(&mut to_server, &mut journal, Server, "another CHALLENGE")?;
        say(&to_server, &mut journal, Server, "the old PROOF", &sent[1])?;
        hear(&mut to_server, &mut journal, Server, "verdict")
    })?;
    if logged_in(&verdict) {
        fooled.push(Server);
    }

    let trap = Trap::new()?;
    let believed = with_client(key, Some(NAME), trap.address, || {
        let mut victim = Frames::new(trap.accept()?)?;
        hear(&mut victim, &mut journal, Client, "AUTH, another nonce")?;
        say(&victim, &mut journal, Client, "the old CHALLENGE", &received[0])?;
        hear(&mut victim, &mut journal, Client, "PROOF")?;
        say(&victim, &mut journal, Client, "the old LOGGED_IN", &received[1])
    })?;
    if believed.is_ok() {
        fooled.push(Client);
    }
    Ok(journal.conclude(
        Attack::Replay,
        Scheme::Mutual,
        fooled,
        "Both ends put in a new nonce, and both proofs cover both: yesterday's proof fits no login of today.",
    ))
}

fn reflect(key: &Key) -> Result<Trial, AuthError> {
    use Party::{Client, Server};
    let (mut journal, mut fooled) = (Journal::default(), Vec::new());
    // The program's client speaks to another server; its own server is asked for the challenge.
    let trap = Trap::new()?;
    let between = with_client(key, Some(OTHER_NAME), trap.address, || {
        let mut victim = Frames::new(trap.accept()?)?;
        let auth = hear(&mut victim, &mut journal, Client, "AUTH")?;
        let verdict = with_server(key, Some(NAME), |server| {
            let mut own = Frames::new(connect(&[server], WAIT)?)?;
            say(&own, &mut journal, Server, "its own AUTH", &auth)?;
            let challenge = hear(&mut own, &mut journal, Server, "CHALLENGE")?;
            say(&victim, &mut journal, Client, "its own CHALLENGE", &challenge)?;
            let proof = hear(&mut victim, &mut journal, Client, "PROOF, for another server")?;
            say(&own, &mut journal, Server, "its own PROOF", &proof)?;
            hear(&mut own, &mut journal, Server, "verdict")
        })?;
        if logged_in(&verdict) {
            fooled.push(Server);
        }
        Ok(())
    })?;
    debug_assert!(between.is_err(), "nobody answered the client's proof");
    // The client's proof as the server's: the same key, the same nonces, the same name.
    let trap = Trap::new()?;
    let believed = with_client(key, Some(NAME), trap.address, || {
        let mut victim = Frames::new(trap.accept()?)?;
        hear(&mut victim, &mut journal, Client, "AUTH")?;
        say(&victim, &mut journal, Client, "a made-up CHALLENGE", &made_up_challenge())?;
        let proof = hear(&mut victim, &mut journal, Client, "PROOF")?;
        say(&victim, &mut journal, Client, "its own proof back", &as_logged_in(&proof))
    })?;
    if believed.is_ok() {
        fooled.push(Client);
    }
    Ok(journal.conclude(
        Attack::Reflect,
        Scheme::Mutual,
        fooled,
        "A proof names the server that it is for and the end that makes it: a client's is no server's, and one \
         for another server opens none.",
    ))
}

fn relay(key: &Key) -> Result<Trial, AuthError> {
    use Party::{Client, Server};
    let (mut journal, mut fooled) = (Journal::default(), Vec::new());
    let trap = Trap::new()?;
    let believed = with_client(key, None, trap.address, || {
        let mut victim = Frames::new(trap.accept()?)?;
        let verdict = with_server(key, None, |server| {
            let mut to_server = Frames::new(connect(&[server], WAIT)?)?;
            let auth = hear(&mut victim, &mut journal, Client, "AUTH")?;
            say(&to_server, &mut journal, Server, "the same AUTH", &auth)?;
            let challenge = hear(&mut to_server, &mut journal, Server, "CHALLENGE")?;
            say(&victim, &mut journal, Client, "the same CHALLENGE", &challenge)?;
            let proof = hear(&mut victim, &mut journal, Client, "PROOF")?;
            say(&to_server, &mut journal, Server, "the same PROOF", &proof)?;
            hear(&mut to_server, &mut journal, Server, "verdict")
        })?;
        say(&victim, &mut journal, Client, "the same verdict", &verdict)?;
        if logged_in(&verdict) {
            fooled.push(Server);
        }
        Ok(())
    })?;
    if believed.is_ok() {
        fooled.push(Client);
    }
    Ok(journal.conclude(
        Attack::Relay,
        Scheme::Mutual,
        fooled,
        "Each end proves itself for the server address of its own socket: the client's is the attacker's, the \
         server's its own. (Who sits on the path itself and changes nothing else is not noticed, and reads and \
         alters what follows the login: against that only encryption helps, such as TLS.)",
    ))
}

fn encoded(answer: &Answer<'_>) -> Vec<u8> {
    let mut payload = Vec::new();
    codec::encode_answer(answer, Some(&Tag::Number(0)), &mut payload);
    payload
}

fn made_up_challenge() -> Vec<u8> {
    let nonce = "5a".repeat(32);
    encoded(&Answer::Challenge(message::Challenge { server: NAME.into(), nonce: nonce.into() }))
}

/// The client's own MAC, dressed as the server's.
fn as_logged_in(proof: &[u8]) -> Vec<u8> {
    let mac = match codec::decode_request(proof).map(|envelope| envelope.message) {
        Ok(message::Request::Proof(proof)) => proof.mac.to_string(),
        _ => String::new(),
    };
    let (username, room) = (login::USERNAME.into(), crate::protocol::DEFAULT_ROOM.into());
    encoded(&Answer::LoggedIn(message::LoggedIn { username, room, mac: Some(mac.into()) }))
}
