//! The program under test: started on a free port, seen in the socket table, started again when it may be gone,
//! and ended for certain. Or a server that runs already.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::exercise::Exercise;
use super::outcome::{Failure, Outcome};
use super::player::{self, Stage};
use super::script::Script;
use super::{CheckError, Config, Target};
use crate::net::table::Transport;
use crate::net::{SocketOptions, socket};
use crate::process::{
    Child, Exit, Listening, Program, hand_over, listening, read_small, remove_tree, reopen,
};

/// Scripts that a program answers only when it is fresh, after which it is started for each: waiting for its silence
/// every time would take minutes, and says nothing new.
const WORN: usize = 2;
/// Silences that were heard twice, after which that of a fresh program is believed at once.
const BELIEVED: usize = 2;
/// How long a program may take until it listens: an interpreter on a loaded machine.
const START: Duration = Duration::from_secs(10);
/// How long a program that has just ended a connection is watched: it may be about to end itself.
const LAST_BREATH: Duration = Duration::from_millis(700);
/// What is kept of stderr.
const STDERR: usize = 2_000;
/// A file outside of the folder that a server may use; nothing but a path that leads out finds it.
const CANARY: &str = "out.txt";

/// Why a program is not ready.
#[derive(Debug)]
pub(super) enum Unready {
    /// It ended before it listened.
    Exited(Exit, Vec<u8>),
    /// It runs, but does not listen.
    Never(Vec<u8>),
    /// It listens on another port than it was told.
    Elsewhere(SocketAddr),
    /// The checker could not do its work.
    Checker(CheckError),
}

/// The program under test.
pub(super) struct Subject<'a> {
    config: &'a Config,
    exercise: &'a Exercise,
    child: Mutex<Option<Child>>,
    addr: Option<SocketAddr>,
    folder: Option<PathBuf>,
    /// How long it took until it listened, the last time.
    began_in: Option<Duration>,
    /// Nobody has connected since it was started.
    untouched: bool,
    /// How many scripts it left unanswered that a fresh one answered.
    worn: usize,
    /// How many silences were heard twice.
    silent: usize,
}

