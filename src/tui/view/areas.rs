//! Where everything stands, by the size of the screen. Pure arithmetic, so that scrolling measures what is drawn.
//!
//! A screen that gets smaller loses, in this order: the members (below 76 columns), the rooms (below 54), the rules
//! (below 14 rows), the footer (below 8), the status (below 5). Messages and the input line are last.
//!
//! ```text
//! status    │ room, user                                   state, address, RTT │
//! body      │ rooms │ messages                                       │ members │
//! input     │ › what is typed, up to five lines of it                          │
//! footer    │ keys                                                             │
//! ```

use ratatui::layout::Rect;

const MEMBERS_FROM: u16 = 76;
const ROOMS_FROM: u16 = 54;
const RULES_FROM: u16 = 14;
const FOOTER_FROM: u16 = 8;
const STATUS_FROM: u16 = 5;
/// From so many rows on, the wire leaves the upper half to the messages.
const SPLIT_FROM: u16 = 30;
/// The input line grows with what is pasted, up to this.
const MAX_INPUT: u16 = 5;

/// The parts of the room screen; what has no place is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) struct Areas {
    pub(super) status: Option<Rect>,
    pub(super) rules: [Option<Rect>; 2],
    pub(super) rooms: Option<Rect>,
    pub(super) messages: Option<Rect>,
    pub(super) members: Option<Rect>,
    /// The wire, and the rule above it.
    pub(super) wire: Option<Rect>,
    pub(super) wire_rule: Option<Rect>,
    pub(super) input: Rect,
    pub(super) footer: Option<Rect>,
}

/// The parts of a screen of this size. `input_lines`: what is typed takes so many lines.
pub(super) fn areas(size: (u16, u16), wire: bool, input_lines: u16) -> Areas {
    let (columns, rows) = size;
    let mut areas = Areas::default();
    let (mut top, mut bottom) = (0, rows);
    let row = |y| Rect::new(0, y, columns, 1);
    if rows >= STATUS_FROM {
        areas.status = Some(row(0));
        top += 1;
    }
    if rows >= FOOTER_FROM {
        bottom -= 1;
        areas.footer = Some(row(bottom));
    }
    let most = MAX_INPUT.min(rows / 4).max(1);
    let input = input_lines.clamp(1, most).min(bottom - top);
    bottom -= input;
    areas.input = Rect::new(0, bottom, columns, input);
    if rows >= RULES_FROM {
        areas.rules[0] = Some(row(top));
        top += 1;
        bottom -= 1;
        areas.rules[1] = Some(row(bottom));
    }
    if wire {
        let split = rows >= SPLIT_FROM;
        let middle = if split { top + (bottom - top) * 2 / 5 } else { top };
        if split {
            areas.wire_rule = Some(row(middle));
            areas.wire = Some(Rect::new(0, middle + 1, columns, bottom - middle - 1));
            bottom = middle;
        } else {
            areas.wire = Some(Rect::new(0, top, columns, bottom - top));
            return areas;
        }
    }
    body(&mut areas, Rect::new(0, top, columns, bottom - top));
    areas
}

/// Rooms, messages and members side by side, a line between them.
fn body(areas: &mut Areas, body: Rect) {
    let mut messages = body;
    if body.width >= ROOMS_FROM {
        let width = pane(body.width);
        areas.rooms = Some(Rect { width, ..body });
        messages.x += width + 1;
        messages.width -= width + 1;
    }
    if body.width >= MEMBERS_FROM {
        let width = pane(body.width) - 2;
        areas.members = Some(Rect { x: body.right() - width, width, ..body });
        messages.width -= width + 1;
    }
    // Beside the panes there is room for some air.
    if areas.rooms.is_some() && messages.width > 2 {
        messages.x += 1;
        messages.width -= 2;
    }
    areas.messages = Some(messages);
}

/// Wide enough for a name of 32 only where there is room for it.
fn pane(columns: u16) -> u16 {
    (columns / 5).clamp(14, 26)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_screen_loses_its_parts_in_order() {
        let has = |columns, rows| {
            let a = areas((columns, rows), false, 1);
            [
                a.members.is_some(),
                a.rooms.is_some(),
                a.rules[0].is_some(),
                a.footer.is_some(),
                a.status.is_some(),
            ]
        };
        assert_eq!(has(80, 24), [true; 5]);
        assert_eq!(has(75, 24), [false, true, true, true, true]);
        assert_eq!(has(53, 13), [false, false, false, true, true]);
        assert_eq!(has(40, 7), [false, false, false, false, true]);
        assert_eq!(has(40, 4), [false; 5]);
    }

    #[test]
    fn no_size_breaks_the_arithmetic_and_nothing_overlaps() {
        for columns in 0..130 {
            for rows in 0..60 {
                for (wire, lines) in [(false, 1), (true, 1), (true, 9), (false, 9)] {
                    let a = areas((columns, rows), wire, lines);
                    let parts = [
                        a.status,
                        a.rules[0],
                        a.rules[1],
                        a.rooms,
                        a.messages,
                        a.members,
                        a.wire,
                        a.wire_rule,
                        Some(a.input),
                        a.footer,
                    ];
                    let parts: Vec<Rect> =
                        parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
                    let screen = Rect::new(0, 0, columns, rows);
                    for (n, part) in parts.iter().enumerate() {
                        assert_eq!(screen.intersection(*part), *part, "{columns}x{rows}");
                        assert!(
                            parts[n + 1..].iter().all(|other| !part.intersects(*other)),
                            "{columns}x{rows} {a:?}"
                        );
                    }
                }
            }
        }
    }
}
