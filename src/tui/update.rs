//! What happens: an event changes the model and asks for effects. Pure: no clock, no socket, no terminal.

use std::net::SocketAddr;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::form::{Ask, Notice};
use super::keys;
use super::model::{LinkState, Model, Now, Overlay, Screen};
use super::remembered::Remembered;
use super::view;
use super::wrap::harmless_name;
use crate::client::{ClientError, ConnectRequest, LinkEvent, SessionError};
use crate::net::{Cause, NetError, Op};
use crate::protocol::Code;
use crate::protocol::message::{Fault, Request};

/// What can happen.
#[derive(Clone, Debug)]
pub enum Event {
    /// A key.
    Key(KeyEvent),
    /// A text that was pasted.
    Paste(String),
    /// The screen has this many columns and rows.
    Resize(u16, u16),
    /// Something of the network.
    Link(LinkEvent),
    /// The server on this machine belongs to somebody else.
    Foreign {
        /// Whose it is.
        owner: String,
    },
    /// Time has passed.
    Tick,
}

/// What is to be done outside.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Connect.
    Connect(Box<ConnectRequest>),
    /// Send a request.
    Send {
        /// The number that its answer carries.
        id: u64,
        /// The request.
        request: Request<'static>,
    },
    /// Get the lost connection again now.
    Retry,
    /// Leave the connection, and try no more.
    Disconnect,
    /// Find out whose server that is: on a machine that many share, a port may lead to somebody else's.
    FindOwner(SocketAddr),
    /// Keep this for the next run.
    Remember(Remembered),
    /// Draw everything again.
    Repaint,
    /// Give the terminal back and sleep until the shell wakes us.
    Suspend,
    /// End.
    Quit,
}

/// Changes the model by what has happened.
pub fn update(model: &mut Model, now: Now, event: Event) -> Vec<Effect> {
    model.now = now;
    match event {
        // A key is pressed, or held down; that it is let go is told by Windows alone.
        Event::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
        Event::Key(key) => stale(model, |model| press(model, key)),
        Event::Paste(text) => stale(model, |model| paste(model, &text)),
        Event::Resize(columns, rows) => stale(model, |model| {
            model.size = (columns, rows);
            Vec::new()
        }),
        Event::Link(event) => stale(model, |model| hear(model, event)),
        Event::Foreign { owner } => stale(model, |model| {
            let owner = harmless_name(&owner);
            model.chat.warning = Some(format!("careful: this server belongs to {owner}, not to you"));
            Vec::new()
        }),
        Event::Tick => tick(model),
    }
}

/// Connects as the form says, without waiting for a key: the command line said it all.
pub fn connect(model: &mut Model) -> Vec<Effect> {
    model.stale = true;
    match model.form.submit() {
        Some(request) => {
            model.dialled = Some(Box::new(request.clone()));
            vec![Effect::Connect(Box::new(request))]
        }
        None => Vec::new(),
    }
}

fn stale(model: &mut Model, change: impl FnOnce(&mut Model) -> Vec<Effect>) -> Vec<Effect> {
    model.stale = true;
    let effects = change(model);
    // What is in sight now has been seen.
    if view::end_in_sight(model) {
        model.chat.log_mut().see();
    }
    effects
}

fn press(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c' | 'q') if control => return vec![Effect::Quit],
        KeyCode::Char('z') if control => return vec![Effect::Suspend],
        KeyCode::Char('l') if control => return vec![Effect::Repaint],
        _ => {}
    }
    match (&model.overlay, model.screen) {
        (Some(Overlay::Help(_)), _) => keys::help(model, key),
        (Some(Overlay::Rooms(_)), _) => keys::rooms(model, key),
        (None, Screen::Connect) => keys::connect(model, key),
        (None, Screen::Room) => keys::room(model, key),
    }
}

fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    let locked = model.is_coming_back();
    match (&mut model.overlay, model.screen) {
        (Some(Overlay::Rooms(picker)), _) => picker.filter.paste(text),
        (Some(Overlay::Help(_)), _) => {}
        (None, Screen::Connect) if locked => {}
        (None, Screen::Connect) => model.form.paste(text),
        (None, Screen::Room) => model.chat.input.paste(text),
    }
    Vec::new()
}

fn tick(model: &mut Model) -> Vec<Effect> {
    // The seconds until the next attempt are counted down.
    model.stale |= matches!(model.link, LinkState::Waiting { .. });
    let now = model.now.instant;
    // Asked for while the answer is seen: the wire shall show no questions without a reader.
    if model.is_online() && view::rooms_in_sight(model) && model.chat.wants_list(now) {
        vec![model.chat.list(now)]
    } else {
        Vec::new()
    }
}