impl<'a> Subject<'a> {
    pub(super) fn new(config: &'a Config, exercise: &'a Exercise) -> Subject<'a> {
        Subject {
            config,
            exercise,
            child: Mutex::new(None),
            addr: None,
            folder: None,
            began_in: None,
            untouched: false,
            worn: 0,
            silent: 0,
        }
    }

    /// How long the program took until it listened.
    pub(super) fn began_in(&self) -> Option<Duration> {
        self.began_in
    }

    /// Plays a script. The program is started where it does not run, and ended where it may be the worse for it.
    pub(super) fn play(&mut self, script: &Script) -> Result<Outcome, Unready> {
        let used = self.addr.is_some();
        let outcome = self.play_once(script)?;
        // It ended in the middle: that may be the late end of what an earlier script began. A fresh one tells.
        if used && outcome.exit.is_some() { self.play_once(script) } else { Ok(outcome) }
    }

    /// The same, but what is a failure by silence alone has to be one twice: on a loaded machine, an answer may be late.
    pub(super) fn play_twice(&mut self, script: &Script) -> Result<Outcome, Unready> {
        let used = self.addr.is_some();
        let outcome = self.play(script)?;
        let late =
            matches!(outcome.failure, Some((_, Failure::Silent | Failure::StaysOpen | Failure::Unread)));
        // One that was used may be silent because of what was before.
        let believed = !used && self.silent >= BELIEVED;
        let again = late && outcome.exit.is_none() && !believed && !self.config.stop.requested();
        if !again {
            return Ok(outcome);
        }
        let second = self.play(script)?;
        self.worn += usize::from(used && second.passed());
        self.silent += usize::from(!second.passed());
        Ok(second)
    }

    fn play_once(&mut self, script: &Script) -> Result<Outcome, Unready> {
        let addr = self.ready()?;
        self.untouched &= script.steps.is_empty();
        let outcome = {
            let (child, cpu) = (&self.child, || with(&self.child, |child| child.cpu_time()));
            let alive = || with(child, |child| child.exited().is_none().then_some(())).is_some();
            let own = matches!(self.config.target, Target::Program(_));
            let stage = Stage {
                addr,
                transport: self.exercise.transport,
                around: self.folder.as_deref(),
                patience: self.config.patience,
                stop: &self.config.stop,
                cpu: &cpu,
                alive: &(move || !own || alive()),
            };
            player::play(script, &stage).map_err(|error| Unready::Checker(error.into()))?
        };
        Ok(self.look_after(outcome))
    }

    /// Where the server listens; it is started if it does not run.
    fn ready(&mut self) -> Result<SocketAddr, Unready> {
        match &self.config.target {
            Target::Running(addr) => Ok(*addr),
            Target::Program(program) => {
                let runs = with(&self.child, |child| child.exited().is_none().then_some(())).is_some();
                match self.addr.filter(|_| runs && (!self.fresh_each_time() || self.untouched)) {
                    Some(addr) => Ok(addr),
                    None => self.start(program),
                }
            }
        }
    }

    /// True for a program that no script shall find as an earlier one has left it.
    fn fresh_each_time(&self) -> bool {
        self.exercise.once || self.worn >= WORN
    }

    fn start(&mut self, program: &Program) -> Result<SocketAddr, Unready> {
        self.stop();
        let begun = Instant::now();
        let checker = |error: CheckError| Unready::Checker(error);
        let port = free_port(self.exercise.transport).map_err(|e| checker(CheckError::Net(e)))?;
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut program = place(program, &host.to_string(), port);
        let folder = make_folder(self.config.scratch.as_deref())
            .map_err(|source| checker(CheckError::Folder { source }))?;
        for (name, value) in &self.exercise.env {
            program.env.push((name.into(), value.into()));
        }
        if let Some(name) = self.exercise.folder_env {
            program.env.push((name.into(), folder.join("files").into()));
        }
        self.folder = Some(folder);
        let child = program.spawn().map_err(|e| checker(CheckError::Spawn(e)))?;
        *lock(&self.child) = Some(child);
        let addr = self.await_socket(SocketAddr::new(host, port))?;
        (self.began_in, self.untouched) = (Some(begun.elapsed()), true);
        Ok(addr)
    }

    /// Waits until the socket table shows the program's socket.
    fn await_socket(&mut self, addr: SocketAddr) -> Result<SocketAddr, Unready> {
        let begun = Instant::now();
        let mut guard = lock(&self.child);
        let child = guard.as_mut().expect("it has just been started");
        let stderr = |child: &Child| last(&child.stderr().tail, STDERR);
        loop {
            // The processes behind sockets are looked up rarely: that takes longer.
            let late = begun.elapsed() > START / 4;
            match listening(child, self.exercise.transport, addr.port(), late) {
                Ok(Listening::There(_)) => {
                    self.addr = Some(addr);
                    return Ok(addr);
                }
                Ok(Listening::Elsewhere(other)) => return Err(Unready::Elsewhere(other)),
                // No table on this system: the first connection will tell. Simplification: a server that serves
                // one client alone is tried for that connection once more.
                Err(_) if begun.elapsed() > Duration::from_secs(1) => {
                    self.addr = Some(addr);
                    return Ok(addr);
                }
                Ok(Listening::Nowhere) | Err(_) => {}
            }
            if let Some(exit) = child.exited() {
                // Its last words may still be in the pipe.
                std::thread::sleep(Duration::from_millis(50));
                return Err(Unready::Exited(exit, stderr(child)));
            }
            if begun.elapsed() > START || self.config.stop.requested() {
                return Err(Unready::Never(stderr(child)));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What became of the program, and whether it is fit for the next script.
    fn look_after(&mut self, mut outcome: Outcome) -> Outcome {
        outcome.trace = self.folder.as_deref().and_then(trace_outside);
        if let (None, Some(trace)) = (&outcome.failure, &outcome.trace) {
            outcome.failure = Some((0, Failure::Trace(trace.clone())));
        }
        if outcome.passed() {
            return outcome;
        }
        let dying = matches!(
            outcome.failure,
            Some((_, Failure::Gone(_) | Failure::Refused | Failure::Silent | Failure::Unread))
        );
        let patience = if dying { LAST_BREATH } else { Duration::ZERO };
        if let Some(child) = lock(&self.child).as_mut() {
            outcome.exit = child.wait(patience);
            std::thread::sleep(Duration::from_millis(20));
            outcome.stderr = last(&child.stderr().tail, STDERR);
        }
        // After a failure nobody knows what state it is in.
        self.stop();
        outcome
    }

    /// Ends the program and removes its folder.
    pub(super) fn stop(&mut self) {
        drop(lock(&self.child).take());
        self.addr = None;
        if let Some(folder) = self.folder.take() {
            remove_tree(&folder);
        }
    }
}

impl Drop for Subject<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock(child: &Mutex<Option<Child>>) -> std::sync::MutexGuard<'_, Option<Child>> {
    child.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn with<T>(child: &Mutex<Option<Child>>, ask: impl FnOnce(&mut Child) -> Option<T>) -> Option<T> {
    lock(child).as_mut().and_then(ask)
}

/// The program with its address in its arguments and its environment.
pub(super) fn place(program: &Program, host: &str, port: u16) -> Program {
    let mut placed = program.clone();
    for word in placed.launcher.iter_mut().chain(&mut placed.command) {
        if let Some(text) = word.to_str() {
            *word = text.replace("{host}", host).replace("{port}", &port.to_string()).into();
        }
    }
    let port = OsString::from(port.to_string());
    placed.env.extend([("NETLAB_HOST".into(), host.into()), ("NETLAB_PORT".into(), port)]);
    // Python keeps what it prints in a buffer, and a program that is killed never empties it.
    placed.env.push(("PYTHONUNBUFFERED".into(), "1".into()));
    placed
}

/// A port that is free at the moment, by asking the system for one. A new one for each start: the last one's
/// connections may be in TIME_WAIT.
fn free_port(transport: Transport) -> Result<u16, crate::net::NetError> {
    let (any, options) = ([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))], SocketOptions::default());
    let local = match transport {
        Transport::Tcp => socket::listen(&any, &options, 1)?.1,
        Transport::Udp => socket::bind_udp(&any, &options)?.1,
    };
    Ok(local.port())
}

