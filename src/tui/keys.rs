//! What each key does, screen by screen. The help and the footers say the same: see [`view`](super::view).

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::complete::complete;
use super::log::What;
use super::model::{LinkState, Model, Overlay, Screen};
use super::picker::{Picker, Row};
use super::update::{Effect, connect as dial};
use super::view;
use crate::client::chat_line::{self, ChatLine};

/// On the form.
pub(super) fn connect(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::F(1) => model.overlay = Some(Overlay::Help(0)),
        // In raw mode a line feed is Ctrl-J: the same key for whoever types by a program.
        KeyCode::Enter => return call(model),
        KeyCode::Char('j') if control => return call(model),
        KeyCode::Esc if model.link != LinkState::Offline => {
            model.form.notice = None;
            return vec![Effect::Disconnect];
        }
        _ if model.is_coming_back() => {}
        _ => model.form.key(key),
    }
    Vec::new()
}

/// Connects as the form says; after a loss, as it was, to the room that one was in.
fn call(model: &mut Model) -> Vec<Effect> {
    if model.is_coming_back() { vec![Effect::Retry] } else { dial(model) }
}

/// On the help.
pub(super) fn help(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let lines = view::help_lines(model);
    let page = usize::from(model.size.1).saturating_sub(4).max(1);
    let Some(Overlay::Help(first)) = &mut model.overlay else { return Vec::new() };
    let last = lines.saturating_sub(page);
    match key.code {
        KeyCode::Up => *first = first.saturating_sub(1),
        KeyCode::Down => *first = (*first + 1).min(last),
        KeyCode::PageUp => *first = first.saturating_sub(page),
        KeyCode::PageDown | KeyCode::Char(' ') => *first = (*first + page).min(last),
        KeyCode::Home => *first = 0,
        KeyCode::End => *first = last,
        KeyCode::Esc | KeyCode::Enter | KeyCode::F(1) | KeyCode::Char(_) => model.overlay = None,
        _ => {}
    }
    Vec::new()
}

/// In the list of rooms.
pub(super) fn rooms(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(Overlay::Rooms(picker)) = &mut model.overlay else { return Vec::new() };
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Esc | KeyCode::F(3 | 4) => close_rooms(model),
        KeyCode::Up => picker.go(-1, &model.chat.rooms),
        KeyCode::Down | KeyCode::Tab => picker.go(1, &model.chat.rooms),
        KeyCode::PageUp => picker.go(-10, &model.chat.rooms),
        KeyCode::PageDown => picker.go(10, &model.chat.rooms),
        KeyCode::Char('p') if control => picker.go(-1, &model.chat.rooms),
        KeyCode::Char('n') if control => picker.go(1, &model.chat.rooms),
        KeyCode::Enter => return choose_room(model),
        KeyCode::Char('j') if control => return choose_room(model),
        _ => {
            if picker.filter.key(key) {
                picker.at = 0;
                picker.error = None;
            }
        }
    }
    Vec::new()
}

fn close_rooms(model: &mut Model) {
    model.overlay = None;
    model.chat.look_at_rooms();
}

fn choose_room(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Rooms(picker)) = &mut model.overlay else { return Vec::new() };
    let effect = match picker.chosen(&model.chat.rooms) {
        Some(Row::Enter(room, _)) => model.chat.join(&room),
        Some(Row::Create(room)) => model.chat.create(&room),
        None => {
            picker.error = Some(picker.complaint(&model.chat.rooms));
            return Vec::new();
        }
    };
    close_rooms(model);
    vec![effect]
}

/// In the room.
pub(super) fn room(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    match key.code {
        KeyCode::F(1) => model.overlay = Some(Overlay::Help(0)),
        KeyCode::Char('?') if model.chat.input.is_empty() => model.overlay = Some(Overlay::Help(0)),
        KeyCode::F(2) => model.wire_open = !model.wire_open,
        KeyCode::F(3) => return open_rooms(model, "", false),
        KeyCode::F(4) => return open_rooms(model, "", true),
        KeyCode::F(5) => return vec![model.chat.leave()],
        KeyCode::F(6) => model.wire.whole = !model.wire.whole,
        KeyCode::Char('n') if control => return next_room(model, 1),
        KeyCode::Char('p') if control => return next_room(model, -1),
        KeyCode::Down if alt => return next_room(model, 1),
        KeyCode::Up if alt => return next_room(model, -1),
        KeyCode::Char('d') if control && model.chat.input.is_empty() => return vec![Effect::Quit],
        KeyCode::Enter if alt => model.chat.input.break_line(),
        KeyCode::Enter => return enter(model),
        KeyCode::Char('j') if control => return enter(model),
        KeyCode::Tab => complete_word(model),
        KeyCode::Esc => {
            scroll(model, Scrolling::End);
            model.chat.log_mut().unmark();
        }
        KeyCode::PageUp => scroll(model, Scrolling::PageUp),
        KeyCode::PageDown => scroll(model, Scrolling::PageDown),
        KeyCode::Up if control => scroll(model, Scrolling::Up),
        KeyCode::Down if control => scroll(model, Scrolling::Down),
        KeyCode::Home if control || model.chat.input.is_empty() => scroll(model, Scrolling::Top),
        KeyCode::End if control || model.chat.input.is_empty() => scroll(model, Scrolling::End),
        KeyCode::Up if model.chat.input.is_at_first_line() => recall(model, true),
        KeyCode::Down if model.chat.input.is_at_last_line() => recall(model, false),
        _ => {
            model.chat.input.key(key);
        }
    }
    Vec::new()
}

