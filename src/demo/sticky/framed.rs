//! `framed`: the cure. The same sends and the same cuts, and the receiver finds every message.
//!
//! `line` works until a payload holds a newline. netlab's encoder refuses such a payload, so its frame is
//! written by hand here, as a program would that never thought of it.

use serde::Serialize;

use super::counts::Counts;
use super::exchange::Pair;
use super::plan::Plan;
use super::record::{Message, Record};
use super::verdict::{self, Verdict};
use super::{Details, Name, Scenario};
use crate::framing::Framing;
use crate::net::NetError;

/// The framings that mark messages, the best known first.
const FRAMINGS: [Framing; 4] = [Framing::U32, Framing::U16, Framing::Header, Framing::Line];
/// What a delimiter can't carry: one message of two lines.
const TWO_LINES: &[u8] = b"Hello\nWorld";

/// The scenario's own part: one entry per framing.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Framed {
    pub(super) framings: Vec<Entry>,
}

/// One framing, or one attempt to do without its encoder.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Entry {
    pub(super) framing: &'static str,
    pub(super) recv_sizes: Vec<usize>,
    #[serde(flatten)]
    pub(super) record: Record,
    #[serde(flatten)]
    pub(super) counts: Counts,
    #[serde(flatten)]
    pub(super) verdict: Verdict,
    /// Why netlab's encoder would not have sent this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
    /// What becomes of a payload with a newline (`line` alone).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) newline: Option<Box<Entry>>,
}

pub(super) fn run(plan: &Plan) -> Result<Scenario, NetError> {
    let only = plan.framing();
    let wanted = FRAMINGS.into_iter().filter(|framing| only == Framing::Raw || only == *framing);
    let mut framings = Vec::new();
    for framing in wanted {
        let mut entry = attempt(plan, framing, &plan.payloads(2))?;
        if framing == Framing::Line {
            entry.newline = Some(Box::new(attempt(plan, framing, &[TWO_LINES.to_vec()])?));
        }
        framings.push(entry);
    }
    let verdict = verdict::cured(&framings);
    let counts = Counts::sum(framings.iter().map(|entry| entry.counts));
    let record = all_calls(&framings);
    let transport = record.transport;
    let details = Details::Framed(Framed { framings });
    Ok(Scenario { name: Name::Framed, transport, record, counts, verdict, details })
}

/// Sends `payloads` in `framing`, by hand where the encoder refuses one.
fn attempt(plan: &Plan, framing: Framing, payloads: &[Vec<u8>]) -> Result<Entry, NetError> {
    let mut refused = None;
    let mut message = |payload: &Vec<u8>| {
        Message::framed(framing, payload).unwrap_or_else(|error| {
            refused = Some(error.to_string());
            Message::line_by_hand(payload)
        })
    };
    let messages = payloads.iter().map(&mut message).collect();
    let mut script = plan.script(messages, vec![7, 1_024]);
    script.framing = framing;
    let record = Pair::connect(plan.options())?.play(&script)?;
    let verdict =
        if refused.is_some() { verdict::broken_by_newline(&record) } else { verdict::whole(&record) };
    let counts = Counts::of(&record);
    let framing = framing.name();
    Ok(Entry { framing, recv_sizes: script.recv_sizes, record, counts, verdict, refused, newline: None })
}

/// The calls of all framings, one behind the other; each framing's times start at 0.
fn all_calls(framings: &[Entry]) -> Record {
    let mut records = framings.iter().map(|entry| entry.record.clone());
    let first = records.next().expect("one framing at least was asked for");
    records.fold(first, |mut all, record| {
        all.messages.extend(record.messages);
        all.sends.extend(record.sends);
        all.recvs.extend(record.recvs);
        all
    })
}
