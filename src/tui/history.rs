//! What was typed before, to be brought back with the arrow keys. Pure.

use std::collections::VecDeque;

/// How many lines are kept.
const MAX_LINES: usize = 200;
/// A line longer than this is not kept: 200 pasted novels would be 6 MB.
const MAX_LINE: usize = 4_096;

/// The lines that were typed, and where in them one is.
#[derive(Debug, Default)]
pub(super) struct History {
    lines: VecDeque<String>,
    /// The line that is shown; `None`: the one that is being typed.
    at: Option<usize>,
    /// What was being typed before one went up.
    draft: String,
}

impl History {
    /// Keeps a line that was sent.
    pub(super) fn push(&mut self, line: String) {
        self.at = None;
        self.draft.clear();
        if line.len() > MAX_LINE || self.lines.back() == Some(&line) {
            return;
        }
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The line before; `now` is what stands in the input line.
    pub(super) fn up(&mut self, now: String) -> Option<&str> {
        let before = match self.at {
            None => self.lines.len().checked_sub(1)?,
            Some(at) => at.checked_sub(1)?,
        };
        if self.at.is_none() {
            self.draft = now;
        }
        self.at = Some(before);
        Some(&self.lines[before])
    }

    /// The line after; at the end what was being typed.
    pub(super) fn down(&mut self) -> Option<&str> {
        let at = self.at?;
        self.at = Some(at + 1).filter(|next| *next < self.lines.len());
        Some(self.at.map_or(&self.draft, |next| &self.lines[next]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_up_and_comes_back_to_the_draft() {
        let mut history = History::default();
        assert_eq!(history.up("x".into()), None);
        assert_eq!(history.down(), None);
        for line in ["one", "two", "two"] {
            history.push(line.into());
        }
        assert_eq!(history.up("draft".into()), Some("two"));
        assert_eq!(history.up("two".into()), Some("one"));
        assert_eq!(history.up("one".into()), None, "the oldest stays");
        assert_eq!(history.down(), Some("two"));
        assert_eq!(history.down(), Some("draft"));
        assert_eq!(history.down(), None);
    }

    #[test]
    fn it_is_bounded() {
        let mut history = History::default();
        for n in 0..1_000 {
            history.push(n.to_string());
        }
        history.push("x".repeat(MAX_LINE + 1));
        assert_eq!(history.lines.len(), MAX_LINES);
        assert_eq!(history.up(String::new()), Some("999"));
    }
}
