//! `--capture` from the outside: what stands in the file is what went through the sockets, call by call.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod capture_file;
mod harness;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use capture_file::{packets, payloads_from, payloads_to};
use harness::{Server, run};
use tempfile::TempDir;

fn file(folder: &TempDir, name: &str) -> (PathBuf, String) {
    let path = folder.path().join(name);
    let text = path.to_str().unwrap().to_owned();
    (path, text)
}

// Catches: bytes that are missing or doubled, in either direction; a model that is not captured; a read that is
// merged with the next one.
#[test]
fn every_model_of_the_echo_server_writes_what_each_recv_returned() {
    let folder = tempfile::tempdir().unwrap();
    for model in ["iterative", "threads", "event-loop"] {
        let (path, name) = file(&folder, model);
        let server = Server::start(&["tcp-echo", "server", ":0", "--model", model, "--capture", &name]);
        let mut client = TcpStream::connect(server.addr).unwrap();
        // Each answer is awaited, so that each piece is one recv of the server's.
        for piece in [&b"Hel"[..], b"loWorld", b"!"] {
            client.write_all(piece).unwrap();
            client.read_exact(&mut vec![0; piece.len()]).unwrap();
        }
        drop(client);
        let port = server.addr.port();
        server.stop();
        let packets = packets(&path);
        let expected = [&b"Hel"[..], b"loWorld", b"!"];
        assert_eq!(payloads_to(&packets, port), expected, "{model}");
        assert_eq!(payloads_from(&packets, port), expected, "{model}");
        let mark = "reconstructed by netlab from its own socket calls";
        assert!(packets.iter().all(|packet| packet.tcp && packet.comment.contains(mark)), "{packets:?}");
    }
}

#[test]
fn clients_write_their_side_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["tcp-echo", "server", ":0", "--framing", "u16"]);
    let (path, name) = file(&folder, "client");
    let ended =
        run(&["tcp-echo", "client", &server.at(), "--framing", "u16", "--capture", &name, "Hello"], b"");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "a password in it is nobody else's");
    }
    let packets = packets(&path);
    assert_eq!(payloads_to(&packets, server.addr.port()).concat(), b"\0\x05Hello");
    assert_eq!(payloads_from(&packets, server.addr.port()).concat(), b"\0\x05Hello");
}

// Catches: a train of datagrams written as one; an empty one that is left out of the file.
#[test]
fn both_ends_of_udp_write_datagram_by_datagram() {
    let folder = tempfile::tempdir().unwrap();
    let ((answered, server_file), (asked, client_file)) = (file(&folder, "server"), file(&folder, "client"));
    let server = Server::start(&["udp-echo", "server", ":0", "--capture", &server_file]);
    let port = server.addr.port();
    let ended =
        run(&["udp-echo", "client", &server.at(), "--capture", &client_file, "one", "", "three"], b"");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    server.stop();
    for path in [answered, asked] {
        let packets = packets(&path);
        let of = |to: bool| -> Vec<Vec<u8>> {
            let way = packets.iter().filter(|packet| (packet.to.port() == port) == to);
            way.map(|packet| packet.payload.clone()).collect()
        };
        assert_eq!(of(true), [&b"one"[..], b"", b"three"]);
        assert_eq!(of(false), [&b"one"[..], b"", b"three"]);
        assert!(packets.iter().all(|packet| !packet.tcp));
    }
}

#[test]
fn the_demonstration_shows_both_ends_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (path, name) = file(&folder, "split");
    let ended = run(&["sticky-demo", "--scenario", "split", "--capture", &name, "-J"], b"");
    let sizes = |calls: &serde_json::Value| -> Vec<u64> {
        calls.as_array().unwrap().iter().map(|call| call["bytes"].as_u64().unwrap()).collect()
    };
    let scenario = &ended.json()["scenarios"][0];
    let packets = packets(&path);
    let on = |interface: u32| -> Vec<u64> {
        let seen = packets.iter().filter(|p| p.interface == interface && !p.payload.is_empty());
        seen.map(|packet| packet.payload.len() as u64).collect()
    };
    assert_eq!(on(0), sizes(&scenario["sends"]), "the sending end");
    assert_eq!(on(1), sizes(&scenario["recvs"]), "the receiving end");
    assert!(packets.iter().all(|p| p.interface == 0 || p.from.ip() != p.to.ip()), "{packets:?}");
}

