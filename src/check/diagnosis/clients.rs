//! Clients that come, stay, and go.

use super::{Evidence, Observed, Test, holds, last_words};
use crate::check::outcome::{Ended, Event, Failure, Outcome, What};
use crate::check::plan::{Plan, Probe, Way, interleaved_payload};
use crate::net::table::Transport;
use crate::text::counted;

/// The end of the client's side is not understood.
pub(super) fn ignores_half_close(evidence: &Evidence) -> Test {
    let Some(observed) = evidence.symptom(|way| *way == Way::HalfClosed) else { return Test::No };
    if !evidence.passed(|plan| plan.way == Way::Whole) {
        return Test::No;
    }
    // Where only answers that pile up are lost, the end of the client's side is the cause if nothing else makes them pile up.
    let piled_up = evidence.passed(|plan| plan.way == Way::HalfClosed);
    if piled_up && !evidence.passed(|plan| plan.way == Way::SlowReader) {
        return Test::No;
    }
    let said = match observed.failure() {
        Some(Failure::StaysOpen) => {
            "the client ended its side, got its answer, and your server never ended the connection. When recv \
             returns 0 bytes, the client has nothing more to send: close"
        }
        Some(Failure::Gone(Ended::Fin | Ended::Reset)) if observed.outcome.exit.is_none() => {
            "the client ended its side after its last byte, and your server closed without the answer. Its end says that \
             it sends no more, not that it is gone: answer first, then close"
        }
        Some(Failure::Silent) => {
            "when the client ended its side after its last byte, no answer came; without that end it did"
        }
        _ => return Test::No,
    };
    let explanation = format!("your server mistakes the end of the client's side: {said}.");
    evidence.proven("ignores-half-close", explanation, |o| {
        let stuck = matches!(o.failure(), Some(Failure::Silent | Failure::Busy(_)));
        let spins = matches!(o.failure(), Some(Failure::Busy(_)));
        o.plan.way == Way::HalfClosed
            || (spins && o.plan.way == Way::Idle)
            || (stuck
                && matches!(
                    o.plan.way,
                    Way::Successive | Way::AfterBad(_) | Way::AfterReset(_) | Way::IdleAfter
                ))
    })
}

/// After its first client the program ends, or listens no more.
pub(super) fn exits_after_one(evidence: &Evidence) -> Test {
    let second = |o: &&Observed| {
        o.plan.way == Way::Successive && o.outcome.failure.as_ref().is_some_and(|(n, _)| *n == 1)
    };
    let Some(observed) = evidence.open().find(second) else { return ends_with_one_datagram(evidence) };
    let refused = matches!(observed.failure(), Some(Failure::Refused | Failure::Gone(_)));
    if observed.outcome.exit.is_none() && !refused {
        return Test::No;
    }
    let ended = last_words(&observed.outcome);
    let ended = if ended.is_empty() { "nobody listened any more".to_owned() } else { ended };
    let explanation = format!(
        "your server serves one client and ends: the first one was answered and left, then {ended}. Put `accept` and what \
         follows into a loop."
    );
    evidence.proven("exits-after-one-client", explanation, |o| {
        matches!(
            o.plan.way,
            Way::Successive
                | Way::AfterBad(_)
                | Way::AfterReset(_)
                | Way::IdleAfter
                | Way::Interleaved
                | Way::Silent
        )
    })
}

/// The first datagram is answered, and then the program ends.
fn ends_with_one_datagram(evidence: &Evidence) -> Test {
    let answered = |o: &Observed| o.outcome.failed_talk().is_some_and(|talk| talk.ends.len() == 1);
    let ended = |o: &Observed| o.plan.way == Way::Whole && o.outcome.exit.is_some() && answered(o);
    let Some(observed) = evidence.open().find(|o| ended(o)) else { return Test::No };
    let several = evidence.passed(|plan| plan.way == Way::Whole && plan.messages.len() > 1);
    if evidence.transport != Transport::Udp || several {
        return Test::No;
    }
    let explanation = format!(
        "your server answers one datagram and ends: {}. Put `recvfrom` and what follows into a loop.",
        last_words(&observed.outcome)
    );
    evidence.proven("exits-after-one-client", explanation, |_| true)
}

/// A client is sent what is meant for another.
pub(super) fn wrong_peer(evidence: &Evidence) -> Test {
    if evidence.transport == Transport::Udp && evidence.symptom(|way| *way == Way::Interleaved).is_none() {
        return first_peer(evidence);
    }
    let Some(observed) = evidence.symptom(|way| *way == Way::Interleaved) else { return Test::No };
    let talks = &observed.outcome.talks;
    // Each client's messages carry its number, so that answers tell whom they are meant for.
    let meant_for = |other: usize| {
        observed.plan.messages.iter().filter_map(move |message| {
            let asked = evidence.dialect.ask(other, &interleaved_payload(message, other));
            asked.expect.first()?.bytes()
        })
    };
    let astray = talks.iter().enumerate().find_map(|(receiver, talk)| {
        let others = (0..talks.len()).filter(|other| *other != receiver);
        let got = |other: &usize| meant_for(*other).any(|wanted| holds(&talk.received, &wanted));
        others.into_iter().find(got).map(|other| (receiver, other))
    });
    // Where all answers are alike, one client has more of them than it asked for.
    let surplus = || {
        let asked = |client: usize| {
            let sent = |e: &&Event| e.client == client && matches!(e.what, What::Sent { .. });
            observed.outcome.events.iter().filter(sent).count()
        };
        let receiver = talks.iter().enumerate().position(|(n, talk)| talk.ends.len() > asked(n))?;
        let failed = observed.outcome.failure.as_ref().map(|(client, _)| *client)?;
        (evidence.transport == Transport::Udp && failed != receiver).then_some((receiver, failed))
    };
    let Some((receiver, other)) = astray.or_else(surplus) else { return Test::No };
    let explanation = format!(
        "your server sends answers to the wrong client: client {} received what client {} had asked for. Answer on the \
         socket, or to the address, that the message came from.",
        receiver + 1,
        other + 1
    );
    evidence.proven("answers-wrong-peer", explanation, |o| o.plan.way == Way::Interleaved)
}

