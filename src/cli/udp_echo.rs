//! `netlab udp-echo server|client`.

use std::process::ExitCode;

use clap::Subcommand;

use super::output::Output;

#[derive(Debug, Subcommand)]
pub(super) enum UdpEchoCommand {
    /// Not built yet
    Server,
}

impl UdpEchoCommand {
    pub(super) fn run(&self, _output: &Output) -> anyhow::Result<ExitCode> {
        anyhow::bail!("not built yet")
    }

    pub(super) fn json(&self) -> bool {
        false
    }
}
