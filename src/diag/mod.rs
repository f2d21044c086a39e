//! Diagnostics: what stands in a stream of bytes, what an error or an address means, what a text is in bytes.
//!
//! Each returns a report and prints nothing.

pub mod bytes;
pub mod explain;
pub mod inspect;
