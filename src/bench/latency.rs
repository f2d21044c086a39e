//! Latencies, kept in a histogram: percentiles, the shape of their distribution, and a file of them.
//!
//! A mean hides what matters: one reply in a hundred that takes 50 times as long. HdrHistogram keeps every
//! value to three digits in fixed memory. Pure: nothing here reads a clock.

use std::fmt::Write;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::report::{Bar, BarChart};
use crate::text::Grouped;

/// The longest latency that is kept, in nanoseconds; a longer one counts as this: a minute.
const LONGEST_NS: u64 = 60_000_000_000;
/// Where the bars of the distribution begin, in each power of ten.
const STEPS: [u64; 6] = [10, 15, 20, 30, 50, 70];

/// Many latencies.
#[derive(Clone, Debug)]
pub struct Latencies {
    histogram: Histogram<u64>,
}

/// The figures by which latencies are compared, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the type says it")]
pub struct Percentiles {
    pub min_us: f64,
    pub mean_us: f64,
    pub p50_us: f64,
    pub p90_us: f64,
    pub p99_us: f64,
    pub p99_9_us: f64,
    pub max_us: f64,
}

impl Default for Latencies {
    fn default() -> Latencies {
        let histogram = Histogram::new_with_bounds(1, LONGEST_NS, 3).expect("the bounds are in order");
        Latencies { histogram }
    }
}

impl Latencies {
    /// Adds `count` that are alike, in nanoseconds.
    #[inline]
    pub fn record(&mut self, ns: u64, count: u64) {
        self.histogram.saturating_record_n(ns, count);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// Adds all of `others`, which is empty afterwards.
    pub fn take(&mut self, others: &mut Latencies) {
        self.histogram.add(&others.histogram).expect("all have the same bounds");
        others.histogram.reset();
    }

    /// The percentiles; `None` of nothing.
    #[must_use]
    pub fn percentiles(&self) -> Option<Percentiles> {
        let at = |quantile| us(self.histogram.value_at_quantile(quantile));
        (self.count() > 0).then(|| Percentiles {
            min_us: us(self.histogram.min()),
            mean_us: (self.histogram.mean() / 100.0).round() / 10.0,
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p99_9_us: at(0.999),
            max_us: us(self.histogram.max()),
        })
    }

    /// The distribution as bars. They get wider to the right, by about half: an axis of ratios shows the
    /// bulk and its tail in one picture.
    #[must_use]
    pub fn chart(&self, from: &str) -> BarChart {
        let powers = (0..10).map(|power| 10_u64.pow(power) * 100);
        let begins: Vec<u64> = powers.flat_map(|power| STEPS.map(|step| step * power)).collect();
        let bar = |begin: &u64| Bar { label: format!("{}+", time(*begin)), value: 0 };
        let mut bars: Vec<Bar> = begins.iter().map(bar).collect();
        for value in self.histogram.iter_recorded() {
            // The first bar takes what is below it, too.
            let place = begins.partition_point(|begin| *begin <= value.value_iterated_to()).max(1) - 1;
            bars[place].value += value.count_at_value();
        }
        let used = |bar: &Bar| bar.value > 0;
        bars.truncate(bars.iter().rposition(used).map_or(0, |last| last + 1));
        bars.drain(..bars.iter().position(used).unwrap_or(0));
        BarChart { name: "latency".into(), title: format!("{from}, {} replies", Grouped(self.count())), bars }
    }

    /// All of them as text: a line of titles, then a line for each value that occurred: the value in
    /// microseconds, a tab, how often it occurred.
    #[must_use]
    pub fn lines(&self) -> String {
        let mut out = "value_us\tcount\n".to_owned();
        for value in self.histogram.iter_recorded() {
            let ns = value.value_iterated_to();
            let _ = writeln!(out, "{}.{:03}\t{}", ns / 1_000, ns % 1_000, value.count_at_value());
        }
        out
    }
}

/// Microseconds to one decimal.
#[expect(clippy::cast_precision_loss, reason = "one decimal of a rounded figure")]
fn us(ns: u64) -> f64 {
    (ns as f64 / 100.0).round() / 10.0
}

/// A time with its unit, as the axis has it: `150us`, `2ms`, `1.5s`.
fn time(ns: u64) -> String {
    let (unit, name) = match ns {
        0..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    match ns % unit * 10 / unit {
        0 => format!("{}{name}", ns / unit),
        tenth => format!("{}.{tenth}{name}", ns / unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        values.into_iter().for_each(|us| latencies.record(us * 1_000, 1));
        latencies
    }

    #[test]
    fn percentiles_are_those_of_the_values() {
        let p = of(1..=1_000).percentiles().unwrap();
        for (found, expected) in [(p.min_us, 1.0), (p.p50_us, 500.0), (p.p90_us, 900.0), (p.p99_us, 990.0)] {
            assert!((found - expected).abs() <= expected / 500.0, "{found} is not {expected}");
        }
        assert!((p.p99_9_us - 999.0).abs() < 2.0 && (p.max_us - 1_000.0).abs() < 2.0, "{p:?}");
        assert_eq!(Latencies::default().percentiles(), None);
    }

    #[test]
    fn taking_leaves_nothing_behind() {
        let (mut all, mut second) = (of([1, 2]), of([3]));
        all.take(&mut second);
        assert_eq!((all.count(), second.count()), (3, 0));
    }

    #[test]
    fn bars_hold_every_value_once_and_begin_where_they_say() {
        let chart = of([0, 10, 14, 15, 29, 200]).chart("x");
        let bars: Vec<_> = chart.bars.iter().map(|bar| (bar.label.as_str(), bar.value)).collect();
        assert_eq!((bars[0], bars[bars.len() - 1]), (("1us+", 1), ("200us+", 1)));
        assert!(bars.contains(&("10us+", 2)) && bars.contains(&("15us+", 1)) && bars.contains(&("20us+", 1)));
        let many = of((0..5_000).map(|n| n * n));
        assert_eq!(many.chart("x").bars.iter().map(|bar| bar.value).sum::<u64>(), 5_000);
    }

    #[test]
    fn the_file_has_each_value_and_its_count() {
        assert_eq!(of([5, 5, 7]).lines().lines().count(), 3);
        assert!(of([5, 5]).lines().starts_with("value_us\tcount\n5.00"), "{}", of([5, 5]).lines());
        assert!(of([5, 5]).lines().ends_with("\t2\n"));
    }
}
