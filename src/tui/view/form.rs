//! The connect screen: the questions, what is wrong with an answer, how things stand.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{bars, room};
use crate::tui::form::{Ask, Form, Login, Notice};
use crate::tui::model::{LinkState, Model};
use crate::tui::wrap::{width, wrap};

/// As wide as an address and a hint beside it need.
const WIDTH: u16 = 64;
/// Labels stand in a column of this width.
const LABEL: u16 = 11;

const KEYS: [bars::Key; 5] =
    [("Enter", "connect"), ("Tab", "next"), ("F1", "help"), ("^C", "quit"), ("Shift-Tab", "back")];
const RETRY_KEYS: [bars::Key; 4] =
    [("Enter", "connect now"), ("Esc", "stop trying"), ("F1", "help"), ("^C", "quit")];

/// Draws the screen.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let footer = u16::from(screen.height >= 8);
    let body = Rect { height: screen.height - footer, ..screen };
    if footer > 0 {
        let area = Rect { y: screen.bottom() - 1, height: 1, ..screen };
        let keys: &[bars::Key] = if model.link == LinkState::Offline { &KEYS } else { &RETRY_KEYS };
        bars::draw_keys(keys, area, frame.buffer_mut(), model.theme);
    }
    let asks: Vec<Ask> = model.form.asks().collect();
    let rows = u16::try_from(asks.len()).unwrap_or(u16::MAX);
    let width = WIDTH.min(body.width.saturating_sub(2));
    let notice = notice(model, usize::from(width));
    let notice_rows = u16::try_from(notice.len()).unwrap_or(u16::MAX);
    // What is missed least goes first: the air around, the title.
    let tall = rows + notice_rows + 5 <= body.height;
    let title = if tall { 3 } else { u16::from(rows + notice_rows < body.height) };
    let height = (title + rows + u16::from(tall) + notice_rows).min(body.height);
    let x = (body.width - width) / 2;
    let y = if tall { (body.height - height) / 3 } else { 0 };
    if title > 0 {
        draw_title(model, Rect::new(x, y, width, 1), frame.buffer_mut());
    }
    let notice_top = body.height.saturating_sub(notice_rows).min(y + title + rows + u16::from(tall));
    // The question in focus stays in sight, however few rows there are.
    let fit = usize::from(notice_top.saturating_sub(y + title)).max(1);
    let focus = asks.iter().position(|ask| *ask == model.form.focus).unwrap_or(0);
    let first = (focus + 1).saturating_sub(fit);
    for (row, ask) in (y + title..notice_top).zip(asks.iter().skip(first)) {
        draw_ask(model, *ask, Rect::new(x, row, width, 1), frame);
    }
    for (row, line) in (notice_top..body.height).zip(notice) {
        frame.buffer_mut().set_line(x, row, &line, width);
    }
}

fn draw_title(model: &Model, area: Rect, buffer: &mut Buffer) {
    let line = Line::from(vec![
        Span::styled("netlab chat", model.theme.bold()),
        Span::styled("  connect to a room server", model.theme.dim()),
    ]);
    buffer.set_line(area.x, area.y, &line, area.width);
}

fn label(ask: Ask, form: &Form) -> &'static str {
    match ask {
        Ask::Address => "Address",
        Ask::Port => "Port",
        Ask::Username => "Username",
        Ask::Login => "Login",
        Ask::Secret if form.login == Login::Hmac => "Key",
        Ask::Secret => "Password",
        Ask::Room => "Room",
        Ask::Framing => "Framing",
    }
}

/// What an empty answer means.
fn placeholder(ask: Ask, form: &Form) -> &'static str {
    match ask {
        Ask::Username => "empty: the server gives you one",
        Ask::Room => "empty: the server's default room",
        Ask::Secret if form.login == Login::Hmac && form.has_given_key() => "the one of the command line",
        Ask::Secret if form.login == Login::Hmac => "64 hex digits",
        Ask::Address | Ask::Port | Ask::Secret | Ask::Login | Ask::Framing => "",
    }
}

fn draw_ask(model: &Model, ask: Ask, area: Rect, frame: &mut Frame<'_>) {
    let (theme, form) = (model.theme, &model.form);
    let focused = form.focus == ask;
    let wrong = matches!(&form.notice, Some(Notice::Wrong(at, _)) if *at == ask);
    let style = if wrong {
        theme.error()
    } else if focused {
        theme.bold()
    } else {
        theme.dim()
    };
    let sign = if focused { theme.signs.here } else { " " };
    let buffer = frame.buffer_mut();
    buffer.set_stringn(
        area.x,
        area.y,
        format!("{sign} {}", label(ask, form)),
        usize::from(area.width),
        style,
    );
    let value = Rect { x: area.x + LABEL + 1, width: area.width.saturating_sub(LABEL + 1), ..area };
    match (ask, form.field(ask)) {
        (_, Some(field)) if field.is_empty() => {
            buffer.set_stringn(
                value.x,
                value.y,
                placeholder(ask, form),
                usize::from(value.width),
                theme.dim(),
            );
        }
        (_, Some(field)) => frame.render_widget(field.area(), value),
        (Ask::Login, None) => {
            draw_choice(model, form.login.name(), form.login.what(), focused, value, buffer);
        }
        (_, None) => draw_choice(model, form.framing.name(), framing_hint(form), focused, value, buffer),
    }
    if focused && model.overlay.is_none() {
        let cursor = match form.field(ask) {
            Some(field) if !field.is_empty() => room::cursor(field.area(), value),
            _ => value.as_position(),
        };
        frame.set_cursor_position(cursor);
    }
}

fn framing_hint(form: &Form) -> &'static str {
    use crate::framing::Framing;
    match form.framing {
        Framing::U16 => "a length of two bytes, then the message",
        Framing::U32 => "a length of four bytes, then the message",
        Framing::Header => "a JSON header, then the message",
        Framing::Line => "a line is a message",
        Framing::Raw => "",
    }
}

/// `‹ none ›  the name alone`
fn draw_choice(model: &Model, name: &str, what: &str, focused: bool, area: Rect, buffer: &mut Buffer) {
    let [left, right] = model.theme.signs.left_right;
    let style = if focused { model.theme.selected() } else { ratatui::style::Style::new() };
    let mut spans = vec![
        Span::styled(format!("{left} "), model.theme.dim()),
        Span::styled(name.to_owned(), style),
        Span::styled(format!(" {right}"), model.theme.dim()),
    ];
    // A hint that is cut off helps nobody.
    if width(name) + width(what) + 6 <= usize::from(area.width) {
        spans.push(Span::styled(format!("  {what}"), model.theme.dim()));
    }
    buffer.set_line(area.x, area.y, &Line::from(spans), area.width);
}

/// What the form says: how things stand, what went wrong, what to do next.
fn notice(model: &Model, columns: usize) -> Vec<Line<'static>> {
    let theme = model.theme;
    let mut lines = Vec::new();
    let mut add = |text: &str, style| {
        lines.extend(
            wrap(text, columns, columns).into_iter().map(|range| Line::styled(text[range].to_owned(), style)),
        );
    };
    match &model.form.notice {
        Some(Notice::Wrong(_, why)) => add(why, theme.error()),
        Some(Notice::Failed(why, hint)) => {
            add(why, theme.error());
            if let Some(hint) = hint {
                add(hint, theme.dim());
            }
        }
        None => {}
    }
    if model.link != LinkState::Offline {
        let (_, words, address, style) = bars::state(model);
        add(format!("{words} {address}").trim_end(), style);
    }
    lines
}
