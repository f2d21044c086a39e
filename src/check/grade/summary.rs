//! The class: who failed what, and what most of them have in common.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Outcome, Row};
use crate::report::{Block, Report, Table};
use crate::text::{counted, printable};

/// A graded class.
#[derive(Clone, Debug, Serialize)]
pub struct ClassReport {
    /// What was to be written.
    pub exercise: String,
    /// How many submissions there are.
    pub submissions: usize,
    /// Those that were graded.
    pub graded: usize,
    /// Those that got every point.
    pub perfect: usize,
    /// Each of them.
    pub rows: Vec<Row>,
    /// Classes of bugs and how many submissions have them, the most common first.
    pub classes: Vec<Count>,
    /// Cases and how many submissions failed them, the hardest first.
    pub cases: Vec<Count>,
}

/// How often something occurred.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What.
    pub name: String,
    /// In how many submissions.
    pub submissions: usize,
}

impl ClassReport {
    pub(super) fn new(exercise: &str, submissions: usize, rows: Vec<Row>) -> ClassReport {
        let graded: Vec<&Row> = rows.iter().filter(|row| row.outcome == Outcome::Graded).collect();
        ClassReport {
            exercise: exercise.to_owned(),
            submissions,
            graded: graded.len(),
            perfect: graded.iter().filter(|row| row.score == row.max_score && row.failed.is_empty()).count(),
            classes: counts(rows.iter().map(|row| &row.classes)),
            cases: counts(rows.iter().map(|row| &row.failed)),
            rows,
        }
    }

    /// The table for a spreadsheet. A cell that one would take for a formula begins with a quote.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut table = csv::Writer::from_writer(Vec::new());
        let header = [
            "submission",
            "status",
            "score",
            "max_score",
            "passed",
            "failed",
            "classes",
            "reason",
            "seconds",
        ];
        let into_memory = "a table in memory";
        table.write_record(header).expect(into_memory);
        for row in &self.rows {
            let cells = [
                row.submission.clone(),
                status(row.outcome).to_owned(),
                grade(row, &row.score),
                grade(row, &row.max_score),
                grade(row, &row.passed),
                row.failed.join(" "),
                row.classes.join(" "),
                row.reason.clone().unwrap_or_default(),
                format!("{:.1}", row.seconds),
            ];
            table.write_record(cells.map(|cell| harmless(&cell))).expect(into_memory);
        }
        String::from_utf8(table.into_inner().expect(into_memory)).expect("text from text")
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&["submission", ">score", ">of", "failed", "class of bug"]);
        for row in &self.rows {
            let failed = match (&row.reason, row.failed.as_slice()) {
                (Some(reason), _) => reason.clone(),
                (None, []) => "-".to_owned(),
                (None, [only]) => only.clone(),
                (None, [first, rest @ ..]) => format!("{first} and {} more", rest.len()),
            };
            table.row([
                printable(&row.submission),
                grade(row, &row.score),
                grade(row, &row.max_score),
                failed,
                if row.classes.is_empty() { "-".to_owned() } else { row.classes.join(", ") },
            ]);
        }
        table
    }
}

fn status(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Graded => "graded",
        Outcome::NoProgram => "no program",
        Outcome::CheckerFailed => "checker failed",
    }
}

/// A figure of the grade; empty where the checker failed, because 0 would be a grade.
fn grade(row: &Row, figure: &dyn ToString) -> String {
    if row.outcome == Outcome::CheckerFailed { String::new() } else { figure.to_string() }
}

/// Spreadsheets run what begins with one of these.
fn harmless(cell: &str) -> String {
    // Some take the wide forms of these for the same.
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// How many of the lists hold each name, the most common first.
fn counts<'a>(lists: impl Iterator<Item = &'a Vec<String>>) -> Vec<Count> {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for list in lists {
        let mut names: Vec<&str> = list.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            *found.entry(name).or_default() += 1;
        }
    }
    let count = |(name, submissions): (&str, usize)| Count { name: name.to_owned(), submissions };
    let mut counts: Vec<Count> = found.into_iter().map(count).collect();
    counts.sort_by(|a, b| b.submissions.cmp(&a.submissions).then(a.name.cmp(&b.name)));
    counts
}

impl Report for ClassReport {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = vec![
            Block::Table(self.table()),
            Block::Text(format!(
                "{}: {} of {} graded, {} with every point",
                self.exercise,
                self.graded,
                counted(self.submissions as u64, "submission"),
                self.perfect
            )),
        ];
        for (title, counts) in
            [("Most common class of bug", &self.classes), ("Most failed case", &self.cases)]
        {
            if let [first, rest @ ..] = counts.as_slice() {
                let rest: Vec<String> = rest
                    .iter()
                    .take(4)
                    .map(|count| format!("{} {}", count.name, count.submissions))
                    .collect();
                let behind =
                    if rest.is_empty() { String::new() } else { format!("; then {}", rest.join(", ")) };
                let text = format!("{title}: {} ({}){behind}", first.name, first.submissions);
                blocks.push(Block::Text(text));
            }
        }
        blocks
    }

    /// True if every submission was graded, whatever its grade.
    fn succeeded(&self) -> bool {
        self.graded == self.submissions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, failed: &[&str], classes: &[&str]) -> Row {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Row {
            submission: name.into(),
            outcome: Outcome::Graded,
            reason: None,
            score: if failed.is_empty() { 10 } else { 4 },
            max_score: 10,
            passed: 3,
            failed: own(failed),
            classes: own(classes),
            fingerprint: String::new(),
            seconds: 1.25,
        }
    }

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(harmless("＝1"), "'＝1");
        let report = ClassReport::new("tcp-echo", 1, vec![row("=HYPERLINK(\"x\"),1", &["@cut"], &["+x"])]);
        let csv = report.csv();
        let line = csv.lines().nth(1).unwrap();
        assert_eq!(line, "\"'=HYPERLINK(\"\"x\"\"),1\",graded,4,10,3,'@cut,'+x,,1.2");
    }

    #[test]
    fn what_most_have_comes_first() {
        let rows =
            vec![row("a", &["cut", "many"], &["x"]), row("b", &["cut"], &["y", "x"]), row("c", &[], &[])];
        let report = ClassReport::new("tcp-echo", 3, rows);
        assert_eq!((report.graded, report.perfect, report.succeeded()), (3, 1, true));
        assert_eq!(report.classes[0], Count { name: "x".into(), submissions: 2 });
        assert_eq!(report.cases[0], Count { name: "cut".into(), submissions: 2 });
    }
}
