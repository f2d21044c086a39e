//! The messages of a room: how an entry of the log becomes lines, and which of them are seen.
//!
//! ```text
//! 60 columns and more:  12:03          ada │ Hello     names stand right, texts have a margin of their own
//! fewer:                12:03 ada  Hello               the rest of a text is moved in, so that no line break
//!                               everyone               in a text can imitate a message of somebody else
//! ```

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::tui::log::{Entry, Log, What};
use crate::tui::theme::Theme;
use crate::tui::wrap::{cut, width, wrap};

/// From this width on names have a column of their own.
const COLUMNS_FROM: u16 = 60;
const NAME_COLUMN: usize = 12;
/// Before the name: `12:03 `.
const TIME: usize = 6;
/// How far the rest of a text is moved in where there is no column.
const INDENT: usize = 8;

/// An entry ready to be broken into lines: what stands before the text, and the text.
struct Parts<'a> {
    /// The name or the sign.
    label: String,
    style: Style,
    text: std::borrow::Cow<'a, str>,
    text_style: Style,
}

fn parts(entry: &Entry, theme: Theme) -> Parts<'_> {
    let signs = theme.signs;
    let note = |sign: &str, text: String, style| Parts {
        label: sign.to_owned(),
        style,
        text: text.into(),
        text_style: style,
    };
    match &entry.what {
        What::Said { from, text } => Parts {
            label: from.clone(),
            style: theme.name(from),
            text: text.into(),
            text_style: Style::new(),
        },
        What::Joined(name) => note(signs.sent, format!("{name} came in"), theme.dim()),
        What::Left(name) => note(signs.received, format!("{name} left"), theme.dim()),
        What::Gap(first, last) => {
            let text = match last - first {
                0 => format!("message {first} is missing"),
                more => format!("{} messages are missing: {first} to {last}", more + 1),
            };
            note("!", text, theme.attention())
        }
        What::Away(1) => {
            note(signs.separator, "1 message was said while you were away".into(), theme.attention())
        }
        What::Away(n) => {
            note(signs.separator, format!("{n} messages were said while you were away"), theme.attention())
        }
        What::Note(text) => note(signs.separator, text.clone(), theme.dim()),
        What::Alert(text) => note("!", text.clone(), theme.error()),
    }
}

/// How an entry is broken: the columns before its text on the first line and on the others, and the lines.
struct Shape {
    label: String,
    first: usize,
    rest: usize,
    lines: Vec<Range<usize>>,
}

fn shape(parts: &Parts<'_>, columns: u16, theme: Theme) -> Shape {
    let columns_of_text = |before: usize| usize::from(columns).saturating_sub(before).max(1);
    if columns >= COLUMNS_FROM {
        let before = TIME + NAME_COLUMN + 3;
        let label = cut(&parts.label, NAME_COLUMN, theme.signs.ellipsis);
        let lines = wrap(&parts.text, columns_of_text(before), columns_of_text(before));
        return Shape { label, first: before, rest: before, lines };
    }
    let label = cut(&parts.label, usize::from(columns / 3), theme.signs.ellipsis);
    let gap = if parts.text_style == Style::new() { 2 } else { 1 };
    let first = TIME + width(&label) + gap;
    let rest = INDENT.min(usize::from(columns) / 3);
    let lines = wrap(&parts.text, columns_of_text(first), columns_of_text(rest));
    Shape { label, first, rest, lines }
}

/// How many lines an entry takes.
pub(super) fn height(log: &Log, number: u64, entry: &Entry, columns: u16, theme: Theme) -> usize {
    shape(&parts(entry, theme), columns, theme).lines.len() + usize::from(log.mark() == Some(number))
}

/// The lines of an entry.
fn lines(log: &Log, number: u64, entry: &Entry, columns: u16, theme: Theme) -> Vec<Line<'static>> {
    let parts = parts(entry, theme);
    let shape = shape(&parts, columns, theme);
    let mut lines = Vec::with_capacity(shape.lines.len() + 1);
    if log.mark() == Some(number) {
        lines.push(mark(columns, theme));
    }
    let wide = columns >= COLUMNS_FROM;
    let bar = || Span::styled(format!(" {} ", theme.signs.vertical), theme.dim());
    for (n, range) in shape.lines.into_iter().enumerate() {
        let text = Span::styled(parts.text[range].to_owned(), parts.text_style);
        let mut spans = Vec::with_capacity(4);
        if n == 0 {
            spans.push(Span::styled(entry.at.strftime("%H:%M ").to_string(), theme.dim()));
            if wide {
                spans.push(Span::raw(" ".repeat(NAME_COLUMN - width(&shape.label))));
            }
            spans.push(Span::styled(shape.label.clone(), parts.style));
        }
        let used = if n == 0 { TIME + if wide { NAME_COLUMN } else { width(&shape.label) } } else { 0 };
        let before = if n == 0 { shape.first } else { shape.rest };
        if wide {
            spans.push(Span::raw(" ".repeat(before - 3 - used)));
            spans.push(bar());
        } else {
            spans.push(Span::raw(" ".repeat(before - used)));
        }
        spans.push(text);
        lines.push(Line::from(spans));
    }
    lines
}

/// The line above the first message that nobody has seen.
fn mark(columns: u16, theme: Theme) -> Line<'static> {
    let word = " new ";
    let rule = theme.signs.horizontal.repeat(usize::from(columns).saturating_sub(word.len() + 2));
    let before = theme.signs.horizontal.repeat(2);
    Line::styled(format!("{before}{word}{rule}"), theme.attention())
}

/// Draws the part of the log that is seen.
pub(super) fn draw(log: &Log, area: Rect, buffer: &mut Buffer, theme: Theme) {
    let items = super::log_items(log, area.width, theme);
    let visible = log.scroll.visible(&items, usize::from(area.height));
    let filled: usize = visible.iter().map(|(_, lines)| lines.len()).sum();
    // A short log stands at the bottom, above the input line, where the eye is.
    let mut y = area.bottom() - u16::try_from(filled).unwrap_or(area.height).min(area.height);
    for (number, range) in visible {
        let Some(entry) = log.entry(number) else { continue };
        for line in lines(log, number, entry, area.width, theme).drain(range) {
            buffer.set_line(area.x, y, &line, area.width);
            y += 1;
        }
    }
    if !log.scroll.is_following() {
        below(log, area, buffer, theme);
    }
}

/// What waits below the window.
fn below(log: &Log, area: Rect, buffer: &mut Buffer, theme: Theme) {
    let text = match log.unseen {
        0 => format!(" {} Esc: newest ", theme.signs.down),
        n => format!(" {} {n} new {} Esc ", theme.signs.down, theme.signs.separator),
    };
    let cells = u16::try_from(width(&text)).unwrap_or(u16::MAX);
    if area.height > 0 && cells <= area.width {
        let style = if log.unseen > 0 { theme.attention().patch(theme.selected()) } else { theme.selected() };
        buffer.set_string(area.right() - cells, area.bottom() - 1, text, style);
    }
}
