//! The room screen: rooms left, messages in the middle, members right, the input line below.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{bars, messages, wire};
use crate::tui::model::Model;
use crate::tui::wrap::{cut, width, wrap};

const KEYS: [bars::Key; 8] = [
    ("?", "help"),
    ("F2", "wire"),
    ("F3", "rooms"),
    ("^C", "quit"),
    ("F4", "new room"),
    ("F5", "leave"),
    ("PgUp", "scroll"),
    ("Alt-Enter", "new line"),
];

const WIRE_KEYS: [bars::Key; 6] = [
    ("?", "help"),
    ("F2", "close wire"),
    ("F6", "whole frames"),
    ("^C", "quit"),
    ("PgUp/PgDn", "scroll"),
    ("Esc", "newest"),
];

/// Draws the screen.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>) {
    let (areas, theme, signs) = (super::room_areas(model), model.theme, model.theme.signs);
    let buffer = frame.buffer_mut();
    if let Some(area) = areas.status {
        bars::draw_status(model, area, buffer);
    }
    let tees = draw_separators(
        &[areas.rooms.map(Rect::right), areas.members.map(|area| area.x - 1)],
        areas.messages,
        model,
        buffer,
    );
    if let Some(area) = areas.rules[0] {
        bars::draw_rule(area, &tees, signs.tee_down, buffer, theme);
        if areas.messages.is_none() {
            draw_wire_title(model, area, buffer);
        }
    }
    // With the wire below, the panes end at the wire's rule.
    let (below, above_input): (&[u16], _) = if areas.wire.is_some() { (&[], &tees) } else { (&tees, &tees) };
    if let Some(area) = areas.rules[1] {
        bars::draw_rule(area, below, signs.tee_up, buffer, theme);
    }
    if let Some(area) = areas.wire_rule {
        bars::draw_rule(area, above_input, signs.tee_up, buffer, theme);
        draw_wire_title(model, area, buffer);
    }
    if let Some(area) = areas.rooms {
        draw_rooms(model, area, buffer);
    }
    if let Some(area) = areas.messages {
        messages::draw(model.chat.log(), area, buffer, theme);
    }
    if let Some(area) = areas.members {
        draw_members(model, area, buffer);
    }
    if let Some(area) = areas.wire {
        wire::draw(&model.wire, area, buffer, theme);
    }
    if let Some(area) = areas.footer {
        let keys: &[bars::Key] = if model.wire_open { &WIRE_KEYS } else { &KEYS };
        bars::draw_keys(keys, area, buffer, theme);
    }
    draw_input(model, areas.input, frame);
}

fn draw_wire_title(model: &Model, area: Rect, buffer: &mut Buffer) {
    let title = format!(" wire, framed as {} ", model.wire.framing().name());
    buffer.set_stringn(
        area.x + 2,
        area.y,
        title,
        usize::from(area.width.saturating_sub(2)),
        model.theme.bold(),
    );
}

/// Lines between the panes; returns where they stand.
fn draw_separators(at: &[Option<u16>], body: Option<Rect>, model: &Model, buffer: &mut Buffer) -> Vec<u16> {
    let Some(body) = body else { return Vec::new() };
    let at: Vec<u16> = at.iter().flatten().copied().collect();
    for x in &at {
        for y in body.top()..body.bottom() {
            buffer.set_string(*x, y, model.theme.signs.vertical, model.theme.dim());
        }
    }
    at
}

/// A title with a count at the right edge.
fn title(text: &str, count: usize, area: Rect, model: &Model) -> Line<'static> {
    let count = count.to_string();
    let gap = usize::from(area.width).saturating_sub(1 + width(text) + width(&count) + 1);
    Line::from(vec![
        Span::styled(format!(" {text}"), model.theme.bold()),
        Span::raw(" ".repeat(gap)),
        Span::styled(count, model.theme.dim()),
    ])
}

