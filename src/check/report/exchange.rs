//! What went over the wire, in rows, and the choice of those that one screen has room for.

use crate::check::outcome::{Ended, Event, Failure, Outcome, What};
use crate::report::{Exchange, ExchangeRow, Span};
use crate::text::counted;

/// Bytes of a row that are kept: what comes behind is counted.
const KEPT: usize = 1 << 20;
/// Lines of a screenful: with the sentences above and the reproduction below it stays under forty.
const LINES: usize = 14;
/// What a row of bytes takes when it is folded: two lines of bytes and one that says what is left out.
const FOLDED: usize = 3;
/// Bytes in a line, as the renderer draws them.
const LINE: usize = 12;

/// All that went over the wire, with the first wrong byte marked.
pub(super) fn exchange(outcome: &Outcome) -> Exchange {
    let several = outcome.talks.len() > 1;
    let mut rows: Vec<ExchangeRow> = Vec::new();
    // Parts of an answer that came one behind the other are one row: how it was cut is the network's business.
    let mut receiving: Option<(usize, usize, usize)> = None;
    for event in &outcome.events {
        if matches!(event.what, What::Answered) || (matches!(event.what, What::Opened) && !several) {
            continue;
        }
        if let What::Received { start, end } = event.what {
            if let Some((client, first, last)) = receiving
                && client == event.client
                && last == start
            {
                rows.pop();
                rows.push(received(outcome, client, first, end, several));
                receiving = Some((client, first, end));
                continue;
            }
            receiving = Some((event.client, start, end));
            rows.push(received(outcome, event.client, start, end, several));
            continue;
        }
        receiving = None;
        rows.push(row(outcome, event, several));
    }
    rows.extend(expected(outcome));
    Exchange { left_out: 0, rows }
}

fn label(client: usize, does: &str, several: bool) -> String {
    if several { format!("{} {does}", client + 1) } else { does.to_owned() }
}

fn row(outcome: &Outcome, event: &Event, several: bool) -> ExchangeRow {
    let note = |text: String| ExchangeRow {
        label: label(event.client, "", several),
        note: text,
        ..ExchangeRow::default()
    };
    match &event.what {
        What::Sent { start, end, fields } => ExchangeRow {
            label: label(event.client, "sends", several),
            bytes: kept(&outcome.talks[event.client].sent[*start..*end]),
            length: end - start,
            fields: fields
                .iter()
                .map(|f| Span { start: f.start, end: f.end, label: f.name.to_owned() })
                .collect(),
            ..ExchangeRow::default()
        },
        What::Taken(true) => note("(waits until the server has read it)".into()),
        What::Taken(false) => note("(waits; the server does not read it)".into()),
        What::Paused(time) => note(format!("(waits {} ms)", time.as_millis())),
        What::HalfClosed => note("ends its side (FIN)".into()),
        What::Closed => note("closes".into()),
        What::Reset => note("resets its connection (RST)".into()),
        What::Ended(Ended::Fin) => note("the server ends its side (FIN)".into()),
        What::Ended(Ended::Reset) => note("the server resets (RST)".into()),
        What::Opened | What::Answered | What::Received { .. } => note("connects".into()),
    }
}

fn received(outcome: &Outcome, client: usize, start: usize, end: usize, several: bool) -> ExchangeRow {
    let wrong = match outcome.failure {
        Some((failed, Failure::Wrong { at, .. } | Failure::Unasked { at }))
            if failed == client && (start..end).contains(&at) =>
        {
            Some(at - start)
        }
        _ => None,
    };
    ExchangeRow {
        label: label(client, "receives", several),
        bytes: kept(&outcome.talks[client].received[start..end]),
        length: end - start,
        wrong,
        ..ExchangeRow::default()
    }
}

/// What should have come, around the place where it did not.
fn expected(outcome: &Outcome) -> Option<ExchangeRow> {
    let failed =
        matches!(outcome.failure, Some((_, Failure::Wrong { .. } | Failure::Silent | Failure::Gone(_))));
    let expect = outcome.missing().filter(|_| failed)?;
    let mut row = ExchangeRow { label: "expected".into(), ..ExchangeRow::default() };
    match expect.bytes() {
        Some(bytes) => {
            if let (Some((_, Failure::Wrong { at, .. })), Some(talk)) =
                (&outcome.failure, outcome.failed_talk())
            {
                row.focus = at.checked_sub(talk.right).filter(|at| *at < bytes.len());
            }
            (row.length, row.bytes) = (bytes.len(), kept(&bytes));
        }
        None => row.note = expect.describe(),
    }
    Some(row)
}

