//! From what was observed to the class of the bug. Pure: it looks at plans, bytes, ends and times, never at an
//! exercise's name or at the program.
//!
//! Each class is a hypothesis. It looks for its symptom among the failures that are not explained yet; then it asks
//! for the experiment that would tell it from the others, and only after that it is proven:
//!
//! ```text
//! symptom? ──no──► No
//!    └──yes──► experiment made? ──no──► Try(plan)  ... played, and asked again
//!                     └──yes──► does it fit? ──► Proven(finding) or No
//! ```
//! A finding names the cases that it explains: one root cause gives one diagnosis. What fits no hypothesis is
//! reported as it was seen, and nothing is guessed.

mod clients;
mod input;
pub(super) mod length;
pub(super) mod load;
mod stream;
mod trust;

use std::sync::Arc;

use super::codec::Codec;
use super::outcome::{Failure, Outcome};
use super::plan::{Dialect, Plan, Way};
use crate::net::table::Transport;

/// All that was observed in a run.
#[derive(Clone)]
pub struct Evidence {
    /// How the exercise speaks.
    pub dialect: Arc<dyn Dialect>,
    /// TCP or UDP.
    pub transport: Transport,
    /// What was played, and what came of it.
    pub observed: Vec<Observed>,
    /// Cases that a finding explains.
    explained: Vec<usize>,
}

/// A plan that was played.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The case that it belongs to; `None` for an experiment.
    pub case: Option<usize>,
    /// The plan.
    pub plan: Plan,
    /// What came of it.
    pub outcome: Outcome,
}

/// A class of bug that is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its stable name, a topic of `netlab explain`.
    pub class: &'static str,
    /// What in the evidence proves it, for the program's author.
    pub explanation: String,
    /// The cases that it explains, by number, ascending.
    pub cases: Vec<usize>,
}

/// What a hypothesis makes of the evidence.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It does not fit.
    No,
    /// It may fit: this plan tells.
    Try(Plan),
    /// It fits, and nothing else does.
    Proven(Finding),
}

/// A class of bug and its test.
#[derive(Clone, Copy, Debug)]
pub struct Hypothesis {
    /// The name, or that of the family.
    pub class: &'static str,
    /// The test.
    pub test: fn(&Evidence) -> Test,
}

/// All hypotheses, the most specific first: what one of them explains, the later ones don't see.
pub const HYPOTHESES: &[Hypothesis] = &[
    Hypothesis { class: "length-counts-characters", test: length::counts_characters },
    Hypothesis { class: "length-format", test: length::misread },
    Hypothesis { class: "resends-from-start", test: load::resends_small },
    Hypothesis { class: "empty-means-end", test: stream::empty_ends },
    Hypothesis { class: "full-buffer-means-more", test: stream::full_buffer },
    Hypothesis { class: "splits-multibyte", test: stream::splits_multibyte },
    Hypothesis { class: "closes-after-one-message", test: stream::closes_after_one },
    Hypothesis { class: "one-recv-one-message", test: stream::one_recv },
    Hypothesis { class: "truncates-long-message", test: stream::truncates },
    Hypothesis { class: "drops-rest-of-buffer", test: stream::drops_rest },
    Hypothesis { class: "partial-send-lost", test: load::loses_or_resends },
    Hypothesis { class: "ignores-half-close", test: clients::ignores_half_close },
    Hypothesis { class: "exits-after-one-client", test: clients::exits_after_one },
    Hypothesis { class: "answers-wrong-peer", test: clients::wrong_peer },
    Hypothesis { class: "one-client-at-a-time", test: clients::one_at_a_time },
    Hypothesis { class: "dies-on-bad-input", test: input::dies },
    Hypothesis { class: "accepts-any-digest", test: trust::any_digest },
    Hypothesis { class: "compares-partial-digest", test: trust::partial_digest },
    Hypothesis { class: "repeats-challenge", test: trust::repeats_challenge },
    Hypothesis { class: "path-traversal", test: trust::path_traversal },
    Hypothesis { class: "ghost-members", test: clients::ghost_members },
    Hypothesis { class: "idle-spin", test: load::idle_spin },
];

impl Evidence {
    /// No evidence yet.
    #[must_use]
    pub fn new(dialect: Arc<dyn Dialect>, transport: Transport) -> Evidence {
        Evidence { dialect, transport, observed: Vec::new(), explained: Vec::new() }
    }

