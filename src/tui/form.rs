//! The connect form: what is asked, in which order, and what is wrong with an answer. Pure.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::field::Field;
use super::remembered::Remembered;
use crate::client::{ConnectRequest, Credentials};
use crate::framing::Framing;
use crate::net::Address;
use crate::protocol::DEFAULT_ROOM;
use crate::protocol::names::{RoomName, Username};
use crate::protocol::proof::from_hex;

/// How to log in: the server's `--auth`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Login {
    /// By the name alone.
    #[default]
    None,
    /// By a password.
    Password,
    /// By a shared key.
    Hmac,
}

impl Login {
    pub(super) const ALL: [Login; 3] = [Login::None, Login::Password, Login::Hmac];

    /// The name that `--auth` has for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Login::None => "none",
            Login::Password => "password",
            Login::Hmac => "hmac",
        }
    }

    /// What it means.
    pub(super) fn what(self) -> &'static str {
        match self {
            Login::None => "the name alone",
            Login::Password => "readable by everyone on the way",
            Login::Hmac => "a key that never leaves this machine",
        }
    }
}

/// What the form asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Address,
    Port,
    Username,
    Login,
    Secret,
    Room,
    Framing,
}

impl Ask {
    pub(super) const ALL: [Ask; 7] =
        [Ask::Address, Ask::Port, Ask::Username, Ask::Login, Ask::Secret, Ask::Room, Ask::Framing];
}

/// The framings in which rooms are spoken.
pub(super) const FRAMINGS: [Framing; 4] = [Framing::U16, Framing::U32, Framing::Header, Framing::Line];

/// What the form says below the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// An answer can't be right.
    Wrong(Ask, String),
    /// The server, or the network, said no; and the next step.
    Failed(String, Option<String>),
}

/// The form.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) address: Field,
    pub(super) port: Field,
    pub(super) username: Field,
    pub(super) login: Login,
    pub(super) secret: Field,
    pub(super) room: Field,
    pub(super) framing: Framing,
    pub(super) focus: Ask,
    pub(super) notice: Option<Notice>,
    /// What the form does not ask: time-outs, socket options, a key that the command line gave.
    base: ConnectRequest,
}

impl Form {
    /// A form that says what `base` says. `login`: by which secret, where it has still to be typed.
    pub(super) fn new(base: ConnectRequest, login: Option<Login>, mask: char) -> Form {
        let (name, kind) = match &base.credentials {
            Credentials::Anonymous => ("", Login::None),
            Credentials::Name(name) => (name.as_str(), Login::None),
            Credentials::Password(name, _) => (name.as_str(), Login::Password),
            Credentials::Key(name, _) => (name.as_str(), Login::Hmac),
        };
        let login_kind = login.unwrap_or(kind);
        let mut secret = Field::secret(mask);
        if let Credentials::Password(_, password) = &base.credentials {
            secret.set(password);
        }
        let room = base.room.as_ref().map_or("", RoomName::as_str);
        let mut form = Form {
            address: Field::line(base.address.host()),
            port: Field::line(&base.address.port().to_string()),
            username: Field::line(name),
            login: login_kind,
            secret,
            room: Field::line(room),
            framing: base.framing,
            focus: Ask::Username,
            notice: None,
            base,
        };
        if login.is_some() && !form.username.is_empty() {
            form.focus = Ask::Secret;
        }
        form
    }

    /// True if the command line gave a key: it need not be typed.
    pub(super) fn has_given_key(&self) -> bool {
        matches!(self.base.credentials, Credentials::Key(..))
    }

    /// The questions that are asked at the moment.
    pub(super) fn asks(&self) -> impl DoubleEndedIterator<Item = Ask> + Clone + use<> {
        let secret = self.login != Login::None;
        Ask::ALL.into_iter().filter(move |ask| *ask != Ask::Secret || secret)
    }

    /// Moves to a question, if it is asked at the moment.
    pub(super) fn look_at(&mut self, ask: Ask) {
        if self.asks().any(|asked| asked == ask) {
            self.focus = ask;
        }
    }

    /// A key that moves in the form or edits an answer.
    pub(super) fn key(&mut self, key: KeyEvent) {
        match key.code {
            KeyCode::Tab | KeyCode::Down => self.move_focus(1),
            KeyCode::BackTab | KeyCode::Up => self.move_focus(-1),
            KeyCode::Left | KeyCode::Right | KeyCode::Char(' ') if self.is_choice() => {
                self.choose(if key.code == KeyCode::Left { -1 } else { 1 });
            }
            _ => {
                if let Some(field) = self.field_mut(self.focus)
                    && field.key(key)
                {
                    self.notice = None;
                }
            }
        }
    }

    /// Text that was pasted goes where the focus is.
    pub(super) fn paste(&mut self, text: &str) {
        if let Some(field) = self.field_mut(self.focus) {
            field.paste(text);
            self.notice = None;
        }
    }

    /// The field of a question; none for a choice.
    pub(super) fn field(&self, ask: Ask) -> Option<&Field> {
        match ask {
            Ask::Address => Some(&self.address),
            Ask::Port => Some(&self.port),
            Ask::Username => Some(&self.username),
            Ask::Secret => Some(&self.secret),
            Ask::Room => Some(&self.room),
            Ask::Login | Ask::Framing => None,
        }
    }

