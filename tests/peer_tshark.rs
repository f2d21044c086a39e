//! Captures and the dissector against Wireshark's own reader: `tshark` and `capinfos` accept every file, and what
//! the dissector finds in split and merged frames is what netlab's own decoder finds.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod capture_file;
mod harness;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use capture_file::{packets, payloads_from, payloads_to};
use harness::{Server, run};
use netlab::framing::{Content, DEFAULT_MAX_FRAME, Decoder, Encoder, Framing};
use netlab::protocol::codec;
use tempfile::TempDir;

/// A folder with the dissector in it.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let dissector = run(&["dissector"], b"");
    assert_eq!(dissector.code, Some(0));
    std::fs::write(folder.path().join("netlab.lua"), dissector.stdout).unwrap();
    folder
}

fn path(folder: &TempDir, name: &str) -> (PathBuf, String) {
    let path = folder.path().join(name);
    let text = path.to_str().unwrap().to_owned();
    (path, text)
}

/// What tshark prints of a file that it reads with the dissector; every checksum is checked.
fn tshark(capture: &Path, arguments: &[&str]) -> String {
    let script = capture.with_file_name("netlab.lua");
    let output = Command::new("tshark")
        .arg("-X")
        .arg(format!("lua_script:{}", script.display()))
        .args([
            "-o",
            "tcp.check_checksum:TRUE",
            "-o",
            "ip.check_checksum:TRUE",
            "-o",
            "udp.check_checksum:TRUE",
        ])
        .arg("-r")
        .arg(capture)
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    assert!(!errors.contains("lua"), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// No packet that tshark calls malformed, no wrong checksum, nothing that looks like a broken stream, and
/// capinfos reads the file.
fn accepted(capture: &Path, arguments: &[&str]) {
    let suspicious = "_ws.malformed || netlab.too_long || netlab.no_header || ip.checksum.status == 0 || \
                      tcp.checksum.status == 0 || udp.checksum.status == 0 || tcp.analysis.retransmission || \
                      tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment || tcp.analysis.window_full";
    assert_eq!(tshark(capture, &[arguments, &["-Y", suspicious]].concat()), "");
    let output = Command::new("capinfos").arg(capture).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("reconstructed by netlab"), "{output:?}");
}

/// The frames of a stream, by netlab's own decoder.
fn decode(framing: Framing, stream: &[u8]) -> Vec<Vec<u8>> {
    let (mut decoder, mut at, mut frames) = (Decoder::new(framing, DEFAULT_MAX_FRAME), 0, Vec::new());
    while let Some(frame) = decoder.next_frame(stream, &mut at).unwrap() {
        frames.push(frame.payload.to_vec());
    }
    frames
}

/// A field of every frame that went one way, in order.
fn field(capture: &Path, decode_as: &str, filter: &str, field: &str) -> Vec<String> {
    let arguments = ["-d", decode_as, "-Y", filter, "-T", "fields", "-e", field, "-E", "aggregator=|"];
    let text = tshark(capture, &arguments);
    text.lines()
        .flat_map(|line| line.split('|'))
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    netlab::text::hex(bytes).replace(' ', "")
}

/// Frames that are cut and merged: each piece is sent when the answers to all before it have come.
fn split_and_merged(framing: Framing) {
    let folder = folder();
    let (capture, name) = path(&folder, "echo.pcapng");
    let server =
        Server::start(&["tcp-echo", "server", ":0", "--framing", framing.name(), "--capture", &name]);
    let texts = ["Hello", "Grüße", "", "a b c", &"x".repeat(300), r#"{"type":"PING","data":{"n":1},"id":7}"#];
    let mut stream = Vec::new();
    let mut ends = Vec::new();
    for text in texts {
        let encoder = Encoder::new(framing, DEFAULT_MAX_FRAME);
        encoder.encode(Content::Binary, text.as_bytes(), &mut stream).unwrap();
        ends.push(stream.len());
    }
    let mut client = TcpStream::connect(server.addr).unwrap();
    let (mut sent, mut answered) = (0, 0);
    // Cuts: within the first prefix, within a payload, at a frame's end, in the next prefix, and the rest at once.
    for cut in [1, ends[0] - 2, ends[0] + 1, ends[1], ends[3] + 3, stream.len()] {
        client.write_all(&stream[sent..cut]).unwrap();
        sent = cut;
        let whole = ends.iter().rfind(|end| **end <= cut).copied().unwrap_or(0);
        client.read_exact(&mut vec![0; whole - answered]).unwrap();
        // Where a piece completes no frame, nothing tells when the server has read it; the next one may join it.
        answered = whole;
    }
    drop(client);
    let port = server.addr.port();
    server.stop();

    let decode_as = format!("tcp.port=={port},netlab_{}", framing.name());
    accepted(&capture, &["-d", &decode_as]);
    let packets = packets(&capture);
    assert!(payloads_to(&packets, port).len() >= 3, "cut and merged on the way");
    for (way, bytes) in
        [("tcp.dstport", payloads_to(&packets, port)), ("tcp.srcport", payloads_from(&packets, port))]
    {
        let own = decode(framing, &bytes.concat());
        assert_eq!(own.len(), texts.len());
        let filter = format!("{way} == {port}");
        let payloads: Vec<String> =
            own.iter().filter(|frame| !frame.is_empty()).map(|frame| hex(frame)).collect();
        assert_eq!(field(&capture, &decode_as, &filter, "netlab.payload"), payloads);
        let length = if framing == Framing::Header { "netlab.content_length" } else { "netlab.length" };
        let lengths: Vec<String> = own.iter().map(|frame| frame.len().to_string()).collect();
        assert_eq!(field(&capture, &decode_as, &filter, length), lengths);
        assert_eq!(field(&capture, &decode_as, &filter, "netlab.type"), ["PING"]);
        assert_eq!(field(&capture, &decode_as, &filter, "netlab.id"), ["7"]);
    }
}

#[test]
#[ignore = "needs tshark"]
fn frames_of_u16_are_found_however_they_are_cut() {
    split_and_merged(Framing::U16);
}

#[test]
#[ignore = "needs tshark"]
fn frames_of_u32_are_found_however_they_are_cut() {
    split_and_merged(Framing::U32);
}

#[test]
#[ignore = "needs tshark"]
fn frames_with_a_header_are_found_however_they_are_cut() {
    split_and_merged(Framing::Header);
}

#[test]
#[ignore = "needs tshark"]
fn room_messages_have_the_fields_that_netlab_decodes() {
    for framing in [Framing::U16, Framing::U32, Framing::Header] {
        let folder = folder();
        let (capture, name) = path(&folder, "rooms.pcapng");
        let data = folder.path().to_str().unwrap();
        let server = Server::start(&[
            "serve",
            "127.0.0.1:0",
            "--framing",
            framing.name(),
            "--file-path",
            data,
            "--record-path",
            data,
            "--capture",
            &name,
        ]);
        let text = "Grüße \u{1F389} \"quoted\" \\ and\ttab";
        let at = server.at();
        let ended =
            run(&["say", &at, "--framing", framing.name(), "--user", "Ada", "--room", "lab", text], b"");
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let port = server.addr.port();
        server.stop();

        let decode_as = format!("tcp.port=={port},netlab_{}", framing.name());
        accepted(&capture, &["-d", &decode_as]);
        let answers = payloads_from(&packets(&capture), port).concat();
        let kinds: Vec<String> = decode(framing, &answers)
            .iter()
            .map(|payload| codec::decode_answer(payload).unwrap().message.kind().name().to_owned())
            .collect();
        let filter = format!("tcp.srcport == {port}");
        assert_eq!(field(&capture, &decode_as, &filter, "netlab.type"), kinds);
        assert!(kinds.contains(&"ROOM_ECHOED".to_owned()), "{kinds:?}");
        assert_eq!(field(&capture, &decode_as, &filter, "netlab.from"), ["Ada"]);
        assert_eq!(field(&capture, &decode_as, &filter, "netlab.text"), [text.replace('\t', "\\t")]);
        assert_eq!(field(&capture, &decode_as, &filter, "netlab.room").last().unwrap(), "lab");
    }
}

#[test]
#[ignore = "needs tshark"]
fn every_commands_capture_is_accepted() {
    let folder = folder();
    let mut captures = Vec::new();
    for model in ["iterative", "threads", "event-loop"] {
        let (capture, name) = path(&folder, model);
        let server = Server::start(&["tcp-echo", "server", ":0", "--model", model, "--capture", &name]);
        let (client, client_file) = path(&folder, &format!("{model}-client"));
        let big = "x".repeat(100_000);
        let ended = run(&["tcp-echo", "client", &server.at(), "--capture", &client_file], big.as_bytes());
        assert_eq!(ended.stdout.len(), big.len());
        server.stop();
        captures.extend([capture, client]);
    }
    let (capture, name) = path(&folder, "udp");
    let server = Server::start(&["udp-echo", "server", "[::1]:0", "--capture", &name]);
    let (client, client_file) = path(&folder, "udp-client");
    assert_eq!(
        run(&["udp-echo", "client", &server.at(), "--capture", &client_file, "a", "", "b"], b"").code,
        Some(0)
    );
    server.stop();
    let (demo, demo_file) = path(&folder, "demo");
    assert_eq!(run(&["sticky-demo", "--race", "--capture", &demo_file], b"").code, Some(0));
    captures.extend([capture, client, demo]);
    for capture in captures {
        assert!(!packets(&capture).is_empty(), "{}", capture.display());
        accepted(&capture, &[]);
    }
}
