//! TAP version 14: a line for each case, and a YAML block behind one that failed. The values are JSON strings,
//! which YAML reads as they are.

use std::fmt::Write;

use super::details;
use crate::check::{CaseReport, CheckReport, Status};
use crate::text::{printable, safe_json};

pub(super) fn render(report: &CheckReport) -> String {
    let mut out = format!("TAP version 14\n1..{}\n", report.cases.len());
    for (at, case) in report.cases.iter().enumerate() {
        point(&mut out, report, at + 1, case);
    }
    out
}

fn point(out: &mut String, report: &CheckReport, number: usize, case: &CaseReport) {
    let name = escaped(&case.name);
    match case.status {
        Status::Passed => {
            let _ = writeln!(out, "ok {number} - {name}");
        }
        Status::Skipped => {
            let _ = writeln!(out, "ok {number} - {name} # SKIP {}", escaped(&case.observed));
        }
        Status::Failed | Status::Error => {
            let _ = writeln!(out, "not ok {number} - {name}");
            out.push_str("  ---\n");
            member(out, "message", &case.observed);
            member(out, "severity", if case.status == Status::Error { "error" } else { "fail" });
            member(out, "expected", &case.expected);
            if let Some(diagnosis) = &case.diagnosis {
                member(out, "class", &diagnosis.class);
            }
            member(out, "details", &details(report, case));
            out.push_str("  ...\n");
        }
    }
}

fn member(out: &mut String, name: &str, value: &str) {
    let value = safe_json(serde_json::to_string(value).expect("a string"));
    let _ = writeln!(out, "  {name}: {value}");
}

/// A description in which nothing can be taken for a directive or another line.
fn escaped(text: &str) -> String {
    printable(text).replace('\\', "\\\\").replace('#', "\\#")
}
