//! Child programs: started in a process group of their own, watched, and ended for certain.
//!
//! ```text
//! Program ──spawn──► Child ──end, or drop──► nothing of it is left
//! ```
//! A student's program may fork, ignore signals, print without end or leave a daemon behind. So it leads a process
//! group, which is killed as a whole; what left the group comes back to netlab as its orphan (a subreaper adopts
//! them, Linux) and is killed too; its output is drained and only a part of it kept. Who wants it confined puts a
//! launcher in front ([`Program::launcher`]). Nothing here knows a protocol.

mod capture;
mod confine;
mod os;
mod ready;
mod scratch;
mod watch;

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use capture::Capture;
pub use capture::Captured;
pub use confine::{ConfineError, Confinement, program_folders};
pub use ready::{Listening, listening};
pub use scratch::{Scratch, hand_over, read_small, remove_tree, reopen};

/// A program to start.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// What is put in front of the command, such as a launcher that confines it, and has it lead a group; empty for
    /// nothing.
    pub launcher: Vec<OsString>,
    /// The command and its arguments; never empty.
    pub command: Vec<OsString>,
    /// Variables set besides the inherited ones.
    pub env: Vec<(OsString, OsString)>,
    /// Inherited variables that it does not get to see.
    pub hidden_env: Vec<OsString>,
    /// The folder that it starts in; `None`: netlab's own.
    pub folder: Option<PathBuf>,
    /// Keep stdin open, for [`Child::write`]; otherwise it reads the end of file at once.
    pub stdin: bool,
    /// What it may use up.
    pub limits: Limits,
    /// The folder that it may fill, up to [`Limits::files`].
    pub scratch: Option<PathBuf>,
    /// The user that the launcher has it become.
    pub user: Option<u32>,
}

/// What a child may use up; `None` leaves what netlab itself may. Enforced on Linux: the first four by the system, in
/// each process; the others by a look ten times a second, after which all its processes are ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory of its own that may be written, in bytes.
    pub memory: Option<u64>,
    /// Open descriptors.
    pub descriptors: Option<u64>,
    /// The largest file that it may write, in bytes.
    pub file_size: Option<u64>,
    /// Processor time, in seconds.
    pub cpu_seconds: Option<u64>,
    /// Processes, wherever they have gone.
    pub processes: Option<usize>,
    /// Memory of all its processes together, in bytes.
    pub together: Option<u64>,
    /// Bytes in its scratch folder.
    pub files: Option<u64>,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Exit::Code(code) => write!(f, "exit status {code}"),
            Exit::Signal(9) => f.write_str("signal 9 (killed)"),
            Exit::Signal(11) => f.write_str("signal 11 (segmentation fault)"),
            Exit::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
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

/// A running program and everything that it started. Dropping it ends them all.
#[derive(Debug)]
pub struct Child {
    inner: std::process::Child,
    stdout: Arc<Mutex<Capture>>,
    stderr: Arc<Mutex<Capture>>,
    /// How it ended, once it has been waited for.
    ended: Option<Exit>,
    user: Option<u32>,
}

/// The children that run at the moment: whatever else is a child of ours was left behind by one of them.
static RUNNING: Mutex<Option<HashSet<u32>>> = Mutex::new(None);

/// The children that were there before the first program: somebody else's, with the times of their starts.
// Simplification: who starts a process otherwise after that must not end a program before it has waited for it.
static OTHERS: OnceLock<HashSet<(u32, u64)>> = OnceLock::new();

fn running<T>(look: impl FnOnce(&mut HashSet<u32>) -> T) -> T {
    // A set is whole after each of its calls, whoever panicked between two.
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    look(running.get_or_insert_default())
}

