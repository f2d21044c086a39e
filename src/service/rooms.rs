//! Rooms: one at a time for each session, `seq` without gaps, empty ones vanish.
//!
//! The order of actions is the order on the wire. Who leaves is out of the group before the others are told;
//! who joins is told by an answer of its own and gets what is said from then on.

use super::{Action, Actions, Call, Dispatcher, Notice, Outcome, SessionId, check_text};
use crate::protocol::message::{
    Answer, Fault, MembersOfRoom, RoomCount, RoomCreate, RoomCreated, RoomEcho, RoomEchoed, RoomJoin,
    RoomJoined, RoomLeft, RoomListed, RoomMembers,
};
use crate::protocol::names::RoomName;
use crate::protocol::{Code, DEFAULT_ROOM, MAX_LISTED_MEMBERS};

/// A room. The number is used again once it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RoomId(pub u32);

#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: RoomName,
    pub(super) members: Vec<SessionId>,
    /// The number of the last message.
    pub(super) seq: u64,
    /// It stays when its last member leaves.
    pub(super) kept: bool,
}

impl Dispatcher {
    pub(super) fn room_by_name(&self, name: &RoomName) -> Option<RoomId> {
        self.rooms_by_name.get(name.key()).copied()
    }

    /// The room that always exists.
    pub(super) fn default_room(&self) -> RoomId {
        self.rooms_by_name[DEFAULT_ROOM]
    }

    fn room(&self, room: RoomId) -> &Room {
        &self.rooms[room.0 as usize]
    }

    pub(super) fn open_room(&mut self, name: RoomName, kept: bool, actions: &mut Actions) -> RoomId {
        let key = name.key().to_owned();
        let index = self.rooms.insert(Room { name, members: Vec::new(), seq: 0, kept });
        let room = RoomId(u32::try_from(index).expect("rooms are limited"));
        self.rooms_by_name.insert(key, room);
        actions.push(Action::Open(room));
        room
    }