fn draw_rooms(model: &Model, area: Rect, buffer: &mut Buffer) {
    let (theme, signs, chat) = (model.theme, model.theme.signs, &model.chat);
    buffer.set_line(area.x, area.y, &title("Rooms", chat.rooms.len(), area, model), area.width);
    let rows = usize::from(area.height).saturating_sub(1);
    // The room one is in stays in sight in a long list.
    let here = chat.rooms.iter().position(|room| chat.is_here(&room.name)).unwrap_or(0);
    let first = (here + 1).saturating_sub(rows);
    for (y, room) in (area.y + 1..area.bottom()).zip(chat.rooms.iter().skip(first)) {
        let here = chat.is_here(&room.name);
        let mark = match (here, room.news) {
            (true, _) if chat.log().unseen > 0 => format!(" +{}", chat.log().unseen),
            (false, true) => format!(" {}", signs.on),
            _ => String::new(),
        };
        let count = room.members.to_string();
        let cells = usize::from(area.width).saturating_sub(2 + width(&mark) + 1 + width(&count) + 1);
        let name = cut(&room.name, cells, signs.ellipsis);
        let gap = " ".repeat(cells - width(&name) + 1);
        let sign = if here { format!("{} ", signs.here) } else { "  ".to_owned() };
        let style = if here { theme.bold() } else { ratatui::style::Style::new() };
        let line = Line::from(vec![
            Span::styled(sign, theme.bold()),
            Span::styled(name, style),
            Span::styled(mark, theme.attention()),
            Span::raw(gap),
            Span::styled(count, theme.dim()),
        ]);
        buffer.set_line(area.x, y, &line, area.width);
    }
}

fn draw_members(model: &Model, area: Rect, buffer: &mut Buffer) {
    let (theme, chat) = (model.theme, &model.chat);
    buffer.set_line(area.x, area.y, &title("Members", chat.total, area, model), area.width);
    let rows = usize::from(area.height).saturating_sub(1);
    // The last row says how many more there are.
    let fits = chat.members.len() <= rows && chat.total <= chat.members.len();
    let shown = if fits { chat.members.len() } else { chat.members.len().min(rows.saturating_sub(1)) };
    let mut y = area.y + 1;
    for name in &chat.members[..shown] {
        let you = if chat.is_me(name) { " (you)" } else { "" };
        let cells = usize::from(area.width).saturating_sub(1 + you.len());
        let name_cut = cut(name, cells, theme.signs.ellipsis);
        let line = Line::from(vec![
            Span::raw(" "),
            Span::styled(name_cut, theme.name(name)),
            Span::styled(you, theme.dim()),
        ]);
        buffer.set_line(area.x, y, &line, area.width);
        y += 1;
    }
    let more = chat.total.saturating_sub(shown);
    if more > 0 && rows > 0 && y < area.bottom() {
        buffer.set_stringn(area.x, y, format!(" and {more} more"), usize::from(area.width), theme.dim());
    }
}

/// Before what is typed: the prompt and a space.
const PROMPT: u16 = 3;

/// How many lines what is typed takes.
pub(super) fn input_lines(model: &Model) -> u16 {
    let columns = usize::from(model.size.0.saturating_sub(PROMPT + 1)).max(1);
    // No more lines than this are ever shown, so a novel that was pasted need not be broken to its end.
    let start: String = model.chat.input.text().chars().take(columns * 8).collect();
    let lines = wrap(&start, columns, columns).len();
    u16::try_from(lines).unwrap_or(u16::MAX)
}

fn draw_input(model: &Model, area: Rect, frame: &mut Frame<'_>) {
    if area.height == 0 {
        return;
    }
    let prompt = format!(" {} ", model.theme.signs.prompt);
    frame.buffer_mut().set_string(area.x, area.y, prompt, model.theme.bold());
    let typed = Rect { x: area.x + PROMPT, width: area.width.saturating_sub(PROMPT + 1), ..area };
    if model.chat.input.is_empty() {
        let hint = match &model.chat.room {
            Some(room) => format!("say something in {room}"),
            None => "F3 lists the rooms".to_owned(),
        };
        frame.buffer_mut().set_stringn(typed.x, typed.y, hint, usize::from(typed.width), model.theme.dim());
    } else {
        frame.render_widget(model.chat.input.area(), typed);
    }
    if model.overlay.is_none() {
        frame.set_cursor_position(cursor(model.chat.input.area(), typed));
    }
}

/// Where the cursor stands on the screen, as the text was drawn last.
pub(super) fn cursor(area: &ratatui_textarea::TextArea<'_>, drawn: Rect) -> Position {
    let (cursor, (top, left)) = (area.screen_cursor(), area.scroll_offset());
    let column = u16::try_from(cursor.col).unwrap_or(u16::MAX).saturating_sub(left);
    let row = u16::try_from(cursor.row).unwrap_or(u16::MAX).saturating_sub(top);
    let last = drawn.right().saturating_sub(1);
    Position::new((drawn.x + column).min(last), (drawn.y + row).min(drawn.bottom().saturating_sub(1)))
}
