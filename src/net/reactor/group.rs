//! A group: connections that are sent the same bytes. Its messages are encoded once, collected for a turn of
//! the loop, and leave with one `send` per member.
//!
//! ```text
//! out      |-- message 1 --|-- message 2 --|-- message 3 --|
//! member a ^from                                              gets 1, 2, 3
//! member b                                 ^from              joined after 2: gets 3
//! ```
//! Before a member is sent anything else, or leaves, its part of `out` moves to its own outbox: what one
//! connection receives keeps the order in which it was said.

use super::connection::{Connection, Membership, Phase};
use super::core::Core;
use super::handler::{ConnId, GroupId};
use super::tap::Seen;
use crate::net::Op;

#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) members: Vec<ConnId>,
    pub(super) out: Vec<u8>,
    pub(super) dirty: bool,
}

impl Group {
    /// More than this is not collected: the turn's output is sent before its end.
    pub(super) const FLUSH_AT: usize = 64 << 10;
}

impl Core {
    /// Moves a member's unsent part of its group's bytes to its own outbox, so that order is kept.
    pub(super) fn settle(&mut self, c: ConnId) {
        let Some(Membership { group, from, .. }) = self.conn(c).and_then(|conn| conn.membership) else {
            return;
        };
        let out = std::mem::take(&mut self.groups[group.0 as usize].out);
        if from < out.len() {
            self.queue(c, &out[from..]);
            self.member_has(c, out.len());
        }
        self.groups[group.0 as usize].out = out;
    }

    /// Notes that a member has been given its group's bytes up to `from`.
    fn member_has(&mut self, c: ConnId, from: usize) {
        if let Some(membership) = self.conn(c).and_then(|conn| conn.membership.as_mut()) {
            membership.from = from;
        }
    }

    pub(super) fn join(&mut self, c: ConnId, group: GroupId) {
        self.leave(c);
        let members = &mut self.groups[group.0 as usize];
        let (place, from) = (members.members.len(), members.out.len());
        // A connection that is closing has said its last word; one that is not connected yet can't be told.
        let open = |conn: &&mut Connection| conn.generation == c.generation && conn.phase == Phase::Open;
        let Some(conn) = self.conns.get_mut(c.index as usize).filter(open) else { return };
        conn.membership = Some(Membership { group, place, from });
        members.members.push(c);
    }

    pub(super) fn leave(&mut self, c: ConnId) {
        self.settle(c);
        let Some(Membership { group, place, .. }) = self.conn(c).and_then(|conn| conn.membership.take())
        else {
            return;
        };
        let members = &mut self.groups[group.0 as usize].members;
        members.swap_remove(place);
        if let Some(moved) = members.get(place).copied()
            && let Some(membership) = self.conn(moved).and_then(|conn| conn.membership.as_mut())
        {
            membership.place = place;
        }
    }

    pub(super) fn cast(&mut self, group: GroupId, bytes: &[u8]) {
        let members = &mut self.groups[group.0 as usize];
        members.out.extend_from_slice(bytes);
        if !members.dirty {
            members.dirty = true;
            self.dirty_groups.push(group);
        }
        if members.out.len() > Group::FLUSH_AT {
            self.flush_group(group);
        }
    }

    /// One send per member with something to hear; what the kernel does not take goes to its outbox.
    pub(super) fn flush_group(&mut self, group: GroupId) {
        let Some(members) = self.groups.get_mut(group.0 as usize) else { return };
        members.dirty = false;
        let mut out = std::mem::take(&mut members.out);
        let mut i = 0;
        while let Some(c) = self.groups[group.0 as usize].members.get(i).copied() {
            self.flush_member(c, &out);
            // A member that failed has left, and another stands in its place.
            if self.groups[group.0 as usize].members.get(i) == Some(&c) {
                i += 1;
            }
        }
        out.clear();
        if out.capacity() > 2 * Group::FLUSH_AT {
            out = Vec::new();
        }
        self.groups[group.0 as usize].out = out;
    }

    fn flush_member(&mut self, c: ConnId, out: &[u8]) {
        let Some(conn) = self.conn(c) else { return };
        let Some(membership) = conn.membership.as_mut() else { return };
        let bytes = &out[membership.from..];
        membership.from = 0;
        if bytes.is_empty() {
            return;
        }
        if !conn.out.is_empty() {
            self.queue(c, bytes);
            return self.flush(c);
        }
        match conn.send_now(bytes) {
            Ok(sent) => {
                let rest = &bytes[sent..];
                self.see(Seen::Sent { c, bytes: &bytes[..sent], unsent: rest.len() });
                if !rest.is_empty() {
                    self.queue(c, rest);
                }
            }
            Err(error) => self.fail(c, Op::Send, error),
        }
    }
}