/// A room server with data of its own, and a capture.
fn serve_captured(folder: &TempDir, capture: &str) -> Server {
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let data = data.to_str().unwrap();
    let folders = ["--file-path", data, "--record-path", data];
    Server::start(&[&["serve", "127.0.0.1:0"][..], &folders, &["--capture", capture]].concat())
}

#[test]
fn rooms_and_say_write_their_side_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let ((heard, server_file), (said, say_file)) = (file(&folder, "serve"), file(&folder, "say"));
    let server = serve_captured(&folder, &server_file);
    let port = server.addr.port();
    let ended = run(&["say", &server.at(), "--user", "ada", "--capture", &say_file, "Hello"], b"");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    server.stop();
    let (heard, said) = (packets(&heard), packets(&said));
    assert_eq!(payloads_to(&heard, port).concat(), payloads_to(&said, port).concat());
    assert_eq!(payloads_from(&heard, port).concat(), payloads_from(&said, port).concat());
    let all = String::from_utf8_lossy(&payloads_to(&said, port).concat()).into_owned();
    assert!(all.contains("ROOM_ECHO") && all.contains("Hello"), "{all}");
}

// Catches: a chat whose flag is taken and does nothing; one direction that is missing, or bytes that are not those
// which the server has seen.
#[test]
fn a_chat_writes_its_side_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let ((heard, server_file), (said, chat_file)) = (file(&folder, "serve"), file(&folder, "chat"));
    let server = serve_captured(&folder, &server_file);
    let port = server.addr.port();
    let chat = ["chat", "--plain", &server.at(), "--user", "ada", "--capture", &chat_file];
    let ended = run(&chat, b"Hello\n/rooms\n");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    server.stop();
    let (heard, said) = (packets(&heard), packets(&said));
    assert_eq!(payloads_to(&heard, port).concat(), payloads_to(&said, port).concat());
    assert_eq!(payloads_from(&heard, port).concat(), payloads_from(&said, port).concat());
    let sent = String::from_utf8_lossy(&payloads_to(&said, port).concat()).into_owned();
    assert!(["LOGIN", "Hello", "ROOM_LIST", "BYE"].iter().all(|part| sent.contains(part)), "{sent}");
}

#[test]
fn a_chat_names_a_capture_file_that_cant_be_made() {
    let ended = run(&["chat", "--plain", "127.0.0.1:1", "--capture", "/no/such/folder/file"], b"");
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("/no/such/folder/file"), "{}", ended.stderr);
}

// Catches: a recv of more than a packet can carry, which must be several packets and lose nothing.
#[test]
fn a_large_read_is_several_packets() {
    let folder = tempfile::tempdir().unwrap();
    let (path, name) = file(&folder, "large");
    let server = Server::start(&["tcp-echo", "server", ":0", "--capture", &name]);
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let mut client = TcpStream::connect(server.addr).unwrap();
    let mut reader = client.try_clone().unwrap();
    let mut back = vec![0; bytes.len()];
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| client.write_all(&bytes).unwrap());
        reader.read_exact(&mut back).unwrap();
        writer.join().unwrap();
    });
    let port = server.addr.port();
    server.stop();
    let packets = packets(&path);
    assert!(payloads_to(&packets, port).concat() == bytes && payloads_from(&packets, port).concat() == bytes);
}

#[test]
fn a_file_that_cannot_be_made_is_named() {
    let ended = run(&["sticky-demo", "--capture", "/no/such/folder/x.pcapng"], b"");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("/no/such/folder/x.pcapng"), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
}

// Catches: a capture that ends in silence; a file that ends within a block, which Wireshark complains of.
#[cfg(unix)]
#[test]
fn a_full_disk_ends_the_file_between_two_packets_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (path, name) = file(&folder, "full");
    let server = Server::start(&["tcp-echo", "server", ":0"]);
    // A limit on the size of files stands for a disk of that size: with its signal ignored, write says so.
    let limited = ["-c", "trap '' XFSZ; ulimit -f 40; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_netlab")];
    let client = ["tcp-echo", "client", &server.at(), "--capture", &name];
    let mut command = std::process::Command::new("sh");
    let ended = harness::finish(command.args(limited).args(client), &vec![b'x'; 200_000]);
    assert_eq!(ended.code, Some(0), "the capture fails, not the program: {}", ended.stderr);
    assert!(ended.stderr.contains("ends early") && ended.stderr.contains(&name), "{}", ended.stderr);
    let captured = payloads_to(&packets(&path), server.addr.port()).concat().len();
    assert!(captured < 200_000, "{captured}: was there a limit?");
}
