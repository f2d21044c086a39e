//! A check's report for other programs: graders, continuous integration, web pages. Pure: a report in, text out.
//!
//! | format     | for                                                    | source                             |
//! |------------|--------------------------------------------------------|------------------------------------|
//! | text       | people                                                 |                                    |
//! | json       | programs                                               | netlab's own document              |
//! | gradescope | `results.json` of an autograder                        | Gradescope's autograder manual     |
//! | junit      | continuous integration                                 | the schemas for Jenkins and for Ant |
//! | tap        | test harnesses                                         | TAP version 14                     |
//! | markdown   | a comment on a submission                              | CommonMark                         |
//!
//! What a program under test has said may be in any of them: each escapes it in its own way.

mod gradescope;
mod junit;
mod markdown;
mod tap;

use super::{Style, block_text, document, text};
use crate::check::{CaseReport, CheckReport, Status};

/// How a check's report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// netlab's own document.
    Json,
    /// Gradescope's `results.json`.
    Gradescope,
    /// JUnit XML.
    Junit,
    /// Test Anything Protocol, version 14.
    Tap,
    /// Markdown.
    Markdown,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 6] =
        [Format::Text, Format::Json, Format::Gradescope, Format::Junit, Format::Tap, Format::Markdown];

    /// The name used on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Gradescope => "gradescope",
            Format::Junit => "junit",
            Format::Tap => "tap",
            Format::Markdown => "markdown",
        }
    }

    /// The ending of a file in this format.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Format::Text => "txt",
            Format::Json | Format::Gradescope => "json",
            Format::Junit => "xml",
            Format::Tap => "tap",
            Format::Markdown => "md",
        }
    }
}

/// A report in a format, with its final newline. `style` matters for text alone.
#[must_use]
pub fn render(report: &CheckReport, format: Format, style: Style) -> String {
    match format {
        Format::Text => text(report, style),
        Format::Json => document(report),
        Format::Gradescope => gradescope::render(report),
        Format::Junit => junit::render(report),
        Format::Tap => tap::render(report),
        Format::Markdown => markdown::render(report),
    }
}

/// What a case has to say, as plain text: in full if it failed.
fn details(report: &CheckReport, case: &CaseReport) -> String {
    match case.status {
        Status::Failed | Status::Error => {
            let blocks = report.failure(case);
            let shown: String = blocks.iter().map(|block| block_text(block, Style::default())).collect();
            shown.trim().to_owned()
        }
        Status::Passed => case.expected.clone(),
        Status::Skipped => case.observed.clone(),
    }
}

#[cfg(test)]
mod tests;