    /// Opens a room for a client, if there may be one more.
    fn open_another(&mut self, name: RoomName, actions: &mut Actions) -> Result<RoomId, Fault<'static>> {
        let limit = self.config.limits.rooms;
        // `default` does not count.
        if self.rooms.len() > limit {
            return Err(Fault::new(Code::Limit, format!("there are {limit} rooms already")));
        }
        Ok(self.open_room(name, false, actions))
    }

    /// Takes a session out of its room, tells the others, and drops the room if nobody is left.
    pub(super) fn leave_room(&mut self, session: SessionId, actions: &mut Actions) -> Option<RoomName> {
        let leaver = &mut self.sessions[session.0 as usize];
        let (room, place, username) = (leaver.room.take()?, leaver.place, leaver.name.clone());
        let left = &mut self.rooms[room.0 as usize];
        left.members.swap_remove(place);
        if let Some(moved) = left.members.get(place) {
            self.sessions[moved.0 as usize].place = place;
        }
        actions.push(Action::Leave(session));
        let name = left.name.clone();
        let members = left.members.len();
        if members > 0 {
            let notice =
                RoomLeft { room: (&name).into(), username: (&username).into(), members: Some(members) };
            actions.cast(room, &Answer::RoomLeft(notice));
        } else if !left.kept {
            self.rooms.remove(room.0 as usize);
            self.rooms_by_name.remove(name.key());
            actions.push(Action::Drop(room));
        }
        if self.config.notices {
            actions.push(Action::Report(Notice::Left { username, room: name.clone() }));
        }
        Some(name)
    }

    /// Puts a session into a room, out of the one it was in, and tells the others.
    pub(super) fn enter_room(&mut self, session: SessionId, room: RoomId, actions: &mut Actions) {
        self.leave_room(session, actions);
        let username = self.session(session).name.clone();
        let entered = &mut self.rooms[room.0 as usize];
        let (place, name) = (entered.members.len(), entered.name.clone());
        if place > 0 {
            let notice = RoomJoined {
                room: (&name).into(),
                username: (&username).into(),
                members: place + 1,
                seq: None,
            };
            actions.cast(room, &Answer::RoomJoined(notice));
        }
        entered.members.push(session);
        let joiner = &mut self.sessions[session.0 as usize];
        (joiner.room, joiner.place) = (Some(room), place);
        actions.push(Action::Join(session, room));
        if self.config.notices {
            actions.push(Action::Report(Notice::Joined { username, room: name }));
        }
    }

    /// Tells a session where it is: the answer to joining.
    pub(super) fn tell_joined(&mut self, call: &mut Call<'_, '_>) -> Outcome {
        let session = self.session(call.session);
        let (room, username) = (self.room(session.room.expect("it has just joined")), session.name.clone());
        let name = room.name.clone();
        let joined = RoomJoined {
            room: (&name).into(),
            username: (&username).into(),
            members: room.members.len(),
            seq: Some(room.seq),
        };
        self.answer(call, &Answer::RoomJoined(joined))
    }

    pub(super) fn room_create(&mut self, call: &mut Call<'_, '_>, data: &RoomCreate<'_>) -> Outcome {
        let name = parse_room(&data.room)?;
        if self.room_by_name(&name).is_some() {
            return Err(Fault::new(Code::RoomExists, format!("the room {name} exists: join it")));
        }
        let room = self.open_another(name.clone(), call.actions)?;
        self.enter_room(call.session, room, call.actions);
        self.answer(call, &Answer::RoomCreated(RoomCreated { room: (&name).into() }))
    }

    pub(super) fn room_join(&mut self, call: &mut Call<'_, '_>, data: &RoomJoin<'_>) -> Outcome {
        let name = parse_room(&data.room)?;
        let room = match self.room_by_name(&name) {
            Some(room) => room,
            None if data.create => self.open_another(name, call.actions)?,
            None => return Err(no_such_room(&name)),
        };
        // Joining the room one is in is answered to the sender alone.
        if self.session(call.session).room != Some(room) {
            self.enter_room(call.session, room, call.actions);
        }
        self.tell_joined(call)
    }

    pub(super) fn room_leave(&mut self, call: &mut Call<'_, '_>) -> Outcome {
        let username = self.session(call.session).name.clone();
        let room = self.leave_room(call.session, call.actions).ok_or_else(in_no_room)?;
        let left = RoomLeft { room: (&room).into(), username: (&username).into(), members: None };
        self.answer(call, &Answer::RoomLeft(left))
    }

    pub(super) fn room_list(&mut self, call: &mut Call<'_, '_>) -> Outcome {
        let mut rooms: Vec<(RoomName, usize)> =
            self.rooms.iter().map(|(_, room)| (room.name.clone(), room.members.len())).collect();
        rooms.sort_by(|(a, _), (b, _)| a.key().cmp(b.key()));
        let rooms = rooms.iter().map(|(room, members)| RoomCount { room: room.into(), members: *members });
        let listed = RoomListed { rooms: rooms.collect() };
        self.answer(call, &Answer::RoomListed(listed))
    }

    pub(super) fn room_members(&mut self, call: &mut Call<'_, '_>, data: &RoomMembers<'_>) -> Outcome {
        let room = match &data.room {
            None => self.session(call.session).room.ok_or_else(in_no_room)?,
            Some(room) => {
                let name = parse_room(room)?;
                self.room_by_name(&name).ok_or_else(|| no_such_room(&name))?
            }
        };
        let Room { name, members, .. } = self.room(room);
        let (name, total) = (name.clone(), members.len());
        let mut names: Vec<_> = members.iter().map(|member| self.session(*member).name.clone()).collect();
        names.sort_by(|a, b| a.key().cmp(b.key()));
        let members = names.iter().take(MAX_LISTED_MEMBERS).map(Into::into).collect();
        self.answer(call, &Answer::RoomMembers(MembersOfRoom { room: (&name).into(), members, total }))
    }

    pub(super) fn room_echo<'m>(&mut self, call: &mut Call<'_, 'm>, data: RoomEcho<'m>) -> Outcome {
        let sender = &self.sessions[call.session.0 as usize];
        let room_id = sender.room.ok_or_else(in_no_room)?;
        check_text(&data.text)?;
        let room = self.room(room_id);
        let echoed = RoomEchoed {
            room: (&room.name).into(),
            from: (&sender.name).into(),
            text: data.text,
            seq: room.seq + 1,
            // A broadcast carries no `id`, which could collide with a receiver's own.
            reference: data.reference.or_else(|| call.id.clone()),
        };
        let notice = self.config.notices.then(|| Notice::Said {
            username: sender.name.clone(),
            room: room.name.clone(),
            text: echoed.text.to_string(),
        });
        let payload = call.actions.encode(&Answer::RoomEchoed(echoed), None);
        if payload.len() > self.config.limits.max_frame {
            call.actions.discard(&payload);
            return Err(self.too_long(payload.len()));
        }
        self.rooms[room_id.0 as usize].seq += 1;
        call.actions.push(Action::Cast(room_id, payload));
        if let Some(notice) = notice {
            call.actions.push(Action::Report(notice));
        }
        Ok(())
    }
}

fn parse_room(text: &str) -> Result<RoomName, Fault<'static>> {
    RoomName::parse(text).map_err(|error| Fault::new(Code::BadName, error.to_string()))
}

fn in_no_room() -> Fault<'static> {
    Fault::new(Code::NotInRoom, "you are in no room: join one first")
}

fn no_such_room(name: &RoomName) -> Fault<'static> {
    Fault::new(Code::NoSuchRoom, format!("there is no room {name}; `create: true` makes it"))
}
