//! The terminals of a lab: a program in each, started, typed into and read. They end with the desk.
//!
//! Programs run without a shell, in the lab's own folder, which is their home, too: no lab leaves anything outside of
//! it. What they print is polled, so that nothing waits for ever: a person is there to go on.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::block::{Action, Step, listening_port, words};
use crate::net::Stop;
use crate::process::{Child, Exit, Program, SpawnError};

/// How often output is looked for.
const TICK: Duration = Duration::from_millis(10);
/// What a command that ends may take: longer than the longest of the labs on a slow machine.
const LONGEST: Duration = Duration::from_secs(180);
/// How long to wait for the first output of what keeps running, or of what was typed: some have none.
const FIRST_OUTPUT: Duration = Duration::from_secs(1);
/// How long a server may take to say where it listens, once somebody wants to know.
const START: Duration = Duration::from_secs(10);
/// Silence after which output counts as complete. Later lines are shown with the next step.
const SILENCE: Duration = Duration::from_millis(250);
/// How long a program may take to end after Ctrl-C, or once its terminal is wanted.
const ENDING: Duration = Duration::from_secs(7);

/// Settings of netlab that a lab's programs don't inherit: labs set their own.
pub const SETTINGS: [&str; 11] = [
    "NETLAB_PORT_BASE",
    "RUST_LOG",
    "SERVER_HOST",
    "SERVER_PORT",
    "MAX_CONNECTION",
    "UPDATE_TIMER",
    "UPDATE_TRESH",
    "UPDATE_THRESHOLD",
    "FILE_PATH",
    "RECORD_PATH",
    "RECORD_FILE",
];

/// A line that a program printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its terminal.
    pub terminal: u32,
    /// The line, without its end.
    pub text: String,
}

/// Who watches the terminals. A closure that takes lines is one.
pub trait Audience {
    /// A line was printed.
    fn line(&mut self, line: Line);

    /// Asked while a command is awaited that is to end by itself, for this long by now: true ends it.
    fn had_enough(&mut self, _terminal: u32, _waited: Duration) -> bool {
        false
    }
}

impl<F: FnMut(Line)> Audience for F {
    fn line(&mut self, line: Line) {
        self(line);
    }
}