fn kept(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(KEPT)].to_vec()
}

/// The rows that a screen has room for: the last ones, up to the wrong byte, and the first ones.
pub(super) fn folded(exchange: &Exchange) -> Exchange {
    let rows = &exchange.rows;
    let height = |row: &ExchangeRow| {
        let lines = row.bytes.len().div_ceil(LINE).clamp(1, FOLDED);
        lines + usize::from(row.wrong.is_some())
    };
    let wrong = rows.iter().position(|row| row.wrong.is_some());
    let expected = rows.last().filter(|row| row.label == "expected").map(|_| rows.len() - 1);
    let last = wrong.unwrap_or(expected.unwrap_or(rows.len()).saturating_sub(1));
    // In the order in which they matter: what is wrong and what should have been, what led to it, how it began.
    let first = [Some(last), expected, last.checked_sub(1), Some(0), last.checked_sub(2), Some(1)];
    let order = first.into_iter().flatten().chain((0..last).rev()).chain(last..rows.len());
    let mut shown = vec![false; rows.len()];
    let mut room = LINES;
    for at in order {
        let Some(row) = rows.get(at).filter(|_| !shown[at]) else { continue };
        // Where one row does not fit any more, a smaller one behind it would stand without what led to it.
        if height(row) > room && room < LINES {
            break;
        }
        room = room.saturating_sub(height(row));
        shown[at] = true;
    }
    Exchange { left_out: exchange.left_out, rows: gaps_named(rows, &shown) }
}

fn gaps_named(rows: &[ExchangeRow], shown: &[bool]) -> Vec<ExchangeRow> {
    let mut kept: Vec<ExchangeRow> = Vec::new();
    let mut hidden = 0;
    for (at, row) in rows.iter().enumerate() {
        if !shown[at] {
            hidden += 1;
            // One line that says that a line is hidden saves nothing.
            let alone = hidden == 1 && row.bytes.is_empty() && shown.get(at + 1).is_none_or(|shown| *shown);
            if !alone {
                continue;
            }
            kept.push(row.clone());
            hidden = 0;
            continue;
        }
        kept.extend(gap(hidden));
        kept.push(row.clone());
        hidden = 0;
    }
    kept.extend(gap(hidden));
    kept
}

fn gap(hidden: usize) -> Option<ExchangeRow> {
    let note = format!("... {} more, see -v", counted(hidden as u64, "row"));
    (hidden > 0).then(|| ExchangeRow { note, ..ExchangeRow::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lengths: &[usize], wrong: Option<usize>) -> Exchange {
        let row = |(n, length): (usize, &usize)| ExchangeRow {
            label: n.to_string(),
            bytes: vec![b'x'; *length],
            length: *length,
            wrong: (wrong == Some(n)).then_some(0),
            ..ExchangeRow::default()
        };
        Exchange { left_out: 0, rows: lengths.iter().enumerate().map(row).collect() }
    }

    fn labels(exchange: &Exchange) -> Vec<&str> {
        let shown =
            |row: &ExchangeRow| if row.note.is_empty() { row.label.clone() } else { row.note.clone() };
        exchange.rows.iter().map(shown).map(|text| -> &str { Box::leak(text.into_boxed_str()) }).collect()
    }

    #[test]
    fn what_fits_is_shown_whole() {
        assert_eq!(labels(&folded(&of(&[4, 4, 40], Some(2)))), ["0", "1", "2"]);
        assert!(folded(&of(&[], None)).rows.is_empty());
    }

    #[test]
    fn the_wrong_row_and_the_first_ones_remain() {
        let mut lengths = vec![40; 30];
        lengths[20] = 4;
        let shown = folded(&of(&lengths, Some(20)));
        let labels = labels(&shown);
        assert!(labels.contains(&"20") && labels.contains(&"19") && labels.contains(&"0"), "{labels:?}");
        assert!(labels.contains(&"... 16 rows more, see -v"), "{labels:?}");
        assert!(labels.len() < 9, "{labels:?}");
    }

    #[test]
    fn one_huge_row_is_shown_all_the_same() {
        assert_eq!(labels(&folded(&of(&[1_000_000], None))), ["0"]);
    }
}
