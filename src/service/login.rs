//! Login: a free name, a password, or a proof of a shared key.
//!
//! ```text
//!            AUTH                      PROOF, right          (a later authenticated login of the same user
//! stranger ───────► challenged ──────────────────► known      replaces this session, which gets BYE)
//!    ▲                   │ PROOF, wrong
//!    └───────────────────┘ login_failed; the third one closes
//! ```
//! Every failure says the same thing: whether a name exists is nobody's business. A challenge answers one
//! proof, right or wrong, and a second `AUTH` discards the first.

use super::session::Challenge;
use super::{Action, Actions, Auth, Call, Dispatcher, Job, Notice, Outcome, Purpose, Role, SessionId};
use crate::protocol::message::{self, Answer, Fault, LoggedIn, Login, Proof};
use crate::protocol::names::Username;
use crate::protocol::proof::{Key, MacBytes, NO_BINDING, Nonce, Transcript, from_hex, to_hex};
use crate::protocol::{Code, ELSEWHERE};

/// After so many failed logins the connection is closed.
const TRIES: u8 = 3;
/// The key of users who do not exist: checking against it takes as long as against a real one.
const NOBODYS_KEY: Key = [0; 32];

/// The one answer to every login that fails.
pub(super) fn failed() -> Fault<'static> {
    Fault::new(Code::LoginFailed, "user name, password or key is wrong")
}

impl Dispatcher {
    pub(super) fn login(&mut self, call: &mut Call<'_, '_>, data: &Login<'_>) -> Outcome {
        self.login_possible(call, "LOGIN", &[Auth::None, Auth::Password])?;
        let name = Username::parse(&data.username);
        if self.config.auth == Auth::None {
            let name = name.map_err(|error| Fault::new(Code::BadName, error.to_string()))?;
            if self.names.get(name.key()).is_some_and(|holder| *holder != call.session) {
                return Err(Fault::new(Code::NameTaken, format!("somebody is called {name} already")));
            }
            return self.admit(call, &name, Role::Student, None);
        }
        let password = data.password.as_deref().map(str::to_owned);
        let password = password
            .ok_or_else(|| Fault::new(Code::BadMessage, "data of LOGIN: missing field `password`"))?;
        let user = name.as_ref().ok().and_then(|name| self.config.users.get(name));
        let hash = user.and_then(|user| user.password_hash.clone());
        // A name that can't be one costs as much as one that is not there.
        let name = name.unwrap_or_else(|_| Username::anonymous(0));
        self.begin(call, Purpose::Login(name), Job::VerifyPassword { password, hash });
        Ok(())
    }

    pub(super) fn password_verified(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &Username,
        right: bool,
    ) -> Outcome {
        let user = self.config.users.get(name).filter(|user| right && user.password_hash.is_some());
        let (name, role) = user.map(|user| (user.name.clone(), user.role)).ok_or_else(failed)?;
        self.replace(&name, call);
        self.admit(call, &name, role, None)
    }

    pub(super) fn auth(&mut self, call: &mut Call<'_, '_>, data: &message::Auth<'_>) -> Outcome {
        self.login_possible(call, "AUTH", &[Auth::Hmac])?;
        let client = from_hex(&data.nonce)
            .ok_or_else(|| Fault::new(Code::BadMessage, "data of AUTH: `nonce` must have 64 hex digits"))?;
        let server: Nonce = (call.entropy)();
        let session = &mut self.sessions[call.session.0 as usize];
        let username = (&*data.username).into();
        session.challenge = Some(Box::new(Challenge { username, client, server }));
        let address = session.server.clone();
        let nonce = to_hex(&server);
        let challenge = message::Challenge { server: (&*address).into(), nonce: nonce.into() };
        self.answer(call, &Answer::Challenge(challenge))
    }

