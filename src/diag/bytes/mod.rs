//! `netlab bytes`: what a text or a number is in bytes, and what comes out where two ends disagree on that.
//!
//! `text.rs` knows encodings, `number.rs` byte orders, `report.rs` lays both out. Pure.

mod number;
mod report;
mod text;

use serde::Serialize;

pub use number::{NumberFacts, Width};
pub use text::{Character, TextFacts};

/// What is wrong when one end writes so and the other reads otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MixUp {
    /// What the two ends do.
    pub mistake: &'static str,
    /// What comes out, harmless for terminals.
    pub result: String,
}

/// A text, or a number and its digits as a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// The number, if it is one.
    pub number: Option<NumberFacts>,
    /// The text. Digits are one, too.
    pub text: TextFacts,
}

/// Looks at a text; one like `1280`, `0x500` or `-5` is a number as well.
#[must_use]
pub fn bytes(text: &str) -> Bytes {
    Bytes { number: NumberFacts::of(text), text: TextFacts::of(text) }
}
