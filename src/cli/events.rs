//! Events of long-running programs, written to stdout by a thread of their own.
//!
//! The queue is bounded and never waited for: a terminal that is stopped, a full pipe or a reader that went
//! away costs events, which are counted, and never stops a server.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::demo::auth;
use crate::echo;
use crate::net::{OptionReading, ServerEvent};
use crate::render::{self, Style};
use crate::report::Events;
use crate::server;
use crate::text::safe_json;

use super::socket_options;

/// Events that may wait for a slow reader; at 100 bytes a line less than half a megabyte.
const QUEUE: usize = 4_096;
/// How long the last events may take to be written when the program ends.
const LAST_WRITE: Duration = Duration::from_secs(1);

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Lines for people.
    Lines(Style),
    /// One JSON object a line.
    JsonStream,
}

/// An event as people read it.
pub(super) trait Lines: Display {
    /// Its lines, without the last newline. Most events are one line, the one that they display as.
    fn lines(&self, _style: Style) -> String {
        self.to_string()
    }
}

impl Lines for echo::Event {
    fn lines(&self, style: Style) -> String {
        match self {
            echo::Event::Server(ServerEvent::SocketOptions { options }) => option_lines(options, style),
            event => event.to_string(),
        }
    }
}

impl Lines for server::Event {
    fn lines(&self, style: Style) -> String {
        match self {
            server::Event::Server(ServerEvent::SocketOptions { options }) => option_lines(options, style),
            event => event.to_string(),
        }
    }
}

impl Lines for auth::Event {}

fn option_lines(options: &[OptionReading], style: Style) -> String {
    render::block_text(&socket_options::table(options), style).trim_end().to_owned()
}

/// Writes events of type `E` until it is dropped.
pub(super) struct EventWriter<E> {
    queue: Option<SyncSender<E>>,
    done: Receiver<()>,
    lost: u64,
    /// The last event that found the queue full: if it stays the last, it is worth waiting for.
    last: Option<E>,
    format: Format,
}

impl<E: Serialize + Lines + Send + 'static> EventWriter<E> {
    pub(super) fn new(format: Format) -> EventWriter<E> {
        let (queue, events) = sync_channel::<E>(QUEUE);
        let (finished, done) = channel();
        thread::spawn(move || {
            // Nobody reads stdout any more: the program goes on, in silence.
            let _ = write_all(&events, format);
            let _ = finished.send(());
        });
        EventWriter { queue: Some(queue), done, lost: 0, last: None, format }
    }
}

impl<E> Events<E> for EventWriter<E> {
    fn event(&mut self, event: E) {
        let Some(queue) = &self.queue else { return };
        let full = match queue.try_send(event) {
            Err(TrySendError::Full(event)) => Some(event),
            Ok(()) | Err(TrySendError::Disconnected(_)) => None,
        };
        let held_back = std::mem::replace(&mut self.last, full);
        self.lost += u64::from(held_back.is_some());
    }
}

impl<E> Drop for EventWriter<E> {
    fn drop(&mut self) {
        let deadline = Instant::now() + LAST_WRITE;
        while let (Some(queue), Some(last)) = (&self.queue, self.last.take()) {
            match queue.try_send(last) {
                Err(TrySendError::Full(last)) if Instant::now() < deadline => {
                    self.last = Some(last);
                    thread::sleep(Duration::from_millis(1));
                }
                _ => {}
            }
        }
        self.queue = None;
        let waited = self.done.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        if waited != Err(RecvTimeoutError::Timeout) && self.lost > 0 {
            let _ = match self.format {
                Format::Lines(_) => writeln!(io::stdout(), "{} events lost: stdout was too slow", self.lost),
                Format::JsonStream => {
                    let lost = self.lost;
                    writeln!(io::stdout(), "{{\"event\":\"events_lost\",\"data\":{{\"events\":{lost}}}}}")
                }
            };
        }
    }
}

fn write_all<E: Serialize + Lines>(events: &Receiver<E>, format: Format) -> io::Result<()> {
    let mut stdout = io::stdout();
    while let Ok(first) = events.recv() {
        let mut lines = String::new();
        // What has piled up leaves in one write.
        for event in std::iter::once(first).chain(events.try_iter().take(256)) {
            match format {
                Format::Lines(style) => lines.push_str(&event.lines(style)),
                Format::JsonStream => {
                    let json = serde_json::to_string(&event).map_err(io::Error::other)?;
                    lines.push_str(&safe_json(json));
                }
            }
            lines.push('\n');
        }
        stdout.write_all(lines.as_bytes())?;
        stdout.flush()?;
    }
    Ok(())
}
