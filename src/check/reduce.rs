//! The failing input made as small as it still fails: fewer messages, shorter ones, fewer cuts. Bounded, because
//! each try is a run of the program.

use super::codec::Wire;
use super::outcome::{Failure, Outcome};
use super::plan::{Dialect, Plan, Way};

/// Runs of the program at most, for one case.
const TRIES: usize = 12;

/// Tries smaller plans as long as they fail in the same manner; `try_out` returns what came of one that failed.
/// `None` if nothing smaller failed.
pub(super) fn reduce<T>(
    plan: &Plan,
    outcome: &Outcome,
    dialect: &dyn Dialect,
    mut try_out: impl FnMut(&Plan) -> Option<(T, Outcome)>,
) -> Option<(T, Outcome)> {
    let mut best: Option<(T, Outcome)> = None;
    let mut plan = plan.clone();
    let mut tries = 0;
    // A failure that takes a second of silence each time is not tried as often as one that shows at once.
    let patience = TRIES * 1_000 / (outcome.took.as_millis().max(1_000) as usize);
    loop {
        let smaller = candidates(&plan, dialect);
        let found = smaller.into_iter().find_map(|candidate| {
            tries += 1;
            if tries > patience.max(3) {
                return None;
            }
            let (made, result) = try_out(&candidate)?;
            alike(outcome, &result).then_some((candidate, made, result))
        });
        match found {
            Some((candidate, made, result)) => {
                plan = candidate;
                best = Some((made, result));
            }
            None => return best,
        }
    }
}

/// Failures of the same kind: a smaller input that fails otherwise shows another bug.
fn alike(one: &Outcome, other: &Outcome) -> bool {
    let kind = |o: &Outcome| o.failure.as_ref().map(|(_, failure)| std::mem::discriminant(failure));
    let wrong = |o: &Outcome| matches!(o.failure, Some((_, Failure::Wrong { .. } | Failure::Unasked { .. })));
    kind(one) == kind(other) || (wrong(one) && wrong(other))
}

/// Smaller plans, the smallest first.
fn candidates(plan: &Plan, dialect: &dyn Dialect) -> Vec<Plan> {
    let with = |messages: Vec<Vec<u8>>, way: Way| Plan { messages, way, misread: None };
    let mut found = Vec::new();
    match &plan.way {
        Way::Bytes => {
            // One cut may do.
            let wire: Wire = plan.stream(dialect);
            for at in [1, 2, wire.bytes.len() / 2] {
                if (1..wire.bytes.len()).contains(&at) {
                    found.push(with(plan.messages.clone(), Way::Cut(vec![at])));
                }
            }
        }
        Way::Whole | Way::Coalesced if plan.messages.len() > 1 => {
            for n in (0..plan.messages.len()).rev() {
                let mut fewer = plan.messages.clone();
                fewer.remove(n);
                found.push(with(fewer, plan.way.clone()));
            }
        }
        Way::Cut(cuts) if cuts.len() == 1 && plan.messages.len() > 1 => {
            found.push(with(plan.messages[..1].to_vec(), plan.way.clone()));
        }
        // A script of an exercise's own is as small as its author made it.
        Way::Probe(_) => return found,
        _ => {}
    }
    if let (Way::Whole, [message]) = (&plan.way, plan.messages.as_slice())
        && message.len() > 64
    {
        for length in [message.len() / 2, message.len() * 3 / 4, message.len() - 1] {
            found.push(with(vec![message[..length].to_vec()], Way::Whole));
        }
    }
    found
}
