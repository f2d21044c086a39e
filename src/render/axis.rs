//! Time axes: when something happened, on a line whose columns are moments.
//!
//! ```text
//!  recv()    1──────────────────────────────────9──   2 calls: 5+45 B
//!  ms        0         10        20        30
//! ```
//! A digit says how many things happened in its column. Apart from ribbons, whose columns are bytes.

use std::fmt::Write;

use super::Style;
use super::ribbon::{LABELS, heading, line};
use crate::report::{AxisRow, TimeAxis};

/// Columns of the axis: with a note of 22 it fills a screen of 80.
const COLUMNS: usize = 45;
/// Columns that a label on the axis takes at least.
const TICK: usize = 9;

/// A time axis as text. Every row has the same scale: the last event of all stands in the last column.
#[must_use]
pub fn time_axis(axis: &TimeAxis, style: Style) -> String {
    let events = axis.rows.iter().flat_map(|row| &row.events);
    let end = events.map(|(at, _)| *at).max().unwrap_or(0).max(1);
    let columns = COLUMNS.min(style.width.saturating_sub(LABELS)).max(1);
    let mut out = heading(&axis.name, &axis.title);
    for row in &axis.rows {
        let drawn = moments(row, end, columns, if style.ascii { '-' } else { '─' });
        let beside = LABELS + drawn.chars().count() + 2 + row.note.chars().count() <= style.width;
        match (row.note.is_empty(), beside) {
            (true, _) => out.push_str(&line(row.label, &drawn)),
            (false, true) => out.push_str(&line(row.label, &format!("{drawn}  {}", row.note))),
            (false, false) => {
                out.push_str(&line(row.label, &drawn));
                out.push_str(&line("", &row.note));
            }
        }
    }
    let (unit, ticks) = ticks(end, columns);
    out.push_str(&line(unit, &ticks));
    out
}

/// A line with the number of things that happened in each column; `#` where it has no room.
fn moments(row: &AxisRow, end: u64, columns: usize, bar: char) -> String {
    let mut counts = vec![0; columns];
    for (at, count) in &row.events {
        counts[column(*at, end, columns)] += count;
    }
    let mut drawn = String::new();
    let mut skip = 0;
    for (n, count) in counts.iter().enumerate() {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let digits = count.to_string();
        let free = counts[n + 1..].iter().take_while(|next| **next == 0).count();
        match count {
            0 => drawn.push(bar),
            _ if digits.len() <= free + 1 => {
                skip = digits.len() - 1;
                drawn.push_str(&digits);
            }
            _ => drawn.push('#'),
        }
    }
    drawn
}

fn column(at: u64, end: u64, columns: usize) -> usize {
    let column = at.min(end) * (columns - 1) as u64 / end;
    usize::try_from(column).unwrap_or(columns - 1)
}

/// The unit of the axis, and its labels at round times.
fn ticks(end: u64, columns: usize) -> (&'static str, String) {
    let (unit, us) = if end >= 1_000_000 {
        ("s", 1_000_000)
    } else if end >= 2_000 {
        ("ms", 1_000)
    } else {
        ("us", 1)
    };
    let steps = (0..).flat_map(|power: u32| [1, 2, 5].map(|n| n * 10_u64.pow(power)));
    let least = (end * TICK as u64 / columns as u64).max(1);
    let step = steps.into_iter().find(|step| *step >= least).unwrap_or(end);
    let mut out = String::new();
    for at in (0..).map(|n| n * step).take_while(|at| *at <= end) {
        let (at_column, label) = (column(at, end, columns), number(at, us));
        if at_column + label.len() <= columns {
            let missing = at_column - out.len();
            let _ = write!(out, "{:missing$}{label}", "");
        }
    }
    (unit, out)
}

/// A time in its unit, with as many decimals as it needs.
fn number(at: u64, us: u64) -> String {
    let (whole, rest) = (at / us, at % us);
    if rest == 0 {
        return whole.to_string();
    }
    let width = us.ilog10() as usize;
    format!("{whole}.{}", format!("{rest:0width$}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(rows: &[(&'static str, &[(u64, usize)])]) -> TimeAxis {
        let row = |(label, events): &(&'static str, &[(u64, usize)])| AxisRow {
            label,
            events: events.to_vec(),
            note: "2 calls: 5+45 B".into(),
        };
        TimeAxis { name: "nagle".into(), title: "ten sends".into(), rows: rows.iter().map(row).collect() }
    }

    #[test]
    fn events_stand_where_their_time_is() {
        let drawn = time_axis(
            &axis(&[("send()", &[(0, 10)]), ("recv()", &[(0, 1), (44_000, 9)])]),
            Style { ascii: true, ..Style::default() },
        );
        let expected = "\
nagle      ten sends
 send()    10-------------------------------------------  2 calls: 5+45 B
 recv()    1-------------------------------------------9  2 calls: 5+45 B
 ms        0         10        20        30        40
";
        assert_eq!(drawn, expected);
    }

    #[test]
    fn crowded_columns_and_odd_scales_hold() {
        let crowd: Vec<(u64, usize)> = (0..45).map(|n| (n, 11)).collect();
        assert!(time_axis(&axis(&[("x", &crowd)]), Style::default()).contains("####"));
        for end in [0, 1, 7, 999, 2_000, 123_456, 5_000_000, 3_600_000_000] {
            let drawn = time_axis(&axis(&[("x", &[(end, 1)])]), Style { width: 40, ..Style::default() });
            assert!(drawn.lines().all(|line| line.chars().count() <= 40), "{end}: {drawn}");
        }
        assert_eq!((number(1_500, 1_000), number(50, 1_000)), ("1.5".into(), "0.05".into()));
    }
}
