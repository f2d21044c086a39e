//! The concurrency models beside each other: each in a process of its own, under the same load.
//!
//! ```text
//! for each model:  server ─► load                                 how fast, how fair, at what cost
//!                  server ─► idle connections, then quiet         threads, memory, processor time
//!                  server ─► a client that never reads, load      what one client can do to all others
//! ```
//! Every part has a fresh server: what one leaves behind (memory, connections that end) is not the next one's.

mod idle;
mod layout;
mod non_reader;
mod report;
mod sentence;
mod server;

use std::time::Duration;

pub use idle::Idle;
pub use report::{BesideNonReader, ModelReport, ModelsEvent, ModelsReport, Service};

use super::report::{EchoReport, Event, Load};
use super::{BenchError, Course, EchoConfig, Until, tcp_echo};
use crate::echo::tcp_server::Model;
use crate::framing::Framing;
use crate::net::{SocketOptions, Stop};
use crate::process::Program;
use crate::report::Events;

use self::server::Server;

/// What to compare, and under which load.
pub struct Config<'a> {
    /// The models, in the order in which they are measured.
    pub models: Vec<Model>,
    /// The load; it is the same for each.
    pub load: Load,
    /// For how long, each time. Its wait is how long a client that is not served is waited for.
    pub course: Course,
    /// Connections that are idle together.
    pub idle_connections: usize,
    /// How a server of that model is started: it listens on a port of its own choice, says so in its first line,
    /// and stops when its stdin ends.
    pub server: &'a dyn Fn(Model) -> Program,
}

/// The parts of a model's measurement.
const PARTS: u8 = 3;
/// How long an idle server is watched, at most.
const QUIET: Duration = Duration::from_secs(1);

/// Measures each model. A stop ends it early: what is not measured then is left out.
///
/// # Errors
/// A server that can't be started or reached. A model that serves badly is no error: the report says so.
pub fn run(
    config: &Config<'_>,
    stop: &Stop,
    events: &mut dyn Events<ModelsEvent>,
) -> Result<ModelsReport, BenchError> {
    let mut bench = Bench { config, stop, events, done: 0 };
    let mut models = Vec::new();
    for model in &config.models {
        match bench.measure(*model) {
            Ok(report) => models.push(report),
            Err(BenchError::Interrupted) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(ModelsReport {
        load: config.load.clone(),
        idle_connections: config.idle_connections,
        interrupted: stop.requested(),
        models,
    })
}

struct Bench<'a> {
    config: &'a Config<'a>,
    stop: &'a Stop,
    events: &'a mut dyn Events<ModelsEvent>,
    /// Parts that are behind.
    done: u8,
}

impl Bench<'_> {
    /// A model's figures; what Ctrl-C was faster than is left out.
    fn measure(&mut self, model: Model) -> Result<ModelReport, BenchError> {
        let load = self.under_load(model)?;
        let idle = unless_interrupted(self.idle(model))?;
        let beside = unless_interrupted(self.beside_non_reader(model, &load))?;
        Ok(ModelReport::new(model, load, idle, beside, self.config.load.depth))
    }

    fn under_load(&mut self, model: Model) -> Result<Service, BenchError> {
        let server = self.start(model)?;
        let service = self.load(&server, format!("{}: under load", model.name()))?;
        self.events.event(ModelsEvent::Load { model: model.name(), service: service.clone() });
        Ok(service)
    }

    fn idle(&mut self, model: Model) -> Result<Idle, BenchError> {
        let server = self.start(model)?;
        self.part(format!("{}: with idle connections", model.name())).progress(0.0);
        let time = match self.config.course.until {
            Until::Time(time) => time.min(QUIET),
            Until::Count(_) => QUIET,
        };
        let (count, wait) = (self.config.idle_connections, self.config.course.wait);
        let idle = idle::measure(&server, count, wait, time, self.stop)?;
        self.done += 1;
        self.events.event(ModelsEvent::Idle { model: model.name(), idle: idle.clone() });
        Ok(idle)
    }

    fn beside_non_reader(&mut self, model: Model, alone: &Service) -> Result<BesideNonReader, BenchError> {
        let server = self.start(model)?;
        let non_reader = non_reader::connect(server.address, self.config.course.wait)?;
        let service = self.load(&server, format!("{}: beside a client that never reads", model.name()))?;
        let beside = BesideNonReader::new(service, alone, &non_reader);
        self.events.event(ModelsEvent::BesideNonReader { model: model.name(), beside: beside.clone() });
        Ok(beside)
    }

    fn start(&self, model: Model) -> Result<Server, BenchError> {
        if self.stop.requested() {
            return Err(BenchError::Interrupted);
        }
        Server::start(&(self.config.server)(model))
    }

    fn load(&mut self, server: &Server, what: String) -> Result<Service, BenchError> {
        let config = EchoConfig {
            load: self.config.load.clone(),
            framing: Framing::Raw,
            course: self.config.course,
            options: SocketOptions::default(),
        };
        let stop = self.stop;
        let report = tcp_echo::run(&config, &[server.address], stop, &mut self.part(what))?;
        self.done += 1;
        Ok(Service::new(&report))
    }

    fn part(&mut self, what: String) -> Part<'_> {
        let (done, all) = (self.done, self.parts());
        Part { events: self.events, done, all, what }
    }

    fn parts(&self) -> u8 {
        u8::try_from(self.config.models.len()).unwrap_or(u8::MAX).saturating_mul(PARTS)
    }
}

fn unless_interrupted<T>(result: Result<T, BenchError>) -> Result<Option<T>, BenchError> {
    match result {
        Err(BenchError::Interrupted) => Ok(None),
        result => result.map(Some),
    }
}

/// A part of the whole, which counts its own progress from 0 to 1.
struct Part<'a> {
    events: &'a mut dyn Events<ModelsEvent>,
    done: u8,
    all: u8,
    what: String,
}

impl Part<'_> {
    fn progress(&mut self, share: f64) {
        let share = (f64::from(self.done) + share) / f64::from(self.all);
        self.events.event(ModelsEvent::Progress { share, what: self.what.clone() });
    }
}

impl Events<Event<EchoReport>> for Part<'_> {
    fn event(&mut self, event: Event<EchoReport>) {
        if let Event::Progress(share) = event {
            self.progress(share);
        }
    }
}
