//! `netlab completions SHELL`.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use super::output::Output;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab completions bash > ~/.local/share/bash-completion/completions/netlab
  netlab completions zsh > ~/.zfunc/_netlab
  netlab completions fish > ~/.config/fish/completions/netlab.fish")]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command_tree(), "netlab", &mut script);
        Output::print(&String::from_utf8(script)?)?;
        Ok(ExitCode::SUCCESS)
    }
}
