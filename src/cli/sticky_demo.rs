//! `netlab sticky-demo`.

use std::process::ExitCode;

use clap::Args;

use super::output::Output;

/// See TCP merge and split messages on real sockets, and framing cure it
#[derive(Debug, Args)]
pub(super) struct StickyDemoArgs {
    /// Print one JSON document
    #[arg(short = 'J', long)]
    pub(super) json: bool,
}

impl StickyDemoArgs {
    pub(super) fn run(&self, _output: &Output) -> anyhow::Result<ExitCode> {
        anyhow::bail!("not built yet")
    }
}