    fn field_mut(&mut self, ask: Ask) -> Option<&mut Field> {
        match ask {
            Ask::Address => Some(&mut self.address),
            Ask::Port => Some(&mut self.port),
            Ask::Username => Some(&mut self.username),
            Ask::Secret => Some(&mut self.secret),
            Ask::Room => Some(&mut self.room),
            Ask::Login | Ask::Framing => None,
        }
    }

    fn is_choice(&self) -> bool {
        matches!(self.focus, Ask::Login | Ask::Framing)
    }

    fn move_focus(&mut self, by: isize) {
        let asks: Vec<Ask> = self.asks().collect();
        let at = asks.iter().position(|ask| *ask == self.focus).unwrap_or(0);
        self.focus = asks[step(at, by, asks.len())];
    }

    fn choose(&mut self, by: isize) {
        self.notice = None;
        if self.focus == Ask::Login {
            let at = Login::ALL.iter().position(|login| *login == self.login).unwrap_or(0);
            self.login = Login::ALL[step(at, by, Login::ALL.len())];
        } else {
            let at = FRAMINGS.iter().position(|framing| *framing == self.framing).unwrap_or(0);
            self.framing = FRAMINGS[step(at, by, FRAMINGS.len())];
        }
    }

    /// What to connect with; if an answer can't be right, the focus goes there and the form says why.
    pub(super) fn submit(&mut self) -> Option<ConnectRequest> {
        match self.request() {
            Ok(request) => {
                self.notice = None;
                Some(request)
            }
            Err((ask, why)) => {
                self.focus = ask;
                self.notice = Some(Notice::Wrong(ask, why));
                None
            }
        }
    }

    fn request(&self) -> Result<ConnectRequest, (Ask, String)> {
        let port = self.port.text().trim().parse().ok().filter(|port| *port > 0);
        let port = port.ok_or((Ask::Port, "a port is a number from 1 to 65535".to_owned()))?;
        let typed = self.address.text().trim().to_owned();
        if typed.is_empty() {
            return Err((Ask::Address, "the server's name or address, like 127.0.0.1".to_owned()));
        }
        // An address with a port of its own is taken at its word.
        let (address, _) = Address::from_words(&[typed], None, &Address::new("", port))
            .map_err(|error| (Ask::Address, error.hint().unwrap_or(error.to_string())))?;
        let room = match self.room.text().trim() {
            "" => None,
            room => Some(RoomName::parse(room).map_err(|error| (Ask::Room, error.to_string()))?),
        };
        let (framing, credentials) = (self.framing, self.credentials()?);
        Ok(ConnectRequest { address, credentials, room, framing, ..self.base.clone() })
    }

    fn credentials(&self) -> Result<Credentials, (Ask, String)> {
        let name = self.username.text().trim().to_owned();
        if name.is_empty() {
            return match self.login {
                Login::None => Ok(Credentials::Anonymous),
                _ => Err((Ask::Username, "a password or a key belongs to a name".to_owned())),
            };
        }
        Username::parse(&name).map_err(|error| (Ask::Username, error.to_string()))?;
        let secret = self.secret.text();
        match (self.login, &self.base.credentials) {
            (Login::None, _) => Ok(Credentials::Name(name)),
            (Login::Password, _) if secret.is_empty() => Err((Ask::Secret, "type the password".to_owned())),
            (Login::Password, _) => Ok(Credentials::Password(name, secret)),
            (Login::Hmac, Credentials::Key(_, key)) if secret.is_empty() => Ok(Credentials::Key(name, *key)),
            (Login::Hmac, _) => match from_hex(secret.trim()) {
                Some(key) => Ok(Credentials::Key(name, key)),
                None => Err((
                    Ask::Secret,
                    "a key has 64 hex digits; --key-file FILE reads it from a file".to_owned(),
                )),
            },
        }
    }

    /// What to remember for the next time: no secrets.
    pub(super) fn remember(&self) -> Remembered {
        Remembered {
            schema_version: 1,
            host: self.address.text(),
            port: self.port.text().trim().parse().unwrap_or(0),
            username: self.username.text(),
            login: self.login.name().to_owned(),
            room: self.room.text(),
            framing: self.framing.name().to_owned(),
        }
    }

    /// Takes what was remembered where the command line said nothing else.
    pub(super) fn recall(&mut self, last: &Remembered, given: Given) {
        if last.host.is_empty() {
            return;
        }
        if !given.address && last.port > 0 {
            self.address.set(&last.host);
            self.port.set(&last.port.to_string());
        }
        if !given.user {
            self.username.set(&last.username);
        }
        if !given.user && !given.secret {
            let login = Login::ALL.into_iter().find(|login| login.name() == last.login);
            self.login = login.unwrap_or_default();
        }
        // Rooms and framing are a server's own: what another one had says nothing.
        if given.address {
            return;
        }
        if !given.room && last.room != DEFAULT_ROOM {
            self.room.set(&last.room);
        }
        if !given.framing {
            let framing = FRAMINGS.into_iter().find(|framing| framing.name() == last.framing);
            self.framing = framing.unwrap_or(self.framing);
        }
    }
}

/// What the command line gave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given {
    /// The server's address.
    pub address: bool,
    /// The user's name.
    pub user: bool,
    /// The kind of login.
    pub secret: bool,
    /// The room.
    pub room: bool,
    /// The framing.
    pub framing: bool,
}

fn step(at: usize, by: isize, len: usize) -> usize {
    // Around the ends; `len` is added so that one step back from 0 stays positive.
    at.wrapping_add(len).wrapping_add_signed(by) % len
}
