//! Where output goes and how it may look: reports to stdout, everything about them to stderr.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};

use crate::echo::tcp_client::ClientError;
use crate::render::{self, Style};
use crate::report::{Block, Failure, Report};

use super::GlobalArgs;

/// When to use colours. No comments on the variants: they would stretch every command's help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

/// The process's output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    pub(super) style: Style,
    pub(super) verbose: u8,
}

impl Output {
    pub(super) fn new(args: &GlobalArgs) -> Output {
        let color = match args.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                let set = |name| std::env::var_os(name).unwrap_or_default();
                io::stdout().is_terminal() && takes_color(&set("NO_COLOR"), &set("TERM"))
            }
        };
        let ascii = args.ascii || !locale_is_utf8();
        Output { style: Style { color, ascii, width: screen_width() }, verbose: args.verbose }
    }

    /// Shows a finished report, as text or as one JSON document.
    pub(super) fn report(&self, report: &impl Report, json: bool) -> io::Result<()> {
        let text = if json { render::document(report) } else { render::text(report, self.style) };
        Output::print(&text)
    }

    /// Shows a part of a report, as text.
    pub(super) fn blocks(&self, blocks: &[Block]) -> io::Result<()> {
        let text: String = blocks.iter().map(|block| render::block_text(block, self.style)).collect();
        Output::print(&text)
    }

    /// Writes to stdout.
    pub(super) fn print(text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
            // Known by its kind alone: it is no failure.
            io::ErrorKind::BrokenPipe => error,
            kind => io::Error::new(kind, format!("write to stdout: {error}")),
        })
    }

    /// A line on stderr. Where that can't be written there is nobody to tell.
    pub(super) fn note(line: &str) {
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// A failure and the next step, on stderr.
    pub(super) fn failure(failure: &Failure) {
        Output::note(&format!("error: {}", failure.message));
        if let Some(hint) = &failure.hint {
            Output::note(&format!("hint: {hint}"));
        }
    }
}

/// False where colours are not wanted, or would be shown as the codes that they are.
fn takes_color(no_color: &OsStr, term: &OsStr) -> bool {
    no_color.is_empty() && term != "dumb"
}

/// The columns to write in, as the terminal is now.
pub(super) fn screen_width() -> usize {
    // A screen narrower than this shows no table at all; a wider one than this is hard to read.
    screen().0.clamp(40, 120)
}

/// The terminal's columns and rows, as it is now. Where it tells no size, or none that can be, an old one's.
pub(super) fn screen() -> (usize, usize) {
    let size = terminal_size::terminal_size().map(|(width, height)| (width.0.into(), height.0.into()));
    size.filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or((80, 24))
}

/// True if the error is that nobody reads our stdout any more.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let own = match error.downcast_ref() {
        Some(ClientError::Local(error)) => Some(error),
        _ => error.downcast_ref::<io::Error>(),
    };
    own.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The variable that decides the locale (POSIX: the first one set), and its value.
pub(super) fn locale() -> Option<(&'static str, String)> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty()).map(|value| (name, value));
    ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set)
}

/// The locale's encoding. Windows' console is written in UTF-16 by the standard library, so it counts as able.
fn locale_is_utf8() -> bool {
    if cfg!(windows) {
        return true;
    }
    match locale() {
        // Only an explicit ASCII locale is taken at its word: containers often set none at all.
        Some((_, locale)) => !matches!(locale.as_str(), "C" | "POSIX"),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_know_them() {
        let takes = |no_color: &str, term: &str| takes_color(no_color.as_ref(), term.as_ref());
        assert!(takes("", "xterm") && takes("", ""));
        assert!(!takes("1", "xterm") && !takes("", "dumb"));
    }
}
