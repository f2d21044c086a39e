//! `netlab confined`: the launcher that `netlab grade` puts in front of programs. Hidden: nobody types it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Args;

use crate::process::Confinement;

/// Confine this process, then become the program
#[derive(Debug, Args)]
pub(super) struct ConfinedArgs {
    /// What it may read, beside the system's own folders
    #[arg(long, value_name = "PATH")]
    read: Vec<PathBuf>,
    /// Where it may write
    #[arg(long, value_name = "PATH")]
    write: Vec<PathBuf>,
    /// A port that it may connect to
    #[arg(long, value_name = "PORT")]
    connect: Vec<u16>,
    /// The user that it becomes
    #[arg(long, value_name = "UID")]
    user: Option<u32>,
    /// How many threads it may start, its processes' among them
    #[arg(long, value_name = "N")]
    processes: Option<u64>,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl ConfinedArgs {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let Self { read, write, connect, user, processes, command } = self;
        let confinement = Confinement {
            read: read.clone(),
            write: write.clone(),
            connect: connect.clone(),
            processes: *processes,
            user: *user,
        };
        confinement.enter()?;
        let mut program = Command::new(&command[0]);
        program.args(&command[1..]);
        become_program(program, &command[0])
    }
}

#[cfg(unix)]
fn become_program(mut program: Command, name: &OsString) -> anyhow::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    // It returns only where it fails.
    let error = program.exec();
    let name = crate::text::escape(name.as_encoded_bytes());
    Err(anyhow::Error::new(error).context(format!("start {name}")))
}

#[cfg(not(unix))]
fn become_program(mut program: Command, _name: &OsString) -> anyhow::Result<ExitCode> {
    Ok(if program.status()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
