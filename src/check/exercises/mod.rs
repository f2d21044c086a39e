//! The exercises, a file for each kind.

mod echo;
mod framed;
mod header;
mod hmac;
mod json;
mod records;
mod rooms;
mod udp;

use super::exercise::Exercise;
use super::variant::Variant;

/// Makes an exercise of a variant, with messages of a seed.
type MakeExercise = fn(&Variant, u64) -> Exercise;

/// All of them, from the easiest up.
pub(super) const ALL: [(&str, MakeExercise); 12] = [
    ("tcp-echo-once", echo::once),
    ("tcp-echo", echo::echo),
    ("tcp-echo-many", echo::many),
    ("udp-echo", udp::echo),
    ("udp-ack", udp::ack),
    ("upper-lines", echo::upper_lines),
    ("framed-echo-u16", framed::u16),
    ("framed-echo-u32", framed::u32),
    ("framed-echo-header", header::echo),
    ("hmac-challenge", hmac::challenge),
    ("rooms", rooms::rooms),
    ("records", records::records),
];
