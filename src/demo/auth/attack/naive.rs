//! The attacks on the naive challenge. All three succeed.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use super::super::client::{self, Recording};
use super::super::server::{self, Event};
use super::super::{AuthError, WAIT};
use super::{Attack, Journal, Party, Scheme, Trap, Trial};
use crate::net::{ServerEvent, Stop, Stream};
use crate::protocol::challenge::GRANTED;
use crate::report::Events;

/// Why an attack on this scheme fails all the same.
const NOT_EVEN_HONEST: &str = "The server does not say `Access Granted` to the HMAC of an honest client: it has \
                               another key (--key), or speaks another scheme.";

/// Runs one attack against the naive server at `server`, or against one in this process.
pub(in crate::demo::auth) fn run(
    attack: Attack,
    key: &[u8],
    server: Option<SocketAddr>,
    wait: Duration,
) -> Result<Trial, AuthError> {
    match server {
        Some(server) => against(attack, key, server, wait),
        None => with_server(key, |server| against(attack, key, server, wait)),
    }
}

fn against(attack: Attack, key: &[u8], server: SocketAddr, wait: Duration) -> Result<Trial, AuthError> {
    let trial = match attack {
        Attack::Replay => replay(key, server, wait),
        Attack::Reflect | Attack::Relay => pass_on(attack, key, server, wait),
    }?;
    let why = if trial.fooled.is_empty() { NOT_EVEN_HONEST } else { trial.why };
    Ok(Trial { why, ..trial })
}

/// Runs `trial` while a naive server runs on a free port.
fn with_server<T>(
    key: &[u8],
    trial: impl FnOnce(SocketAddr) -> Result<T, AuthError>,
) -> Result<T, AuthError> {
    let (stop, (started, address)) = (Stop::new(), channel());
    let config = server::Config { key: key.to_vec(), once: false };
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    thread::scope(|scope| {
        let to_stop = stop.clone();
        let serving = scope.spawn(move || server::run(&config, &[any], &to_stop, &mut Announce(started)));
        let result = address.recv().ok().map(trial);
        stop.request();
        let served = serving.join().expect("the server does not panic");
        match result {
            Some(result) => served.and(result),
            None => Err(served.expect_err("a server that served said so")),
        }
    })
}

/// Tells where the server listens, and nothing else.
struct Announce(Sender<SocketAddr>);

impl Events<Event> for Announce {
    fn event(&mut self, event: Event) {
        if let Event::Server(ServerEvent::Listening { address, .. }) = event {
            // The receiver waits for this one.
            let _ = self.0.send(address);
        }
    }
}

/// Records a login; plays the client's part to the server, then the server's part to the client.
fn replay(key: &[u8], server: SocketAddr, wait: Duration) -> Result<Trial, AuthError> {
    use Party::{Attacker, Client, Server};
    let (mut journal, mut fooled) = (Journal::default(), Vec::new());
    let recorded = client::answer(&client::connect(&[server], wait)?, key, wait)?;
    journal.note(Server, Client, "challenge, recorded", &recorded.challenge);
    journal.note(Client, Server, "its HMAC, recorded", &recorded.mac);
    journal.note(Server, Client, "verdict, recorded", &recorded.verdict);

    let to_server = client::connect(&[server], wait)?;
    let fresh = client::recv_exact(&to_server, "challenge", wait)?;
    journal.note(Server, Attacker, "another challenge", &fresh);
    journal.note(Attacker, Server, "the old HMAC", &recorded.mac);
    to_server.send_all(&recorded.mac)?;
    let verdict = client::verdict(&to_server, wait)?;
    journal.note(Server, Attacker, "verdict", &verdict);
    if verdict == GRANTED {
        fooled.push(Server);
    }

    let believed = play_server(key, &recorded, &mut journal)?;
    if believed {
        fooled.push(Client);
    }
    Ok(journal.conclude(
        Attack::Replay,
        Scheme::Naive,
        fooled,
        "The server's challenge is new each time, so the old HMAC is worthless to it. The client challenges \
         nobody: whoever repeats yesterday's bytes is its server.",
    ))
}

/// Takes the server's place, with nothing but a recording. True if the client believes it.
fn play_server(key: &[u8], recorded: &Recording, journal: &mut Journal) -> Result<bool, AuthError> {
    let trap = Trap::new()?;
    let seen = with_client(key, trap.address, || {
        let victim = trap.accept()?;
        victim.send_all(&recorded.challenge)?;
        journal.note(Party::Attacker, Party::Client, "the old challenge", &recorded.challenge);
        let mac = client::recv_exact(&victim, "answer", WAIT)?;
        journal.note(Party::Client, Party::Attacker, "its HMAC", &mac);
        victim.send_all(&recorded.verdict)?;
        journal.note(Party::Attacker, Party::Client, "the old verdict", &recorded.verdict);
        Ok(())
    })?;
    Ok(seen.granted())
}

/// Takes the server's challenge to someone who knows the key, and brings the answer back.
fn pass_on(attack: Attack, key: &[u8], server: SocketAddr, wait: Duration) -> Result<Trial, AuthError> {
    use Party::{Attacker, Client, Server};
    let (mut journal, trap) = (Journal::default(), Trap::new()?);
    let reflect = attack == Attack::Reflect;
    let mut fooled = Vec::new();
    let seen = with_client(key, trap.address, || {
        let (victim, to_server) = (trap.accept()?, client::connect(&[server], wait)?);
        let challenge = client::recv_exact(&to_server, "challenge", wait)?;
        journal.note(Server, Attacker, "challenge", &challenge);
        victim.send_all(&challenge)?;
        journal.note(
            Attacker,
            Client,
            if reflect { "its own challenge" } else { "the same challenge" },
            &challenge,
        );
        let mac = client::recv_exact(&victim, "answer", WAIT)?;
        journal.note(Client, Attacker, "its HMAC", &mac);
        to_server.send_all(&mac)?;
        journal.note(Attacker, Server, "the same HMAC", &mac);
        let verdict = client::verdict(&to_server, wait)?;
        journal.note(Server, Attacker, "verdict", &verdict);
        if verdict == GRANTED {
            fooled.push(Server);
        }
        if !reflect {
            victim.send_all(&verdict)?;
            journal.note(Attacker, Client, "the same verdict", &verdict);
        }
        Ok(())
    })?;
    if seen.granted() {
        fooled.push(Client);
    }
    let why = if reflect {
        "A program that is client and server with one key answers its own challenge: nothing in the HMAC says \
         which end makes it."
    } else {
        "The HMAC says nothing of the connection it is meant for: made for the attacker's, it opens the server's."
    };
    Ok(journal.conclude(attack, Scheme::Naive, fooled, why))
}

/// Has a client log in at `address` while `attacker` waits for it there.
fn with_client(
    key: &[u8],
    address: SocketAddr,
    attacker: impl FnOnce() -> Result<(), AuthError>,
) -> Result<Recording, AuthError> {
    thread::scope(|scope| {
        let stream: Stream = client::connect(&[address], WAIT)?;
        let victim = scope.spawn(move || client::answer(&stream, key, WAIT));
        attacker()?;
        victim.join().expect("the client does not panic")
    })
}
