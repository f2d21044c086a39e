//! Runs a lab as a student would: programs in terminals, keys typed into them, their output read.
//!
//! Commands go to the system without a shell, so that they mean the same in sh, PowerShell and cmd. What a
//! program prints is waited for, never slept for.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use netlab::lab::block::{Action, listening_port, words};
use netlab::lab::desk::SETTINGS;

use crate::markdown::{ANYTHING, Expectation, Lab, Round, Step, matched};

/// What every server says first.
const LISTENING: &str = "listening on ";
/// What a run did.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) steps: usize,
    /// Titles of rounds that were not run here.
    pub(crate) skipped: Vec<String>,
}

/// Runs every round of a lab in `folder`; a step may take `timeout`.
pub(crate) fn run(lab: &Lab, folder: &Path, python: bool, timeout: Duration) -> Result<Summary, String> {
    let mut summary = Summary::default();
    for round in &lab.rounds {
        if let Some(why) = reason_to_skip(round, python) {
            // Past the test harness, which shows only what failed tests print.
            let _ = writeln!(std::io::stderr(), "SKIPPED, {why}: {}", round.title);
            summary.skipped.push(round.title.clone());
            continue;
        }
        for (name, content) in &round.files {
            std::fs::write(folder.join(name), content).map_err(|error| format!("{name}: {error}"))?;
        }
        Desk { lab, folder, timeout, terminals: BTreeMap::new(), port: None }.run(round)?;
        summary.steps += round.steps.len();
    }
    Ok(summary)
}

/// Why a round cannot be run here, if it cannot.
fn reason_to_skip(round: &Round, python: bool) -> Option<String> {
    if round.needs_python() && !python {
        return Some("python3 is missing".into());
    }
    let other = round.system.as_ref().filter(|system| *system != std::env::consts::OS);
    other.map(|system| format!("it is about {system}"))
}

/// The terminals of a round.
struct Desk<'a> {
    lab: &'a Lab,
    folder: &'a Path,
    timeout: Duration,
    terminals: BTreeMap<u32, Program>,
    /// Of the last server that said where it listens.
    port: Option<String>,
}

impl Desk<'_> {
    fn run(mut self, round: &Round) -> Result<(), String> {
        for step in &round.steps {
            self.step(step).map_err(|error| format!("{} (step {}): {error}", step.place, step.number))?;
        }
        let all: Vec<u32> = self.terminals.keys().copied().collect();
        all.into_iter().try_for_each(|terminal| self.clear(terminal))
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let deadline = Instant::now() + self.timeout;
        let mut ends = false;
        match &step.action {
            Action::Run { command, keeps_running } => {
                self.clear(step.terminal)?;
                let program = Program::start(&self.with_port(command)?, self.folder)?;
                self.terminals.insert(step.terminal, program);
                ends = !keeps_running;
            }
            Action::Keys(keys) => {
                let keys: Vec<String> =
                    keys.iter().map(|key| self.with_port(key)).collect::<Result<_, _>>()?;
                let program = self.terminals.get_mut(&step.terminal).ok_or("nothing runs there")?;
                for key in &keys {
                    ends |= program.press(key)?;
                }
            }
        }
        let own = |e: &&Expectation| e.terminal.is_none_or(|terminal| terminal == step.terminal);
        let (own, others): (Vec<_>, Vec<_>) = self.lab.expectations_of(step.number).partition(own);
        if let [] | [_] = own.as_slice() {
            self.expect(step.terminal, own.first().copied(), ends, deadline)?;
        } else {
            return Err("two expectations of one terminal".into());
        }
        for expectation in others {
            let terminal = expectation.terminal.unwrap_or(step.terminal);
            self.expect(terminal, Some(expectation), false, deadline)?;
        }
        Ok(())
    }

    /// Waits for what a terminal must show; with `ends` for its program's end, and then that was all.
    fn expect(
        &mut self,
        terminal: u32,
        expectation: Option<&Expectation>,
        ends: bool,
        deadline: Instant,
    ) -> Result<(), String> {
        let lines = expectation.map_or(&[][..], |e| &e.lines);
        // The port that a server is about to announce is not known yet.
        let port = |line: &str| match &self.port {
            Some(port) if !line.starts_with(LISTENING) => port.clone(),
            _ => ANYTHING.to_string(),
        };
        let lines: Vec<String> = lines.iter().map(|line| line.replace("PORT", &port(line))).collect();
        let program = self.terminals.get_mut(&terminal).ok_or(format!("terminal {terminal} is not used"))?;
        program.exit = expectation.and_then(|e| e.exit).unwrap_or(program.exit);
        let read = program.read_until(&lines, ends, deadline);
        let read = read.map_err(|error| format!("terminal {terminal}: {error}"))?;
        let port = |line: &String| listening_port(line).map(str::to_owned);
        self.port = read.iter().find_map(port).or(self.port.take());
        Ok(())
    }

    /// Checks that what ran in a terminal has ended, as it should, and that all it showed was expected.
    fn clear(&mut self, terminal: u32) -> Result<(), String> {
        let Some(mut program) = self.terminals.remove(&terminal) else { return Ok(()) };
        let deadline = Instant::now() + self.timeout;
        program
            .read_until(&[], true, deadline)
            .map(|_| ())
            .map_err(|error| format!("terminal {terminal}, at the end of the round: {error}"))
    }

    fn with_port(&self, command: &str) -> Result<String, String> {
        match &self.port {
            _ if !command.contains("PORT") => Ok(command.to_owned()),
            Some(port) => Ok(command.replace("PORT", port)),
            None => Err("PORT is used before a server has said where it listens".into()),
        }
    }
}

