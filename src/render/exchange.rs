//! Exchanges: what was sent and received, in hex and text, the bytes named and the first wrong one marked.
//!
//! ```text
//!  sends     00 05 48                            ··H           2 prefix, 1 payload
//!            (waits until the server has read it)
//!  sends     65 6c 6c 6f                         ello          4 payload
//!  receives  00 01 48                            ··H
//!               ^^ the first wrong byte
//!  expected  00 05 48 65 6c 6c 6f                ··Hello
//! ```
//! Of a long row the first line is shown and those around the wrong byte, or the text of it, if it is one.

use super::ribbon::{LABELS, line};
use super::{Style, wrap};
use crate::report::{Exchange, ExchangeRow, Span};
use crate::text::{Grouped, hex};

/// Bytes in a row: 12 take 36 columns of hex and 12 of text, which leaves room for the names beside them.
const ROW: usize = 12;
/// A send or recv of so many lines is shown whole.
const LINES: usize = 3;
/// The same where everything is asked for: more than that is no reading for anybody.
const ALL: usize = 64;
/// Lines of text in place of a long row's hex.
const TEXT: usize = 2;

/// An exchange as text.
#[must_use]
pub fn exchange(exchange: &Exchange, style: Style) -> String {
    let longest = exchange.rows.iter().map(|row| row.label.chars().count()).max().unwrap_or(0);
    let pen = Pen { labels: LABELS.max(longest + 3), style };
    let mut out = String::new();
    if exchange.left_out > 0 {
        let rest = Grouped(exchange.left_out as u64);
        out.push_str(&pen.line("", &format!("({rest} lines before this one)")));
    }
    for row in &exchange.rows {
        out.push_str(&pen.row(row));
    }
    out
}

/// How the rows of one exchange are drawn.
#[derive(Clone, Copy)]
struct Pen {
    /// Columns of the labels on the left.
    labels: usize,
    style: Style,
}

impl Pen {
    fn line(self, label: &str, rest: &str) -> String {
        let width = self.labels - 1;
        line(&format!("{label:width$}"), rest)
    }

    fn row(self, row: &ExchangeRow) -> String {
        if row.bytes.is_empty() {
            let nothing = if row.note.is_empty() { "(0 bytes)" } else { &row.note };
            return self.paragraph(&row.label, nothing);
        }
        let chunks: Vec<&[u8]> = row.bytes.chunks(ROW).collect();
        let most = if row.whole { ALL } else { LINES };
        if row.length.div_ceil(ROW) <= most {
            let shown: Vec<usize> = (0..chunks.len()).collect();
            return self.chunks(row, &chunks, &shown);
        }
        let at = row.wrong.or(row.focus).map(|at| at / ROW);
        let shown: Vec<usize> = match at {
            _ if row.whole => {
                (0..chunks.len()).filter(|n| *n < ALL || at.is_some_and(|at| n.abs_diff(at) < 4)).collect()
            }
            // A message of JSON is wrong in what it says, not in a byte.
            None | Some(0) if is_text(&row.bytes) => return self.text(row, &chunks),
            Some(at) => (0..chunks.len()).filter(|n| *n == 0 || *n == at).collect(),
            None => vec![0, 1],
        };
        self.chunks(row, &chunks, &shown)
    }

    /// These lines of a row, and what is left out between and behind them.
    fn chunks(self, row: &ExchangeRow, chunks: &[&[u8]], shown: &[usize]) -> String {
        let mut out = String::new();
        let mut next = 0;
        for n in shown.iter().copied() {
            if n > next {
                out.push_str(&self.line("", &format!("... {} bytes", Grouped(((n - next) * ROW) as u64))));
            }
            let (label, names) = if n == 0 { (row.label.as_str(), names(row)) } else { ("", String::new()) };
            out.push_str(&self.bytes(label, chunks[n], &names));
            out.push_str(&self.mark(row, n));
            next = n + 1;
        }
        let rest = row.length.saturating_sub(next * ROW);
        if rest > 0 {
            let (rest, all) = (Grouped(rest as u64), Grouped(row.length as u64));
            out.push_str(&self.line("", &format!("... {rest} bytes more, {all} in all")));
        }
        if let Some(at) = row.wrong.filter(|at| *at >= row.bytes.len()) {
            let at = Grouped(at as u64 + 1);
            out.push_str(&self.line("", &format!("... byte {at} of these is the first wrong one")));
        }
        out
    }

    /// The mark below a line of a row, if the first wrong byte is in that.
    fn mark(self, row: &ExchangeRow, line: usize) -> String {
        let Some(wrong) = row.wrong.filter(|wrong| wrong / ROW == line) else { return String::new() };
        let column = wrong % ROW * 3;
        self.line("", &format!("{:column$}^^ the first wrong byte", ""))
    }

