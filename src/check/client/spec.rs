//! What a client has to do, in words. Only here the exercises' names matter.

use super::forms::Form;
use crate::check::exercise::Exercise;
use crate::net::table::Transport;

/// What the client of an exercise has to do.
#[must_use]
pub fn specification(exercise: &Exercise) -> String {
    let connects = "A client. It connects to the server at `{host}` and `{port}` (NETLAB_HOST and NETLAB_PORT in its environment)";
    let does = match (Form::of(exercise.name), exercise.transport) {
        (Form::Challenge, _) => CHALLENGE.to_owned(),
        (Form::Stream, _) => STREAM.to_owned(),
        (Form::Rooms, _) => format!("{JSON}\n\n{ROOM_WORDS}\n\n{JSON_END}"),
        (Form::Records, _) => format!("{JSON}\n\n{RECORD_WORDS}\n\n{JSON_END}"),
        (Form::Messages, Transport::Udp) => DATAGRAMS.to_owned(),
        (Form::Messages, Transport::Tcp) => MESSAGES.to_owned(),
    };
    format!("{connects}, {does}\n\nThe server that it talks to is this one:\n\n{}", exercise.specification)
}

const CHALLENGE: &str = "\
reads the challenge of 32 bytes, answers with HMAC-SHA256 of it under the key in NETLAB_KEY, and prints on stdout what the server then says, as a \
line. When the server has ended its side it ends, with exit status 0. It reads nothing from stdin. If nobody accepts the connection, or it ends early, \
the client ends, too.";

const DATAGRAMS: &str = "\
sends each line of its stdin, without the newline, as one datagram as soon as it has read it, and prints each answer as a line on stdout. At the end \
of stdin, once all answers have come, it ends with exit status 0. Lines and answers are UTF-8.";

const MESSAGES: &str = "\
sends each line of its stdin, without the newline, as one message of the exercise's form as soon as it has read it, all on one connection, and prints \
the payload of each answer as a line on stdout. At the end of stdin, once all answers have come, it ends with exit status 0. Lines and answers are \
UTF-8. If nobody accepts the connection, or the server ends it before that, the client ends, too.";

const STREAM: &str = "\
sends each line of its stdin as it is, newline included, as soon as it has read it, and copies every byte that it receives to stdout as it is, also \
where it is none of those that it sent. At the end of stdin it ends its side (a half-close), reads on until the server ends its own, and ends with \
exit status 0. Lines are UTF-8; a server sends as many bytes as it gets, after those of a greeting if it has one. If nobody accepts the connection, \
or it ends before that, the client ends, too.";

const JSON: &str = "\
sends a request for each line of its stdin as soon as it has read it, all on one connection, and prints each message of the server as a line on \
stdout as soon as that is complete: also one that nobody asked for, while stdin is silent. Other members may stand in any message.";

const ROOM_WORDS: &str = "\
A line is a request's type and its data, the last value being the rest of the line:

  LOGIN ada                {\"type\": \"LOGIN\", \"data\": {\"username\": \"ada\"}}
  ROOM_CREATE blue         data {room}; so has ROOM_JOIN
  ROOM_LEAVE               no data; so has ROOM_LIST
  ROOM_ECHO hello, all     data {text}

What is printed is the message's type and these values, a space between:

  LOGGED_IN username room
  ROOM_CREATED room
  ROOM_JOINED room username members
  ROOM_LEFT room username
  ROOM_LISTED room=members room=members ...    as many as the message has, in its order
  ROOM_ECHOED room from text
  ERROR code message";

const RECORD_WORDS: &str = "\
A line is a request's type and its data, the last value being the rest of the line:

  RECORD_WRITE ada some text    {\"type\": \"RECORD_WRITE\", \"data\": {\"client_id\": \"ada\", \"text\": \"some text\"}}
  RECORD_READ ada               data {client_id}

What is printed is the message's type and these values, a space between:

  RECORD_WRITTEN client_id updated
  RECORD client_id updated text
  ERROR code message";

const JSON_END: &str = "\
Of a message of another type, or a payload that is no JSON, nothing is printed, and the client goes on; so it does after an ERROR. At the end of stdin, \
once all answers have come, it ends with exit status 0; it may end its side and read on until the server ends its own. Lines and answers are UTF-8. If \
nobody accepts the connection, or the server ends it before that, the client ends, too.";
