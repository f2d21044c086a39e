//! What was observed, in a sentence or two. What a program said is quoted, and harmless.

use std::fmt::Write;

use crate::check::case::Trial;
use crate::check::expect::Expect;
use crate::check::outcome::{Ended, Failure, Outcome};
use crate::check::plan::Way;
use crate::check::subject::Unready;
use crate::text::{byte_count, excerpt};

use super::Diagnosis;

/// What was observed at a failure.
pub(super) fn sentence(trial: &Trial, outcome: &Outcome) -> String {
    let Some((client, failure)) = &outcome.failure else { return String::new() };
    let who = if outcome.talks.len() > 1 { format!("Client {}: ", client + 1) } else { String::new() };
    let missing = outcome.missing().map_or("an answer".to_owned(), Expect::describe);
    let said = match failure {
        Failure::Refused => "nobody accepted the connection".to_owned(),
        // Of a message that is judged by its members, no byte is wrong, but what it says.
        Failure::Wrong { why, .. } if matches!(outcome.missing(), Some(Expect::Json { .. })) => {
            format!("instead of {missing} came: {}", why.trim_end_matches(" instead"))
        }
        Failure::Wrong { at, why } => {
            let offset = at.saturating_sub(outcome.failed_talk().map_or(0, |talk| talk.right));
            format!("instead of {missing} came something else: {why}, at byte {} of the answer", offset + 1)
        }
        Failure::Silent
            if outcome.missing().and_then(Expect::bytes).is_some_and(|b| b == outcome.wrong_bytes()) =>
        {
            format!("the answer came too late: {missing}")
        }
        Failure::Silent => {
            let came = outcome.wrong_bytes().len() as u64;
            let part = if came > 0 { format!(", of which {} came", byte_count(came)) } else { String::new() };
            format!("no answer in time, while waiting for {missing}{part}")
        }
        Failure::Gone(Ended::Fin) => format!("the server ended the connection instead of sending {missing}"),
        Failure::Gone(Ended::Reset) => format!("the connection was reset while waiting for {missing}"),
        Failure::Unasked { .. } => {
            let more = outcome.wrong_bytes();
            format!(
                "{} came that nothing had asked for: `{}`",
                byte_count(more.len() as u64),
                excerpt(more, 40)
            )
        }
        Failure::StaysOpen => "the server did not end the connection".to_owned(),
        Failure::Unread => "the server does not read what is sent".to_owned(),
        Failure::Busy(percent) => format!("{percent} % of a processor were used while nothing was asked"),
        Failure::Trace(trace) => trace.clone(),
    };
    let mut text = format!("{}{}.", capital(&format!("{who}{said}")), of_way(&trial.plan.way));
    if let Some(exit) = outcome.exit {
        let line = outcome.last_words();
        let words = if line.is_empty() { String::new() } else { format!(": `{line}`") };
        let _ = write!(text, " The program ended with {exit}{words}.");
    }
    text
}

fn of_way(way: &Way) -> String {
    match way {
        Way::Cut(cuts) if cuts.len() == 1 => format!(" (cut after byte {})", cuts[0]),
        Way::Cut(_) | Way::Bytes => " (cut between bytes)".to_owned(),
        Way::Paused(at) => format!(" (pause after byte {at})"),
        Way::Coalesced => " (all in one send)".to_owned(),
        Way::HalfClosed => " (the client had ended its side)".to_owned(),
        Way::AfterBad(bytes) => format!(" (after `{}` from another client)", excerpt(bytes, 30)),
        Way::AfterReset(_) => " (after another client had reset its connection)".to_owned(),
        _ => String::new(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

/// Why there was nothing to check, and the class of that.
pub(super) fn not_ready(unready: &Unready) -> (String, Option<Diagnosis>) {
    let words = |stderr: &[u8]| {
        let text = String::from_utf8_lossy(stderr);
        match text.lines().rfind(|line| !line.trim().is_empty()) {
            Some(line) => format!(": `{}`", excerpt(line.trim().as_bytes(), 160)),
            None => String::new(),
        }
    };
    match unready {
        Unready::Exited(exit, stderr) => {
            (format!("The program ended before it listened ({exit}){}.", words(stderr)), None)
        }
        Unready::Never(stderr) => {
            (format!("The program ran for 10 s and did not listen on its port{}.", words(stderr)), None)
        }
        Unready::Elsewhere(addr) => {
            let explanation = format!(
                "your server listens on {addr}, not on the port that it was given. Take the port from the command line (`{{port}}`) or \
                 from the variable NETLAB_PORT."
            );
            let diagnosis = Diagnosis { class: "listens-elsewhere".to_owned(), explanation };
            (format!("The program listens on {addr}."), Some(diagnosis))
        }
        Unready::Checker(error) => (format!("The checker failed: {error}."), None),
    }
}
