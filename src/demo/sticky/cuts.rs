//! `merge`, `split` and `mixed`: the same bytes in the same queue, read by `recv` calls of different sizes.
//!
//! The reader waits until all that was sent is queued. From there on nothing is left to chance: `recv` returns
//! what is queued, up to the size of its buffer.

use serde::Serialize;

use super::counts::places;
use super::exchange::Pair;
use super::plan::Plan;
use super::record::Message;
use super::{Details, Name, Scenario, verdict};
use crate::net::NetError;

/// A buffer as most tutorials have it.
const USUAL: usize = 1_024;

/// What these scenarios add to their records.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Cuts {
    pub(super) framing: &'static str,
    pub(super) recv_sizes: Vec<usize>,
}

pub(super) fn run(name: Name, plan: &Plan) -> Result<Scenario, NetError> {
    let messages = plan.messages(if name == Name::Merge { 3 } else { 2 });
    let sizes = match name {
        Name::Split => vec![stop_inside(&messages, 3), USUAL],
        Name::Mixed => vec![stop_inside(&messages, one_and_a_half(&messages)), USUAL],
        _ => vec![USUAL.max(messages.iter().map(|message| message.wire.len()).sum())],
    };
    let script = plan.script(messages, sizes);
    let record = Pair::connect(plan.options())?.play(&script)?;
    let verdict = match name {
        Name::Split => verdict::split(&record),
        Name::Mixed => verdict::mixed(&record),
        _ => verdict::merged(&record),
    };
    let details = Cuts { framing: plan.framing().name(), recv_sizes: script.recv_sizes };
    Ok(Scenario::of(name, record, verdict, Details::Cuts(details)))
}

/// As many bytes as the first message and half of the second have.
fn one_and_a_half(messages: &[Message]) -> usize {
    let length = |n: usize| messages.get(n).map_or(0, |message: &Message| message.wire.len());
    length(0) + length(1) / 2
}

/// `wanted`, if a first `recv` of that size stops inside of a message; else the middle of the longest one.
fn stop_inside(messages: &[Message], wanted: usize) -> usize {
    let places = places(messages);
    if places.iter().any(|place| place.start < wanted && wanted < place.end) {
        return wanted;
    }
    let longest = places.iter().max_by_key(|place| place.len());
    longest.map_or(1, |place| (place.start + place.len() / 2).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_cut_stops_inside_of_a_message_where_there_is_one() {
        let stop = |texts: &[&str], wanted| {
            let messages: Vec<Message> = texts.iter().map(|text| Message::raw(text.as_bytes())).collect();
            stop_inside(&messages, wanted)
        };
        assert_eq!(stop(&["Hello", "World"], 3), 3);
        assert_eq!(stop(&["abc", "defg"], 3), 5);
        assert_eq!(stop(&["Hello", "x"], 5), 2);
        assert_eq!(stop(&["", ""], 3), 1, "a size is never 0");
    }
}
