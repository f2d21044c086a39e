//! Each format of one report, with a hostile program's words in it.

use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::check::{Detail, Diagnosis, Lab};

const HOSTILE: &str = "said `\u{202e}]]>\n```\nok 9 - all # TODO | {\"score\": 100} =1+1";

fn case(name: &str, status: Status, points: u32) -> CaseReport {
    let failed = matches!(status, Status::Failed | Status::Error);
    CaseReport {
        name: name.into(),
        status,
        expected: "An echo.".into(),
        observed: if failed { HOSTILE.into() } else { "As expected.".into() },
        diagnosis: failed
            .then(|| Diagnosis { class: "one-recv-one-message".into(), explanation: "It is proven.".into() }),
        reproduce: failed.then(|| "line 1\nline 2".into()),
        points,
        exchange: None,
        took: Duration::from_millis(1_500),
    }
}

fn report() -> CheckReport {
    CheckReport {
        exercise: "tcp-echo".into(),
        passed: 1,
        failed: 1,
        score: 10,
        max_score: 40,
        seed: 7,
        cases: vec![
            case("whole", Status::Passed, 10),
            case("cut", Status::Failed, 20),
            case("many", Status::Skipped, 10),
            case("checker", Status::Error, 0),
        ],
        lab: Lab { folder: "05-framing", section: "Round 2" },
        detail: Detail::Screen,
        began: "2026-11-21T05:40:00.25Z".parse().unwrap(),
        took: Duration::from_secs(4_000),
    }
}

#[test]
fn gradescope_has_every_member_and_the_points_add_up() {
    let results: Value =
        serde_json::from_str(&render(&report(), Format::Gradescope, Style::default())).unwrap();
    assert_eq!((&results["score"], &results["max_score"]), (&Value::from(10), &Value::from(40)));
    let tests = results["tests"].as_array().unwrap();
    let sum = |member: &str| -> u64 { tests.iter().map(|test| test[member].as_u64().unwrap()).sum() };
    assert_eq!((sum("score"), sum("max_score")), (10, 40));
    let statuses: Vec<&str> = tests.iter().map(|test| test["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["passed", "failed", "failed", "failed"]);
    for member in ["name", "number", "output", "output_format", "visibility", "tags"] {
        assert!(tests.iter().all(|test| !test[member].is_null()), "{member}");
    }
    assert_eq!(tests[1]["tags"][0], "one-recv-one-message");
    assert!(tests[1]["output"].as_str().unwrap().contains("line 2"));
}

#[test]
fn tap_has_a_plan_and_as_many_points_whatever_a_program_says() {
    let tap = render(&report(), Format::Tap, Style::default());
    let lines: Vec<&str> = tap.lines().collect();
    assert_eq!(lines[..2], ["TAP version 14", "1..4"]);
    let points: Vec<&&str> =
        lines.iter().filter(|line| line.starts_with("ok ") || line.starts_with("not ok ")).collect();
    let heads: Vec<String> = points.iter().map(|line| line.split(" - ").next().unwrap().to_owned()).collect();
    assert_eq!(heads, ["ok 1", "not ok 2", "ok 3", "not ok 4"]);
    assert!(points[2].contains(" # SKIP "));
    assert!(lines.iter().all(|line| line.starts_with("  ") || !line.contains("TODO")), "{tap}");
    assert_eq!(lines.iter().filter(|line| **line == "  ---").count(), 2);
    assert_eq!(lines.iter().filter(|line| **line == "  ...").count(), 2);
}

#[test]
fn junit_counts_and_escapes() {
    let xml = render(&report(), Format::Junit, Style::default());
    for part in ["tests=\"4\"", "failures=\"1\"", "errors=\"1\"", "type=\"one-recv-one-message\"", "<skipped"]
    {
        assert!(xml.contains(part), "{part}: {xml}");
    }
    let parsed = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!(parsed.test_suites[0].test_cases.len(), 4);
}

#[test]
fn markdown_keeps_its_table_and_its_fences() {
    let markdown = render(&report(), Format::Markdown, Style::default());
    let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with("| ")).collect();
    assert_eq!(rows.len(), 5, "{markdown}");
    let fences = markdown.lines().filter(|line| line.starts_with("````")).count();
    assert_eq!(fences, 4, "each failure in a fence that its text can't close: {markdown}");
}
