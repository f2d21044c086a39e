//! The report in the order in which it is read: what was expected, what was seen, why, how to see it again, what to
//! read. The first failure in full on one screen; the rest in a line each, unless more is asked for.

use std::fmt::Write;

use super::{CaseReport, CheckReport, Detail, Status, exchange, reading};
use crate::report::{Block, Report};
use crate::text::{Grouped, counted};

/// Of a failure that stands in a line: the longest that is shown of it, in characters.
const LINE: usize = 150;

impl Report for CheckReport {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = vec![Block::Text(self.headline())];
        let failed: Vec<&CaseReport> = self.cases.iter().filter(|case| is_failure(case)).collect();
        let full = if self.detail == Detail::All { failed.len() } else { 1 };
        for case in failed.iter().take(full) {
            blocks.extend(self.failure(case));
        }
        let rest: Vec<&CaseReport> = match self.detail {
            Detail::Screen => failed.iter().skip(full).copied().collect(),
            Detail::All => self.cases.iter().filter(|case| !is_failure(case)).collect(),
        };
        if !rest.is_empty() {
            blocks.push(Block::Text(String::new()));
        }
        blocks.extend(rest.iter().map(|case| Block::Text(line(case, self.detail))));
        blocks.extend(self.last_lines());
        blocks
    }

    fn succeeded(&self) -> bool {
        self.failed == 0 && self.cases.iter().all(|case| case.status == Status::Passed)
    }
}

fn is_failure(case: &CaseReport) -> bool {
    matches!(case.status, Status::Failed | Status::Error)
}

/// A case in a line.
fn line(case: &CaseReport, detail: Detail) -> String {
    let status = match case.status {
        Status::Passed => return format!("passed  {}: {}", case.name, case.expected),
        Status::Failed => "failed ",
        Status::Skipped => "skipped",
        Status::Error => "error  ",
    };
    let class = case.diagnosis.as_ref().map_or(String::new(), |d| format!(" [{}]", d.class));
    // Of one with the same cause as the first, nobody needs to know more than that.
    let observed = match (detail, case.observed.rfind(" (of the same cause as ")) {
        (Detail::Screen, Some(at)) => case.observed[at + 2..].trim_end_matches(')').to_owned(),
        (Detail::Screen, None) => shortened(&case.observed),
        (Detail::All, _) => case.observed.clone(),
    };
    format!("{status} {}: {observed}{class}", case.name)
}

/// A text that is safe already, cut at a character.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LINE) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

impl CheckReport {
    /// The result in a line.
    #[must_use]
    pub fn headline(&self) -> String {
        let cases = counted(self.cases.len() as u64, "case");
        let skipped = self.cases.len() - self.passed - self.failed;
        let mut text = format!("{}: {} of {cases} passed", self.exercise, self.passed);
        if self.failed > 0 {
            let _ = write!(text, ", {} failed", self.failed);
        }
        if skipped > 0 {
            let _ = write!(text, ", {skipped} not tried");
        }
        let _ = write!(
            text,
            " (score {} of {}, --seed {})",
            Grouped(self.score.into()),
            self.max_score,
            self.seed
        );
        text
    }

    /// One failure in full.
    #[must_use]
    pub fn failure(&self, case: &CaseReport) -> Vec<Block> {
        let text = |text: String| Block::Text(text);
        let mut blocks = vec![
            text(String::new()),
            text(format!("failed: {}", case.name)),
            text(format!("Expected: {}", case.expected)),
            text(format!("Observed: {}", case.observed)),
        ];
        if let Some(exchange) = case.exchange.as_ref().filter(|exchange| !exchange.rows.is_empty()) {
            let mut shown = exchange.clone();
            if self.detail == Detail::Screen {
                shown = exchange::folded(exchange);
            }
            for row in &mut shown.rows {
                row.whole = self.detail == Detail::All;
            }
            blocks.extend([text(String::new()), Block::Exchange(shown)]);
        }
        if let Some(diagnosis) = &case.diagnosis {
            blocks.push(text(String::new()));
            blocks.push(text(format!("Likely {}: {}", diagnosis.class, diagnosis.explanation)));
        }
        if let Some(reproduce) = &case.reproduce {
            blocks.push(text(String::new()));
            blocks.push(text("See it yourself:".to_owned()));
            // Never broken: they are copied. What is wider than the screen, the terminal wraps without a newline.
            blocks.extend(reproduce.lines().map(|line| Block::Verbatim(format!("  {line}"))));
        }
        blocks.extend(self.read(case).map(text));
        blocks
    }

    /// What to read about a failure.
    fn read(&self, case: &CaseReport) -> impl Iterator<Item = String> {
        let class = case.diagnosis.as_ref().map(|diagnosis| diagnosis.class.clone());
        let lab = class.as_deref().and_then(reading::about).unwrap_or(self.lab);
        let explain = class.map(|class| format!("And:  netlab explain {class}"));
        std::iter::once(format!("Read: {lab}")).chain(explain)
    }

    /// What was not tried, and how to see more.
    fn last_lines(&self) -> Vec<Block> {
        if self.detail == Detail::All {
            return Vec::new();
        }
        let mut blocks = Vec::new();
        let skipped = self.cases.iter().filter(|case| case.status == Status::Skipped);
        let skipped: Vec<&str> = skipped.map(|case| case.name.as_str()).collect();
        if !skipped.is_empty() {
            blocks.push(Block::Text(format!("not tried: {}", skipped.join(", "))));
        }
        if self.cases.iter().filter(|case| is_failure(case)).count() > 1 {
            blocks.push(Block::Text("-v shows every failure like the first, with all its bytes.".to_owned()));
        }
        blocks
    }
}