/// A program in a terminal. It is killed when it is dropped.
struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    incoming: Receiver<String>,
    /// What it has shown and nobody expected yet.
    shown: Vec<String>,
    closed: bool,
    /// The exit code it must end with.
    exit: i32,
    status: Option<ExitStatus>,
}

impl Program {
    fn start(command: &str, folder: &Path) -> Result<Program, String> {
        let words = words(command)?;
        let (name, arguments) = words.split_first().ok_or("an empty command")?;
        let name = match name.as_str() {
            "netlab" => env!("CARGO_BIN_EXE_netlab"),
            "python3" => "python3",
            other => return Err(format!("`{other}`: lab commands are netlab and python3 alone")),
        };
        let failed = |error: std::io::Error| format!("{command}: {error}");
        let (reader, writer) = std::io::pipe().map_err(failed)?;
        let mut child = Command::new(name);
        for setting in SETTINGS {
            child.env_remove(setting);
        }
        let mut child = child
            .args(arguments)
            .current_dir(folder)
            // A lab's Python may start netlab; and no lab leaves anything outside of its folder.
            .env("PATH", path_with_netlab())
            .envs(["HOME", "XDG_DATA_HOME"].map(|home| (home, folder)))
            .envs([("NO_COLOR", "1"), ("LC_ALL", "C.UTF-8"), ("PYTHONUNBUFFERED", "1"), ("PYTHONUTF8", "1")])
            .stdin(Stdio::piped())
            .stdout(writer.try_clone().map_err(failed)?)
            .stderr(writer)
            .spawn()
            .map_err(failed)?;
        let stdin = child.stdin.take();
        let (to, incoming) = channel();
        thread::spawn(move || {
            // A failed send: the program was given up.
            BufReader::new(reader).lines().map_while(Result::ok).try_for_each(|line| to.send(line))
        });
        Ok(Program { child, stdin, incoming, shown: Vec::new(), closed: false, exit: 0, status: None })
    }

    /// Types a line, or presses Ctrl-C or Ctrl-D; true if the program must end now.
    fn press(&mut self, key: &str) -> Result<bool, String> {
        match key {
            "Ctrl-C" => interrupt(&self.child).map(|()| true),
            "Ctrl-D" => {
                self.stdin = None;
                Ok(false)
            }
            line => {
                let stdin = self.stdin.as_mut().ok_or("its input has ended")?;
                // One write, as a terminal hands over a line.
                stdin
                    .write_all(format!("{line}\n").as_bytes())
                    .map_err(|error| format!("typing `{line}`: {error}"))?;
                Ok(false)
            }
        }
    }

    /// Reads until `expected` has come, or with `ends` to the program's end; returns the lines it stood in.
    fn read_until(
        &mut self,
        expected: &[String],
        ends: bool,
        deadline: Instant,
    ) -> Result<Vec<String>, String> {
        loop {
            if self.closed || !ends {
                if let Some(lines) = matched(expected, &self.shown, ends) {
                    if ends {
                        self.check_exit(deadline)?;
                    }
                    return Ok(self.shown.drain(..lines).collect());
                }
                if self.closed {
                    return Err(self.differs("it ended", expected));
                }
            }
            let rest = deadline.saturating_duration_since(Instant::now());
            match self.incoming.recv_timeout(rest) {
                Ok(line) => self.shown.push(line),
                Err(RecvTimeoutError::Disconnected) => self.closed = true,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(self.differs("time is up, it still runs", expected));
                }
            }
        }
    }

    fn check_exit(&mut self, deadline: Instant) -> Result<(), String> {
        while self.status.is_none() && Instant::now() < deadline {
            // Its output has ended, so its exit is a matter of microseconds.
            self.status = self.child.try_wait().map_err(|error| error.to_string())?;
            thread::yield_now();
        }
        let code = self.status.and_then(|status| status.code());
        if code == Some(self.exit) { Ok(()) } else { Err(format!("exit {code:?}, expected {}", self.exit)) }
    }

    fn differs(&self, why: &str, expected: &[String]) -> String {
        let (expected, shown) = (expected.join("\n  "), self.shown.join("\n  "));
        format!("{why}\nexpected:\n  {expected}\nshown:\n  {shown}\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.status.is_none() {
            // It may have ended by itself: then there is nothing to kill.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The search path with this netlab in front.
fn path_with_netlab() -> OsString {
    let own = Path::new(env!("CARGO_BIN_EXE_netlab")).parent().map(Path::to_path_buf);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all: Vec<_> = own.into_iter().chain(std::env::split_paths(&path)).collect();
    std::env::join_paths(all).unwrap_or(path)
}

#[cfg(unix)]
fn interrupt(child: &Child) -> Result<(), String> {
    use rustix::process::{Pid, Signal, kill_process};
    kill_process(Pid::from_child(child), Signal::INT).map_err(|error| error.to_string())
}

#[cfg(not(unix))]
fn interrupt(_child: &Child) -> Result<(), String> {
    Err("there is no Ctrl-C for one program alone here".into())
}

/// True if Python can be run here.
pub(crate) fn has_python() -> bool {
    let status =
        Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
