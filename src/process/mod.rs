//! Child programs: started in a process group of their own, and certain to end.
//!
//! ```text
//! Program ──spawn──► Child ──drop──► killed, and waited for
//! ```
//! The group keeps a Ctrl-C on the terminal from them: it is for netlab, which ends them. A child whose stdin
//! is kept open ([`Program::stdin`]) reads the end of it when netlab is gone, however that ended (`kill -9`
//! included): the system closes the pipe. netlab's own servers then stop (`--end-with-stdin`).
//! What a child prints is read, so that it never blocks on a full pipe. Knows nothing of what programs do.

use std::ffi::OsString;
use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes kept of what a child prints; the rest is read and thrown away.
const HEAD: usize = 256 << 10;

/// A program to start.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The command and its arguments; never empty.
    pub command: Vec<OsString>,
    /// Variables set besides the inherited ones.
    pub env: Vec<(OsString, OsString)>,
    /// Inherited variables that it does not get to see.
    pub hidden_env: Vec<OsString>,
    /// Keep stdin open; otherwise it reads the end of file at once.
    pub stdin: bool,
}

/// A program that can't be started.
#[derive(Debug, thiserror::Error)]
#[error("start {program}")]
pub struct SpawnError {
    /// The program's name.
    pub program: String,
    /// What the system said.
    pub source: io::Error,
}

/// What a child has printed so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The beginning, at most 256 KiB.
    pub head: Vec<u8>,
}

/// A running program. Dropping it ends it.
#[derive(Debug)]
pub struct Child {
    inner: std::process::Child,
    stdout: Arc<Mutex<Captured>>,
    stderr: Arc<Mutex<Captured>>,
}

impl Program {
    /// Starts it, as the leader of a new process group.
    ///
    /// # Errors
    /// No such program, or no right to run it.
    pub fn spawn(&self) -> Result<Child, SpawnError> {
        let (first, arguments) = self.command.split_first().expect("a command has a first word");
        let mut command = Command::new(first);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if self.stdin { Stdio::piped() } else { Stdio::null() });
        for name in &self.hidden_env {
            command.env_remove(name);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        lead_a_group(&mut command);
        let program = crate::text::escape(first.to_string_lossy().as_bytes());
        let mut inner = command.spawn().map_err(|source| SpawnError { program, source })?;
        let (stdout, stderr) = (drain(inner.stdout.take()), drain(inner.stderr.take()));
        Ok(Child { inner, stdout, stderr })
    }
}

impl Child {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.inner.id()
    }

    /// How it ended, if it has.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.inner.try_wait().ok().flatten()
    }

    /// What it has written to stdout.
    #[must_use]
    pub fn stdout(&self) -> Captured {
        lock(&self.stdout).clone()
    }

    /// What it has written to stderr.
    #[must_use]
    pub fn stderr(&self) -> Captured {
        lock(&self.stderr).clone()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only if it has ended, and was waited for, before.
        let _ = self.inner.kill();
        let _ = self.inner.wait();
    }
}

/// Reads a pipe to its end on a thread of its own. The thread ends with the last holder of the pipe.
fn drain(pipe: Option<impl Read + Send + 'static>) -> Arc<Mutex<Captured>> {
    let captured = Arc::new(Mutex::new(Captured::default()));
    let (Some(mut pipe), shared) = (pipe, captured.clone()) else { return captured };
    std::thread::spawn(move || {
        let mut buffer = [0; 4_096];
        while let Ok(read @ 1..) = pipe.read(&mut buffer) {
            let head = &mut lock(&shared).head;
            let room = (HEAD - head.len()).min(read);
            head.extend_from_slice(&buffer[..room]);
        }
    });
    captured
}

fn lock(captured: &Mutex<Captured>) -> MutexGuard<'_, Captured> {
    // Bytes stay bytes, whoever panicked while he held them.
    captured.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn lead_a_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(windows)]
fn lead_a_group(command: &mut Command) {
    /// CREATE_NEW_PROCESS_GROUP: Ctrl-C on the console does not reach it.
    const NEW_GROUP: u32 = 0x200;
    std::os::windows::process::CommandExt::creation_flags(command, NEW_GROUP);
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, test_kill_process};

    fn shell(script: &str, stdin: bool) -> Child {
        let command = ["sh", "-c", script].map(OsString::from).to_vec();
        Program { command, stdin, ..Program::default() }.spawn().unwrap()
    }

    fn eventually(mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !done() {
            assert!(Instant::now() < deadline, "not in time");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn a_dropped_child_is_gone() {
        // It would go on for ever, and fill a pipe that nobody reads.
        let mut child = shell("echo ready; while :; do echo more; done", false);
        eventually(|| child.stdout().head.len() == HEAD);
        assert!(child.stdout().head.starts_with(b"ready\n") && child.exited().is_none());
        let pid = Pid::from_child(&child.inner);
        assert!(test_kill_process(pid).is_ok());
        drop(child);
        assert!(test_kill_process(pid).is_err(), "it lives, or was not waited for");
    }

    #[test]
    fn stdin_stays_open_as_long_as_it_is_wanted() {
        let mut child = shell("echo ready; cat; echo ended >&2", true);
        eventually(|| child.stdout().head == b"ready\n");
        assert!(child.exited().is_none(), "it has read the end");
        drop(child.inner.stdin.take());
        eventually(|| child.exited().is_some_and(|status| status.success()));
        eventually(|| child.stderr().head == b"ended\n");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let missing = Program { command: vec!["no-such-program".into()], ..Program::default() };
        assert_eq!(missing.spawn().unwrap_err().to_string(), "start no-such-program");
    }
}
