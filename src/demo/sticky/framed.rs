//! `framed`: the cure. The same sends and the same cuts, and the receiver finds every message.
//!
//! One cut proves little, so the same frames are then received again and again, each time with the first
//! `recv` stopping one byte later: in prefixes, in payloads and between frames.
//!
//! `line` works until a payload holds a newline. netlab's encoder refuses such a payload, so its frame is
//! written by hand here, as a program would that never thought of it.

use std::time::Duration;

use serde::Serialize;

use super::counts::Counts;
use super::exchange::{Pair, Script};
use super::plan::Plan;
use super::record::{Message, Record};
use super::verdict::{self, Verdict};
use super::{Details, Name, Scenario};
use crate::framing::Framing;
use crate::net::NetError;

/// The framings that mark messages, the best known first.
const FRAMINGS: [Framing; 4] = [Framing::U32, Framing::U16, Framing::Header, Framing::Line];
/// How many cuts are tried at most: all of a short stream, some of a long one.
const CUTS: usize = 64;
/// What a delimiter can't carry: one message of two lines.
const TWO_LINES: &[u8] = b"Hello\nWorld";

/// The scenario's own part: one entry per framing.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Framed {
    pub(super) framings: Vec<Entry>,
}

impl Framed {
    /// All attempts, in the order in which they are shown.
    pub(super) fn attempts(&self) -> impl Iterator<Item = &Entry> {
        self.framings.iter().flat_map(|entry| std::iter::once(entry).chain(entry.newline.as_deref()))
    }
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
    /// In how many more runs the first `recv` stopped elsewhere.
    pub(super) cuts_tried: usize,
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
    let cut = if refused.is_none() && record.complete() { every_cut(plan, &script)? } else { Vec::new() };
    Ok(Entry {
        framing: framing.name(),
        recv_sizes: script.recv_sizes,
        counts: Counts::of(&record),
        verdict: match refused {
            Some(_) => verdict::broken_by_newline(&record),
            None => verdict::whole(&record, &cut),
        },
        record,
        cuts_tried: cut.len(),
        refused,
        newline: None,
    })
}

/// Plays the script once for every place where the first `recv` can stop.
fn every_cut(plan: &Plan, script: &Script) -> Result<Vec<Record>, NetError> {
    let length: usize = script.messages.iter().map(|message| message.wire.len()).sum();
    let step = length.div_ceil(CUTS).max(1);
    let cut = |first: usize| {
        let recv_sizes = vec![first, length];
        let script = Script { recv_sizes, gap: Duration::ZERO, ..script.clone() };
        Pair::connect(plan.options())?.play(&script)
    };
    let mut records = Vec::new();
    for first in (1..length).step_by(step) {
        records.push(cut(first)?);
        // What is not queued in time once would cost the same time again and again.
        if records.last().is_some_and(|record: &Record| !record.complete()) {
            break;
        }
    }
    Ok(records)
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
