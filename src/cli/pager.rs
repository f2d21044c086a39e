//! Text that is longer than the screen, a screenful at a time: what is shown must be read before it scrolls off.
//!
//! It counts rows, and knows neither the terminal nor who is asked to go on.

/// Rows that stay free: for the question, for its answer, and one that is shown again.
const FREE: usize = 3;
/// A screen lower than this shows so many rows all the same.
const LOWEST: usize = 3;

/// A screen, as far as it was filled since somebody last answered.
#[derive(Debug, Default)]
pub(super) struct Pager {
    used: usize,
}

impl Pager {
    /// The beginning of `text` that still fits on a screen of so many columns and rows, and what is left for the next
    /// one. Nothing fits where fewer than `together` rows are free: a heading without its text is of no use.
    pub(super) fn split<'t>(
        &mut self,
        text: &'t str,
        together: usize,
        (columns, rows): (usize, usize),
    ) -> (&'t str, &'t str) {
        let room = rows.saturating_sub(FREE).max(LOWEST);
        let mut end = 0;
        for line in text.split_inclusive('\n') {
            let more = rows_of(line, columns);
            let wanted = if end == 0 { more.max(together) } else { more };
            // A blank line may scroll, and a line that no screen holds is shown on an empty one.
            if self.used > 0 && self.used + wanted > room && !line.trim().is_empty() {
                break;
            }
            self.used += more;
            end += line.len();
        }
        text.split_at(end)
    }

    /// Counts what is shown anyhow.
    pub(super) fn shown(&mut self, text: &str, columns: usize) {
        self.used += text.split_inclusive('\n').map(|line| rows_of(line, columns)).sum::<usize>();
    }

    /// Somebody has read it all.
    pub(super) fn turn(&mut self) {
        self.used = 0;
    }
}

/// The rows that a line takes.
// Simplification: each character is taken for one column wide.
fn rows_of(line: &str, columns: usize) -> usize {
    let mut width: usize = 0;
    let mut colour = false;
    for c in line.chars().filter(|c| *c != '\n') {
        match c {
            '\x1b' => colour = true,
            'm' if colour => colour = false,
            _ if colour => {}
            _ => width += 1,
        }
    }
    width.max(1).div_ceil(columns.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screenful_at_a_time() {
        let mut pager = Pager::default();
        let text = "1\n2\n\x1b[1m3456\x1b[0m\n4\n5\n\n";
        assert_eq!(pager.split(text, 1, (4, 6)), ("1\n2\n\x1b[1m3456\x1b[0m\n", "4\n5\n\n"));
        assert_eq!(pager.split("4\n", 1, (4, 6)), ("", "4\n"), "until somebody has read it");
        pager.turn();
        assert_eq!(pager.split("4\n5\n\n", 1, (4, 6)), ("4\n5\n\n", ""));
        assert_eq!(pager.split("\n", 1, (4, 6)), ("\n", ""), "a blank line is nothing to wait for");
    }

    #[test]
    fn long_lines_take_more_rows_and_headings_want_company() {
        let mut pager = Pager::default();
        pager.shown("12345\n", 4);
        assert_eq!(pager.split("a\nb\nc\n", 1, (4, 6)), ("a\n", "b\nc\n"));
        pager.turn();
        pager.shown("x\n", 4);
        assert_eq!(pager.split("Run\n\n", 3, (4, 6)), ("", "Run\n\n"));
        pager.turn();
        assert_eq!(pager.split("Run\n\n", 9, (4, 6)), ("Run\n\n", ""), "an empty screen has to do");
        pager.turn();
        assert_eq!(pager.split("12345678901234567890\nx\n", 1, (4, 1)), ("12345678901234567890\n", "x\n"));
    }
}
