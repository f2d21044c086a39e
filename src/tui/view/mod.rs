//! How the state looks: `draw` makes a picture of a [`Model`] and changes nothing but where typed text scrolls.
//!
//! | file       | what it draws                                            |
//! |------------|----------------------------------------------------------|
//! | `areas`    | nothing: where everything stands, by the screen's size   |
//! | `bars`     | the status above, the keys below                         |
//! | `form`     | the connect screen                                       |
//! | `room`     | rooms, members, the input line                           |
//! | `messages` | the log of a room                                        |
//! | `wire`     | the wire view                                            |
//! | `overlay`  | the help and the list of rooms                           |

mod areas;
mod bars;
mod form;
mod messages;
mod overlay;
mod room;
mod wire;

use ratatui::Frame;

use self::areas::{Areas, areas};
use super::log::{Entry, Log, Measured};
use super::model::{Model, Overlay, Screen};
use super::scroll::{Items, Scroll};
use super::theme::Theme;
use super::wire::WireLog;

/// Draws the screen; nothing, if it has not the size that the model knows: a picture follows with the event that
/// tells the size.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    let size = frame.area().as_size();
    if (size.width, size.height) != model.size {
        return;
    }
    if size.width < 20 || size.height < 3 {
        frame.buffer_mut().set_stringn(0, 0, "too small", usize::from(size.width), model.theme.dim());
        return;
    }
    match model.screen {
        Screen::Connect => form::draw(model, frame),
        Screen::Room => room::draw(model, frame),
    }
    match &model.overlay {
        Some(Overlay::Help(first)) => overlay::draw_help(model, *first, frame),
        Some(Overlay::Rooms(picker)) => overlay::draw_rooms(model, picker, frame),
        None => {}
    }
}

/// The parts of the room screen.
fn room_areas(model: &Model) -> Areas {
    areas(model.size, model.wire_open, room::input_lines(model))
}

/// True if the newest message is in sight.
pub(super) fn end_in_sight(model: &Model) -> bool {
    let shown = model.screen == Screen::Room && model.overlay.is_none();
    shown && model.chat.log().scroll.is_following() && room_areas(model).messages.is_some()
}

/// True if the list of rooms is in sight.
pub(super) fn rooms_in_sight(model: &Model) -> bool {
    let listed = matches!(model.overlay, Some(Overlay::Rooms(_))) || room_areas(model).rooms.is_some();
    model.screen == Screen::Room && listed
}

/// Lets `change` scroll the messages, measured as they are drawn.
pub(super) fn with_log_items(model: &mut Model, change: impl FnOnce(&dyn Items, usize, &mut Scroll)) {
    let Some(area) = room_areas(model).messages else { return };
    let log = model.chat.log();
    let mut scroll = log.scroll;
    change(&log_items(log, area.width, model.theme), usize::from(area.height), &mut scroll);
    model.chat.log_mut().scroll = scroll;
}

/// Lets `change` scroll the wire, measured as it is drawn.
pub(super) fn with_wire_items(model: &mut Model, change: impl FnOnce(&dyn Items, usize, &mut Scroll)) {
    let Some(area) = room_areas(model).wire else { return };
    let mut scroll = model.wire.scroll;
    change(&wire_items(&model.wire, area.width), usize::from(area.height), &mut scroll);
    model.wire.scroll = scroll;
}

/// How many lines the help has.
pub(super) fn help_lines(model: &Model) -> usize {
    overlay::help_text(model).len()
}

fn log_items(log: &Log, columns: u16, theme: Theme) -> Measured<'_, impl Fn(u64, &Entry) -> usize> {
    let height = move |number: u64, entry: &Entry| messages::height(log, number, entry, columns, theme);
    Measured { log, height }
}

/// The wire log with the width that it is measured for.
struct WireItems<'a> {
    log: &'a WireLog,
    columns: u16,
}

fn wire_items(log: &WireLog, columns: u16) -> WireItems<'_> {
    WireItems { log, columns }
}

impl Items for WireItems<'_> {
    fn range(&self) -> std::ops::Range<u64> {
        self.log.range()
    }

    fn height(&self, item: u64) -> usize {
        self.log.frame(item).map_or(1, |frame| wire::height(frame, self.columns, self.log.whole))
    }
}