/// A folder of its own, with a `files` folder for the server and a canary beside that.
fn make_folder(within: Option<&Path>) -> io::Result<PathBuf> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let parent = within.map_or_else(std::env::temp_dir, Path::to_path_buf);
    within.map(reopen);
    let folder = loop {
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let folder = parent.join(format!("netlab-check-{}-{number}", std::process::id()));
        match fs::create_dir(&folder) {
            // A program that wants the checker to fail has guessed the name.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && within.is_some() => {
                remove_tree(&folder);
            }
            made => break made.map(|()| folder)?,
        }
    };
    let (files, canary) = (folder.join("files"), folder.join(CANARY));
    fs::create_dir(&files)?;
    fs::write(&canary, CANARY_TEXT)?;
    if let Some(within) = within {
        for path in [&folder, &files, &canary] {
            hand_over(path, within)?;
        }
    }
    Ok(folder)
}

/// What the canary says.
pub(super) const CANARY_TEXT: &str = "Last updated: 2020-01-01 00:00:00\ncanary: outside of the records\n";

/// What stands beside the server's folder that was not there before.
fn trace_outside(folder: &Path) -> Option<String> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let strange = |name: &str| name != "files" && name != CANARY;
    let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    if let Some(name) = names.find(|name| strange(name)) {
        let name = crate::text::escape(name.as_bytes());
        return Some(format!("the file `{name}` was made outside of the server's folder"));
    }
    let canary = read_small(&folder.join(CANARY), CANARY_TEXT.len() as u64).unwrap_or_default();
    (canary != CANARY_TEXT.as_bytes()).then(|| "a file outside of the server's folder was changed".to_owned())
}

pub(super) fn last(bytes: &[u8], most: usize) -> Vec<u8> {
    bytes[bytes.len().saturating_sub(most)..].to_vec()
}
