//! `netlab man`: the manual, made from the same text as `--help`.

use std::process::ExitCode;

use clap::Args;

use super::UsageError;
use super::output::Output;

/// Print the manual page of netlab or of one of its commands
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab man > netlab.1                   the page of the whole program
  netlab man tcp-echo server | man -l -   read the page of one command")]
pub(super) struct ManArgs {
    /// The command whose page is wanted, like `tcp-echo server`
    command: Vec<String>,
}

impl ManArgs {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let mut tree = super::command_tree();
        tree.build();
        let mut command = &tree;
        for name in &self.command {
            command = command.find_subcommand(name).ok_or_else(|| {
                UsageError::new(format!("there is no command `{}`", self.command.join(" ")))
            })?;
        }
        let mut page = Vec::new();
        let title = command.get_display_name().unwrap_or("netlab").to_owned();
        clap_mangen::Man::new(command.clone()).title(title).render(&mut page)?;
        Output::print(&String::from_utf8(page)?)?;
        Ok(ExitCode::SUCCESS)
    }
}
