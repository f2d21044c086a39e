//! What a server believes although it should not: digests that are not right, names that lead elsewhere.

use super::{Evidence, Observed, Test, holds};
use crate::check::outcome::Failure;
use crate::check::plan::{Probe, Way};

fn probed(probe: Probe) -> impl Fn(&Observed) -> bool {
    move |o| o.plan.way == Way::Probe(probe)
}

/// The open failure of a probe in which the server said what it should not have said.
fn granted(evidence: &Evidence, probe: Probe) -> bool {
    let said = |o: &Observed| matches!(o.failure(), Some(Failure::Unasked { .. }));
    evidence.open().any(|o| probed(probe)(o) && said(o))
}

/// A digest of which no byte is right opens the door.
pub(super) fn any_digest(evidence: &Evidence) -> Test {
    if !granted(evidence, Probe::WrongDigest) {
        return Test::No;
    }
    let explanation = "your server lets everybody in: a digest that is wrong in every byte was accepted. Compare it with the one \
         that you compute, by hmac.compare_digest.";
    let wrong = |o: &Observed| matches!(o.plan.way, Way::Probe(Probe::WrongDigest | Probe::PartialDigest));
    evidence.proven("accepts-any-digest", explanation.to_owned(), wrong)
}

/// A digest that is right in part opens the door.
pub(super) fn partial_digest(evidence: &Evidence) -> Test {
    let wrong_is_refused = evidence.passed(|plan| plan.way == Way::Probe(Probe::WrongDigest));
    if !granted(evidence, Probe::PartialDigest) || !wrong_is_refused {
        return Test::No;
    }
    let explanation = "your server compares a part of the digest: one that was right only in some of its bytes was accepted, one that \
         was wrong in all of them was refused. Read all 32 bytes, and compare all of them by hmac.compare_digest.";
    evidence.proven("compares-partial-digest", explanation.to_owned(), probed(Probe::PartialDigest))
}

/// Two clients get the same challenge.
pub(super) fn repeats_challenge(evidence: &Evidence) -> Test {
    let fresh = probed(Probe::FreshChallenge);
    let same = |o: &Observed| matches!(o.failure(), Some(Failure::Wrong { .. }));
    if !evidence.open().any(|o| fresh(o) && same(o)) {
        return Test::No;
    }
    let explanation = "your server sends the same challenge twice: who has seen one answer can send it again. Draw new random bytes \
         for each client, by os.urandom.";
    evidence.proven("repeats-challenge", explanation.to_owned(), fresh)
}

/// A name with `..` in it reaches files outside of the server's folder.
pub(super) fn path_traversal(evidence: &Evidence) -> Test {
    let outside = probed(Probe::OutsidePath);
    let Some(observed) = evidence.open().find(|o| outside(o)) else { return Test::No };
    let read = String::from_utf8_lossy(observed.outcome.wrong_bytes()).contains("canary");
    // That it says so is not enough: a name may have been changed into one that leads nowhere else.
    if !read && observed.outcome.trace.is_none() {
        return Test::No;
    }
    let does = if read { "read" } else { "wrote" };
    let sent = observed.outcome.failed_talk().map_or(&[][..], |talk| &talk.sent);
    let path = ["%2e", "../"].into_iter().find(|path| holds(sent, path.as_bytes()));
    let path = path.map_or("a path from the root as its id".to_owned(), |path| format!("`{path}` in an id"));
    let explanation = format!(
        "your server lets a name lead out of its folder: with {path}, a client {does} a file outside of it. Accept only \
         the characters that an id may have, before it becomes a part of a path."
    );
    evidence.proven("path-traversal", explanation, outside)
}
