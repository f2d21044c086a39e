//! Ribbons: a stream drawn with one column per byte, and what calls and frames make of it in brackets.
//!
//! ```text
//! merge      3 messages, 3 sends, 1 recv
//!  send()    ├─1─┤├─2─┤├─3─┤               3 calls: 5+5+5 B
//!  stream    HelloWorldAgain               no marks in a stream
//!  recv()    ├──────1──────┤               1 call: 15 B
//! ```
//! One column per byte holds for every byte: what is not printable ASCII is a `·`, so `é` takes two of them.
//! A stream wider than the screen goes on below, under a ruler of offsets; brackets that are cut there stay
//! open. Apart from tables because a table may move its columns, and here they must not move.

use std::ops::Range;

use super::{Style, wrap};
use crate::report::{Cells, Ribbon, RibbonRow, Span};

/// Columns of the labels on the left.
pub(super) const LABELS: usize = 11;
/// Columns kept for a short stream, so that the notes of several pictures stand below each other.
pub(super) const SHORT: usize = 30;
/// The ruler shows every tenth offset.
const RULER: usize = 10;

/// A ribbon as text, no wider than the screen.
#[must_use]
pub fn ribbon(ribbon: &Ribbon, style: Style) -> String {
    let (length, room) = (ribbon.columns(), style.width.saturating_sub(LABELS).max(RULER));
    let longest = ribbon.rows.iter().map(|row| row.note.chars().count()).max().unwrap_or(0);
    let notes_at = SHORT.max(length + 2);
    let notes_at = (notes_at + longest <= room).then_some(notes_at);
    let window = if length <= room { length.max(1) } else { room / RULER * RULER };

    let pen = Pen::new(style);
    let mut out = heading(&ribbon.name, &ribbon.title);
    for start in (0..length.max(1)).step_by(window) {
        if length > window {
            out.push_str(&ruler(start..length.min(start + window)));
        }
        for row in &ribbon.rows {
            out.push_str(&pen.row(row, start..length.min(start + window), notes_at));
        }
    }
    for row in &ribbon.rows {
        match &row.cells {
            Cells::Text(text) => out.push_str(&labelled(row.label, text, style)),
            _ if notes_at.is_none() && !row.note.is_empty() => {
                out.push_str(&labelled(row.label, &pen.note(&row.note), style));
            }
            _ => {}
        }
    }
    out
}

/// The first line of a picture: its name in the column of the labels, then its title.
pub(super) fn heading(name: &str, title: &str) -> String {
    format!("{name:LABELS$}{title}\n")
}

/// The offsets of a window, one every ten columns.
fn ruler(window: Range<usize>) -> String {
    let offsets: Vec<String> = window.step_by(RULER).map(|offset| format!("{offset:<RULER$}")).collect();
    line("offset", &offsets.concat())
}

/// A label and what stands beside it.
pub(super) fn line(label: &str, rest: &str) -> String {
    let width = LABELS - 1;
    format!(" {label:width$}{rest}").trim_end().to_owned() + "\n"
}

/// A label and a paragraph, wrapped beside it.
fn labelled(label: &str, text: &str, style: Style) -> String {
    let wrapped = wrap(text, style.width.saturating_sub(LABELS));
    wrapped.lines().enumerate().map(|(n, text)| line(if n == 0 { label } else { "" }, text)).collect()
}

/// A character and whether it is drawn in one of the two colours that tell neighbours apart.
type Cell = (char, Option<usize>);

/// The characters to draw with.
#[derive(Clone, Copy, Debug)]
struct Pen {
    color: bool,
    ascii: bool,
    left: char,
    right: char,
    bar: char,
    /// A span one column wide has no room for two ends.
    narrow: char,
    open: char,
    close: char,
    not_text: char,
}

impl Pen {
    fn new(style: Style) -> Pen {
        let [left, right, bar, narrow, open, close, not_text] = if style.ascii {
            ['+', '+', '-', '|', '<', '>', '.']
        } else {
            ['├', '┤', '─', '│', '‹', '›', '·']
        };
        Pen { color: style.color, ascii: style.ascii, left, right, bar, narrow, open, close, not_text }
    }

    /// The part of a row that lies in `window`, with its note at `notes_at`.
    fn row(&self, row: &RibbonRow, window: Range<usize>, notes_at: Option<usize>) -> String {
        let mut cells: Vec<Cell> = vec![(' ', None); window.len()];
        match &row.cells {
            Cells::Bytes { bytes, marks } => {
                for (cell, byte) in cells.iter_mut().zip(bytes.iter().skip(window.start)) {
                    cell.0 = self.byte(*byte);
                }
                self.spans(marks, &window, &mut cells, Pen::mark);
            }
            Cells::Spans(spans) => self.spans(spans, &window, &mut cells, Pen::bracket),
            Cells::Text(_) => return String::new(),
        }
        let drawn = self.colored(&cells);
        match notes_at {
            Some(at) if !row.note.is_empty() => {
                line(row.label, &format!("{drawn}{:1$}{2}", "", at - cells.len(), self.note(&row.note)))
            }
            _ => line(row.label, &drawn),
        }
    }

