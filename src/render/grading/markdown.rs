//! Markdown: a table of the cases, and the failures in code blocks.

use std::fmt::Write;

use super::details;
use crate::check::{CheckReport, Status};

pub(super) fn render(report: &CheckReport) -> String {
    let mut out = format!("# {}\n\n{}\n\n", escaped(&report.exercise), escaped(&report.headline()));
    out.push_str("| case | result | points | class |\n|---|---|---:|---|\n");
    for case in &report.cases {
        let (status, points) = match case.status {
            Status::Passed => ("passed", case.points),
            Status::Failed => ("**failed**", 0),
            Status::Skipped => ("not tried", 0),
            Status::Error => ("**checker failed**", 0),
        };
        let class = case.diagnosis.as_ref().map_or("", |diagnosis| diagnosis.class.as_str());
        let _ = writeln!(
            out,
            "| {} | {status} | {points} of {} | {} |",
            escaped(&case.name),
            case.points,
            escaped(class)
        );
    }
    for case in report.cases.iter().filter(|case| matches!(case.status, Status::Failed | Status::Error)) {
        let details = details(report, case);
        let fence = fence(&details);
        let _ = write!(out, "\n## {}\n\n{fence}text\n{details}\n{fence}\n", escaped(&case.name));
    }
    out
}

/// A fence that is longer than any row of backticks in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(3.max(longest + 1))
}

/// Text in which nothing is markup, nor the end of a table's cell.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '~' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}
