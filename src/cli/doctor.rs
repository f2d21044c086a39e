//! `netlab doctor`.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Args;

use crate::diag::doctor::{self, PortBase, ServerPort, Surroundings};
use crate::report::Report;

use super::output::{self, Output};
use super::{address, answered};

/// Check whether this machine has what the labs need, and say how to get what is missing
///
/// Exit code: 0 if every lab can be done, warnings or not; 1 if something that labs need is missing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab doctor                                   before the first lab
  NETLAB_PORT_BASE=20000 netlab doctor            with ports of one's own, on a shared machine
  netlab doctor -J                                one JSON document, for a program")]
pub(super) struct DoctorArgs {
    /// Print one JSON document
    #[arg(short = 'J', long)]
    pub(super) json: bool,
}

impl DoctorArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let report = doctor::run(&surroundings(output));
        output.report(&report, self.json)?;
        Ok(answered(report.succeeded()))
    }
}

fn surroundings(output: &Output) -> Surroundings {
    let mut ports = Vec::new();
    let mut port_base = match address::port_base() {
        None => PortBase::Unset,
        Some(Ok(base)) => PortBase::Set(base),
        Some(Err(wrong)) => PortBase::Wrong(wrong.message),
    };
    for (server, transport, default) in address::DEFAULTS {
        match default.address() {
            Ok(address) => ports.push(ServerPort { server, transport, port: address.port() }),
            Err(wrong) => port_base = PortBase::Wrong(wrong.message),
        }
    }
    let terminal = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    Surroundings {
        ports,
        port_base,
        locale: output::locale(),
        utf8: !output.style.ascii,
        terminal: terminal.map(|(width, height)| (width.0, height.0)),
        term: std::env::var("TERM").ok(),
    }
}
