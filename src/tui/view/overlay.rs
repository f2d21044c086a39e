//! What lies over a screen: the help, and the list of rooms.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::room;
use crate::client::chat_line::COMMANDS;
use crate::tui::model::{Model, Screen};
use crate::tui::picker::{Picker, Row};
use crate::tui::theme::Theme;
use crate::tui::wrap::{cut, width, wrap};

/// The columns of the help, its frame included.
const HELP: u16 = 70;

const ROOM_KEYS: [(&str, &str); 16] = [
    ("Enter", "send; Alt-Enter begins a new line"),
    ("Up Down", "what you typed before"),
    ("Tab", "complete a command, a room, a name"),
    ("PgUp PgDn", "scroll; Ctrl-Up Ctrl-Down by one line"),
    ("Home End", "to the oldest, to the newest"),
    ("Esc", "to the newest, and take the mark away"),
    ("F2", "the wire: every byte, sent and received"),
    ("F6", "in the wire: whole frames or folded ones"),
    ("F3", "the rooms: filter, choose, enter"),
    ("F4", "make a room and enter it"),
    ("F5", "leave the room"),
    ("Ctrl-N Ctrl-P", "next room, room before"),
    ("Ctrl-L", "draw the screen again"),
    ("Ctrl-Z", "back to the shell; fg comes back"),
    ("Ctrl-C", "quit"),
    ("? or F1", "this help"),
];

const FORM_KEYS: [(&str, &str); 7] = [
    ("Enter", "connect"),
    ("Tab Down", "next question"),
    ("Shift-Tab Up", "question before"),
    ("Left Right", "choose a login, a framing"),
    ("Esc", "stop trying to connect"),
    ("Ctrl-C", "quit"),
    ("F1", "this help"),
];

const MARKS: &str = "Beside a room: its members. +3: three messages that you have not seen, below or behind \
this. A dot: somebody has gone there since you looked (F3). You are in one room at a time; when you come back, \
the numbers of the messages (seq) tell how many you have missed.";

const WIRE: &str = "What a frame is; the call that carried it (recv #7, or #7-9 where it took three); the length \
in front of it, underlined in the hex; its payload as it came. Nothing is hidden: a password in LOGIN stands there \
as it crosses the network.";

/// The lines of the help, broken for the width of the screen.
pub(super) fn help_text(model: &Model) -> Vec<Line<'static>> {
    let columns = usize::from(model.size.0.min(HELP).saturating_sub(4)).max(1);
    let column = if columns >= 60 { 16 } else { 14 };
    let theme = model.theme;
    let heading = |text: &'static str| Line::styled(text, theme.attention());
    let mut lines = vec![heading("Keys")];
    if model.screen == Screen::Connect {
        lines.extend(FORM_KEYS.iter().flat_map(|(keys, what)| row(keys, what, column, columns, theme)));
        return lines;
    }
    lines.extend(ROOM_KEYS.iter().flat_map(|(keys, what)| row(keys, what, column, columns, theme)));
    lines.extend([Line::default(), heading("Commands")]);
    for command in COMMANDS {
        let typed = format!("{} {}", command.name, command.argument);
        lines.extend(row(typed.trim_end(), command.what, column, columns, theme));
    }
    for (title, text) in [("Marks", MARKS), ("The wire", WIRE)] {
        lines.extend([Line::default(), heading(title)]);
        lines.extend(wrap(text, columns, columns).into_iter().map(|range| Line::raw(&text[range])));
    }
    lines
}