    /// A note in the characters that may be used.
    fn note(&self, note: &str) -> String {
        if self.ascii { note.replace('·', ".") } else { note.to_owned() }
    }

    fn byte(&self, byte: u8) -> char {
        if matches!(byte, b' '..=b'~') { char::from(byte) } else { self.not_text }
    }

    /// Draws what is visible of each span.
    fn spans(
        &self,
        spans: &[Span],
        window: &Range<usize>,
        cells: &mut [Cell],
        draw: fn(&Pen, &Span, &Range<usize>) -> Vec<char>,
    ) {
        for (n, span) in spans.iter().enumerate() {
            let visible = span.start.max(window.start)..span.end.min(window.end);
            if visible.is_empty() {
                continue;
            }
            let drawn = draw(self, span, &visible);
            for (cell, c) in cells[visible.start - window.start..].iter_mut().zip(drawn) {
                *cell = (c, Some(n % 2));
            }
        }
    }

    /// `├─1─┤`; an end that lies outside of what is visible stays open.
    fn bracket(&self, span: &Span, visible: &Range<usize>) -> Vec<char> {
        let width = visible.len();
        if span.end - span.start == 1 {
            return vec![self.narrow];
        }
        let mut drawn = vec![self.bar; width];
        centre(&mut drawn, &span.label);
        if visible.start == span.start {
            drawn[0] = self.left;
        }
        if visible.end == span.end {
            drawn[width - 1] = self.right;
        }
        drawn
    }

    /// `‹ 5›`: bytes that mean something else than text. Two columns have room for one digit: `5›`.
    fn mark(&self, span: &Span, visible: &Range<usize>) -> Vec<char> {
        let (width, label) = (visible.len(), span.label.chars().count());
        if width == 1 {
            return vec![self.narrow];
        }
        let mut drawn = vec![' '; width];
        drawn[0] = self.open;
        drawn[width - 1] = self.close;
        if label < width {
            drawn.splice(width - 1 - label..width - 1, span.label.chars());
        }
        drawn
    }

    /// The cells with their colours, if colours may be used. Without them nothing is lost.
    fn colored(&self, cells: &[Cell]) -> String {
        const COLORS: [&str; 2] = ["\x1b[36m", "\x1b[33m"];
        let mut out = String::new();
        for run in cells.chunk_by(|a, b| a.1 == b.1) {
            let text = run.iter().map(|cell| cell.0);
            match run[0].1.filter(|_| self.color) {
                Some(n) => {
                    out.push_str(COLORS[n]);
                    out.extend(text);
                    out.push_str("\x1b[0m");
                }
                None => out.extend(text),
            }
        }
        out
    }
}