    /// Failures of cases that no finding explains.
    pub fn open(&self) -> impl Iterator<Item = &Observed> {
        let open = |o: &&Observed| o.case.is_some_and(|case| !self.explained.contains(&case));
        self.observed.iter().filter(|o| !o.outcome.passed()).filter(open)
    }

    /// Experiments that failed.
    fn experiments(&self) -> impl Iterator<Item = &Observed> {
        self.observed.iter().filter(|o| o.case.is_none() && !o.outcome.passed())
    }

    /// The first open failure whose way is like this.
    fn symptom(&self, like: impl Fn(&Way) -> bool) -> Option<&Observed> {
        self.open().find(|o| like(&o.plan.way))
    }

    /// What came of this plan.
    fn of(&self, plan: &Plan) -> Option<&Outcome> {
        self.observed.iter().find(|o| o.plan == *plan).map(|o| &o.outcome)
    }

    /// True if the plan was played.
    #[must_use]
    pub fn has(&self, plan: &Plan) -> bool {
        self.of(plan).is_some()
    }

    /// True if a plan like this passed.
    fn passed(&self, like: impl Fn(&Plan) -> bool) -> bool {
        self.observed.iter().any(|o| o.outcome.passed() && like(&o.plan))
    }

    /// True if a plan like this failed.
    fn failed(&self, like: impl Fn(&Plan) -> bool) -> bool {
        self.observed.iter().any(|o| !o.outcome.passed() && like(&o.plan))
    }

    /// Notes what a finding explains.
    pub fn explain(&mut self, finding: &Finding) {
        self.explained.extend(&finding.cases);
    }

    /// A finding that explains every open failure whose plan is like this.
    fn proven(&self, class: &'static str, explanation: String, like: impl Fn(&Observed) -> bool) -> Test {
        let mut cases: Vec<usize> = self.open().filter(|o| like(o)).filter_map(|o| o.case).collect();
        cases.sort_unstable();
        cases.dedup();
        if cases.is_empty() { Test::No } else { Test::Proven(Finding { class, explanation, cases }) }
    }

    fn codec(&self) -> Codec {
        self.dialect.codec()
    }

    /// A message's size on the wire.
    fn wire_size(&self, message: &[u8]) -> usize {
        self.codec().encode(&self.dialect.ask(0, message).payload).bytes.len()
    }
}

impl Observed {
    fn failure(&self) -> Option<&Failure> {
        self.outcome.failure.as_ref().map(|(_, failure)| failure)
    }

    fn is_ascii(&self) -> bool {
        self.plan.messages.iter().all(|message| message.is_ascii())
    }

    /// True if short ASCII text came back wrong because it was sent in pieces: neither a character that was cut nor a
    /// full send buffer does that.
    fn disordered(&self) -> bool {
        resegments(&self.plan.way)
            && self.is_ascii()
            && self.plan.messages.iter().all(|message| message.len() < load::OUTGROWN)
            && matches!(self.failure(), Some(Failure::Wrong { .. }))
    }
}

/// True if the bytes hold these.
fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    !wanted.is_empty() && bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// True for the ways in which a stream comes in other pieces than its messages.
fn resegments(way: &Way) -> bool {
    matches!(
        way,
        Way::Cut(_) | Way::Paused(_) | Way::Straddled(_) | Way::Bytes | Way::Coalesced | Way::Interleaved
    )
}

/// How the program ended, in words for an explanation; empty if it runs on.
fn last_words(outcome: &Outcome) -> String {
    let Some(exit) = outcome.exit else { return String::new() };
    let line = outcome.last_words();
    if line.is_empty() {
        format!("the program ended with {exit}")
    } else {
        format!("the program ended with {exit}: `{line}`")
    }
}

#[cfg(test)]
mod topics {
    /// Classes that a hypothesis names by what it finds, not by its own name.
    const OTHERS: [&str; 9] = [
        "missing-prefix",
        "length-counts-prefix",
        "little-endian-length",
        "wrong-prefix-width",
        "one-message-per-recv",
        "repeats-challenge",
        "accepts-any-digest",
        "compares-partial-digest",
        "listens-elsewhere",
    ];

    #[test]
    fn every_class_is_explained() {
        let own = super::HYPOTHESES.iter().map(|hypothesis| hypothesis.class);
        for class in own.chain(OTHERS).filter(|class| *class != "length-format") {
            assert!(crate::diag::explain::topic(class).is_some(), "`netlab explain {class}` says nothing");
        }
    }
}
