//! Gradescope's `results.json`, as its autograder manual describes it.

use serde::Serialize;

use super::details;
use crate::check::{CaseReport, CheckReport, Status};
use crate::text::safe_json;

#[derive(Serialize)]
struct Results<'a> {
    score: u32,
    max_score: u32,
    // Whole seconds, at least one: the manual's example has no fraction.
    execution_time: u64,
    output: String,
    output_format: &'static str,
    visibility: &'static str,
    // What a student's program prints could look like a result; it is in the tests' output, where it means nothing.
    stdout_visibility: &'static str,
    tests: Vec<Test<'a>>,
}

#[derive(Serialize)]
struct Test<'a> {
    name: &'a str,
    number: String,
    status: &'static str,
    score: u32,
    max_score: u32,
    output: String,
    output_format: &'static str,
    visibility: &'static str,
    tags: Vec<&'a str>,
}

pub(super) fn render(report: &CheckReport) -> String {
    let tests = report.cases.iter().enumerate().map(|(at, case)| test(report, at, case)).collect();
    let results = Results {
        score: report.score,
        max_score: report.max_score,
        execution_time: report.took.as_secs().max(1),
        output: report.headline(),
        output_format: "text",
        visibility: "visible",
        stdout_visibility: "hidden",
        tests,
    };
    let mut text = safe_json(serde_json::to_string_pretty(&results).expect("string keys and integers"));
    text.push('\n');
    text
}

fn test<'a>(report: &CheckReport, at: usize, case: &'a CaseReport) -> Test<'a> {
    let passed = case.status == Status::Passed;
    Test {
        name: &case.name,
        number: (at + 1).to_string(),
        status: if passed { "passed" } else { "failed" },
        score: if passed { case.points } else { 0 },
        max_score: case.points,
        output: details(report, case),
        output_format: "text",
        visibility: "visible",
        tags: case.diagnosis.iter().map(|diagnosis| diagnosis.class.as_str()).collect(),
    }
}
