//! The `.env` file: `NAME=VALUE` a line, read by dotenvy, with the line of each entry for error messages.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::rc::Rc;

use crate::text;

use super::UsageError;

const DEFAULT: &str = ".env";

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: String,
    /// Where it ends, from 1.
    pub(super) line: usize,
}

/// The entries of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct EnvFile {
    shown: String,
    entries: Vec<Entry>,
}

impl EnvFile {
    /// Reads the file; without a path `.env`, if there is one.
    pub(super) fn read(path: Option<&Path>) -> Result<EnvFile, UsageError> {
        let shown = text::escape(path.unwrap_or(Path::new(DEFAULT)).to_string_lossy().as_bytes());
        match std::fs::read(path.unwrap_or(Path::new(DEFAULT))) {
            Ok(bytes) => EnvFile::parse(&shown, &bytes),
            Err(error) if path.is_none() && error.kind() == ErrorKind::NotFound => Ok(EnvFile::default()),
            Err(error) => Err(UsageError::new(format!("read {shown}: {error}"))),
        }
    }

    /// Reads the file's bytes. An error names the line but does not show it: it may hold a secret.
    pub(super) fn parse(shown: &str, bytes: &[u8]) -> Result<EnvFile, UsageError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let line = Rc::new(Cell::new(0));
        let mut entries = Vec::new();
        for entry in dotenvy::from_read_iter(Lines { rest: bytes, line: line.clone() }) {
            let line = line.get();
            let (name, value) = entry.map_err(|error| match error {
                dotenvy::Error::Io(error) => UsageError::new(format!("{shown}:{line}: {error}")),
                _ => UsageError::new(format!(
                    "{shown}:{line}: a line is NAME=VALUE; a VALUE with spaces or backslashes stands in single quotes"
                )),
            })?;
            entries.push(Entry { name, value, line });
        }
        Ok(EnvFile { shown: shown.to_owned(), entries })
    }

    /// The file's name, as messages have it.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The entries, from the top.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// Bytes that are read a line at a time and counted: dotenvy, which keeps no line numbers, has then read
/// exactly up to the end of the entry that it returns.
struct Lines<'a> {
    rest: &'a [u8],
    line: Rc<Cell<usize>>,
}

impl Read for Lines<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let end = self.rest.iter().position(|b| *b == b'\n').map_or(self.rest.len(), |at| at + 1);
        let started = !self.rest.is_empty();
        let taken = (&self.rest[..end]).read(buf)?;
        self.rest = &self.rest[taken..];
        // A line longer than the buffer comes in parts; the last of them counts.
        self.line.set(self.line.get() + usize::from(started && taken == end));
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Vec<(String, String, usize)> {
        let file = EnvFile::parse(".env", text.as_bytes()).unwrap();
        file.entries.into_iter().map(|entry| (entry.name, entry.value, entry.line)).collect()
    }

    #[test]
    fn every_entry_has_its_line() {
        let text = "\u{feff}# course\r\nA=1\r\n\r\nexport B = \"two words\" # note\nC='x\ny'\nD=";
        let expected = [("A", "1", 2), ("B", "two words", 4), ("C", "x\ny", 6), ("D", "", 7)];
        assert_eq!(parse(text), expected.map(|(name, value, line)| (name.into(), value.into(), line)));
        let long = format!("A={}\nB=2\n", "x".repeat(100_000));
        assert_eq!(parse(&long)[1], ("B".into(), "2".into(), 2));
    }

    proptest::proptest! {
        #[test]
        fn no_file_is_too_strange(text in r#"([A-C]{1,2}|=|#|'|"|\\|\$|[{}]| |\r?\n|é|export |\PC){0,40}"#) {
            let lines = text.lines().count();
            if let Ok(file) = EnvFile::parse(".env", text.as_bytes()) {
                assert!(file.entries.is_sorted_by_key(|entry| entry.line));
                assert!(file.entries.iter().all(|entry| (1..=lines).contains(&entry.line)));
            }
        }
    }

    #[test]
    fn an_error_names_the_line_and_hides_it() {
        for wrong in [&b"secret word"[..], b"B=secret word", b"B=\"secret", b"B=secret\xff"] {
            let error =
                EnvFile::parse("x/.env", &[b"A=1\n\n", wrong, b"\n"].concat()).unwrap_err().to_string();
            assert!(error.starts_with("x/.env:3: ") && !error.contains("secret"), "{wrong:?}: {error}");
        }
    }
}
