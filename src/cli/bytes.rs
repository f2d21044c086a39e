//! `netlab bytes`.

use std::process::ExitCode;

use clap::Args;

use crate::diag::bytes;

use super::output::Output;

/// Show what a text or a number is in bytes, and what goes wrong when two ends disagree
///
/// A text: its code points in ASCII, UTF-8 and UTF-16, and its four lengths. A number: its bytes in either
/// order, in 16, 32 and 64 bits. Digits are a text as well, so both are shown.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab bytes 'café 🙂'       four lengths of one text
  netlab bytes 1280            and what it is in the other byte order
  netlab bytes 0x1234 -J       the same as JSON")]
pub(super) struct BytesArgs {
    /// The text or number; words are joined by spaces
    #[arg(value_name = "TEXT|NUMBER", required = true, allow_negative_numbers = true)]
    words: Vec<String>,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    pub(super) json: bool,
}

impl BytesArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        output.report(&bytes::bytes(&self.words.join(" ")), self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}
