//! Bar charts: how many of each, as lengths.
//!
//! ```text
//! latency    12,000 latencies
//!  50us+     ▏                                                 12   0.1 %
//!  70us+     ████████████████████████                      11,488  95.7 %
//! ```
//! What occurred at all is never drawn as nothing.

use super::Style;
use super::ribbon::{LABELS, heading, line};
use crate::report::{Bar, BarChart};
use crate::text::Grouped;

/// Columns of the longest bar: with count and share behind it, it fills a screen of 80.
const COLUMNS: u64 = 44;
/// Columns for the count and the share.
const FIGURES: usize = 22;

/// A bar chart as text. The largest value has the longest bar.
#[must_use]
pub fn bar_chart(chart: &BarChart, style: Style) -> String {
    let most = chart.bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    let all = chart.bars.iter().map(|bar| bar.value).sum::<u64>().max(1);
    let columns = COLUMNS.min(style.width.saturating_sub(LABELS + FIGURES) as u64).max(1);
    let mut out = heading(&chart.name, &chart.title);
    for bar in &chart.bars {
        out.push_str(&row(bar, most, all, columns, style.ascii));
    }
    out
}

#[expect(clippy::cast_precision_loss, reason = "a rounded share")]
fn row(bar: &Bar, most: u64, all: u64, columns: u64, ascii: bool) -> String {
    let (full, least) = if ascii { ("#", "|") } else { ("█", "▏") };
    let length = u128::from(bar.value) * u128::from(columns) / u128::from(most);
    let length = usize::try_from(length).expect("no bar is longer than the longest");
    let drawn = if length == 0 && bar.value > 0 { least.to_owned() } else { full.repeat(length) };
    let share = bar.value as f64 * 100.0 / all as f64;
    let width = usize::try_from(columns).unwrap_or(0);
    line(&bar.label, &format!("{drawn:<width$} {:>12} {share:>5.1} %", Grouped(bar.value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[u64]) -> BarChart {
        let bar = |value: &u64| Bar { label: "1ms+".into(), value: *value };
        BarChart { name: "latency".into(), title: "all".into(), bars: values.iter().map(bar).collect() }
    }

    #[test]
    fn lengths_are_shares_of_the_longest_and_nothing_is_hidden() {
        let drawn = bar_chart(&chart(&[1, 22, 44_000, 22_000, 0]), Style { ascii: true, ..Style::default() });
        let bars: Vec<String> =
            drawn.lines().skip(1).map(|row| row.chars().filter(|c| "#|".contains(*c)).collect()).collect();
        assert_eq!(bars, ["|".to_owned(), "|".into(), "#".repeat(44), "#".repeat(22), String::new()]);
        assert!(drawn.lines().nth(3).is_some_and(|row| row.ends_with("44,000  66.6 %")), "{drawn}");
    }

    #[test]
    fn no_row_is_wider_than_the_screen() {
        for width in [40, 60, 80, 120] {
            let drawn = bar_chart(&chart(&[u64::MAX / 4, 1]), Style { width, ..Style::default() });
            // The figure of a count beyond a trillion is wider than any bench makes it.
            assert!(drawn.lines().skip(2).all(|row| row.chars().count() <= width), "{drawn}");
        }
        assert_eq!(bar_chart(&chart(&[]), Style::default()).lines().count(), 1);
    }
}
