//! All that the screen shows, and nothing of how: the state that [`update`](super::update) changes and
//! [`view`](super::view) draws.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::chat::Chat;
use super::form::{Form, Given, Login};
use super::picker::Picker;
use super::remembered::Remembered;
use super::theme::Theme;
use super::wire::WireLog;
use crate::client::ConnectRequest;

/// The time, as an argument.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For what lasts.
    pub instant: Instant,
    /// For what a clock shows.
    pub time: Timestamp,
}

impl Now {
    /// What the clocks of this machine say.
    #[must_use]
    pub fn read() -> Now {
        Now { instant: Instant::now(), time: Timestamp::now() }
    }
}

/// Which screen is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Screen {
    /// The form.
    Connect,
    /// The rooms.
    Room,
}

/// What lies over the screen.
#[derive(Debug)]
pub(super) enum Overlay {
    /// The help, and the line that is its first.
    Help(usize),
    /// The list of rooms.
    Rooms(Box<Picker>),
}

/// How things stand with the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LinkState {
    /// Nothing is tried.
    Offline,
    /// An attempt is under way.
    Connecting { address: String, attempt: u32 },
    /// The connection stands; the login goes on.
    LoggingIn { address: String },
    /// All is well.
    Online { address: String },
    /// The connection was lost; the next attempt begins at this time.
    Waiting { until: Instant },
}

/// How the chat begins.
#[derive(Debug)]
pub struct Start {
    /// What the flags say, with defaults for the rest.
    pub request: ConnectRequest,
    /// What of it the flags really said.
    pub given: Given,
    /// By which secret to log in, where it has still to be typed.
    pub ask: Option<Secret>,
    /// What was remembered.
    pub remembered: Remembered,
}

/// A secret that the form shall ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// A password.
    Password,
    /// A key.
    Key,
}

/// All that the screen shows.
#[derive(Debug)]
pub struct Model {
    pub(super) theme: Theme,
    /// The local time zone.
    pub(super) zone: TimeZone,
    pub(super) size: (u16, u16),
    pub(super) now: Now,
    pub(super) screen: Screen,
    /// The wire is shown.
    pub(super) wire_open: bool,
    pub(super) overlay: Option<Overlay>,
    pub(super) form: Form,
    pub(super) link: LinkState,
    pub(super) rtt: Option<Duration>,
    /// The connection was lost, and not given up.
    pub(super) lost: bool,
    /// With what the link was asked to connect.
    pub(super) dialled: Option<Box<ConnectRequest>>,
    pub(super) chat: Chat,
    pub(super) wire: WireLog,
    /// Something to be drawn has changed.
    pub(super) stale: bool,
}

impl Model {
    /// The state at the start: the form, filled in as far as anything is known.
    #[must_use]
    pub fn new(start: Start, theme: Theme, zone: TimeZone, size: (u16, u16), now: Now) -> Model {
        let wire = WireLog::new(start.request.framing, start.request.max_frame);
        let ask = start.ask.map(|secret| match secret {
            Secret::Password => Login::Password,
            Secret::Key => Login::Hmac,
        });
        let mut form = Form::new(start.request, ask, theme.signs.mask);
        form.recall(&start.remembered, start.given);
        Model {
            theme,
            zone,
            size,
            now,
            screen: Screen::Connect,
            wire_open: false,
            overlay: None,
            form,
            link: LinkState::Offline,
            rtt: None,
            lost: false,
            dialled: None,
            chat: Chat::new(now.instant),
            wire,
            stale: true,
        }
    }

    /// True if something to be drawn has changed since the last call.
    pub fn take_stale(&mut self) -> bool {
        std::mem::take(&mut self.stale)
    }

    /// What the clock on the wall shows.
    pub(super) fn clock(&self, time: Timestamp) -> DateTime {
        self.zone.to_datetime(time)
    }

    /// True while a connection that was lost is tried to be had again. The form can't be edited then: whoever is
    /// in the middle of a sentence when the connection breaks shall not type the rest of it into a field.
    pub(super) fn is_coming_back(&self) -> bool {
        self.lost && self.link != LinkState::Offline && !self.is_online()
    }

    /// True while requests are heard.
    pub(super) fn is_online(&self) -> bool {
        matches!(self.link, LinkState::Online { .. })
    }
}
