//! What is seen of a bench while it runs: a bar on a terminal, else a line now and then; or a stream of JSON.

use std::fmt::Display;
use std::io::{self, IsTerminal};

use serde::Serialize;

use crate::bench::Event;
use crate::bench::models::ModelsEvent;
use crate::render::Progress;
use crate::report::Events;

use super::super::events::{EventWriter, Format, Lines};
use super::super::output::Output;

/// Shows events of a bench.
pub(super) enum Watch<E> {
    /// stderr is a terminal.
    Bar(Progress),
    /// It is a file or a pipe.
    Lines,
    /// One JSON object a line on stdout, by a thread of its own: a slow reader must not slow the load down.
    Stream(EventWriter<E>),
}

/// What an event of a bench is to its watcher.
pub(super) enum Seen {
    /// How far it is, from 0 to 1; with a remark, if the remark is about that moment.
    Moved(f64, Option<String>),
    /// Something was measured.
    Measured,
    /// The end: the report comes now, in its own form.
    Done,
}

/// An event of a bench; with `#` it displays in the few words that fit beside a bar.
pub(super) trait Watched: Display {
    fn seen(&self) -> Seen;
}

impl<R> Watched for Event<R> {
    fn seen(&self) -> Seen {
        match self {
            Event::Progress(share) => Seen::Moved(*share, None),
            Event::Interval(_) => Seen::Measured,
            Event::Summary(_) => Seen::Done,
        }
    }
}

impl Watched for ModelsEvent {
    fn seen(&self) -> Seen {
        match self {
            ModelsEvent::Progress { share, what } => Seen::Moved(*share, Some(what.clone())),
            ModelsEvent::Summary(_) => Seen::Done,
            _ => Seen::Measured,
        }
    }
}

impl<E: Serialize + Lines + Send + 'static> Watch<E> {
    pub(super) fn new(output: &Output, json_stream: bool) -> Watch<E> {
        if json_stream {
            Watch::Stream(EventWriter::new(Format::JsonStream))
        } else if io::stderr().is_terminal() {
            Watch::Bar(Progress::new(output.style))
        } else {
            Watch::Lines
        }
    }
}

impl<E: Watched> Events<E> for Watch<E> {
    fn event(&mut self, event: E) {
        match (self, event.seen()) {
            (Watch::Bar(bar), Seen::Moved(share, what)) => {
                bar.set(share);
                if let Some(what) = what {
                    bar.say(what);
                }
            }
            (Watch::Bar(bar), Seen::Measured) => bar.say(format!("{event:#}")),
            (Watch::Lines, Seen::Measured) => Output::note(&event.to_string()),
            (Watch::Stream(writer), Seen::Measured | Seen::Done) => writer.event(event),
            _ => {}
        }
    }
}

impl<R> Lines for Event<R> {}
impl Lines for ModelsEvent {}
