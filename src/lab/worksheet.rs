//! What a student noted in a lab, and the worksheet made of it: Markdown, to hand in.

use std::fmt::Write;

use super::page::Choice;

/// The notes of a walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The lab's title.
    pub title: String,
    /// The rounds that were begun.
    pub rounds: Vec<Round>,
}

/// The notes of a round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Its heading.
    pub title: String,
    /// What was predicted.
    pub prediction: Option<Choice>,
    /// The reason that was given.
    pub why: String,
    /// The steps that were done or left out.
    pub steps: Vec<Ran>,
    /// What was observed, in lines.
    pub observations: Vec<String>,
    /// The answers, in lines.
    pub explanations: Vec<String>,
    /// True if a step was left out, or could not be done.
    pub skipped: bool,
    /// True if it was walked through to its end.
    pub finished: bool,
}

/// A step and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// Its number.
    pub number: u32,
    /// What was done, and where.
    pub shown: String,
    /// What was printed, by terminal.
    pub output: Vec<String>,
}

impl Round {
    /// True if nothing of it was left out.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.finished && !self.skipped && self.prediction.is_some()
    }
}

/// True if this text is a worksheet of this lab, to be gone on with.
#[must_use]
pub fn is_of(text: &str, title: &str) -> bool {
    text.is_empty() || text.lines().next() == Some(format!("# {title}").as_str())
}

/// The worksheet: predictions, what the steps printed, observations and answers. `date` stands at its top.
#[must_use]
pub fn markdown(notes: &Notes, date: &str) -> String {
    let mut out = format!("# {}\n\nName: ____________________\nDate: {date}\n", notes.title);
    for round in &notes.rounds {
        let _ = write!(out, "\n## {}\n\n### Prediction\n\n", round.title);
        match &round.prediction {
            Some(Choice { letter, name }) => {
                let _ = writeln!(out, "**{letter}. {name}.** {}", escaped(&round.why));
            }
            None => out.push_str("None was given.\n"),
        }
        out.push_str("\n### Steps\n");
        for step in &round.steps {
            let lines: Vec<&str> = step.shown.lines().chain(step.output.iter().map(String::as_str)).collect();
            let _ = write!(out, "\nStep {}:\n\n", step.number);
            for line in lines {
                // An indented block: no line of it can end it.
                let _ = writeln!(out, "    {line}");
            }
        }
        lines(&mut out, "Observations", &round.observations);
        lines(&mut out, "Explanations", &round.explanations);
        if !round.finished {
            out.push_str("\nThe round was left before its end.\n");
        }
    }
    out
}

fn lines(out: &mut String, heading: &str, lines: &[String]) {
    let _ = write!(out, "\n### {heading}\n\n");
    if lines.is_empty() {
        out.push_str("None.\n");
    }
    for line in lines {
        let _ = writeln!(out, "- {}", escaped(line));
    }
}

/// The text as it was typed: nothing in it is Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    // Whoever corrects it sees the order in which it was typed, and no control character.
    for c in crate::text::printable(text.trim()).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#' | '|' | '~' | '&') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worksheet_holds_what_was_noted_and_nothing_of_it_is_markup() {
        let steps = vec![Ran { number: 3, shown: "terminal 1 $ x".into(), output: vec!["[1] ```".into()] }];
        let prediction = Some(Choice { letter: 'B', name: "Both".into() });
        let round = Round {
            title: "Round 1: it".into(),
            prediction,
            why: "<b>*I*</b>".into(),
            steps,
            observations: vec!["# seven".into()],
            ..Round::default()
        };
        assert!(!round.passed());
        assert!(escaped("a\u{202e}b").is_ascii());
        let sheet = markdown(&Notes { title: "Lab 1".into(), rounds: vec![round] }, "2026-01-02");
        assert!(is_of(&sheet, "Lab 1") && is_of("", "Lab 1"));
        assert!(!is_of(&sheet, "Lab 2") && !is_of("my essay", "Lab 1"));
        for part in [
            "# Lab 1\n",
            "Date: 2026-01-02\n",
            "**B. Both.** \\<b\\>\\*I\\*\\</b\\>\n",
            "    terminal 1 $ x\n    [1] ```\n",
            "- \\# seven\n",
            "### Explanations\n\nNone.\n",
            "left before its end",
        ] {
            assert!(sheet.contains(part), "{part} in\n{sheet}");
        }
    }
}
