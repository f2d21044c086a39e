//! The wire view: each frame with what framing put in front of it, its bytes in hex, and its payload as text.
//!
//! ```text
//! → 12:03:04.123  #7  ROOM_ECHO  u16 00 2f = 47 bytes
//!   00 2f 7b 22 74 79 70 65  │ {"type":"ROOM_ECHO","data":{"text":
//!   22 3a 22 52 4f 4f 4d 5f  │ "Hello"},"id":7}
//! ```
//! What framing added is underlined, so that it is told apart without colours. Long frames are folded.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::client::Direction;
use crate::framing::Framing;
use crate::text::{Grouped, counted, escape};
use crate::tui::theme::Theme;
use crate::tui::wire::{State, WireFrame, WireLog};
use crate::tui::wrap::wrap;

/// Rows of a frame that is folded.
const FOLDED: usize = 4;
/// What passes every few seconds by itself: folded, the heading says enough.
const HEARTBEATS: [&str; 2] = ["PING", "PONG"];

/// How a frame is laid out: bytes a row, and the columns of the text beside them (0: none).
#[derive(Clone, Copy)]
struct Grid {
    bytes: usize,
    text: usize,
}

impl Grid {
    fn of(columns: u16) -> Grid {
        let columns = usize::from(columns);
        // The text is read more than the hex: it gets the larger half.
        let bytes = match columns {
            100.. => 16,
            60.. => 8,
            _ => 4,
        };
        // Two columns of margin, three a byte, and ` │ `.
        Grid { bytes, text: columns.saturating_sub(2 + bytes * 3 + 2) }
    }
}

/// The payload as text, broken into the rows beside the hex.
fn texts(frame: &WireFrame, grid: Grid) -> Vec<String> {
    let text = match &frame.state {
        State::Whole(payload) => escape(&frame.bytes[payload.clone()]),
        State::Incomplete => "(the rest of this frame has not come)".to_owned(),
        State::Broken(why) => format!("(no frame: {why})"),
    };
    let lines = wrap(&text, grid.text, grid.text);
    lines.into_iter().map(|range| text[range].to_owned()).collect()
}

/// How many rows a frame has, and how many of them are shown.
fn rows(frame: &WireFrame, grid: Grid, whole: bool) -> (usize, usize) {
    let rows = frame.bytes.len().div_ceil(grid.bytes).max(texts(frame, grid).len());
    let shown = if whole {
        rows
    } else if HEARTBEATS.contains(&kind(frame).as_str()) {
        0
    } else {
        rows.min(FOLDED)
    };
    (rows, shown)
}

/// How many lines a frame takes: its heading, its rows, and if it is folded a line that says so.
pub(super) fn height(frame: &WireFrame, columns: u16, whole: bool) -> usize {
    let (rows, shown) = rows(frame, Grid::of(columns), whole);
    1 + shown + usize::from(shown > 0 && shown < rows)
}

fn lines(log: &WireLog, frame: &WireFrame, columns: u16, theme: Theme) -> Vec<Line<'static>> {
    let grid = Grid::of(columns);
    let texts = texts(frame, grid);
    let (rows, shown) = rows(frame, grid, log.whole);
    let mut lines = vec![heading(log.framing(), frame, columns, theme)];
    for row in 0..shown {
        let start = (row * grid.bytes).min(frame.bytes.len());
        let end = (start + grid.bytes).min(frame.bytes.len());
        let mut spans = vec![Span::raw("  ")];
        for at in start..end {
            spans.push(Span::styled(format!("{:02x}", frame.bytes[at]), byte_style(frame, at, theme)));
            spans.push(Span::raw(" "));
        }
        spans.push(Span::raw("   ".repeat(grid.bytes - (end - start))));
        spans.push(Span::styled(theme.signs.vertical, theme.dim()));
        spans.push(Span::raw(" "));
        spans.push(Span::raw(texts.get(row).cloned().unwrap_or_default()));
        lines.push(Line::from(spans));
    }
    if shown > 0 && shown < rows {
        let more =
            format!("  {} {} more: F6 shows whole frames", theme.signs.ellipsis, counted_rows(rows - shown));
        lines.push(Line::styled(more, theme.dim()));
    }
    lines
}

