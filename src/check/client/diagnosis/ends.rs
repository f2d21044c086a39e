//! What a client waits for, what it takes for the end, and what ends it.

use super::{Found, crashed, in_talk, passed, printed};
use crate::check::client::Run;
use crate::check::client::play::{Asks, Said, Way};
use crate::check::client::seen::{Did, Fault, Wrong, lines_of};
use crate::process::Exit;
use crate::text::excerpt;

/// A share of a processor that no program needs which waits: one in Python that polls its socket each millisecond uses
/// 3 % (measured). One that spins beside a dozen others on two processors still has more.
const BUSY_PERCENT: u128 = 10;

/// With messages between that nobody asked for, one message is printed for each request, and then no more is read.
pub(super) fn pushed(failed: &Run, runs: &[Run]) -> Found {
    let says: Vec<&Said> = failed.play.turns.iter().flat_map(|turn| &turn.says).collect();
    let all_shown = says.iter().all(|said| said.shown.is_some());
    let (texts, shown) = (failed.play.printed(), printed(failed));
    let wanted = lines_of(&texts);
    let (asked, more) = (failed.play.turns.len(), says.len());
    let lags = shown.len() == asked && more > asked && wanted.starts_with(&shown);
    let proven =
        failed.play.way == Way::Pushed && all_shown && lags && !crashed(failed) && passed(runs, Way::Whole);
    proven.then(|| {
        let explanation = format!(
            "your client takes the first message behind a request for its answer: it read {asked} messages for its {asked} requests, and {more} came, \
             because others in the room do something, too. Look at each message's type, and read on for as long as the connection is open."
        );
        ("notice-taken-for-answer", explanation)
    })
}

/// What comes while stdin is silent is printed with the next line of stdin.
pub(super) fn blocks_on_input(failed: &Run, _: &[Run]) -> Found {
    let stuck = failed.wrong == Some(Wrong::Talk(Fault::Unshown { push: true, later: true }));
    stuck.then(|| {
        let explanation = "your client does not look at the socket while it waits for a line of stdin: what came then was printed only when the next \
             line was there. Read the socket in a thread of its own, or wait for both (select).";
        ("blocks-on-input", explanation.to_owned())
    })
}

/// Nothing is sent before stdin has ended.
pub(super) fn hoards(failed: &Run, _: &[Run]) -> Found {
    (failed.wrong == Some(Wrong::Talk(Fault::Hoards))).then(|| {
        let explanation = "your client reads its whole stdin before it sends anything: a line was not sent while stdin was open, and was when stdin had ended. \
             Send each line as soon as it has been read (`for line in sys.stdin`, not `sys.stdin.read()`).";
        ("waits-for-end-of-input", explanation.to_owned())
    })
}

/// An empty message is taken for the end.
pub(super) fn empty_ends(failed: &Run, runs: &[Run]) -> Found {
    let first = failed.play.turns.first()?;
    let empty = first.line.as_ref().is_some_and(Vec::is_empty);
    let left = matches!(failed.wrong, Some(Wrong::Talk(Fault::Ended | Fault::Reset)));
    let several = |run: &Run| run.wrong.is_none() && run.play.way == Way::Whole && run.play.turns.len() > 1;
    let sent = failed.seen.messages.len();
    (empty && left && sent < 2 && !crashed(failed) && runs.iter().any(several)).then(|| {
        let what = if sent == 0 { "line" } else { "answer" };
        let explanation = format!(
            "your client takes an empty {what} for the end: it ended the connection there, with a line of stdin left. Only a recv of 0 bytes is the \
             end of a connection, and only the end of file that of stdin; a message may have no bytes."
        );
        ("empty-means-end", explanation)
    })
}

/// The connection is ended after the first answer, with lines left.
pub(super) fn closes_after_one(failed: &Run, runs: &[Run]) -> Found {
    let several = |run: &Run| run.play.way == Way::Whole && run.play.turns.len() > 1;
    let before = runs.iter().filter(|run| run.play.asks == Asks::Answers && run.wrong.is_none());
    // What was asked so far was answered, as much as there was.
    let most = before.map(|run| run.play.turns.len()).max()?;
    let left = matches!(failed.wrong, Some(Wrong::Talk(Fault::Ended | Fault::Reset)));
    let sent = failed.seen.messages.len();
    (several(failed) && left && sent == most && sent < failed.play.turns.len() && !crashed(failed)).then(|| {
        let explanation = "your client ended the connection after its first answer, with lines of stdin left. All lines belong on one connection: connect \
             once, and go on until stdin ends.";
        ("closes-after-one-message", explanation.to_owned())
    })
}

/// An error, or what is no message, ends the program.
pub(super) fn dies(failed: &Run, runs: &[Run]) -> Found {
    let says: Vec<&Said> = failed.play.turns.iter().flat_map(|turn| &turn.says).collect();
    let is_bad = |said: &&&Said| match &said.shown {
        None => true,
        Some(line) => line.starts_with(b"ERROR "),
    };
    let bad = says.iter().position(|said| is_bad(&said))?;
    let broke = failed.seen.exit.is_some_and(|exit| exit != Exit::Code(0));
    let shown = printed(failed).len();
    let before = says[..bad].iter().filter(|said| said.shown.is_some()).count();
    (broke && (before..=before + 1).contains(&shown) && passed(runs, Way::Whole)).then(|| {
        let words = String::from_utf8_lossy(&failed.seen.stderr);
        let last = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        let explanation = format!(
            "your client breaks down at what it did not expect: `{}` came, and it ended: `{}`. An error is an answer like others; what can't be understood is \
             passed over. Look at a message's type before its data, and catch what its bytes can raise.",
            excerpt(&says[bad].payload, 60),
            excerpt(last.trim().as_bytes(), 100)
        );
        ("dies-on-bad-input", explanation)
    })
}

/// It runs in circles after the server's end.
pub(super) fn spins(failed: &Run, _: &[Run]) -> Found {
    let percent = failed.seen.busy.filter(|percent| *percent >= BUSY_PERCENT)?;
    let ended = failed.seen.did.iter().any(|did| matches!(did, Did::ServerEnds | Did::ServerResets));
    (ended && failed.wrong == Some(Wrong::Lives) && !in_talk(failed)).then(|| {
        let explanation = format!(
            "your client used {percent} % of a processor after the server had ended the connection: recv returns no bytes at once, again and \
             again. No bytes are the end: leave the loop."
        );
        ("idle-spin", explanation)
    })
}
