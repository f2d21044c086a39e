//! Text from people made fit for the screen: harmless, and broken into lines by the cells that it takes.
//!
//! It stands apart because a character is not a cell: `漢` takes two, a combining accent none, an emoji of seven
//! code points two. What breaks at bytes or `char`s draws over its neighbours. Pure.

use std::ops::Range;

use ratatui::buffer::CellWidth;
use unicode_segmentation::UnicodeSegmentation;

use crate::text::printable;

/// More code points than this in one cell is an attack on the reader, not a letter: families of emoji have ten.
const LONGEST_GRAPHEME: usize = 16;
/// A tab, in spaces.
const TAB: &str = "    ";

/// The cells that a text takes on a line.
pub(super) fn width(text: &str) -> usize {
    text.graphemes(true).map(|grapheme| usize::from(grapheme.cell_width())).sum()
}

/// A text of a peer as it may be drawn: line breaks stay, tabs are spaces, and what a terminal obeys is escaped.
pub(super) fn harmless(text: &str) -> String {
    let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let lines: Vec<String> =
        lines.map(|line| short_graphemes(&printable(&line.replace('\t', TAB)))).collect();
    lines.join("\n")
}

/// A name of a peer as it may be drawn: on one line.
pub(super) fn harmless_name(name: &str) -> String {
    short_graphemes(&printable(name))
}

fn short_graphemes(text: &str) -> String {
    let piled = |grapheme: &str| grapheme.chars().nth(LONGEST_GRAPHEME).is_some();
    if !text.graphemes(true).any(piled) {
        return text.to_owned();
    }
    text.graphemes(true).flat_map(|grapheme| grapheme.chars().take(LONGEST_GRAPHEME)).collect()
}

/// The start of a text that fits into `cells`, with `ellipsis` for what is cut off.
pub(super) fn cut(text: &str, cells: usize, ellipsis: &str) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let room = cells.saturating_sub(width(ellipsis));
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += usize::from(grapheme.cell_width());
        if used > room {
            break;
        }
        out.push_str(grapheme);
    }
    if cells >= width(ellipsis) {
        out.push_str(ellipsis);
    }
    out
}

/// Where the lines of a text begin and end: `first` cells for the first line, `rest` for the others. Lines are
/// broken at spaces, between wide characters, and within a word that is longer than a line. Never empty.
pub(super) fn wrap(text: &str, first: usize, rest: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for paragraph in text.split('\n') {
        wrap_paragraph(paragraph, start, first, rest, &mut lines);
        start += paragraph.len() + 1;
    }
    lines
}

fn wrap_paragraph(text: &str, offset: usize, first: usize, rest: usize, lines: &mut Vec<Range<usize>>) {
    let mut start = 0;
    // Where the line may end, and where the next one begins then: behind the spaces.
    let mut chance: Option<(usize, usize)> = None;
    let mut was_wide = false;
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        let cells = usize::from(grapheme.cell_width());
        let space = grapheme == " ";
        let wide = cells > 1;
        if at > start && (wide || was_wide) && !space {
            chance = Some((at, at));
        }
        let limit = if lines.is_empty() { first } else { rest }.max(1);
        // A space hangs over the edge: it is not drawn at the end of a line.
        if used + cells > limit && at > start && !space {
            let (end, next) = chance.filter(|(_, next)| *next > start).unwrap_or((at, at));
            lines.push(offset + start..offset + trimmed(text, start, end));
            start = next;
            chance = None;
            used = width(&text[start..at]);
        }
        used += cells;
        was_wide = wide;
        if space {
            // Spaces that begin a line belong to it.
            chance = Some((at, at + 1)).filter(|_| trimmed(text, start, at) > start);
        }
    }
    lines.push(offset + start..offset + trimmed(text, start, text.len()));
}

/// Where the line ends without the spaces at its end.
fn trimmed(text: &str, start: usize, end: usize) -> usize {
    start + text[start..end].trim_end_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str, first: usize, rest: usize) -> Vec<&str> {
        wrap(text, first, rest).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_where_they_must() {
        assert_eq!(lines("one two three", 7, 7), ["one two", "three"]);
        assert_eq!(lines("one two three", 3, 9), ["one", "two three"]);
        assert_eq!(lines("a verylongword b", 6, 6), ["a", "verylo", "ngword", "b"]);
        assert_eq!(lines("  indented  text", 11, 11), ["  indented", "text"]);
        assert_eq!(lines("a\n\nb c", 9, 9), ["a", "", "b c"]);
        assert_eq!(lines("", 5, 5), [""]);
        assert_eq!(lines("trailing   ", 8, 8), ["trailing"]);
    }

    #[test]
    fn a_line_is_measured_in_cells() {
        assert_eq!(lines("漢字漢字", 5, 5), ["漢字", "漢字"]);
        assert_eq!(lines("ab漢字", 4, 4), ["ab漢", "字"]);
        assert_eq!(lines("e\u{301}e\u{301}e\u{301}", 2, 2), ["e\u{301}e\u{301}", "e\u{301}"]);
        assert_eq!(lines("👨‍👩‍👧👨‍👩‍👧", 3, 3), ["👨‍👩‍👧", "👨‍👩‍👧"]);
        assert_eq!(lines("🙂", 1, 1), ["🙂"], "what is wider than the screen stands alone");
        assert_eq!(width("e\u{301}漢🙂"), 5);
    }

    #[test]
    fn what_a_terminal_obeys_is_shown_as_what_it_is() {
        assert_eq!(harmless("a\x1b[2Jb"), "a\\x1b[2Jb");
        assert_eq!(harmless("x\u{202e}y\u{9b}z"), "x\\u{202e}y\\u{9b}z");
        assert_eq!(harmless("a\r\nb\tc"), "a\nb    c");
        assert_eq!(harmless("C:\\dir"), "C:\\dir");
        assert_eq!(harmless_name("a\nb"), "a\\nb");
        let piled = format!("e{}x", "\u{301}".repeat(1_000));
        assert_eq!(harmless(&piled).chars().count(), LONGEST_GRAPHEME + 1);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("default", 7, "…"), "default");
        assert_eq!(cut("default", 5, "…"), "defa…");
        assert_eq!(cut("漢字漢", 4, "…"), "漢…");
        assert_eq!(cut("abc", 0, "…"), "");
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_nothing_but_spaces_is_lost(text in "[ a漢é🙂\u{301}\n]{0,60}", w in 2_usize..12) {
            let lines = lines(&text, w, w);
            for line in &lines {
                prop_assert!(width(line) <= w, "{line:?} is wider than {w}");
            }
            let kept: String = lines.concat().replace(' ', "");
            prop_assert_eq!(kept, text.replace([' ', '\n'], ""));
        }
    }
}
