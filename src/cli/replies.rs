//! How a client shows what comes back: as it is into a pipe, escaped on a terminal, in hex where asked for.

use std::io::{self, IsTerminal, Write};

use crate::echo::tcp_client::{Client, ClientError, Message};
use crate::text;

use super::output::Output;

/// Prints replies to stdout.
pub(super) struct ReplyPrinter {
    /// Print nothing: the report says it all.
    silent: bool,
    /// Show bytes as hex and text.
    hex: bool,
    terminal: bool,
    /// Something stands on the current line.
    in_line: bool,
}

impl ReplyPrinter {
    pub(super) fn new(silent: bool, hex: bool) -> ReplyPrinter {
        ReplyPrinter { silent, hex, terminal: io::stdout().is_terminal(), in_line: false }
    }

    /// Sends a message and prints its reply on a line of its own.
    pub(super) fn exchange(
        &mut self,
        client: &mut Client,
        message: &Message,
        framed: bool,
    ) -> Result<(), ClientError> {
        if framed {
            return client.exchange(message, &mut |reply| self.line(reply));
        }
        let result = client.exchange(message, &mut |bytes| self.bytes(bytes));
        // Where nobody knows the end of a reply, the next one goes on in the same line, as in the stream.
        if result.is_err() || client.is_counting() {
            self.end_line()?;
        }
        result
    }

    /// Prints a whole message and a newline; an empty message is an empty line.
    pub(super) fn line(&mut self, message: &[u8]) -> io::Result<()> {
        self.in_line = true;
        self.bytes(message)?;
        self.end_line()
    }

    /// Prints bytes as they come.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.silent {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        if self.hex {
            // A line for each: so it shows how the reply was cut.
            writeln!(stdout, "{}  {}", text::hex(bytes), text::escape(bytes))?;
            self.in_line = false;
        } else if self.terminal {
            // A newline is the one control character that a text needs.
            let lines: Vec<String> = bytes.split(|b| *b == b'\n').map(text::escape).collect();
            stdout.write_all(lines.join("\n").as_bytes())?;
            self.in_line = bytes.last().is_some_and(|b| *b != b'\n');
        } else {
            stdout.write_all(bytes)?;
            self.in_line |= !bytes.is_empty();
        }
        stdout.flush()
    }

    /// Ends the current line on a terminal; into a pipe go the replies' bytes and no others.
    pub(super) fn end_screen_line(&mut self) -> io::Result<()> {
        if self.terminal { self.end_line() } else { Ok(()) }
    }

    /// Ends the current line, if something stands on it.
    pub(super) fn end_line(&mut self) -> io::Result<()> {
        if self.silent || !std::mem::take(&mut self.in_line) {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(b"\n")?;
        stdout.flush()
    }
}

/// The prompt of a client whose messages are typed, on stderr.
#[derive(Clone, Copy)]
pub(super) struct Prompt {
    wanted: bool,
}

impl Prompt {
    /// A prompt if stdin is a terminal, else none.
    pub(super) fn of_stdin() -> Prompt {
        let wanted = io::stdin().is_terminal();
        if wanted {
            Output::note("type a message and press Enter; Ctrl-D ends");
        }
        Prompt { wanted }
    }

    pub(super) fn show(self) {
        if self.wanted {
            // Where it can't be written there is nobody to prompt.
            let _ = write!(io::stderr(), "> ");
        }
    }
}
