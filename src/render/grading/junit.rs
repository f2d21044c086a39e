//! JUnit XML. No standard defines it; Jenkins publishes a schema, and another describes what Ant writes. This writes what both
//! take: `testsuites` without attributes, every attribute that one of them requires, `properties`, `system-out` and
//! `system-err` in their places though they are empty, and what a failure has to say as the text of its element.
//! The crate quick-junit writes attributes that these schemas refuse, so the elements are written here.

use std::fmt;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::details;
use crate::check::{CaseReport, CheckReport, Status};

pub(super) fn render(report: &CheckReport) -> String {
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    suites(&mut writer, report).expect("into memory");
    out.push_str(std::str::from_utf8(&writer.into_inner()).expect("text from text"));
    out.push('\n');
    out
}

type Written = std::io::Result<()>;

fn suites(writer: &mut Writer<Vec<u8>>, report: &CheckReport) -> Written {
    writer.create_element("testsuites").write_inner_content(|writer| suite(writer, report)).map(drop)
}

fn suite(writer: &mut Writer<Vec<u8>>, report: &CheckReport) -> Written {
    let count = |status| report.cases.iter().filter(|case| case.status == status).count().to_string();
    // Without a fraction and a zone, which Ant's schema does not take: UTC.
    let began = report.began.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    writer
        .create_element("testsuite")
        .with_attribute(("name", harmless(&report.exercise).as_str()))
        .with_attribute(("package", "netlab"))
        .with_attribute(("id", "0"))
        .with_attribute(("hostname", "localhost"))
        .with_attribute(("timestamp", began.as_str()))
        .with_attribute(("time", Seconds(report.took).to_string().as_str()))
        .with_attribute(("tests", report.cases.len().to_string().as_str()))
        .with_attribute(("failures", count(Status::Failed).as_str()))
        .with_attribute(("errors", count(Status::Error).as_str()))
        .with_attribute(("skipped", count(Status::Skipped).as_str()))
        .write_inner_content(|writer| {
            writer.create_element("properties").write_empty()?;
            for case in &report.cases {
                test_case(writer, report, case)?;
            }
            writer.create_element("system-out").write_empty()?;
            writer.create_element("system-err").write_empty()?;
            Ok(())
        })
        .map(drop)
}

fn test_case(writer: &mut Writer<Vec<u8>>, report: &CheckReport, case: &CaseReport) -> Written {
    let (name, class) = (harmless(&case.name), harmless(&report.exercise));
    let time = Seconds(case.took).to_string();
    let element = writer.create_element("testcase").with_attributes([
        ("name", name.as_str()),
        ("classname", class.as_str()),
        ("time", time.as_str()),
    ]);
    let message = harmless(&case.observed);
    match case.status {
        Status::Passed => element.write_empty().map(drop),
        Status::Skipped => element
            .write_inner_content(|writer| {
                writer
                    .create_element("skipped")
                    .with_attribute(("message", message.as_str()))
                    .write_empty()
                    .map(drop)
            })
            .map(drop),
        Status::Failed | Status::Error => {
            let kind = if case.status == Status::Failed { "failure" } else { "error" };
            let class = case.diagnosis.as_ref().map_or(kind, |diagnosis| diagnosis.class.as_str());
            let text = harmless(&details(report, case));
            element
                .write_inner_content(|writer| {
                    writer
                        .create_element(kind)
                        .with_attributes([("message", message.as_str()), ("type", harmless(class).as_str())])
                        .write_text_content(BytesText::new(&text))
                        .map(drop)
                })
                .map(drop)
        }
    }
}

/// What XML can't carry, even escaped, replaced. (`Char` in XML 1.0, section 2.2.) The report's own texts hold none of
/// it; this is for the one that is forgotten.
fn harmless(text: &str) -> String {
    let carried =
        |c: char| !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
    text.chars().map(|c| if carried(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// Seconds with three digits behind the point and no grouping: what every schema takes.
struct Seconds(std::time::Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0.as_secs(), self.0.subsec_millis())
    }
}