fn hear(model: &mut Model, event: LinkEvent) -> Vec<Effect> {
    let at = model.clock(model.now.time);
    match event {
        LinkEvent::Connecting { address, attempt } => {
            model.link = LinkState::Connecting { address: address.to_string(), attempt };
        }
        LinkEvent::Connected { address } => {
            if let Some(request) = &model.dialled {
                model.wire.reconnect(request.framing, request.max_frame);
            }
            model.link = LinkState::LoggingIn { address: address.to_string() };
            model.chat.warning = None;
            return vec![Effect::FindOwner(address)];
        }
        LinkEvent::LoggedIn { username, room: _ } => return logged_in(model, username.as_deref()),
        LinkEvent::Message(message) => {
            let seen = view::end_in_sight(model);
            return model.chat.receive(model.now.instant, at, message, seen);
        }
        LinkEvent::Unsent { id, reason } => model.chat.unsent(at, id, &reason),
        LinkEvent::Rtt(rtt) => model.rtt = Some(rtt),
        LinkEvent::Refused { reason, error } => {
            let hint = hint(&error).map(str::to_owned);
            if let Some(ask) = wrong_answer(&error) {
                model.form.look_at(ask);
            }
            offline(model, LinkState::Offline, Some(Notice::Failed(harmless_name(&reason), hint)));
        }
        LinkEvent::Lost { reason, retry_in } => {
            let state = retry_in
                .map_or(LinkState::Offline, |wait| LinkState::Waiting { until: model.now.instant + wait });
            offline(model, state, Some(Notice::Failed(harmless_name(&reason), None)));
        }
        LinkEvent::Disconnected => offline(model, LinkState::Offline, None),
        LinkEvent::Wire(chunk) => {
            let at = jiff::Timestamp::try_from(chunk.at).map_or(at, |time| model.clock(time));
            model.wire.add(at, &chunk);
        }
        LinkEvent::Ended { .. } => {
            let crash = "the network thread has ended: quit and start again";
            offline(model, LinkState::Offline, Some(Notice::Failed(crash.to_owned(), None)));
        }
    }
    Vec::new()
}

fn logged_in(model: &mut Model, username: Option<&str>) -> Vec<Effect> {
    let address = match &model.link {
        LinkState::LoggingIn { address } | LinkState::Connecting { address, .. } => address.clone(),
        _ => model.dialled.as_ref().map(|request| request.address.to_string()).unwrap_or_default(),
    };
    model.link = LinkState::Online { address };
    model.lost = false;
    model.form.notice = None;
    if let Some(name) = username {
        model.chat.me = Some(harmless_name(name));
    }
    // Whatever lies over the form was opened there.
    if model.screen == Screen::Connect {
        model.screen = Screen::Room;
        model.overlay = None;
    }
    vec![Effect::Remember(model.form.remember())]
}

/// Back to the form, which says why.
fn offline(model: &mut Model, state: LinkState, notice: Option<Notice>) {
    let at = model.clock(model.now.time);
    model.lost = matches!(state, LinkState::Waiting { .. });
    model.link = state;
    model.rtt = None;
    model.chat.forget_asked(at);
    model.form.notice = notice;
    if model.screen == Screen::Room {
        model.screen = Screen::Connect;
        model.overlay = None;
    }
}

/// What the server said when it refused.
fn fault(error: &ClientError) -> Option<&Fault<'static>> {
    match error {
        ClientError::Refused(fault) | ClientError::Session(SessionError::Login(fault)) => Some(fault),
        _ => None,
    }
}

/// The answer of the form that the server did not like.
fn wrong_answer(error: &ClientError) -> Option<Ask> {
    Some(match fault(error)?.code {
        Code::NameTaken | Code::BadName => Ask::Username,
        Code::Unauthorized | Code::WrongState | Code::BadMessage => Ask::Login,
        Code::LoginFailed => Ask::Secret,
        _ => return None,
    })
}

/// The next step after a refusal.
fn hint(error: &ClientError) -> Option<&'static str> {
    let Some(fault) = fault(error) else {
        return match error {
            ClientError::Net(error) => hint_of_net(error),
            ClientError::Session(SessionError::Frame(_)) => Some("the server may use another framing"),
            ClientError::Session(SessionError::Message(_)) => {
                Some("the server may use another framing, or be no room server")
            }
            _ => None,
        };
    };
    Some(match fault.code {
        Code::BadMessage => "this server may want a password: choose another login",
        Code::NameTaken => "choose another username",
        Code::Unauthorized => "this server wants a login: choose password or hmac",
        Code::WrongState => "this server wants another kind of login",
        Code::LoginFailed => "the name and its secret must be those of `netlab users` on the server",
        Code::Busy => "the server is full: try again in a moment",
        _ => return None,
    })
}

fn hint_of_net(error: &NetError) -> Option<&'static str> {
    Some(match error.cause() {
        Cause::Refused => "nobody listens there: start the server first, or check address and port",
        Cause::TimedOut if error.op != Op::Connect => {
            "it is connected but silent: the server may use another framing, or be no room server"
        }
        Cause::TimedOut => "no answer: a firewall may drop the packets, or the host is down",
        Cause::UnknownName => "nobody knows that name: check its spelling",
        Cause::Unreachable => "no route leads there: check the address and the network",
        _ => return None,
    })
}
