//! `merge`, `split` and `mixed`: the same bytes in the same queue, read by `recv` calls of different sizes.
//!
//! The reader waits until all that was sent is queued. From there on nothing is left to chance: `recv` returns
//! what is queued, up to the size of its buffer.

use serde::Serialize;

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
        Name::Split => vec![3, USUAL],
        Name::Mixed => vec![one_and_a_half(&messages), USUAL],
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
    (length(0) + length(1) / 2).max(1)
}
