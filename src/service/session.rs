//! One client, as the dispatcher knows it.
//!
//! ```text
//!            LOGIN, or AUTH ─► PROOF                    --auth none: everything but records may be done
//! stranger ──────────────────────────► known            before it; else LOGIN, AUTH, PROOF, PING, BYE alone
//!    │  5 s, where login is demanded       │
//!    └──────────── BYE, ten strikes, silence, a frame that does not end ───────► forgotten
//! ```

use std::time::Instant;

use super::bucket::Bucket;
use super::{Limits, Role, RoomId};
use crate::protocol::names::Username;
use crate::protocol::proof::Nonce;

/// A session. The number is used again once it is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(pub u32);

#[derive(Debug)]
pub(super) struct Session {
    /// Tells it from an earlier session of the same number.
    pub(super) serial: u64,
    pub(super) name: Username,
    /// It has logged in; what it may do.
    pub(super) role: Option<Role>,
    pub(super) room: Option<RoomId>,
    /// The index in the room's list of members.
    pub(super) place: usize,
    /// The server end's address, as the login by key binds it.
    pub(super) server: Box<str>,
    pub(super) challenge: Option<Box<Challenge>>,
    /// Work is under way for it: its next request waits, so that answers keep their order.
    pub(super) waiting: bool,
    pub(super) strikes: u8,
    pub(super) failed_logins: u8,
    pub(super) bucket: Bucket,
    connected: Instant,
    /// When the last complete frame came.
    heard: Instant,
    /// When the frame began that is not complete yet.
    in_frame: Option<Instant>,
}

/// An `AUTH` that waits for its `PROOF`.
#[derive(Debug)]
pub(super) struct Challenge {
    /// As it was sent.
    pub(super) username: Box<str>,
    pub(super) client: Nonce,
    pub(super) server: Nonce,
}

impl Session {
    pub(super) fn new(serial: u64, name: Username, server: &str, now: Instant) -> Session {
        Session {
            serial,
            name,
            role: None,
            room: None,
            place: 0,
            server: server.into(),
            challenge: None,
            waiting: false,
            strikes: 0,
            failed_logins: 0,
            bucket: Bucket::full(now),
            connected: now,
            heard: now,
            in_frame: None,
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.role.is_some()
    }

    /// Notes a complete frame.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.in_frame = None;
    }

    /// Notes whether a frame has begun that is not complete.
    pub(super) fn begun(&mut self, in_frame: bool, now: Instant) {
        self.in_frame = in_frame.then(|| self.in_frame.unwrap_or(now));
    }

    /// The first of its deadlines, and what it is about. Who waits for us is not late.
    pub(super) fn deadline(&self, limits: &Limits, login_demanded: bool) -> Option<(Instant, &'static str)> {
        if self.waiting {
            return None;
        }
        let idle = (self.heard + limits.idle, "nothing was heard for too long");
        let frame = self.in_frame.map(|begun| (begun + limits.frame, "a frame took too long"));
        let login = login_demanded && !self.is_known();
        let login = login.then(|| (self.connected + limits.login, "the login took too long"));
        [frame, login].into_iter().flatten().chain([idle]).min_by_key(|(at, _)| *at)
    }
}
