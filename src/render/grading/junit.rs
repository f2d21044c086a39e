//! JUnit XML. The crate escapes, and drops what XML can't carry.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::details;
use crate::check::{CaseReport, CheckReport, Status};

pub(super) fn render(report: &CheckReport) -> String {
    let mut suite = TestSuite::new(report.exercise.as_str());
    suite.add_test_cases(report.cases.iter().map(|case| test_case(report, case)));
    let mut all = Report::new("netlab check");
    all.add_test_suite(suite);
    all.to_string().expect("into memory, from text")
}

fn test_case(report: &CheckReport, case: &CaseReport) -> TestCase {
    let (status, details) = match case.status {
        Status::Passed => (TestCaseStatus::success(), None),
        Status::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(case.observed.as_str());
            (status, None)
        }
        Status::Failed => (failed(NonSuccessKind::Failure, case), Some(details(report, case))),
        Status::Error => (failed(NonSuccessKind::Error, case), Some(details(report, case))),
    };
    let mut test = TestCase::new(case.name.as_str(), status);
    test.set_classname(report.exercise.as_str());
    if let Some(details) = details {
        test.set_system_out(details);
    }
    test
}

fn failed(kind: NonSuccessKind, case: &CaseReport) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(case.observed.as_str());
    if let Some(diagnosis) = &case.diagnosis {
        status.set_type(diagnosis.class.as_str());
    }
    status
}
