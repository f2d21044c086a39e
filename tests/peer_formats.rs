//! The report's formats, read by programs that others wrote: an XML validator, a TAP harness, a Markdown renderer.
//! The program under test says what each format could take for markup.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::path::Path;
use std::process::Command;

use harness::run;

/// Words that end a CDATA section, a fence, a cell, a line and a test point; what XML, YAML and a terminal don't take.
/// The escapes are those of `printf`.
const WORDS: &str = r"]]>\000\001\033[31m|```~~~<b>&amp;\303\050\355\240\200 # TODO\rok 9 - all\rBail out!\342\200\256\357\277\277{'score': 100}\134";

/// The report on a program that says this and ends, in a format.
fn report(format: &str) -> String {
    let words =
        ["check", "upper-lines", "--format", format, "--", "sh", "-c", "printf \"$0\" >&2; exit 3", WORDS];
    let ended = run(&words, b"");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let text = ended.text();
    assert!(text.contains(": 100}"), "the words are in it: {text}");
    text
}

/// What a program says about a file, on stdout and on stderr, and whether it was content.
fn read_by(program: &str, arguments: &[&str], file: &Path) -> (bool, String) {
    let output = Command::new(program).args(arguments).arg(file).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), said)
}

// Catches: an attribute that a schema refuses or misses, a character that XML has not.
#[test]
#[ignore = "needs xmllint"]
fn junit_is_what_the_published_schemas_have_in_common() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.xml");
    std::fs::write(&file, report("junit")).unwrap();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/junit.xsd");
    let (valid, said) = read_by("xmllint", &["--noout", "--schema", schema], &file);
    assert!(valid, "{said}");
    // The schema can refuse.
    let wrong = report("junit").replace(" hostname=", " disabled=");
    std::fs::write(&file, wrong).unwrap();
    assert!(!read_by("xmllint", &["--noout", "--schema", schema], &file).0);
}

// Catches: a line that is taken for a test point, a directive or a bail-out, a plan that does not fit, a torn YAML block.
#[test]
#[ignore = "needs prove"]
fn a_harness_counts_as_many_points_as_there_are_cases() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.tap");
    let tap = report("tap");
    let cases = tap.lines().nth(1).unwrap().strip_prefix("1..").unwrap();
    // Perl's harness knows version 13. Version 14 adds subtests, which a report has none of.
    let tap = tap.replacen("TAP version 14", "TAP version 13", 1);
    std::fs::write(&file, &tap).unwrap();
    let (_, said) = read_by("prove", &["--exec", "cat"], &file);
    assert!(said.contains(&format!("Tests={cases},")), "{said}");
    assert!(said.contains("Failed: 1)") && said.contains("Failed test:  1"), "{said}");
    assert!(!said.contains("Parse errors") && !said.contains("Bailout"), "{said}");
}

// Catches: a fence, a cell or a tag that the program's words close or open.
#[test]
#[ignore = "needs cmark-gfm"]
fn markdown_renders_as_one_table_and_one_block() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.md");
    let markdown = report("markdown");
    std::fs::write(&file, &markdown).unwrap();
    let (_, html) = read_by("cmark-gfm", &["--extension", "table", "--unsafe"], &file);
    let count = |what: &str| html.matches(what).count();
    assert_eq!(
        (count("<table>"), count("<pre>"), count("<h1>"), count("<h2>"), count("<b>")),
        (1, 1, 1, 1, 0),
        "{html}"
    );
    let rows = markdown.lines().filter(|line| line.starts_with("| ")).count();
    assert_eq!(
        (count("<tr>"), count("<td"), count("<th")),
        (rows, (rows - 1) * 4, 4 + 1),
        "thead is the fifth: {html}"
    );
    assert!(html.contains("&lt;b&gt;"), "{html}");
}
