//! The chat line by line: for pipes, scripts and screen readers.

use std::process::ExitCode;

use crate::client::ConnectRequest;

/// Runs it to the end of stdin.
pub(super) fn run(_request: ConnectRequest, _json: bool) -> anyhow::Result<ExitCode> {
    todo!()
}