impl Program {
    /// Starts it, as the leader of a new process group.
    ///
    /// # Errors
    /// No such program, or no right to run it.
    pub fn spawn(&self) -> Result<Child, SpawnError> {
        OTHERS.get_or_init(os::children);
        os::adopt_orphans();
        let words: Vec<&OsString> = self.launcher.iter().chain(&self.command).collect();
        let program = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
        let failed = |source| SpawnError { program: crate::text::escape(program.as_bytes()), source };
        let Some((first, arguments)) = words.split_first() else {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "no command")));
        };
        let mut command = Command::new(first);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if self.stdin { Stdio::piped() } else { Stdio::null() });
        for name in &self.hidden_env {
            command.env_remove(name);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        if self.launcher.is_empty() {
            os::lead_a_group(&mut command);
        }
        // Under the lock, so that nobody takes the new child for an orphan.
        let inner = running(|running| {
            let child = command.spawn()?;
            running.insert(child.id());
            Ok(child)
        })
        .map_err(failed)?;
        os::limit(&inner, self.limits);
        let (user, (stdout, stderr)) = (self.user, Default::default());
        // From here on it is ended when it is dropped.
        let mut child = Child { inner, stdout, stderr, ended: None, user };
        child.watch(self).map_err(failed)?;
        Ok(child)
    }
}

/// Ends all programs that run, with their groups and what left them, at once: netlab itself is about to end. Whoever waits for
/// one of them finds it ended. On Windows they end when they are dropped.
pub fn end_all() {
    running(|running| {
        for leader in running.iter() {
            os::kill_group_of(*leader);
        }
        os::kill_orphans(running, OTHERS.get_or_init(HashSet::new), None);
    });
}

impl Child {
    /// Reads what it writes, and looks what it uses up.
    fn watch(&mut self, program: &Program) -> io::Result<()> {
        capture::drain(self.inner.stdout.take(), &self.stdout)?;
        capture::drain(self.inner.stderr.take(), &self.stderr)?;
        let (leader, limits, user) = (self.pid(), program.limits, self.user);
        watch::Watch { leader, limits, user, scratch: program.scratch.clone(), stderr: self.stderr.clone() }
            .start()
    }

    /// Its process id, which is its group's too.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.inner.id()
    }

    /// How it ended, if it has. What it started may still run.
    pub fn exited(&mut self) -> Option<Exit> {
        self.ended.or_else(|| os::exited(&mut self.inner))
    }

    /// Waits until it has ended, for at most `within`.
    pub fn wait(&mut self, within: Duration) -> Option<Exit> {
        let end = Instant::now() + within;
        loop {
            let exit = self.exited();
            if exit.is_some() || Instant::now() >= end {
                return exit;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What it has written to stdout.
    #[must_use]
    pub fn stdout(&self) -> Captured {
        capture::look(&self.stdout)
    }

    /// What it has written to stderr.
    #[must_use]
    pub fn stderr(&self) -> Captured {
        capture::look(&self.stderr)
    }

    /// Writes to its stdin, if that was kept open.
    ///
    /// # Errors
    /// A program that has closed it.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        use std::io::Write;
        match &mut self.inner.stdin {
            Some(stdin) => stdin.write_all(bytes).and_then(|()| stdin.flush()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Asks it to end, as Ctrl-C does: its whole group. On Windows it is ended.
    pub fn interrupt(&mut self) {
        if self.ended.is_none() {
            os::interrupt_group(&mut self.inner);
        }
    }

    /// Ends its stdin.
    pub fn close_stdin(&mut self) {
        self.inner.stdin = None;
    }

    /// Its stdin, if that was kept open, for a thread that writes more than a pipe holds. Dropping it ends it.
    pub fn take_stdin(&mut self) -> Option<impl io::Write + Send + use<>> {
        self.inner.stdin.take()
    }

    /// Processor time that its group has used so far; `None` where the system does not tell.
    #[must_use]
    pub fn cpu_time(&self) -> Option<Duration> {
        os::group_cpu_time(self.pid())
    }

    /// Ends the whole group at once, and what left it; returns how the program itself ended.
    pub fn end(&mut self) -> Option<Exit> {
        if self.ended.is_none() {
            // Until it is waited for, its number can't belong to anybody else: the group first, then the wait.
            os::kill_group(&mut self.inner);
            self.ended = self.inner.wait().ok().map(os::exit_of);
            // What it left behind has come to us by now; a child that is about to start is none of it.
            let pid = self.pid();
            running(|running| {
                running.remove(&pid);
                os::kill_orphans(running, OTHERS.get_or_init(HashSet::new), self.user);
            });
        }
        self.ended
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}
