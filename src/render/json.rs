//! JSON documents: one per command, with its version.

use serde::Serialize;

use crate::report::{Failure, SCHEMA_VERSION};
use crate::text::safe_json;

#[derive(Serialize)]
struct Document<'a, T> {
    schema_version: u32,
    #[serde(flatten)]
    body: &'a T,
}

/// A document with `body`'s members behind `schema_version`, and a final newline.
#[must_use]
pub fn document(body: &impl Serialize) -> String {
    let document = Document { schema_version: SCHEMA_VERSION, body };
    let text = serde_json::to_string(&document).expect("reports have string keys and finite numbers");
    let mut text = safe_json(text);
    text.push('\n');
    text
}

#[derive(Serialize)]
struct FailureReport<'a> {
    error: &'a Failure,
}

/// The document of a command that failed before it had anything to report.
#[must_use]
pub fn error_document(failure: &Failure) -> String {
    document(&FailureReport { error: failure })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_document_starts_with_its_version() {
        let failure = crate::report::Failure { message: "connect to 127.0.0.1:9".into(), hint: None };
        let text = super::error_document(&failure);
        assert!(text.starts_with("{\"schema_version\":1,\"error\":"), "{text}");
        assert!(text.ends_with("}\n"));
    }
}