/// Writes `label` into the middle, if both ends stay free.
fn centre(drawn: &mut [char], label: &str) {
    let (width, length) = (drawn.len(), label.chars().count());
    if length + 2 <= width {
        let start = (width - length) / 2;
        for (place, c) in drawn[start..].iter_mut().zip(label.chars()) {
            *place = c;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(ends: &[usize]) -> Cells {
        let mut start = 0;
        let span = |(n, end): (usize, &usize)| {
            let from = std::mem::replace(&mut start, *end);
            Span { start: from, end: *end, label: (n + 1).to_string() }
        };
        Cells::Spans(ends.iter().enumerate().map(span).collect())
    }

    fn bytes(bytes: &[u8]) -> Cells {
        Cells::Bytes { bytes: bytes.to_vec(), marks: Vec::new() }
    }

    fn row(label: &'static str, cells: Cells, note: &str) -> RibbonRow {
        RibbonRow { label, cells, note: note.to_owned() }
    }

    fn merge() -> Ribbon {
        Ribbon {
            name: "merge".into(),
            title: "3 messages, 3 sends, 1 recv".into(),
            rows: vec![
                row("send()", spans(&[5, 10, 15]), "3 calls: 5+5+5 B"),
                row("stream", bytes(b"HelloWorldAgain"), "no marks in a stream"),
                row("recv()", spans(&[15]), "1 call: 15 B"),
                row("per recv", Cells::Text("0 of 3 messages".into()), ""),
            ],
        }
    }

    fn framed() -> Ribbon {
        let stream = b"\0\0\0\x05Hello\0\0\0\x05World";
        let prefix = |start| Span { start, end: start + 4, label: "5".into() };
        let decoded = Cells::Bytes { bytes: stream.to_vec(), marks: vec![prefix(0), prefix(9)] };
        Ribbon {
            name: "framed".into(),
            title: "u32, recv(7), then recv(1024)".into(),
            rows: vec![
                row("send()", spans(&[9, 18]), "2 calls: 9+9 B"),
                row("stream", bytes(stream), "· = not text"),
                row("recv()", spans(&[7, 18]), "2 calls: 7+11 B"),
                row("decoded", decoded, "prefix 00 00 00 05"),
                row("frames", spans(&[9, 18]), "2 of 2 messages"),
            ],
        }
    }

    #[test]
    fn three_messages_in_one_recv() {
        let drawn = "\
merge      3 messages, 3 sends, 1 recv
 send()    ├─1─┤├─2─┤├─3─┤               3 calls: 5+5+5 B
 stream    HelloWorldAgain               no marks in a stream
 recv()    ├──────1──────┤               1 call: 15 B
 per recv  0 of 3 messages
";
        assert_eq!(ribbon(&merge(), Style::default()), drawn);
    }

    #[test]
    fn prefixes_are_marked_where_they_stand() {
        let drawn = "\
framed     u32, recv(7), then recv(1024)
 send()    ├───1───┤├───2───┤            2 calls: 9+9 B
 stream    ····Hello····World            · = not text
 recv()    ├──1──┤├────2────┤            2 calls: 7+11 B
 decoded   ‹ 5›Hello‹ 5›World            prefix 00 00 00 05
 frames    ├───1───┤├───2───┤            2 of 2 messages
";
        assert_eq!(ribbon(&framed(), Style::default()), drawn);
    }

    #[test]
    fn ascii_draws_the_same_columns() {
        let drawn = "\
framed     u32, recv(7), then recv(1024)
 send()    +---1---++---2---+            2 calls: 9+9 B
 stream    ....Hello....World            . = not text
 recv()    +--1--++----2----+            2 calls: 7+11 B
 decoded   < 5>Hello< 5>World            prefix 00 00 00 05
 frames    +---1---++---2---+            2 of 2 messages
";
        assert_eq!(ribbon(&framed(), Style { ascii: true, ..Style::default() }), drawn);
    }

    #[test]
    fn a_long_stream_goes_on_below_a_ruler() {
        let long = Ribbon {
            name: "long".into(),
            title: "45 B".into(),
            rows: vec![
                row("send()", spans(&[15, 45]), "2 calls: 15+30 B"),
                row("stream", bytes(&[b'x'; 45]), ""),
            ],
        };
        let drawn = "\
long       45 B
 offset    0         10        20
 send()    ├──────1──────┤├──────2───────
 stream    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
 offset    30        40
 send()    ───────2──────┤
 stream    xxxxxxxxxxxxxxx
 send()    2 calls: 15+30 B
";
        assert_eq!(ribbon(&long, Style { width: 45, ..Style::default() }), drawn);
    }

    #[test]
    fn every_byte_has_one_column_whatever_it_is() {
        let shown = row("stream", bytes("é漢\x1b[2J\n\u{202e}".as_bytes()), "");
        let ribbon_of = |rows| Ribbon { rows, ..Ribbon::default() };
        let drawn = ribbon(&ribbon_of(vec![shown]), Style::default());
        assert!(drawn.ends_with(" stream    ······[2J····\n"), "{drawn}");
        let narrow = row("recv()", spans(&[1, 3, 6, 10, 12]), "");
        let drawn = ribbon(&ribbon_of(vec![narrow]), Style::default());
        assert!(drawn.ends_with(" recv()    │├┤├3┤├4─┤├┤\n"), "{drawn}");
    }

    #[test]
    fn nothing_is_wider_than_the_screen() {
        for length in [1, 28, 29, 30, 60, 69, 70, 200] {
            let rows = vec![
                row("send()", spans(&[length]), "a note of thirty-four characters .."),
                row("stream", bytes(&vec![b'x'; length]), ""),
            ];
            let drawn = ribbon(&Ribbon { rows, ..Ribbon::default() }, Style::default());
            assert!(drawn.lines().all(|line| line.chars().count() <= 80), "{drawn}");
            assert_eq!(drawn.matches('x').count(), length);
        }
    }

    #[test]
    fn colours_add_nothing_but_colour() {
        let colored = ribbon(&framed(), Style { color: true, ..Style::default() });
        assert!(colored.contains("\x1b[36m├───1───┤\x1b[0m\x1b[33m├───2───┤\x1b[0m"), "{colored}");
        let mut plain = colored;
        for escape in ["\x1b[36m", "\x1b[33m", "\x1b[0m"] {
            plain = plain.replace(escape, "");
        }
        assert_eq!(plain, ribbon(&framed(), Style::default()));
    }
}
