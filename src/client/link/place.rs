//! Where the user is, so that a new connection can lead there again. Pure.

use crate::protocol::DEFAULT_ROOM;
use crate::protocol::message::{Answer, Nothing, Request, RoomJoin, Tag};

/// The `id` of the request that leads there.
pub(super) const ENTER: &str = "enter";

/// A place among the rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Spot {
    /// Where the server puts who comes.
    Default,
    Room(String),
    /// The user has left every room.
    Nowhere,
}

/// Where the user is, and the way there.
#[derive(Debug)]
pub(super) struct Place {
    spot: Spot,
    /// The way there is not over: what is heard of other rooms is about where the login led.
    entering: bool,
}

impl Place {
    /// The place that the user wants.
    pub(super) fn wanted(room: Option<&str>) -> Place {
        Place { spot: room.map_or(Spot::Default, |room| Spot::Room(room.to_owned())), entering: false }
    }

    /// What to send after a login to get there, if anything. `room` is where the login led: nowhere without one.
    pub(super) fn enter(&mut self, room: Option<&str>) -> Option<Request<'static>> {
        let join =
            |room: &str| Some(Request::RoomJoin(RoomJoin { room: room.to_owned().into(), create: true }));
        let request = match (&self.spot, room) {
            (Spot::Room(wanted), Some(room)) if wanted.eq_ignore_ascii_case(room) => None,
            (Spot::Room(wanted), _) => join(wanted),
            (Spot::Default, None) => join(DEFAULT_ROOM),
            (Spot::Nowhere, Some(_)) => Some(Request::RoomLeave(Nothing {})),
            (Spot::Default, Some(_)) | (Spot::Nowhere, None) => None,
        };
        self.entering = request.is_some();
        request
    }

    /// Notes where the user is, from what the server says.
    pub(super) fn note(&mut self, answer: &Answer<'_>, id: Option<&Tag<'_>>) {
        let led = is_entry(id);
        if self.entering && !led {
            return;
        }
        match answer {
            // The answer to who joined has a `seq`, the answer to who left no `members`; notices about others differ.
            Answer::RoomJoined(joined) if joined.seq.is_some() => {
                self.spot = Spot::Room(joined.room.to_string());
            }
            Answer::RoomCreated(created) => self.spot = Spot::Room(created.room.to_string()),
            Answer::RoomLeft(left) if left.members.is_none() => self.spot = Spot::Nowhere,
            // The way is barred: the place is where the login led.
            Answer::Error(_) if led => self.spot = Spot::Default,
            _ => {}
        }
        self.entering &= !led;
    }
}

/// True for the `id` of the request that leads to the place.
pub(super) fn is_entry(id: Option<&Tag<'_>>) -> bool {
    super::talk::is(id, ENTER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::codec::decode_answer;

    fn hear(place: &mut Place, payload: &str) {
        let envelope = decode_answer(payload.as_bytes()).unwrap();
        place.note(&envelope.message, envelope.id.as_ref());
    }

    fn way(place: &mut Place, room: Option<&str>) -> Option<String> {
        Some(match place.enter(room)? {
            Request::RoomJoin(join) => format!("join {}", &*join.room),
            Request::RoomLeave(_) => "leave".into(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn the_way_is_the_shortest() {
        assert_eq!(way(&mut Place::wanted(None), Some("default")), None);
        assert_eq!(way(&mut Place::wanted(None), None).as_deref(), Some("join default"));
        assert_eq!(way(&mut Place::wanted(Some("lab")), Some("default")).as_deref(), Some("join lab"));
        assert_eq!(way(&mut Place::wanted(Some("Default")), Some("default")), None);
    }

    // Catches: a place that is lost because the login's own room is heard of last.
    #[test]
    fn where_the_user_went_is_where_a_new_connection_leads() {
        let mut place = Place::wanted(None);
        hear(
            &mut place,
            r#"{"type":"ROOM_JOINED","data":{"room":"lab","username":"a","members":1,"seq":0},"id":1}"#,
        );
        hear(&mut place, r#"{"type":"ROOM_JOINED","data":{"room":"lab","username":"b","members":2}}"#);
        assert_eq!(way(&mut place, Some("default")).as_deref(), Some("join lab"));
        hear(
            &mut place,
            r#"{"type":"ROOM_JOINED","data":{"room":"default","username":"a","members":1,"seq":0}}"#,
        );
        assert_eq!(way(&mut place, Some("default")).as_deref(), Some("join lab"), "lost before it was there");
        hear(
            &mut place,
            r#"{"type":"ROOM_JOINED","data":{"room":"lab","username":"a","members":1,"seq":0},"id":"enter"}"#,
        );
        hear(&mut place, r#"{"type":"ROOM_LEFT","data":{"room":"lab","username":"b","members":1}}"#);
        assert_eq!(way(&mut place, None).as_deref(), Some("join lab"));
        hear(&mut place, r#"{"type":"ERROR","data":{"code":"limit","message":""},"id":"enter"}"#);
        assert_eq!(way(&mut place, None).as_deref(), Some("join default"), "barred");
        hear(
            &mut place,
            r#"{"type":"ROOM_JOINED","data":{"room":"default","username":"a","members":1,"seq":0},"id":"enter"}"#,
        );
        hear(&mut place, r#"{"type":"ROOM_LEFT","data":{"room":"default","username":"a"},"id":2}"#);
        assert_eq!(way(&mut place, Some("default")).as_deref(), Some("leave"));
    }
}