    pub(super) fn proof(&mut self, call: &mut Call<'_, '_>, data: &Proof<'_>) -> Outcome {
        self.login_possible(call, "PROOF", &[Auth::Hmac])?;
        let session = &mut self.sessions[call.session.0 as usize];
        // Whatever comes of it, this nonce has had its answer.
        let challenge = session.challenge.take();
        let challenge = challenge.ok_or_else(|| Fault::new(Code::WrongState, "PROOF answers an AUTH"))?;
        let server = session.server.clone();
        let mac = from_hex(&data.mac)
            .ok_or_else(|| Fault::new(Code::BadMessage, "data of PROOF: `mac` must have 64 hex digits"))?;
        let (name, role, mac) = self.verify(&challenge, &server, &mac).ok_or_else(failed)?;
        self.replace(&name, call);
        self.admit(call, &name, role, Some(&mac))
    }

    /// Who has proved to be whom, and the server's own proof.
    fn verify(
        &self,
        challenge: &Challenge,
        server: &str,
        mac: &MacBytes,
    ) -> Option<(Username, Role, MacBytes)> {
        let Challenge { username, client, server: nonce } = challenge;
        let transcript = Transcript::new(username, server, client, nonce, NO_BINDING);
        let user = Username::parse(username).ok().and_then(|name| self.config.users.get(&name));
        let key = user.and_then(|user| user.key);
        let right = transcript.is_client_mac(&key.unwrap_or(NOBODYS_KEY), mac);
        let (user, key) = (user?, key?);
        right.then(|| (user.name.clone(), user.role, transcript.server_mac(&key)))
    }

    /// Counts a login that failed; the third one ends the session.
    pub(super) fn count_failed_login(&mut self, session: SessionId, actions: &mut Actions) {
        let Some(stranger) = self.sessions.get_mut(session.0 as usize) else { return };
        stranger.failed_logins += 1;
        if stranger.failed_logins >= TRIES {
            super::say_bye(session, "three failed logins", None, actions);
            self.close(session, actions);
        }
    }

    fn login_possible(&self, call: &Call<'_, '_>, kind: &str, by: &[Auth]) -> Outcome {
        let auth = self.config.auth;
        if self.session(call.session).is_known() {
            return Err(Fault::new(Code::WrongState, format!("{kind}: you are logged in already")));
        }
        if !by.contains(&auth) {
            let auth = auth.name();
            return Err(Fault::new(Code::WrongState, format!("{kind} is not used with --auth {auth}")));
        }
        Ok(())
    }

    /// A user who logs in again is here, not there.
    fn replace(&mut self, name: &Username, call: &mut Call<'_, '_>) {
        if let Some(older) = self.names.get(name.key()).copied().filter(|older| *older != call.session) {
            super::say_bye(older, ELSEWHERE, None, call.actions);
            self.close(older, call.actions);
        }
    }

    /// Gives a session its name, and puts it into a room: the one it is in under its new name, or `default`.
    fn admit(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &Username,
        role: Role,
        mac: Option<&MacBytes>,
    ) -> Outcome {
        let room = self.session(call.session).room.unwrap_or(self.default_room());
        let room = self.rooms[room.0 as usize].name.clone();
        self.leave_room(call.session, call.actions);
        let session = &mut self.sessions[call.session.0 as usize];
        let serial = session.serial;
        let before = std::mem::replace(&mut session.name, name.clone());
        (session.role, session.challenge) = (Some(role), None);
        self.names.remove(before.key());
        self.names.insert(name.key().to_owned(), call.session);
        self.strangers.retain(|(_, stranger)| *stranger != serial);
        if self.config.notices {
            let (session, username) = (call.session, name.clone());
            call.actions.push(Action::Report(Notice::LoggedIn { session, username }));
        }
        let mac = mac.map(|mac| to_hex(mac).into());
        let answer = LoggedIn { username: name.into(), room: (&room).into(), mac };
        self.answer(call, &Answer::LoggedIn(answer))?;
        // The `id` is answered; what follows is told without.
        call.id = None;
        // Leaving may have dropped the room, if the session was alone in it: then it is made anew.
        let room = match self.room_by_name(&room) {
            Some(room) => room,
            None => self.open_room(room, false, call.actions),
        };
        self.enter_room(call.session, room, call.actions);
        self.tell_joined(call)
    }
}