    /// A long text: its first line in hex, then what it says.
    fn text(self, row: &ExchangeRow, chunks: &[&[u8]]) -> String {
        let mut out = self.bytes(&row.label, chunks[0], &names(row));
        out.push_str(&self.mark(row, 0));
        let all = format!("... in all {} bytes: ", Grouped(row.length as u64));
        let room = (self.style.width.saturating_sub(self.labels)).max(ROW) * TEXT;
        let room = room.saturating_sub(all.chars().count() + 3);
        let mut text: Vec<char> = all.chars().collect();
        text.extend(row.bytes.iter().take(room).map(|byte| self.letter(*byte)));
        if row.length > room {
            text.extend("...".chars());
        }
        for part in text.chunks((self.style.width.saturating_sub(self.labels)).max(ROW)) {
            out.push_str(&self.line("", &part.iter().collect::<String>()));
        }
        out
    }

    fn letter(self, byte: u8) -> char {
        match byte {
            b' '..=b'~' => char::from(byte),
            _ if self.style.ascii => '.',
            _ => '·',
        }
    }

    fn bytes(self, label: &str, chunk: &[u8], names: &str) -> String {
        let text: String = chunk.iter().map(|byte| self.letter(*byte)).collect();
        let width = ROW * 3;
        let row = format!("{:width$}{text:ROW$}", hex(chunk));
        let room = self.style.width.saturating_sub(self.labels + row.chars().count() + 2);
        let names = if names.chars().count() <= room { names } else { "" };
        self.line(label, &format!("{row}  {names}"))
    }

    /// A label and a paragraph, wrapped beside it.
    fn paragraph(self, label: &str, text: &str) -> String {
        let wrapped = wrap(text, self.style.width.saturating_sub(self.labels).max(ROW));
        wrapped
            .lines()
            .enumerate()
            .map(|(n, text)| self.line(if n == 0 { label } else { "" }, text))
            .collect()
    }
}

/// True if more of it is text than not: a message of JSON behind its prefix, for one.
fn is_text(bytes: &[u8]) -> bool {
    let letters = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~')).count();
    letters * 4 > bytes.len() * 3
}

/// `2 prefix, 5 payload`: which bytes are what.
fn names(row: &ExchangeRow) -> String {
    let name = |span: &Span| format!("{} {}", Grouped((span.end - span.start) as u64), span.label);
    row.fields.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receives(bytes: Vec<u8>, length: usize, wrong: Option<usize>) -> ExchangeRow {
        ExchangeRow { label: "receives".into(), bytes, length, wrong, ..ExchangeRow::default() }
    }

    #[test]
    fn bytes_are_named_and_the_wrong_one_is_marked() {
        let span = |start, end, label: &str| Span { start, end, label: label.into() };
        let sends = ExchangeRow {
            label: "sends".into(),
            bytes: b"\0\x05H".to_vec(),
            length: 3,
            fields: vec![span(0, 2, "prefix"), span(2, 3, "payload")],
            ..ExchangeRow::default()
        };
        let waits = ExchangeRow { note: "(waits)".into(), ..ExchangeRow::default() };
        let receives = receives(b"\0\x01H".to_vec(), 3, Some(1));
        let drawn = exchange(&Exchange { left_out: 0, rows: vec![sends, waits, receives] }, Style::default());
        // No `\` at the end of a first line: it would take the space of the next one.
        let expected = " sends     00 05 48                            ··H           2 prefix, 1 payload
           (waits)
 receives  00 01 48                            ··H
              ^^ the first wrong byte
";
        assert_eq!(drawn, expected);
    }

    #[test]
    fn a_number_before_a_label_does_not_touch_the_bytes() {
        let rows = vec![ExchangeRow { label: "1 receives".into(), ..receives(vec![0xff, 0xfe], 2, None) }];
        let drawn = exchange(&Exchange { left_out: 0, rows }, Style::default());
        assert!(drawn.starts_with(" 1 receives  ff fe"), "{drawn}");
    }

    #[test]
    fn long_rows_are_counted_and_nothing_is_wider_than_the_screen() {
        let long = |wrong| receives(vec![b'x'; 400], 70_000, wrong);
        let note =
            ExchangeRow { label: "expected".into(), note: "word ".repeat(40), ..ExchangeRow::default() };
        for whole in [false, true] {
            let mut rows = vec![long(None), long(Some(300)), long(Some(60_000)), note.clone()];
            for row in &mut rows {
                row.whole = whole;
            }
            let drawn = exchange(&Exchange { left_out: 3, rows }, Style::default());
            assert!(drawn.lines().all(|line| line.chars().count() <= 80), "{drawn}");
            assert!(drawn.contains("70,000"), "{drawn}");
            assert!(drawn.contains("^^") && drawn.contains("byte 60,001 of these"), "{drawn}");
            assert!(whole || drawn.lines().count() < 20, "{drawn}");
        }
    }

    #[test]
    fn text_is_shown_as_text_and_controls_are_not() {
        let message =
            [b"\0\x40{\"type\":\"ROOM_ECHO\",\"data\":{\"text\":\"".as_slice(), &[b'a'; 20], b"\x1b[31m\"}}"]
                .concat();
        let rows = vec![receives(message.clone(), message.len(), None)];
        let drawn = exchange(&Exchange { left_out: 0, rows }, Style::default());
        assert!(drawn.contains("\"ROOM_ECHO\"") && drawn.contains("·[31m"), "{drawn}");
        assert!(!drawn.contains('\x1b'));
    }
}
