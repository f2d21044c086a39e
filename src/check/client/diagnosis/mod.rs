//! From all runs to the class of the bug, where they prove it. Pure. It looks at what was sent, received and
//! printed: never at the exercise's name, nor at the program's text.

mod ends;
mod length;
mod pieces;

use super::Run;
use super::play::Way;
use super::seen::{Wrong, lines};
use crate::check::report::Diagnosis;
use crate::process::Exit;

/// A class and what proves it.
type Found = Option<(&'static str, String)>;

/// A hypothesis: the failed run, and all runs before it.
type Hypothesis = fn(&Run, &[Run]) -> Found;

/// The most specific first.
const HYPOTHESES: [Hypothesis; 15] = [
    length::misread,
    length::missing,
    length::characters,
    pieces::splits_multibyte,
    pieces::one_recv,
    pieces::rest_dropped,
    pieces::truncated,
    pieces::partial_send,
    ends::pushed,
    ends::blocks_on_input,
    ends::hoards,
    ends::empty_ends,
    ends::closes_after_one,
    ends::dies,
    ends::spins,
];

/// What a failed run proves, given all runs; `None` where it proves nothing.
pub(super) fn diagnose(failed: &Run, runs: &[Run]) -> Option<Diagnosis> {
    let found = HYPOTHESES.iter().find_map(|hypothesis| hypothesis(failed, runs));
    found.map(|(class, explanation)| Diagnosis { class: class.to_owned(), explanation })
}

/// True if a play of this way passed.
fn passed(runs: &[Run], way: Way) -> bool {
    runs.iter().any(|run| run.play.way == way && run.wrong.is_none())
}

/// True if the program ended as programs do that break down: with another status than 0, or by a signal.
fn crashed(run: &Run) -> bool {
    run.seen.exit.is_some_and(|exit| exit != Exit::Code(0)) || !run.seen.stderr.is_empty()
}

/// True if the connection is what went wrong.
fn in_talk(run: &Run) -> bool {
    matches!(run.wrong, Some(Wrong::Talk(_)))
}

fn printed(run: &Run) -> Vec<&[u8]> {
    lines(&run.seen.stdout)
}
