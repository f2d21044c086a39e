//! `udp`: the same sends as datagrams. Boundaries are kept; what a buffer has no room for is gone.

use serde::Serialize;

use super::exchange::{DATAGRAM, datagrams};
use super::plan::Plan;
use super::record::{Message, Record};
use super::verdict::{self, Verdict};
use super::{Details, Name, Scenario};
use crate::framing::Framing;
use crate::net::NetError;

/// The second part: a datagram that is larger than the buffer, and the one after it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Udp {
    pub(super) truncated: Truncated,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Truncated {
    pub(super) recv_sizes: Vec<usize>,
    pub(super) lost_bytes: usize,
    #[serde(flatten)]
    pub(super) record: Record,
    #[serde(flatten)]
    pub(super) verdict: Verdict,
}

pub(super) fn run(plan: &Plan) -> Result<Scenario, NetError> {
    let payloads = plan.payloads(3);
    let messages = payloads.iter().map(|payload| Message::raw(payload)).collect();
    let mut script = plan.script(messages, vec![DATAGRAM]);
    // A datagram is its own frame.
    script.framing = Framing::Raw;
    let record = datagrams(&script, plan.options())?;

    let all = payloads.concat();
    script.recv_sizes = vec![all.len().div_ceil(2).max(1), DATAGRAM];
    script.messages = vec![Message::raw(&all), Message::raw(&payloads[0])];
    let cut = datagrams(&script, plan.options())?;

    let truncated = Truncated {
        recv_sizes: script.recv_sizes,
        lost_bytes: cut.sent().len() - cut.received().len(),
        verdict: verdict::cut_off(&cut),
        record: cut,
    };
    let kept = verdict::kept(&record);
    let verdict = Verdict::of(
        kept.observed && truncated.verdict.observed,
        format!("{} {}", kept.sentence, truncated.verdict.sentence),
    );
    Ok(Scenario::of(Name::Udp, record, verdict, Details::Udp(Udp { truncated })))
}
