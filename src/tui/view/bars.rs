//! The line above, which says how things stand, and the line below, which says what the keys do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::tui::model::{LinkState, Model};
use crate::tui::theme::Theme;
use crate::tui::wrap::{cut, width};

/// A key and what it does.
pub(super) type Key = (&'static str, &'static str);

/// Draws keys, the most important first; those that don't fit are left out.
pub(super) fn draw_keys(keys: &[Key], area: Rect, buffer: &mut Buffer, theme: Theme) {
    let mut x = area.x + 1;
    for (key, what) in keys {
        let line = Line::from(vec![
            Span::styled(*key, theme.bold()),
            Span::raw(" "),
            Span::styled(*what, theme.dim()),
        ]);
        let cells = u16::try_from(line.width()).unwrap_or(u16::MAX);
        if x.saturating_add(cells) > area.right() {
            break;
        }
        buffer.set_line(x, area.y, &line, cells);
        x += cells + 2;
    }
}

/// Draws the status of the room screen: room and user left, the connection right.
pub(super) fn draw_status(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let right = connection(model, area.width);
    let right_cells = u16::try_from(right.width()).unwrap_or(u16::MAX).min(area.width);
    let room = model.chat.room.as_deref().unwrap_or("no room");
    let me = model.chat.me.as_deref().unwrap_or("");
    let left_cells = usize::from(area.width - right_cells).saturating_sub(3);
    let room = cut(room, left_cells, theme.signs.ellipsis);
    let mut spans = vec![Span::styled(format!(" {room}"), theme.bold())];
    let rest = left_cells.saturating_sub(width(&room) + 3);
    // A name that can't be told from its start is left out.
    if !me.is_empty() && rest >= width(me).min(6) {
        spans.push(Span::styled("  as ", theme.dim()));
        spans.push(Span::styled(cut(me, rest.saturating_sub(2), theme.signs.ellipsis), theme.name(me)));
    }
    buffer.set_line(area.x, area.y, &Line::from(spans), area.width - right_cells);
    buffer.set_line(area.right() - right_cells, area.y, &right, right_cells);
}

/// How things stand with the server. What is least missed goes first on a narrow screen.
fn connection(model: &Model, columns: u16) -> Line<'static> {
    let theme = model.theme;
    let (sign, word, address, style) = state(model);
    let mut spans = vec![Span::styled(format!("{sign} {word}"), style)];
    if columns >= 54 && !address.is_empty() {
        spans.push(Span::styled(format!(" {address}"), theme.dim()));
    }
    if let Some(rtt) = model.rtt {
        let ms = rtt.as_secs_f64() * 1e3;
        let rtt = if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") };
        let label = if columns >= 54 { "RTT " } else { "" };
        spans.push(Span::styled(format!("  {label}{rtt}"), theme.dim()));
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}

/// The state of the connection: a sign, words, the server.
pub(super) fn state(model: &Model) -> (&'static str, String, String, Style) {
    let (theme, signs) = (model.theme, model.theme.signs);
    match &model.link {
        LinkState::Offline => (signs.off, "not connected".into(), String::new(), theme.dim()),
        LinkState::Connecting { address, attempt: 1 } => {
            (signs.off, "connecting to".into(), address.clone(), theme.attention())
        }
        LinkState::Connecting { address, attempt } => {
            (signs.off, format!("attempt {attempt}, connecting to"), address.clone(), theme.attention())
        }
        LinkState::LoggingIn { address } => {
            (signs.off, "logging in at".into(), address.clone(), theme.attention())
        }
        LinkState::Online { address } => (signs.on, "connected".into(), address.clone(), theme.good()),
        LinkState::Waiting { until } => {
            let left = until.saturating_duration_since(model.now.instant);
            let seconds = left.as_millis().div_ceil(1_000);
            (signs.off, format!("trying again in {seconds} s"), String::new(), theme.attention())
        }
    }
}

/// Draws a line from edge to edge; `tees`: where the lines between the panes meet it.
pub(super) fn draw_rule(area: Rect, tees: &[u16], tee: &str, buffer: &mut Buffer, theme: Theme) {
    buffer.set_string(area.x, area.y, theme.signs.horizontal.repeat(usize::from(area.width)), theme.dim());
    for x in tees {
        buffer.set_string(*x, area.y, tee, theme.dim());
    }
}