fn counted_rows(rows: usize) -> String {
    counted(rows as u64, "row")
}

/// What framing added stands out; what is no frame does so too.
fn byte_style(frame: &WireFrame, at: usize, theme: Theme) -> Style {
    match &frame.state {
        State::Whole(payload) if payload.contains(&at) => Style::new(),
        State::Whole(_) => theme.framing(),
        State::Incomplete => theme.dim(),
        State::Broken(_) => theme.error(),
    }
}

fn heading(framing: Framing, frame: &WireFrame, columns: u16, theme: Theme) -> Line<'static> {
    let (sign, style) = match frame.direction {
        Direction::Sent => (theme.signs.sent, theme.sent()),
        Direction::Received => (theme.signs.received, theme.received()),
    };
    let call = match frame.direction {
        Direction::Sent => "send",
        Direction::Received => "recv",
    };
    let chunks = match frame.chunks {
        (first, last) if first == last => format!("{call} #{last}"),
        (first, last) => format!("{call} #{first}-{last}"),
    };
    let roomy = columns >= 60;
    let mut spans = vec![Span::styled(format!("{sign} "), style)];
    if roomy {
        spans.push(Span::styled(frame.at.strftime("%H:%M:%S%.3f  ").to_string(), theme.dim()));
    }
    spans.push(Span::styled(format!("{}  ", kind(frame)), style));
    if roomy {
        spans.push(Span::styled(format!("{chunks}  "), theme.dim()));
    }
    spans.push(Span::styled(length(framing, frame), theme.dim()));
    Line::from(spans)
}

/// What a frame is, by the `type` in it.
fn kind(frame: &WireFrame) -> String {
    #[derive(serde::Deserialize)]
    struct Kind {
        r#type: String,
    }
    match &frame.state {
        State::Whole(payload) => match serde_json::from_slice::<Kind>(&frame.bytes[payload.clone()]) {
            Ok(kind) => crate::text::excerpt(kind.r#type.as_bytes(), 32),
            Err(_) => "no message".to_owned(),
        },
        State::Incomplete => "incomplete".to_owned(),
        State::Broken(_) => "no frame".to_owned(),
    }
}

/// What framing says of the length, and how it says so.
fn length(framing: Framing, frame: &WireFrame) -> String {
    let bytes = frame.bytes.len();
    let State::Whole(payload) = &frame.state else {
        return format!("{} so far", counted(bytes as u64, "byte"));
    };
    let head = &frame.bytes[..payload.start];
    match framing {
        Framing::U16 | Framing::U32 => {
            format!("{} {} = {}", framing.name(), crate::text::hex(head), Grouped(payload.len() as u64))
        }
        Framing::Header => {
            format!("header of {}, then {}", Grouped(head.len() as u64), Grouped(payload.len() as u64))
        }
        _ => format!("{} and a line end", Grouped(payload.len() as u64)),
    }
}

/// Draws the part of the wire that is seen.
pub(super) fn draw(log: &WireLog, area: Rect, buffer: &mut Buffer, theme: Theme) {
    let items = super::wire_items(log, area.width);
    let visible = log.scroll.visible(&items, usize::from(area.height));
    let mut y = area.y;
    for (number, range) in visible {
        let Some(frame) = log.frame(number) else { continue };
        for line in lines(log, frame, area.width, theme).drain(range) {
            buffer.set_line(area.x, y, &line, area.width);
            y += 1;
        }
    }
    if log.range().is_empty() {
        buffer.set_string(area.x + 1, area.y, "nothing has passed yet", theme.dim());
    }
}
