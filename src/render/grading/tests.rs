//! Each format of one report, with a hostile program's words in it.

use std::collections::BTreeMap;
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
    let parsed = read(&xml);
    let named = |name: &str| parsed.iter().filter(|element| element.name == name).collect::<Vec<_>>();
    assert_eq!(named("testcase").len(), 4);
    assert_eq!(named("failure")[0].attributes["message"], HOSTILE);
    assert!(named("failure")[0].text.contains("line 2"), "what to say is the failure's own text");
    assert_eq!(named("error").len(), 1);
    assert_eq!(named("testsuite")[0].attributes["timestamp"], "2026-11-21T05:40:00");
    assert_eq!(named("testsuite")[0].attributes["time"], "4000.000", "no grouping");
    // Jenkins' schema refuses more, Ant's any.
    assert!(named("testsuites")[0].attributes.is_empty());
}

#[test]
fn markdown_keeps_its_table_and_its_fences() {
    let markdown = render(&report(), Format::Markdown, Style::default());
    let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with("| ")).collect();
    assert_eq!(rows.len(), 5, "{markdown}");
    let fences = markdown.lines().filter(|line| line.starts_with("````")).count();
    assert_eq!(fences, 4, "each failure in a fence that its text can't close: {markdown}");
}

/// An element of an XML document, with the text that stands directly in it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

/// The elements of a document in the order of their beginnings; fails on one that is not well-formed.
fn read(xml: &str) -> Vec<Element> {
    use quick_xml::events::Event;
    let (mut reader, mut elements, mut open) = (quick_xml::Reader::from_str(xml), Vec::new(), Vec::new());
    let begun = |start: &quick_xml::events::BytesStart<'_>| Element {
        name: String::from_utf8(start.name().as_ref().to_vec()).unwrap(),
        attributes: start
            .attributes()
            .map(|attribute| {
                let attribute = attribute.unwrap();
                let value = std::str::from_utf8(&attribute.value).unwrap();
                (
                    String::from_utf8(attribute.key.as_ref().to_vec()).unwrap(),
                    quick_xml::escape::unescape(value).unwrap().into_owned(),
                )
            })
            .collect(),
        text: String::new(),
    };
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                open.push(elements.len());
                elements.push(begun(&start));
            }
            Event::Empty(start) => elements.push(begun(&start)),
            Event::Text(text) => {
                if let Some(at) = open.last() {
                    elements[*at].text.push_str(&text.decode().unwrap());
                }
            }
            Event::End(_) => drop(open.pop()),
            Event::Eof => return elements,
            _ => {}
        }
    }
}

// Catches: a character that a reader of the format refuses, should a report hold it unescaped.
#[test]
fn what_xml_and_yaml_have_no_place_for_is_in_neither() {
    let mut report = report();
    let every = || (0..=0x2100).chain(0xfdd0..=0xffff).filter_map(char::from_u32).collect::<String>();
    report.cases[1].observed = every();
    report.cases[1].reproduce = Some(every());
    report.cases[2].observed = every();
    // `Char` of XML 1.0 and `c-printable` of YAML 1.2.
    let xml = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let yaml = |c: char| xml(c) && !matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}');
    let shown = super::render(&report, Format::Junit, Style::default());
    assert_eq!(shown.chars().find(|c| !xml(*c)), None);
    assert_eq!(read(&shown).iter().filter(|element| element.name == "testcase").count(), 4);
    let shown = super::render(&report, Format::Tap, Style::default());
    assert_eq!(shown.chars().find(|c| !yaml(*c)), None);
    for line in shown.lines().filter(|line| line.starts_with("  ") && line.contains(": ")) {
        let (_, value) = line.split_once(": ").unwrap();
        assert!(serde_json::from_str::<String>(value).is_ok(), "{line}");
    }
    let shown = super::render(&report, Format::Gradescope, Style::default());
    assert!(serde_json::from_str::<Value>(&shown).is_ok());
}