/// All answers go to the client that came first: whoever comes later is not answered at all.
fn first_peer(evidence: &Evidence) -> Test {
    let second = |o: &&Observed| {
        o.plan.way == Way::Successive
            && o.outcome.silent()
            && o.outcome.failure.as_ref().is_some_and(|(n, _)| *n == 1)
    };
    let Some(observed) = evidence.open().find(second) else { return Test::No };
    let together = Plan { way: Way::Interleaved, ..observed.plan.clone() };
    let Some(outcome) = evidence.of(&together) else { return Test::Try(together) };
    // The first one asked once for each message.
    let surplus = outcome.talks.first().is_some_and(|talk| talk.ends.len() > together.messages.len());
    if !surplus {
        return Test::No;
    }
    let explanation = "your server sends answers to the wrong client: the one that came first received what others had asked for. Answer \
         to the address that recvfrom returned with the datagram."
        .to_owned();
    evidence
        .proven("answers-wrong-peer", explanation, |o| o.outcome.silent() || o.plan.way == Way::Successive)
}

/// The second client is served when the first has left.
pub(super) fn one_at_a_time(evidence: &Evidence) -> Test {
    let together = |way: &Way| matches!(way, Way::Interleaved | Way::Silent);
    let explained = |o: &Observed| together(&o.plan.way);
    let Some(observed) = evidence.symptom(|way| *way == Way::Interleaved) else {
        return waits_for_the_silent(evidence);
    };
    if !matches!(observed.failure(), Some(Failure::Silent | Failure::Gone(_) | Failure::Refused)) {
        return Test::No;
    }
    let plan = Plan { way: Way::Waiting, messages: vec![b"Hello".to_vec()], misread: None };
    let Some(outcome) = evidence.of(&plan) else { return Test::Try(plan) };
    if !outcome.passed() {
        // Answered while the other one was connected: so it is the half of a message that keeps the server.
        let at_once = matches!(outcome.failure, Some((1, Failure::Unasked { .. })));
        if !at_once || !evidence.passed(|plan| matches!(plan.way, Way::Cut(_))) {
            return Test::No;
        }
        let crowd = Plan { way: Way::Crowd, ..plan };
        let Some(outcome) = evidence.of(&crowd) else { return Test::Try(crowd) };
        if !outcome.passed() {
            return too_few_at_a_time(evidence, outcome);
        }
        let explanation = "your server serves one client at a time: while one had sent half of a message, another one asked and got no \
             answer; between messages both were served. One loop for all must never wait for one: keep what has come in that \
             client's buffer, and go back to the selector."
            .to_owned();
        return evidence.proven("one-client-at-a-time", explanation, explained);
    }
    let explanation = "your server serves one client at a time: while one was connected, another one asked and got no answer; \
         as soon as the first had left, the answer came. Serve each in a thread, or all in one loop over a selector."
        .to_owned();
    evidence.proven("one-client-at-a-time", explanation, explained)
}

/// One client after the other came and asked, and stayed; from some number on no answer came.
fn too_few_at_a_time(evidence: &Evidence, crowd: &Outcome) -> Test {
    let Some((served @ 1.., Failure::Silent)) = crowd.failure else { return Test::No };
    let explanation = format!(
        "your server serves only {} at a time: with so many connected, the next one asked and got no answer. Clients that stay \
         must not use up what serves them: give each its own thread, or all one selector.",
        counted(served as u64, "client")
    );
    let together = |o: &Observed| matches!(o.plan.way, Way::Interleaved | Way::Silent);
    evidence.proven("one-client-at-a-time", explanation, together)
}

/// Clients that speak are served together; one that says nothing stops all.
fn waits_for_the_silent(evidence: &Evidence) -> Test {
    let Some(observed) = evidence.symptom(|way| *way == Way::Silent) else { return Test::No };
    if !observed.outcome.silent() || !evidence.passed(|plan| plan.way == Way::Interleaved) {
        return Test::No;
    }
    let explanation = "your server serves one client at a time until that has said something: while one was connected and silent, \
         another one asked and got no answer; clients that speak are served together. Don't read from a client where you accept: \
         leave that to its thread, or to the selector."
        .to_owned();
    evidence.proven("one-client-at-a-time", explanation, |o| o.plan.way == Way::Silent)
}

/// A client that has left is still there for the others.
pub(super) fn ghost_members(evidence: &Evidence) -> Test {
    let gone = |o: &Observed| o.plan.way == Way::Probe(Probe::GoneMember);
    let Some(observed) = evidence.open().find(|o| gone(o)) else { return Test::No };
    if observed.outcome.exit.is_some() || !matches!(observed.failure(), Some(Failure::Wrong { .. })) {
        return Test::No;
    }
    let reset = observed.outcome.events.iter().any(|event| event.what == What::Reset);
    let left = if reset { "reset its connection (recv then fails)" } else { "closed its connection" };
    let explanation = format!(
        "your server keeps clients that have left: after one had {left}, it was still counted, or its name still taken. When recv \
         returns 0 bytes or fails, take the client out of every list before closing."
    );
    evidence.proven("ghost-members", explanation, gone)
}
