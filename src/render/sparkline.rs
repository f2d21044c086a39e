//! Sparklines: the last values on one line, the lowest as the lowest block, the highest as the highest.
//!
//! ```text
//! ▁▂▁▁▃▁×▁█▂  0.041..0.310 ms
//! ```

/// Blocks by height.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_BLOCKS: [char; 8] = ['_', '.', '-', '=', '+', 'o', 'O', '#'];

/// The last `width` of `values` as a line; a value that is missing is a cross.
#[must_use]
pub fn sparkline(values: &[Option<f64>], width: usize, ascii: bool) -> String {
    let shown = &values[values.len().saturating_sub(width)..];
    let known = || shown.iter().flatten().copied();
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let (blocks, cross) = if ascii { (ASCII_BLOCKS, 'x') } else { (BLOCKS, '×') };
    let block = |value: &Option<f64>| match value {
        None => cross,
        Some(value) => blocks[height(*value, low, high)],
    };
    shown.iter().map(block).collect()
}

/// From 0 to 7; where all values are the same, they are all low.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 7")]
fn height(value: f64, low: f64, high: f64) -> usize {
    if high > low { ((value - low) / (high - low) * 7.0).round().clamp(0.0, 7.0) as usize } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_shares_of_the_range_shown() {
        let values = [Some(900.0), Some(1.0), Some(8.0), None, Some(4.4)];
        assert_eq!(sparkline(&values, 4, false), "▁█×▄");
        assert_eq!(sparkline(&values, 4, true), "_#x=");
        assert_eq!(sparkline(&values, 100, true), "#_x_".replace("_x", "__x"));
        assert_eq!(sparkline(&[Some(3.0), Some(3.0), None], 9, true), "__x");
        assert_eq!(sparkline(&[], 9, true), "");
        assert_eq!(sparkline(&[None], 9, false), "×");
    }
}
