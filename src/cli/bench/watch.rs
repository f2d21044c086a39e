//! What is seen of a bench while it runs: a bar on a terminal, else a line each second; or a stream of JSON.

use std::io::{self, IsTerminal};

use crate::bench::Event;
use crate::render::Progress;
use crate::report::{Events, Report};

use super::super::events::{EventWriter, Format, Lines};
use super::super::output::Output;

/// Shows events of a bench.
pub(super) enum Watch<R> {
    /// stderr is a terminal.
    Bar(Progress),
    /// It is a file or a pipe.
    Lines,
    /// One JSON object a line on stdout, by a thread of its own: a slow reader must not slow the load down.
    Stream(EventWriter<Event<R>>),
}

impl<R: Report + Send + 'static> Watch<R> {
    pub(super) fn new(output: &Output, json_stream: bool) -> Watch<R> {
        if json_stream {
            Watch::Stream(EventWriter::new(Format::JsonStream))
        } else if io::stderr().is_terminal() {
            Watch::Bar(Progress::new(output.style))
        } else {
            Watch::Lines
        }
    }
}

impl<R> Events<Event<R>> for Watch<R> {
    fn event(&mut self, event: Event<R>) {
        match (self, event) {
            (Watch::Bar(bar), Event::Progress(share)) => bar.set(share),
            (Watch::Bar(bar), Event::Interval(interval)) => bar.say(interval.to_string()),
            (Watch::Lines, Event::Interval(interval)) => Output::note(&interval.to_string()),
            (Watch::Stream(writer), event @ (Event::Interval(_) | Event::Summary(_))) => writer.event(event),
            _ => {}
        }
    }
}

impl<R> Lines for Event<R> {}
