//! Bad input that takes the whole server with it.

use super::{Evidence, Observed, Test, last_words};
use crate::check::outcome::Failure;
use crate::check::plan::{Plan, Way};
use crate::text::excerpt;

/// After bad input from one client, no other is served.
pub(super) fn dies(evidence: &Evidence) -> Test {
    let no_text = |o: &Observed| o.plan.messages.iter().any(|m| std::str::from_utf8(m).is_err());
    let bad = |o: &Observed| match &o.plan.way {
        Way::AfterBad(_) => true,
        Way::Whole => o.outcome.exit.is_some() && no_text(o),
        _ => false,
    };
    let reset = |o: &Observed| matches!(o.plan.way, Way::AfterReset(_));
    // What is said of bad input covers a reset, but not the other way round.
    let Some(observed) = evidence.open().find(|o| bad(o)).or_else(|| evidence.open().find(|o| reset(o)))
    else {
        return Test::No;
    };
    let gone = matches!(
        observed.failure(),
        Some(Failure::Gone(_) | Failure::Refused | Failure::Silent | Failure::Unread)
    );
    // One who ends after any message is not killed by this one.
    let goes_on =
        |plan: &Plan| plan.way == Way::Successive || (plan.way == Way::Whole && plan.messages.len() > 1);
    if !gone || !evidence.passed(goes_on) {
        return Test::No;
    }
    let ended = last_words(&observed.outcome);
    let ended = if ended.is_empty() { "the next client got no answer".to_owned() } else { ended };
    let input = match &observed.plan.way {
        Way::AfterBad(bytes) => format!("`{}`", excerpt(bytes, 40)),
        Way::AfterReset(_) => {
            let explanation = format!(
                "one client's reset ends your server for all: after it, {ended}. recv and send fail on a connection that was \
                 reset: catch that (`except OSError`), and close that client's connection alone."
            );
            return evidence.proven("dies-on-bad-input", explanation, reset);
        }
        _ => "bytes that are no text".to_owned(),
    };
    let explanation = format!(
        "bad input of one client ends your server for all: after {input}, {ended}. Catch what one client's bytes can \
         raise, and close that client's connection alone."
    );
    evidence.proven("dies-on-bad-input", explanation, |o| bad(o) || reset(o))
}
