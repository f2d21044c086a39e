//! Asking for a password: twice and unseen on a terminal, one line of stdin elsewhere. Never an argument:
//! `ps` shows those to everyone.

use std::io::{self, BufRead, IsTerminal, Write};

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::terminal;

use super::UsageError;
use super::output::Output;

/// The longest password, in bytes: a login has to fit the 4 KiB that a server reads before it.
const MAX_PASSWORD: usize = 1_024;

/// A new password for `whom`.
pub(super) fn new_password(whom: &str) -> anyhow::Result<String> {
    let password = if io::stdin().is_terminal() {
        let password = prompt(&format!("password for {whom}: "))?;
        if prompt("once more: ")? != password {
            return Err(UsageError::new("the two passwords differ: nothing was changed".to_owned()).into());
        }
        password
    } else {
        piped(io::stdin().lock())?
    };
    if (1..=MAX_PASSWORD).contains(&password.len()) {
        Ok(password)
    } else {
        Err(UsageError::new(format!("a password has 1 to {MAX_PASSWORD} bytes")).into())
    }
}

/// A secret that exists already: asked for once.
pub(super) fn ask(question: &str) -> anyhow::Result<String> {
    if io::stdin().is_terminal() { prompt(question) } else { Ok(piped(io::stdin().lock())?) }
}

/// The first line, without its end.
fn piped(input: impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    // One more than allowed, and the line's end: enough to see that it is too long.
    input.take(MAX_PASSWORD as u64 + 3).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// One line from the terminal, unseen.
fn prompt(question: &str) -> anyhow::Result<String> {
    let mut stderr = io::stderr();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let line = {
        let _raw = RawMode::start()?;
        read_unseen()
    };
    Output::note("");
    line
}

fn read_unseen() -> anyhow::Result<String> {
    let mut line = String::new();
    loop {
        let Event::Key(key) = event::read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Ok(line),
            // In raw mode Ctrl-C is a key like any other.
            KeyCode::Char('c' | 'd') if control => anyhow::bail!("interrupted: nothing was changed"),
            KeyCode::Char('u') if control => line.clear(),
            KeyCode::Char(c) if !control => line.push(c),
            KeyCode::Backspace => drop(line.pop()),
            _ => {}
        }
    }
}

/// The terminal without echo, for as long as this lives: it is put back on every way out.
struct RawMode;

impl RawMode {
    fn start() -> io::Result<RawMode> {
        terminal::enable_raw_mode().map(|()| RawMode)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // A terminal that went away needs no repair.
        let _ = terminal::disable_raw_mode();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piped_password_is_one_line() {
        assert_eq!(piped(&b"a b\r\nsecond\n"[..]).unwrap(), "a b");
        assert_eq!(piped(&b"no end"[..]).unwrap(), "no end");
        assert_eq!(piped(&b""[..]).unwrap(), "");
        assert!(piped("x".repeat(5_000).as_bytes()).unwrap().len() > MAX_PASSWORD);
    }
}