fn recall(model: &mut Model, up: bool) {
    let chat = &mut model.chat;
    let line = if up { chat.history.up(chat.input.text()) } else { chat.history.down() };
    if let Some(line) = line.map(str::to_owned) {
        chat.input.set(&line);
    }
}

fn complete_word(model: &mut Model) {
    let chat = &mut model.chat;
    if let Some(completion) = complete(&chat.input.before_cursor(), chat) {
        chat.input.complete(completion.chars, &completion.text);
    }
}

fn open_rooms(model: &mut Model, filter: &str, create: bool) -> Vec<Effect> {
    model.overlay = Some(Overlay::Rooms(Box::new(Picker::new(filter, create))));
    vec![model.chat.list(model.now.instant)]
}

/// The room below or above in the list, around its ends.
fn next_room(model: &mut Model, by: isize) -> Vec<Effect> {
    let chat = &mut model.chat;
    let count = chat.rooms.len();
    if count == 0 {
        return Vec::new();
    }
    let here = chat.rooms.iter().position(|room| chat.is_here(&room.name));
    let at = match here {
        Some(at) => (at + count).wrapping_add_signed(by) % count,
        None => 0,
    };
    let room = chat.rooms[at].name.clone();
    if chat.is_here(&room) { Vec::new() } else { vec![chat.join(&room)] }
}

/// Sends, or does, what was typed.
fn enter(model: &mut Model) -> Vec<Effect> {
    let at = model.clock(model.now.time);
    let line = model.chat.input.text();
    let meant = match chat_line::parse(&line) {
        Ok(Some(meant)) => meant,
        Ok(None) => return Vec::new(),
        Err(error) => {
            // What is wrong stays where it can be put right.
            model.chat.note(at, What::Alert(error.to_string()));
            return Vec::new();
        }
    };
    let chat = &mut model.chat;
    chat.input.set("");
    chat.history.push(line);
    // Who answers has read what was there.
    chat.log_mut().unmark();
    chat.log_mut().scroll.follow();
    let effect = match meant {
        ChatLine::Say(text) => chat.say(text),
        ChatLine::Join(room) => chat.join(room.as_str()),
        ChatLine::Create(room) => chat.create(room.as_str()),
        ChatLine::Leave => chat.leave(),
        ChatLine::Rooms(filter) => return open_rooms(model, &filter.unwrap_or_default(), false),
        ChatLine::Members(room) => chat.show_members(room.as_ref()),
        ChatLine::Quit => Effect::Quit,
        ChatLine::Help => {
            model.overlay = Some(Overlay::Help(0));
            return Vec::new();
        }
    };
    vec![effect]
}

/// Ways to scroll.
#[derive(Clone, Copy)]
enum Scrolling {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    End,
}

/// Scrolls what one reads: the wire while it is open, else the messages.
fn scroll(model: &mut Model, how: Scrolling) {
    debug_assert_eq!(model.screen, Screen::Room);
    if model.wire_open {
        view::with_wire_items(model, |items, page, scroll| move_by(scroll, items, page, how));
    } else {
        view::with_log_items(model, |items, page, scroll| move_by(scroll, items, page, how));
    }
}

fn move_by(
    scroll: &mut super::scroll::Scroll,
    items: &dyn super::scroll::Items,
    page: usize,
    how: Scrolling,
) {
    // A line of the page before stays in sight: the eye finds its place again.
    let whole = page.saturating_sub(1).max(1);
    match how {
        Scrolling::Up => scroll.up(items, 1, page),
        Scrolling::Down => scroll.down(items, 1, page),
        Scrolling::PageUp => scroll.up(items, whole, page),
        Scrolling::PageDown => scroll.down(items, whole, page),
        Scrolling::Top => scroll.top(items, page),
        Scrolling::End => scroll.follow(),
    }
}
