//! Logins on real sockets: every way to pass for somebody else that a proof must not allow, and passwords.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;
mod rooms;

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use netlab::client::{ClientError, Credentials, SessionError};
use netlab::protocol::Code;
use netlab::protocol::proof::{from_hex, to_hex};
use serde_json::{Value, json};

use harness::Server;
use rooms::{Client, End, Place, nonce, open};

const FAILED: &str = "user name, password or key is wrong";

/// A server that wants keys, and two of its users' keys.
fn keyed() -> (Place, Server, [u8; 32], [u8; 32]) {
    let place = Place::new();
    let (ada, bob) = (place.add_user("ada", &[]), place.add_user("bob", &[]));
    let server = place.serve(&["--auth", "hmac"]);
    (place, server, ada, bob)
}

fn assert_failed(answer: &Value, what: &str) {
    assert_eq!(answer["type"], "ERROR", "{what} was accepted: {answer}");
    assert_eq!(answer["data"]["code"], "login_failed", "{what}: {answer}");
    assert_eq!(answer["data"]["message"], FAILED, "{what}: every failure says the same");
}

/// Logs in by the book; returns the client's nonce and both MACs.
fn log_in(client: &mut Client, user: &str, key: &[u8; 32]) -> ([u8; 32], [u8; 32], [u8; 32]) {
    let mine = nonce();
    let theirs = client.challenge(user, &mine);
    let transcript = client.transcript(user, &mine, &theirs);
    let mac = transcript.client_mac(key);
    let answer = client.prove(&mac);
    assert_eq!(answer["type"], "LOGGED_IN", "{answer}");
    let server_mac = from_hex(answer["data"]["mac"].as_str().unwrap()).unwrap();
    assert!(transcript.is_server_mac(key, &server_mac), "the server proves itself as well");
    (mine, mac, server_mac)
}

// Catches: a server nonce that is constant, or made of the client's.
#[test]
fn a_replayed_proof_is_refused() {
    let (_place, server, ada, _) = keyed();
    let mut first = Client::connect(server.addr);
    let (mine, mac, _) = log_in(&mut first, "ada", &ada);
    let mut second = Client::connect(server.addr);
    second.challenge("ada", &mine);
    assert_failed(&second.prove(&mac), "yesterday's proof");
    assert_eq!(first.ask("PING", &json!(1))["type"], "PONG", "and the real one stays");
}

// Catches: a server nonce that outlives its first answer (`take` replaced by a clone), a first challenge that a
// second AUTH does not discard.
#[test]
fn a_nonce_dies_with_its_first_answer() {
    let (_place, server, ada, _) = keyed();
    let mut client = Client::connect(server.addr);
    let mine = nonce();
    let theirs = client.challenge("ada", &mine);
    let right = client.transcript("ada", &mine, &theirs).client_mac(&ada);
    assert_failed(&client.prove(&[0; 32]), "a guess");
    assert_eq!(client.prove(&right)["data"]["code"], "wrong_state", "too late");
    let first = client.challenge("ada", &mine);
    let second = client.challenge("ada", &mine);
    assert_ne!(first, second);
    let stale = client.transcript("ada", &mine, &first).client_mac(&ada);
    assert_failed(&client.prove(&stale), "a proof for the first of two challenges");
    assert_eq!(Client::connect(server.addr).prove(&right)["data"]["code"], "wrong_state", "without AUTH");
}

// Catches: one label for both ends, a server that proves itself before the client has.
#[test]
fn a_reflected_and_a_role_swapped_proof_are_refused() {
    let (_place, server, ada, _) = keyed();
    let mut client = Client::connect(server.addr);
    let (mine, _, server_mac) = log_in(&mut client, "ada", &ada);
    // Reflected: what the server has sent as its own proof, and its challenge as the client's nonce.
    let mut attacker = Client::connect(server.addr);
    attacker.challenge("ada", &mine);
    assert_failed(&attacker.prove(&server_mac), "the server's own proof of another login");
    let theirs = attacker.challenge("ada", &mine);
    let again = attacker.challenge("ada", &theirs);
    let mut other = Client::connect(server.addr);
    let third = other.challenge("ada", &again);
    assert!(third != again && third != theirs, "a nonce that is sent back is not used again");
    // Role-swapped: right in everything but the role.
    let swapped = other.transcript("ada", &again, &third).server_mac(&ada);
    assert_failed(&other.prove(&swapped), "a server's proof for this very login");
    let theirs = other.challenge("ada", &mine);
    let nonces = other.transcript("ada", &theirs, &mine).client_mac(&ada);
    assert_failed(&other.prove(&nonces), "a proof with the nonces swapped");
}

// Catches: a key that is looked up by one name while another is hashed, a transcript of the registered name.
#[test]
fn a_proof_of_another_user_is_refused() {
    let (_place, server, ada, bob) = keyed();
    let cases: [(&str, &str, &[u8; 32]); 5] = [
        ("ada", "ada", &bob),
        ("ada", "bob", &bob),
        ("bob", "ada", &ada),
        ("Ada", "ada", &ada),
        ("nobody", "nobody", &[0; 32]),
    ];
    for (sent, hashed, key) in cases {
        let mut client = Client::connect(server.addr);
        let mine = nonce();
        let theirs = client.challenge(sent, &mine);
        let mac = client.transcript(hashed, &mine, &theirs).client_mac(key);
        assert_failed(&client.prove(&mac), &format!("{hashed}'s proof as {sent}"));
    }
    // The name as it was sent is the one that counts, in whatever case.
    log_in(&mut Client::connect(server.addr), "ADA", &ada);
}

