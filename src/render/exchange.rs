//! Exchanges: what was sent and received, in hex and text, the bytes named and the first wrong one marked.
//!
//! ```text
//!  sends      00 05 48                  ··H              prefix 00 05, payload `H`
//!             (waits until the server has read it)
//!  sends      65 6c 6c 6f               ello             payload `ello`
//!  receives   00 01 48                  ··H
//!                ^^ the first wrong byte
//!  expected   00 05 48 65 6c 6c 6f      ··Hello
//! ```

use super::Style;
use super::ribbon::{LABELS, line};
use crate::report::{Exchange, ExchangeRow};
use crate::text::{Grouped, hex};

/// Bytes in a row: 12 take 36 columns of hex and 12 of text, which leaves room for the names beside them.
const ROW: usize = 12;
/// Rows of one send or recv; what lies behind is counted. A wrong byte is shown wherever it is.
const LINES: usize = 2;

/// An exchange as text.
#[must_use]
pub fn exchange(exchange: &Exchange, style: Style) -> String {
    let mut out = String::new();
    if exchange.left_out > 0 {
        let rest = Grouped(exchange.left_out as u64);
        out.push_str(&line("", &format!("({rest} lines before this one)")));
    }
    for row in &exchange.rows {
        out.push_str(&self::row(row, style));
    }
    out
}

fn row(row: &ExchangeRow, style: Style) -> String {
    if row.bytes.is_empty() {
        let nothing = if row.note.is_empty() { "(0 bytes)" } else { &row.note };
        return line(&row.label, nothing);
    }
    let mut out = String::new();
    let wrong_line = row.wrong.filter(|at| *at < row.bytes.len()).map(|at| at / ROW);
    let chunks: Vec<&[u8]> = row.bytes.chunks(ROW).collect();
    let mut label = row.label.as_str();
    let mut skipped = false;
    for (n, chunk) in chunks.iter().enumerate() {
        let near = wrong_line.is_some_and(|wrong| n == wrong || n + 1 == wrong);
        if n >= LINES && !near {
            skipped = true;
            continue;
        }
        if std::mem::take(&mut skipped) {
            out.push_str(&line("", "..."));
        }
        let names = if n == 0 { names(row) } else { String::new() };
        out.push_str(&bytes(std::mem::take(&mut label), chunk, &names, style));
        if wrong_line == Some(n) {
            let column = row.wrong.unwrap_or_default() % ROW * 3;
            out.push_str(&line("", &format!("{:column$}^^ the first wrong byte", "")));
        }
    }
    let shown = chunks.len().min(LINES) * ROW;
    if row.length > shown && wrong_line.is_none_or(|wrong| wrong < LINES) {
        out.push_str(&line("", &format!("... {} bytes in all", Grouped(row.length as u64))));
    }
    if row.wrong.is_some() && wrong_line.is_none() {
        let at = Grouped(row.wrong.unwrap_or_default() as u64 + 1);
        out.push_str(&line("", &format!("... byte {at} of these is the first wrong one")));
    }
    out
}

fn bytes(label: &str, chunk: &[u8], names: &str, style: Style) -> String {
    let dot = if style.ascii { '.' } else { '·' };
    let text: String =
        chunk.iter().map(|b| if matches!(b, b' '..=b'~') { char::from(*b) } else { dot }).collect();
    let width = ROW * 3;
    let row = format!("{:width$}{text:ROW$}", hex(chunk));
    let room = style.width.saturating_sub(LABELS + row.chars().count() + 2);
    let names: String = if names.chars().count() <= room { names.to_owned() } else { String::new() };
    line(label, &format!("{row}  {names}"))
}

/// `2 prefix, 5 payload`: which bytes are what.
fn names(row: &ExchangeRow) -> String {
    let name = |span: &crate::report::Span| format!("{} {}", span.end - span.start, span.label);
    row.fields.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Span;

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
        let receives = ExchangeRow {
            label: "receives".into(),
            bytes: b"\0\x01H".to_vec(),
            length: 3,
            wrong: Some(1),
            ..ExchangeRow::default()
        };
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
    fn long_rows_are_counted_and_nothing_is_wider_than_the_screen() {
        let long = |wrong| ExchangeRow {
            label: "receives".into(),
            bytes: vec![b'x'; 400],
            length: 70_000,
            wrong,
            ..ExchangeRow::default()
        };
        let rows = vec![long(None), long(Some(300)), long(Some(60_000))];
        let drawn = exchange(&Exchange { left_out: 3, rows }, Style::default());
        assert!(drawn.lines().all(|line| line.chars().count() <= 80), "{drawn}");
        assert!(drawn.contains("70,000 bytes in all"), "{drawn}");
        assert!(drawn.contains("^^") && drawn.contains("byte 60,001 of these"), "{drawn}");
        assert!(drawn.lines().count() < 20, "{drawn}");
    }
}
