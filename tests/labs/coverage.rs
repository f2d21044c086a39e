//! Checks `labs/COVERAGE.md`: every requirement has one row, and every claim leads somewhere.
//!
//! A claim is a link to a heading of a lab's page and a test as `file::function`; what is not covered yet
//! says `not yet`.

use std::collections::BTreeSet;

/// How many requirements the course has.
const REQUIREMENTS: u32 = 82;

/// The text of a file of the project, by its path; `None` if there is none.
pub(crate) type Files<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Returns every fault of the table.
pub(crate) fn faults(table: &str, files: Files<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut numbers = BTreeSet::new();
    for row in table.lines().filter_map(row) {
        if !numbers.insert(row.number) {
            faults.push(format!("{}: two rows", row.number));
        }
        faults.extend(row_faults(&row, files).into_iter().map(|fault| format!("{}: {fault}", row.number)));
    }
    let missing = (1..=REQUIREMENTS).filter(|number| !numbers.contains(number));
    faults.extend(missing.map(|number| format!("{number}: no row")));
    faults
}

struct Row<'a> {
    number: u32,
    sections: &'a str,
    tests: &'a str,
}

/// A row of the table: `| number | requirement | sections | tests |`.
fn row(line: &str) -> Option<Row<'_>> {
    let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    let [number, _, sections, tests] = cells.as_slice() else { return None };
    Some(Row { number: number.parse().ok()?, sections, tests })
}

fn row_faults(row: &Row<'_>, files: Files<'_>) -> Vec<String> {
    if row.sections.starts_with("not yet") {
        let claims = row.tests.contains("::") || row.sections.contains("](");
        return if claims { vec!["not yet, and yet a claim".into()] } else { Vec::new() };
    }
    let (sections, tests) = (links(row.sections), tests(row.tests));
    let mut faults = Vec::new();
    if sections.is_empty() || tests.is_empty() {
        faults.push("a claim needs a section and a test".to_owned());
    }
    faults
        .extend(sections.iter().filter(|link| !has_heading(link, files)).map(|l| format!("no section {l}")));
    faults.extend(tests.iter().filter(|test| !has_test(test, files)).map(|t| format!("no test {t}")));
    faults
}

/// The targets of Markdown links.
fn links(cell: &str) -> Vec<&str> {
    cell.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)).collect()
}

/// What stands in backquotes.
fn tests(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn has_heading(link: &str, files: Files<'_>) -> bool {
    let Some((file, anchor)) = link.split_once('#') else { return false };
    let Some(text) = files(&format!("labs/{file}")) else { return false };
    let mut in_block = false;
    text.lines().any(|line| {
        in_block ^= line.starts_with("```");
        let title = line.trim_start_matches('#');
        !in_block && line.starts_with('#') && anchor_of(title.trim()) == anchor
    })
}

/// The anchor that Git hosts give a heading.
pub(crate) fn anchor_of(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn has_test(claim: &str, files: Files<'_>) -> bool {
    let Some((file, function)) = claim.split_once("::") else { return false };
    let Some(text) = files(file) else { return false };
    let mut is_test = false;
    text.lines().map(str::trim).any(|line| {
        let here = is_test && line.starts_with(&format!("fn {function}("));
        // Other attributes may stand between the two.
        is_test = line == "#[test]" || (is_test && line.starts_with("#["));
        here
    })
}