/// A step that can't be done.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The program can't be started.
    #[error("{}: {}", .0, .0.source)]
    Spawn(#[from] SpawnError),
    /// The command is none of a lab.
    #[error("{0}")]
    Command(String),
    /// `PORT`, and no server has said where it listens.
    #[error("PORT is not known: no server has said where it listens")]
    NoPort,
    /// Keys, and no program.
    #[error("nothing runs in terminal {0}: it has ended, or its step was left out")]
    Idle(u32),
    /// A program that reads no more.
    #[error("typing in terminal {terminal}: {source}")]
    Typing {
        /// The terminal.
        terminal: u32,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The terminals, and the port of the last server that said where it listens.
#[derive(Debug)]
pub struct Desk {
    folder: PathBuf,
    netlab: PathBuf,
    stop: Stop,
    programs: BTreeMap<u32, Running>,
    port: Option<String>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    stdout: usize,
    stderr: usize,
    over: bool,
}

impl Desk {
    /// Terminals whose programs run in `folder`; `netlab` is the binary that they are given. A requested `stop` ends
    /// each wait.
    #[must_use]
    pub fn new(folder: PathBuf, netlab: PathBuf, stop: Stop) -> Desk {
        Desk { folder, netlab, stop, programs: BTreeMap::new(), port: None }
    }

    /// Where its programs run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The command or the keys of a step, with the port in place of `PORT`, if it is known.
    #[must_use]
    pub fn with_port(&self, text: &str) -> String {
        self.port.as_ref().map_or_else(|| text.to_owned(), |port| text.replace("PORT", port))
    }

    /// Does a step, and hands over what is printed because of it.
    ///
    /// # Errors
    /// A program that can't be started or typed into.
    pub fn step(&mut self, step: &Step, show: &mut dyn Audience) -> Result<(), DeskError> {
        match &step.action {
            Action::Run { command, keeps_running } => {
                self.vacate(step.terminal, show);
                let command = self.resolved(command, show)?;
                let child = self.start(&command)?;
                let running = Running { child, stdout: 0, stderr: 0, over: false };
                self.programs.insert(step.terminal, running);
                if *keeps_running {
                    self.settle(Some(step.terminal), show);
                } else {
                    self.finish(step.terminal, LONGEST, show);
                }
            }
            Action::Keys(keys) => {
                for key in keys {
                    let key = self.resolved(key, show)?;
                    self.press(step.terminal, &key, show)?;
                }
                self.settle(None, show);
            }
        }
        Ok(())
    }

    /// Hands over what was printed since the last call.
    pub fn poll(&mut self, show: &mut dyn Audience) -> usize {
        let mut shown = 0;
        for (&terminal, running) in &mut self.programs {
            for text in running.new_lines() {
                if let Some(port) = listening_port(&text) {
                    self.port = Some(port.to_owned());
                }
                show.line(Line { terminal, text });
                shown += 1;
            }
        }
        shown
    }

    /// Ends every program: a round begins with none.
    pub fn clear(&mut self, show: &mut dyn Audience) {
        self.poll(show);
        self.programs.clear();
        self.port = None;
    }

    /// The text with the port, which a server may be about to announce.
    fn resolved(&mut self, text: &str, show: &mut dyn Audience) -> Result<String, DeskError> {
        if text.contains("PORT") {
            self.until(START, show, |desk, _| desk.port.is_some());
            if self.port.is_none() {
                return Err(DeskError::NoPort);
            }
        }
        Ok(self.with_port(text))
    }

    fn start(&self, command: &str) -> Result<Child, DeskError> {
        let words = words(command).map_err(DeskError::Command)?;
        let (name, arguments) = words.split_first().ok_or(DeskError::Command("an empty command".into()))?;
        let name: OsString = match name.as_str() {
            "netlab" => self.netlab.clone().into(),
            // The launcher that Python's installer puts there; python3 may be the store's placeholder.
            "python3" if cfg!(windows) => "py".into(),
            other => other.into(),
        };
        let mut env: Vec<(OsString, OsString)> =
            [("NO_COLOR", "1"), ("PYTHONUNBUFFERED", "1"), ("PYTHONUTF8", "1")]
                .map(|(name, value)| (name.into(), value.into()))
                .into();
        env.extend(["HOME", "XDG_DATA_HOME"].map(|home| (home.into(), self.folder.clone().into())));
        env.push(("PATH".into(), self.search_path()));
        let program = Program {
            command: [name].into_iter().chain(arguments.iter().map(OsString::from)).collect(),
            env,
            hidden_env: SETTINGS.map(OsString::from).into(),
            folder: Some(self.folder.clone()),
            stdin: true,
            ..Program::default()
        };
        Ok(program.spawn()?)
    }

    /// The search path with this netlab in front: a lab's Python may start it.
    fn search_path(&self) -> OsString {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = self.netlab.parent().map(Path::to_path_buf);
        let all: Vec<PathBuf> = own.into_iter().chain(std::env::split_paths(&path)).collect();
        std::env::join_paths(all).unwrap_or(path)
    }

    /// Types a line, or presses Ctrl-C or Ctrl-D.
    fn press(&mut self, terminal: u32, key: &str, show: &mut dyn Audience) -> Result<(), DeskError> {
        let running = self.programs.get_mut(&terminal).ok_or(DeskError::Idle(terminal))?;
        match key {
            "Ctrl-C" => {
                running.child.interrupt();
                self.finish(terminal, ENDING, show);
            }
            "Ctrl-D" => running.child.close_stdin(),
            line => running
                .child
                .write(format!("{line}\n").as_bytes())
                .map_err(|source| DeskError::Typing { terminal, source })?,
        }
        Ok(())
    }

    /// Lets a program end by itself, since its terminal is wanted; at last it is ended.
    fn vacate(&mut self, terminal: u32, show: &mut dyn Audience) {
        if self.programs.contains_key(&terminal) {
            self.finish(terminal, ENDING, show);
        }
    }

    /// Waits for a program's end, for at most `within`; then it is ended.
    fn finish(&mut self, terminal: u32, within: Duration, show: &mut dyn Audience) {
        let begun = Instant::now();
        let mut enough = false;
        let ended = self.until(within, show, |desk, show| {
            enough = show.had_enough(terminal, begun.elapsed());
            enough || desk.programs.get_mut(&terminal).is_none_or(Running::ended)
        });
        if let Some(mut running) = self.programs.remove(&terminal) {
            let exit = running.child.exited();
            running.child.end();
            let verdict = match exit {
                None if enough => Some("(ended by you)".into()),
                _ if !ended => Some(format!("(ended by netlab lab after {} s)", begun.elapsed().as_secs())),
                Some(Exit::Code(0)) | None => None,
                Some(exit) => Some(format!("({exit})")),
            };
            if let Some(text) = verdict {
                show.line(Line { terminal, text });
            }
        }
    }

    /// Waits for output and then for silence; or for the end of `terminal`'s program.
    fn settle(&mut self, terminal: Option<u32>, show: &mut dyn Audience) {
        let begun = Instant::now();
        let mut last = None;
        while !self.stop.requested() {
            if self.poll(show) > 0 {
                last = Some(Instant::now());
            }
            let ended = |desk: &mut Desk| match terminal {
                Some(terminal) => desk.programs.get_mut(&terminal).is_none_or(Running::ended),
                None => desk.programs.values_mut().all(Running::ended),
            };
            let over = match last {
                Some(last) => last.elapsed() >= SILENCE,
                None => begun.elapsed() >= FIRST_OUTPUT || ended(self),
            };
            if over {
                return;
            }
            std::thread::sleep(TICK);
        }
    }

    /// Polls until `done`; false if that took longer than `within`, or the stop came first.
    fn until(
        &mut self,
        within: Duration,
        show: &mut dyn Audience,
        mut done: impl FnMut(&mut Desk, &mut dyn Audience) -> bool,
    ) -> bool {
        let end = Instant::now() + within;
        loop {
            self.poll(show);
            if done(self, show) {
                self.poll(show);
                return true;
            }
            if Instant::now() >= end || self.stop.requested() {
                return false;
            }
            std::thread::sleep(TICK);
        }
    }
}

impl Running {
    /// True once it has exited and all that it printed is read.
    fn ended(&mut self) -> bool {
        self.child.exited().is_some() && self.child.stdout().ended && self.child.stderr().ended
    }

    /// What it has printed since the last call: whole lines, and at its end the rest.
    // Simplification: stdout and stderr are two pipes, so that lines of one look may change places between them.
    fn new_lines(&mut self) -> Vec<String> {
        let exited = self.child.exited().is_some();
        let (out, err) = (self.child.stdout(), self.child.stderr());
        let mut lines = whole_lines(&out.head, &mut self.stdout, exited && out.ended);
        lines.extend(whole_lines(&err.head, &mut self.stderr, exited && err.ended));
        let cut = out.total > out.head.len() as u64 || err.total > err.head.len() as u64;
        if cut && exited && !self.over {
            self.over = true;
            lines.push("(more than can be shown)".into());
        }
        lines
    }
}

fn whole_lines(bytes: &[u8], from: &mut usize, all: bool) -> Vec<String> {
    let fresh = &bytes[*from..];
    let end = if all { fresh.len() } else { fresh.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1) };
    *from += end;
    String::from_utf8_lossy(&fresh[..end]).lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_once_and_whole() {
        let mut at = 0;
        assert_eq!(whole_lines(b"one\ntw", &mut at, false), ["one"]);
        assert_eq!(whole_lines(b"one\ntw", &mut at, false), [""; 0]);
        assert_eq!(whole_lines(b"one\ntwo\r\nthr", &mut at, false), ["two"]);
        assert_eq!(whole_lines(b"one\ntwo\r\nthr", &mut at, true), ["thr"]);
    }
}