// Catches: a comparison of a part of the MAC.
#[test]
fn a_proof_with_any_bit_flipped_is_refused_and_three_failures_close() {
    let (_place, server, ada, _) = keyed();
    let bits: Vec<usize> = (0..256).collect();
    for three in bits.chunks(3) {
        let mut client = Client::connect(server.addr);
        for bit in three {
            let mine = nonce();
            let theirs = client.challenge("ada", &mine);
            let mut mac = client.transcript("ada", &mine, &theirs).client_mac(&ada);
            mac[bit / 8] ^= 1 << (bit % 8);
            assert_failed(&client.prove(&mac), &format!("a proof with bit {bit} flipped"));
        }
        if three.len() == 3 {
            let (rest, end) = client.rest();
            assert_eq!((rest.len(), &rest[0]["type"], end), (1, &json!("BYE"), End::Clean));
        }
    }
}

/// A man in the middle: everything that comes to this address goes to `to`, and back.
fn relay(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(to).unwrap());
            let pipes = [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)];
            for (mut from, mut into) in pipes {
                thread::spawn(move || {
                    // Either side may go first.
                    let _ = io::copy(&mut from, &mut into);
                    let _ = into.shutdown(Shutdown::Write);
                });
            }
        }
    });
    addr
}

// Catches: a client that believes the `server` of CHALLENGE, a server that believes anything but its own socket.
#[test]
fn a_relayed_proof_is_refused() {
    let (_place, server, ada, _) = keyed();
    let relay = relay(server.addr);
    let key = || Credentials::Key("ada".to_owned(), ada);
    // Who goes to the relay, on purpose or not, proves nothing to the server behind it.
    match open(relay, key(), None) {
        Err(ClientError::Session(SessionError::Login(fault))) => assert_eq!(fault.code, Code::LoginFailed),
        other => panic!("{:?}", other.map(|connection| connection.username().map(str::to_owned))),
    }
    // The same without the relay, and through it where the name of the server is agreed upon: it is the address.
    assert_eq!(open(server.addr, key(), None).unwrap().username(), Some("ada"));
    let agreed = open(relay, key(), Some(server.at())).unwrap();
    assert_eq!(agreed.username(), Some("ada"));
}

#[test]
fn a_proof_for_one_server_is_refused_by_another() {
    let (place, server, ada, _) = keyed();
    let other = place.serve(&["--auth", "hmac", "--file-path", "others", "--record-path", "others"]);
    // The attacker has the victim's whole dialogue: the victim talks to `server`, the attacker to `other`, and
    // hands the challenge on.
    let mut attacker = Client::connect(other.addr);
    let mine = nonce();
    let theirs = attacker.challenge("ada", &mine);
    let victim = Client::connect(server.addr);
    let mac = victim.transcript("ada", &mine, &theirs).client_mac(&ada);
    assert_failed(&attacker.prove(&mac), "a proof that was made for another server");
}

// Catches: an old session that stays when its user logs in again, and a ghost of it in the room.
#[test]
fn a_second_login_replaces_the_first() {
    let (_place, server, ada, _) = keyed();
    let mut older = Client::connect(server.addr);
    log_in(&mut older, "ada", &ada);
    let mut newer = Client::connect(server.addr);
    log_in(&mut newer, "ada", &ada);
    let (rest, end) = older.rest();
    let last = rest.last().unwrap();
    assert_eq!((&last["type"], end), (&json!("BYE"), End::Clean), "{rest:?}");
    let members = newer.ask("ROOM_MEMBERS", &json!({}));
    assert_eq!(members["data"]["members"], json!(["ada"]));
}

// Catches: a hash that is not compared, an unknown user that is told apart, answers out of order while argon2
// works, a name that gets in without its password.
#[test]
fn passwords_log_in_whoever_knows_them_and_nobody_else() {
    let place = Place::new();
    let users = place.path("users.json");
    let users = users.to_str().unwrap();
    let added = place.run(&["users", "add", "ada", "--password", "--users", users], "correct horse\n");
    assert_eq!(added.code, Some(0), "{}", added.stderr);
    place.add_user("keyed", &[]);
    let server = place.serve(&["--auth", "password"]);
    let mut client = Client::connect(server.addr);
    assert_eq!(client.refused("ROOM_LIST", &json!({}))["code"], "unauthorized");
    assert_eq!(client.refused("LOGIN", &json!({ "username": "ada" }))["code"], "bad_message");
    assert_eq!(
        client.refused("AUTH", &json!({ "username": "ada", "nonce": to_hex(&nonce()) }))["code"],
        "wrong_state"
    );
    // Both requests in one segment: the second waits until the first is answered.
    let login = client.send("LOGIN", &json!({ "username": "ADA", "password": "correct horse" }));
    let ping = client.send("PING", &json!({}));
    let answers: Vec<Value> = std::iter::repeat_with(|| client.next())
        .filter(|message| message["id"].is_number())
        .take(2)
        .collect();
    assert_eq!((&answers[0]["type"], &answers[0]["id"]), (&json!("LOGGED_IN"), &json!(login)));
    assert_eq!(answers[0]["data"]["username"], "ada", "as it was registered");
    assert_eq!(answers[1]["id"], json!(ping));
    let again = client.refused("LOGIN", &json!({ "username": "ada", "password": "correct horse" }));
    assert_eq!(again["code"], "wrong_state");
    let mut stranger = Client::connect(server.addr);
    for (username, password) in [("ada", "wrong"), ("nobody", "correct horse"), ("keyed", "")] {
        let answer = stranger.ask("LOGIN", &json!({ "username": username, "password": password }));
        assert_failed(&answer, username);
    }
    let (rest, end) = stranger.rest();
    assert_eq!((&rest[0]["type"], end), (&json!("BYE"), End::Clean));
}
