//! `race`: the reader calls `recv` at once, again and again. What it returns is decided by chance, so the
//! honest picture of it is a distribution.

use serde::Serialize;

use super::exchange::{Pair, Wait};
use super::plan::Plan;
use super::record::Record;
use super::{Details, Name, Scenario, verdict};
use crate::net::NetError;

/// How often it is tried: enough for a rare outcome to show up, over in an instant.
const REPETITIONS: usize = 200;

/// The scenario's own part. The records beside it are the first repetition's.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Race {
    pub(super) repetitions: usize,
    /// From the commonest to the rarest.
    pub(super) distribution: Vec<Outcome>,
}

/// What the calls of `recv` returned, and how often it was so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Outcome {
    /// The size of what each call returned, in bytes.
    pub(super) recv_bytes: Vec<usize>,
    /// Repetitions in which it was so.
    pub(super) times: usize,
}

pub(super) fn run(plan: &Plan) -> Result<Scenario, NetError> {
    let messages = plan.messages(3);
    let size = messages.iter().map(|message| message.wire.len()).sum::<usize>().max(1_024);
    let mut script = plan.script(messages, vec![size]);
    script.wait = Wait::No;
    let mut records = Vec::with_capacity(REPETITIONS);
    for _ in 0..REPETITIONS {
        records.push(Pair::connect(plan.options())?.play(&script)?);
        // What does not arrive in time once would cost the same time again and again.
        if records.last().is_some_and(|record| !record.complete()) {
            break;
        }
    }
    let verdict = verdict::left_to_chance(&records);
    let race = Race { repetitions: records.len(), distribution: distribution(&records) };
    Ok(Scenario::of(Name::Race, records.swap_remove(0), verdict, Details::Race(race)))
}

/// Counts equal outcomes.
pub(super) fn distribution(records: &[Record]) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for record in records {
        let recv_bytes: Vec<usize> = record.recvs.iter().map(|call| call.bytes.len()).collect();
        match outcomes.iter_mut().find(|outcome| outcome.recv_bytes == recv_bytes) {
            Some(outcome) => outcome.times += 1,
            None => outcomes.push(Outcome { recv_bytes, times: 1 }),
        }
    }
    outcomes.sort_by(|a, b| b.times.cmp(&a.times).then_with(|| a.recv_bytes.cmp(&b.recv_bytes)));
    outcomes
}
