//! The loop: events to the model, effects to the link and the terminal, a picture when something has changed.
//!
//! It never waits for the network: the link's queue is drained at least every 50 ms, and sooner on a key.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event as Typed};

use super::model::{Model, Now};
use super::remembered::Remembered;
use super::screen::{self, Screen};
use super::signals::{self, Signal};
use super::update::{Effect, Event, connect, update};
use crate::client::link::Full;
use crate::client::link::provoke::panic_if_asked;
use crate::client::{Link, LinkCommand, LinkEvent};
use crate::net::table::{self, Transport};
use crate::net::{same_user, user_name};

/// How long the loop waits for a key at most.
const TURN: Duration = Duration::from_millis(50);
/// Keys that wait for their turn. A paste without brackets waits in the terminal's own queue.
const WAITING: usize = 256;

/// Why the full screen ended badly.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal can't be read or written.
    #[error("the terminal is gone")]
    Terminal(#[from] io::Error),
    /// A thread panicked: a bug. The text says where.
    #[error("{0}")]
    Panicked(String),
}

/// What comes from the terminal and from the system.
enum Input {
    Typed(Typed),
    Signal(Signal),
    Gone(io::Error),
}

/// How the loop goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    End,
}

/// The full screen, as it runs.
struct Running<'a> {
    model: Model,
    screen: Screen,
    link: Link,
    remember: &'a mut dyn FnMut(&Remembered),
}

/// Runs the chat on the whole terminal until the user leaves. `at_once`: connects without asking.
///
/// # Errors
/// A terminal that can't be used, or a bug.
pub fn run(
    model: Model,
    link: Link,
    at_once: bool,
    remember: &mut dyn FnMut(&Remembered),
) -> Result<(), TuiError> {
    let (to_loop, inputs) = sync_channel(WAITING);
    let from_signals = to_loop.clone();
    // A full queue is one that the loop is about to empty; only its end can end the sending.
    signals::watch(move |signal| drop(from_signals.send(Input::Signal(signal))))?;
    let screen = Screen::take()?;
    thread::Builder::new().name("keys".into()).spawn(move || read_keys(&to_loop))?;
    let mut running = Running { model, screen, link, remember };
    let result = running.run(at_once, &inputs);
    // The terminal is given back before the farewell to the server, which may take a second.
    drop(running.screen);
    result
}

/// Hands on what is typed. On a thread of its own, because reading can block in spite of a time-out: within an
/// escape sequence that does not end, and for ever on a terminal that was closed.
fn read_keys(to_loop: &SyncSender<Input>) {
    loop {
        let input = match event::read() {
            Ok(typed) => Input::Typed(typed),
            Err(error) => Input::Gone(error),
        };
        let last = matches!(input, Input::Gone(_));
        if to_loop.send(input).is_err() || last {
            return;
        }
    }
}

/// Whose server that is, if it is on this machine and not ours.
fn foreign_owner(address: SocketAddr) -> Option<String> {
    if !address.ip().is_loopback() {
        return None;
    }
    // Where the system does not tell, there is nothing to say.
    let row = table::holder(Transport::Tcp, address).ok().flatten()?;
    (!same_user(row.uid)).then(|| user_name(row.uid))
}

impl Running<'_> {
    fn run(&mut self, at_once: bool, inputs: &Receiver<Input>) -> Result<(), TuiError> {
        let mut heard = Vec::new();
        if at_once {
            let effects = connect(&mut self.model);
            self.perform(effects)?;
        }
        loop {
            self.link.drain(&mut heard);
            for event in heard.drain(..) {
                if self.take(Event::Link(event))? == Flow::End {
                    return Ok(());
                }
            }
            if self.take(Event::Tick)? == Flow::End {
                return Ok(());
            }
            if let Some(panic) = screen::take_panic() {
                return Err(TuiError::Panicked(panic));
            }
            self.draw()?;
            if self.listen(inputs)? == Flow::End {
                return Ok(());
            }
        }
    }

    /// Draws, if there is anything new to be seen.
    fn draw(&mut self) -> Result<(), TuiError> {
        let (columns, rows) = self.screen.size()?;
        if (columns, rows) != self.model.size {
            self.take(Event::Resize(columns, rows))?;
        }
        if self.model.take_stale() {
            self.screen.draw(&self.model)?;
        }
        Ok(())
    }

    /// Waits for an input, and takes all that have come.
    fn listen(&mut self, inputs: &Receiver<Input>) -> Result<Flow, TuiError> {
        let mut next = match inputs.recv_timeout(TURN) {
            Ok(input) => Some(input),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(Flow::End),
        };
        // No more than fit into the queue: what the network brings shall have its turn as well.
        for _ in 0..WAITING {
            let Some(input) = next else { break };
            if self.input(input)? == Flow::End {
                return Ok(Flow::End);
            }
            next = inputs.try_recv().ok();
        }
        Ok(Flow::On)
    }

    fn input(&mut self, input: Input) -> Result<Flow, TuiError> {
        match input {
            Input::Typed(Typed::Key(key)) => self.take(Event::Key(key)),
            Input::Typed(Typed::Paste(text)) => self.take(Event::Paste(text)),
            Input::Typed(Typed::Resize(columns, rows)) => self.take(Event::Resize(columns, rows)),
            Input::Typed(Typed::Mouse(_) | Typed::FocusGained | Typed::FocusLost) => Ok(Flow::On),
            Input::Signal(Signal::End) => Ok(Flow::End),
            Input::Signal(Signal::Stop) => {
                screen::restore();
                signals::stop_now();
                self.resume()
            }
            Input::Signal(Signal::Continue) => self.resume(),
            Input::Gone(error) => Err(error.into()),
        }
    }

    /// Takes the terminal again: whoever had it meanwhile may have changed it.
    fn resume(&mut self) -> Result<Flow, TuiError> {
        let (columns, rows) = self.screen.retake()?;
        self.take(Event::Resize(columns, rows))
    }

    fn take(&mut self, event: Event) -> Result<Flow, TuiError> {
        let effects = update(&mut self.model, Now::read(), event);
        self.perform(effects)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Result<Flow, TuiError> {
        for effect in effects {
            match effect {
                Effect::Connect(request) => self.send(LinkCommand::Connect(request))?,
                Effect::Send { id, request } => {
                    panic_if_asked("screen", &request);
                    self.send(LinkCommand::Send { id, request })?;
                }
                Effect::Retry => self.send(LinkCommand::Retry)?,
                Effect::Disconnect => self.send(LinkCommand::Disconnect)?,
                Effect::FindOwner(address) => {
                    if let Some(owner) = foreign_owner(address) {
                        self.take(Event::Foreign { owner })?;
                    }
                }
                Effect::Remember(values) => (self.remember)(&values),
                Effect::Repaint => drop(self.screen.repaint()?),
                Effect::Suspend => signals::suspend(),
                Effect::Quit => return Ok(Flow::End),
            }
        }
        Ok(Flow::On)
    }

    fn send(&mut self, command: LinkCommand) -> Result<(), TuiError> {
        // Only requests are ever refused.
        if let Err(Full(LinkCommand::Send { id, .. })) = self.link.send(command) {
            let reason = "the network is far behind".to_owned();
            self.take(Event::Link(LinkEvent::Unsent { id, reason }))?;
        }
        Ok(())
    }
}
