//! How reports look: text for a terminal, JSON for a program. Pure: data in, text out.
//!
//! The only home of tables and pictures. Nothing here measures, decides or prints.

mod axis;
mod bars;
mod exchange;
pub mod grading;
mod json;
mod page;
mod progress;
mod ribbon;
mod sparkline;
mod table;

pub use axis::time_axis;
pub use bars::bar_chart;
pub use exchange::exchange;
pub use json::{document, error_document};
pub use page::{heading, page, page_item};
pub use progress::Progress;
pub use ribbon::ribbon;
pub use sparkline::sparkline;
pub use table::table;

use crate::report::{Block, Report};

/// How text may look on this output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Colours may be used. Meaning never hangs on them.
    pub color: bool,
    /// Only ASCII may be used.
    pub ascii: bool,
    /// Columns of the screen.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Style {
        Style { color: false, ascii: false, width: 80 }
    }
}

/// A report as text.
#[must_use]
pub fn text(report: &impl Report, style: Style) -> String {
    let mut out = String::new();
    for block in report.blocks() {
        out.push_str(&block_text(&block, style));
    }
    out
}

/// One block as text, with its final newline.
#[must_use]
pub fn block_text(block: &Block, style: Style) -> String {
    match block {
        Block::Text(text) => wrap(text, style.width),
        Block::Verbatim(lines) => format!("{lines}\n"),
        Block::Table(rows) => table(rows, style),
        Block::Exchange(rows) => exchange(rows, style),
        Block::Ribbon(picture) => ribbon(picture, style),
        Block::TimeAxis(picture) => time_axis(picture, style),
        Block::Bars(picture) => bar_chart(picture, style),
    }
}

/// Breaks a paragraph at spaces so that no line is wider than `width`; a longer word stays whole.
fn wrap(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        } else if column > 0 || !out.is_empty() {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_broken_at_spaces() {
        assert_eq!(wrap("", 10), "\n");
        assert_eq!(wrap("one two three", 7), "one two\nthree\n");
        assert_eq!(wrap("a verylongword b", 6), "a\nverylongword\nb\n");
    }
}