/// A key and what it does, in two columns.
fn row(key: &str, what: &'static str, column: usize, columns: usize, theme: Theme) -> Vec<Line<'static>> {
    let room = columns.saturating_sub(column).max(1);
    let mut lines = Vec::new();
    for (n, range) in wrap(what, room, room).into_iter().enumerate() {
        let key = if n == 0 { key } else { "" };
        let gap = " ".repeat(column.saturating_sub(width(key)).max(1));
        let key = Span::styled(key.to_owned(), theme.bold());
        lines.push(Line::from(vec![key, Span::raw(gap), Span::raw(&what[range])]));
    }
    lines
}

/// A frame with a title; returns what is inside.
fn frame_of(area: Rect, title: &str, footer: &str, theme: Theme, buffer: &mut Buffer) -> Rect {
    Clear.render(area, buffer);
    let signs = theme.signs;
    let inner = usize::from(area.width.saturating_sub(2));
    let [top_left, top_right, bottom_left, bottom_right] = signs.corners;
    let rule = signs.horizontal.repeat(inner);
    buffer.set_string(area.x, area.y, format!("{top_left}{rule}{top_right}"), theme.dim());
    buffer.set_string(area.x, area.bottom() - 1, format!("{bottom_left}{rule}{bottom_right}"), theme.dim());
    for y in area.y + 1..area.bottom() - 1 {
        buffer.set_string(area.x, y, signs.vertical, theme.dim());
        buffer.set_string(area.right() - 1, y, signs.vertical, theme.dim());
    }
    buffer.set_stringn(area.x + 2, area.y, format!(" {title} "), inner.saturating_sub(1), theme.bold());
    let footer = cut(footer, inner.saturating_sub(3), signs.ellipsis);
    buffer.set_string(area.x + 2, area.bottom() - 1, format!(" {footer} "), theme.dim());
    Rect::new(area.x + 2, area.y + 1, area.width.saturating_sub(4), area.height.saturating_sub(2))
}

/// A box in the middle of the screen, as large as it may be.
fn middle(screen: Rect, columns: u16, rows: u16) -> Rect {
    let (width, height) = (columns.min(screen.width), rows.min(screen.height));
    Rect::new((screen.width - width) / 2, (screen.height - height) / 2, width, height)
}

/// Draws the help from a line on.
pub(super) fn draw_help(model: &Model, first: usize, frame: &mut Frame<'_>) {
    let lines = help_text(model);
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    // What lies below would only distract from reading.
    Clear.render(frame.area(), frame.buffer_mut());
    let area = middle(frame.area(), HELP, rows);
    let fits = rows <= area.height;
    let footer = if fits {
        "Esc closes".to_owned()
    } else {
        format!("{} scroll, Esc closes", model.theme.signs.up_down)
    };
    let buffer = frame.buffer_mut();
    let inner = frame_of(area, "Help", &footer, model.theme, buffer);
    let first = first.min(lines.len().saturating_sub(usize::from(inner.height)));
    for (y, line) in (inner.top()..inner.bottom()).zip(&lines[first..]) {
        buffer.set_line(inner.x, y, line, inner.width);
    }
}

/// Draws the list of rooms.
pub(super) fn draw_rooms(model: &Model, picker: &Picker, frame: &mut Frame<'_>) {
    let theme = model.theme;
    let rows = picker.rows(&model.chat.rooms);
    let list = if picker.create { 2 } else { u16::try_from(rows.len()).unwrap_or(u16::MAX).clamp(3, 14) };
    let area = middle(frame.area(), 50, list.saturating_add(4));
    let (title, footer) = if picker.create {
        ("New room", "Enter makes it, Esc closes")
    } else {
        ("Rooms", "type to filter; Enter, Esc")
    };
    let inner = frame_of(area, title, footer, theme, frame.buffer_mut());
    if inner.height == 0 {
        return;
    }
    let label = if picker.create { "Name: " } else { "Filter: " };
    frame.buffer_mut().set_stringn(inner.x, inner.y, label, usize::from(inner.width), theme.bold());
    let used = u16::try_from(label.len()).unwrap_or(0).min(inner.width);
    let typed = Rect { x: inner.x + used, width: inner.width - used, height: 1, ..inner };
    frame.render_widget(picker.filter.area(), typed);
    frame.set_cursor_position(room::cursor(picker.filter.area(), typed));
    let list = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
    draw_rows(model, picker, &rows, list, frame.buffer_mut());
}

fn draw_rows(model: &Model, picker: &Picker, rows: &[Row], area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    if let Some(error) = &picker.error {
        let columns = usize::from(area.width);
        for (y, range) in (area.top()..area.bottom()).zip(wrap(error, columns, columns)) {
            buffer.set_string(area.x, y, &error[range], theme.error());
        }
        return;
    }
    let at = picker.at.min(rows.len().saturating_sub(1));
    let first = (at + 1).saturating_sub(usize::from(area.height));
    for (n, (y, row)) in (first..).zip((area.top()..area.bottom()).zip(rows.iter().skip(first))) {
        let (text, count) = match row {
            Row::Enter(name, members) => (name.clone(), members.to_string()),
            Row::Create(name) => (format!("make {name}"), "new".to_owned()),
        };
        let cells = usize::from(area.width).saturating_sub(width(&count) + 3);
        let text = cut(&text, cells, theme.signs.ellipsis);
        let gap = " ".repeat(cells.saturating_sub(width(&text)) + 1);
        let style = if n == at { theme.selected() } else { Style::new() };
        let sign = if n == at { theme.signs.here } else { " " };
        buffer.set_stringn(area.x, y, format!("{sign} {text}{gap}{count}"), usize::from(area.width), style);
    }
}
