//! What the comparison of the models hands to the renderers: plain data, and its layout. Measures nothing.

use std::fmt;

use serde::Serialize;

use super::non_reader::NonReader;
use super::{Idle, sentence};
use crate::bench::cpu::Limit;
use crate::bench::report::{Checks, EchoReport, Load, whole, whole_or_tenth};
use crate::echo::tcp_server::Model;
use crate::report::{Block, Column, Report, Table};
use crate::text::{Grouped, byte_count, counted};

/// What a running comparison reports.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum ModelsEvent {
    /// How much is behind, from 0 to 1, and what is measured now.
    #[serde(skip)]
    Progress {
        /// From 0 to 1.
        share: f64,
        /// What is measured.
        what: String,
    },
    /// A model's figures under load.
    Load {
        /// The model.
        model: &'static str,
        /// The figures.
        #[serde(flatten)]
        service: Service,
    },
    /// A model's figures with idle connections.
    Idle {
        /// The model.
        model: &'static str,
        /// The figures.
        #[serde(flatten)]
        idle: Idle,
    },
    /// A model's figures under load, beside a client that never reads.
    BesideNonReader {
        /// The model.
        model: &'static str,
        /// The figures.
        #[serde(flatten)]
        beside: BesideNonReader,
    },
    /// It is done; always the last one.
    Summary(Box<ModelsReport>),
}

/// How a load was served.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Service {
    /// Right replies.
    pub replies: u64,
    /// Replies a second.
    pub rate_per_s: f64,
    /// Of the replies that came; `None` if none did.
    pub p50_us: Option<f64>,
    /// Of the replies that came; `None` if none did.
    pub p99_us: Option<f64>,
    /// Connections with a reply.
    pub served_connections: usize,
    /// Connections on which none came.
    pub waiting_connections: usize,
    /// The server's processor time for a reply; `None` where the system does not tell.
    pub cpu_us_per_reply: Option<f64>,
    /// The server's processor seconds a second.
    pub cpu_utilisation: Option<f64>,
    /// Who had no more to give.
    pub limit: Limit,
    /// What was wrong. Requests of connections that wait count as lost.
    pub checks: Checks,
}

impl Service {
    pub(super) fn new(report: &EchoReport) -> Service {
        let (measured, checks) = (&report.outcome.measured, &report.outcome.checks);
        let usage = measured.cpu.as_ref().and_then(|cpu| cpu.server.as_ref());
        Service {
            replies: measured.replies,
            rate_per_s: measured.rate_per_s,
            p50_us: measured.latency.map(|p| p.p50_us),
            p99_us: measured.latency.map(|p| p.p99_us),
            served_connections: report.load.connections - checks.silent_connections,
            waiting_connections: checks.silent_connections,
            cpu_us_per_reply: usage.filter(|_| measured.replies > 0).map(|usage| usage.us_per_reply),
            cpu_utilisation: usage.map(|usage| usage.utilisation),
            limit: measured.cpu.as_ref().map_or(Limit::Unknown, |cpu| cpu.limit),
            checks: checks.clone(),
        }
    }

    /// True if a reply was wrong, or is missing on a connection that had others.
    fn is_wrong(&self, depth: usize) -> bool {
        let waiting = (self.waiting_connections * depth) as u64;
        let lost = self.checks.lost.saturating_sub(waiting);
        let rest = Checks { lost, silent_connections: 0, ..self.checks.clone() };
        !rest.passed()
    }
}

/// How a load was served while one client more sent and never read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BesideNonReader {
    /// How the others were served.
    #[serde(flatten)]
    pub service: Service,
    /// Their rate, by that without the one; `None` if that was zero.
    pub rate_ratio: Option<f64>,
    /// What the one had sent before the load began.
    pub non_reader_sent_bytes: u64,
    /// True if the server took nothing from it any more.
    pub non_reader_held_up: bool,
}

impl BesideNonReader {
    pub(super) fn new(service: Service, without: &Service, non_reader: &NonReader) -> BesideNonReader {
        let ratio = service.rate_per_s / without.rate_per_s;
        BesideNonReader {
            service,
            rate_ratio: ratio.is_finite().then(|| (ratio * 1_000.0).round() / 1_000.0),
            non_reader_sent_bytes: non_reader.sent_bytes,
            non_reader_held_up: non_reader.held_up,
        }
    }
}

/// The figures of one model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelReport {
    /// Its name.
    pub model: &'static str,
    /// Under load.
    pub load: Service,
    /// With idle connections; `None` if Ctrl-C came before.
    pub idle: Option<Idle>,
    /// Under load, beside a client that never reads; `None` if Ctrl-C came before.
    pub beside_non_reader: Option<BesideNonReader>,
    /// The figures in a sentence.
    pub sentence: String,
    /// True if every reply was right, and nobody waited but where the model has one client served at a time.
    pub passed: bool,
}

impl ModelReport {
    pub(super) fn new(
        model: Model,
        load: Service,
        idle: Option<Idle>,
        beside: Option<BesideNonReader>,
        depth: usize,
    ) -> ModelReport {
        let serves_all = model != Model::Iterative;
        let fails =
            |service: &Service| service.is_wrong(depth) || (serves_all && service.waiting_connections > 0);
        let failed = fails(&load) || beside.as_ref().is_some_and(|beside| fails(&beside.service));
        let passed = load.replies > 0 && !failed;
        let sentence = sentence::sentence(&load, idle.as_ref(), beside.as_ref());
        ModelReport { model: model.name(), load, idle, beside_non_reader: beside, sentence, passed }
    }
}

/// The models beside each other.
#[derive(Clone, Debug, Serialize)]
pub struct ModelsReport {
    /// The load, the same for each.
    #[serde(flatten)]
    pub load: Load,
    /// Connections that were to be idle together.
    pub idle_connections: usize,
    /// Ctrl-C ended it before its time: what was not measured is left out.
    pub interrupted: bool,
    /// The models, as they were measured.
    pub models: Vec<ModelReport>,
}

impl Report for ModelsReport {
    fn blocks(&self) -> Vec<Block> {
        let Load { connections, depth, size_bytes, .. } = self.load;
        let mut blocks = vec![Block::Text(format!(
            "{}, depth {depth}, {} each; {} idle",
            counted(connections as u64, "connection"),
            counted(size_bytes as u64, "byte"),
            Grouped(self.idle_connections as u64),
        ))];
        if !self.models.is_empty() {
            blocks.push(Block::Table(self.table()));
        }
        for model in &self.models {
            let text = format!("{}: {}", model.model, model.sentence);
            blocks.extend([Block::Text(String::new()), Block::Text(text)]);
        }
        blocks.extend(self.notes().into_iter().map(Block::Text));
        blocks
    }

    fn succeeded(&self) -> bool {
        !self.models.is_empty() && self.models.iter().all(|model| model.passed)
    }
}

impl ModelsReport {
    /// A column for each model: what is compared stands side by side.
    fn table(&self) -> Table {
        let columns = self.models.iter().map(|model| Column { title: model.model, right: true });
        let first = Column { title: "", right: false };
        let mut table = Table { columns: [first].into_iter().chain(columns).collect(), rows: Vec::new() };
        let rows: [(&str, Cell); 10] = [
            ("clients served", |m| Some(m.load.served())),
            ("replies/s", |m| Some(whole(m.load.rate_per_s).to_string())),
            ("p99, us", |m| m.load.p99_us.map(whole_or_tenth)),
            ("CPU per reply, us", |m| m.load.cpu_us_per_reply.map(whole_or_tenth)),
            ("one client never reads: replies/s", |m| {
                Some(whole(m.beside_non_reader.as_ref()?.service.rate_per_s).to_string())
            }),
            ("one client never reads: p99, us", |m| {
                m.beside_non_reader.as_ref()?.service.p99_us.map(whole_or_tenth)
            }),
            ("idle: clients served", |m| m.idle.as_ref().map(Idle::served)),
            ("idle: threads without, with", |m| {
                let idle = m.idle.as_ref()?;
                Some(format!("{}, {}", idle.threads_without?, idle.threads_with?))
            }),
            ("idle: memory for each", |m| m.idle.as_ref()?.memory_per_connection_bytes.map(byte_count)),
            ("idle: CPU", |m| m.idle.as_ref()?.cpu_utilisation.map(percent)),
        ];
        for (name, cell) in rows {
            let cells = self.models.iter().map(|model| cell(model).unwrap_or_else(|| ABSENT.to_owned()));
            table.rows.push([name.to_owned()].into_iter().chain(cells).collect());
        }
        table
    }

    fn notes(&self) -> Vec<String> {
        let limited: Vec<&str> = self
            .models
            .iter()
            .filter(|model| model.load.limit == Limit::Generator)
            .map(|model| model.model)
            .collect();
        let mut notes = Vec::new();
        if !limited.is_empty() {
            notes.push(format!(
                "limit: the generator itself for {}; a server may be able to do more than that",
                limited.join(", ")
            ));
        }
        if self.interrupted {
            notes.push("interrupted: what was not measured is left out".to_owned());
        }
        if self.models.iter().any(|model| !model.passed) {
            notes.push(format!("check: {}", self.wrongs().join("; ")));
        }
        if !notes.is_empty() {
            notes.insert(0, String::new());
        }
        notes
    }

    fn wrongs(&self) -> Vec<String> {
        let wrong = self.models.iter().filter(|model| !model.passed);
        wrong
            .map(|model| {
                let checks = |service: &Service| service.checks.verdict("reply", false, None);
                let beside = model.beside_non_reader.as_ref().map_or(String::new(), |beside| {
                    format!("; beside a client that never reads: {}", checks(&beside.service))
                });
                format!("{}: {}{beside}", model.model, checks(&model.load))
            })
            .collect()
    }
}

/// A figure of a model as text; `None` where there is none.
type Cell = fn(&ModelReport) -> Option<String>;
/// What a system does not tell.
const ABSENT: &str = "-";

impl Service {
    fn served(&self) -> String {
        let all = self.served_connections + self.waiting_connections;
        format!("{} of {}", Grouped(self.served_connections as u64), Grouped(all as u64))
    }
}

impl Idle {
    fn served(&self) -> String {
        format!("{} of {}", Grouped(self.served_connections as u64), Grouped(self.connections as u64))
    }
}

/// A share of a processor.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

impl fmt::Display for ModelsEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModelsEvent::Progress { what, .. } => f.write_str(what),
            ModelsEvent::Load { model, service } => write!(f, "{model}: {service}"),
            ModelsEvent::BesideNonReader { model, beside } => {
                write!(f, "{model}, beside a client that never reads: {}", beside.service)
            }
            ModelsEvent::Idle { model, idle } => {
                let memory = idle.memory_per_connection_bytes.map(byte_count);
                let memory = memory.map(|memory| format!(", {memory} each")).unwrap_or_default();
                write!(f, "{model}, idle: {} served{memory}", idle.served())
            }
            ModelsEvent::Summary(_) => f.write_str("done"),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} served, {}/s", self.served(), whole(self.rate_per_s))?;
        self.p99_us.iter().try_for_each(|p99| write!(f, ", p99 {} us", whole_or_tenth(*p99)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(served: usize, waiting: usize, lost: u64) -> Service {
        Service {
            replies: 10,
            rate_per_s: 10.0,
            p50_us: Some(1.0),
            p99_us: Some(1.0),
            served_connections: served,
            waiting_connections: waiting,
            cpu_us_per_reply: None,
            cpu_utilisation: None,
            limit: Limit::Unknown,
            checks: Checks { lost, silent_connections: waiting, ..Checks::default() },
        }
    }

    #[test]
    fn waiting_is_what_the_iterative_model_promises_and_nobody_elses_right() {
        let passed = |model, service| ModelReport::new(model, service, None, None, 2).passed;
        assert!(passed(Model::Iterative, service(1, 3, 6)));
        assert!(!passed(Model::Threads, service(1, 3, 6)));
        assert!(!passed(Model::Iterative, service(1, 3, 7)), "one of the served client's own is lost");
        assert!(passed(Model::EventLoop, service(4, 0, 0)));
        let corrupted = Checks { corrupted: 1, ..Checks::default() };
        assert!(!passed(Model::EventLoop, Service { checks: corrupted, ..service(4, 0, 0) }));
        assert!(!passed(Model::EventLoop, Service { replies: 0, ..service(4, 0, 0) }));
    }

    #[test]
    fn what_is_not_known_is_a_dash_and_never_a_zero() {
        let model = ModelReport::new(Model::Threads, service(4, 0, 0), None, None, 1);
        let load = Load { connections: 4, depth: 1, size_bytes: 1, asked_rate_per_s: None };
        let report = ModelsReport { load, idle_connections: 5, interrupted: true, models: vec![model] };
        let rows = report.table().rows;
        let cell = |name: &str| rows.iter().find(|row| row[0] == name).map(|row| row[1].as_str());
        assert_eq!((cell("CPU per reply, us"), cell("replies/s")), (Some(ABSENT), Some("10")));
        assert!(["idle: CPU", "idle: memory for each"].iter().all(|name| cell(name) == Some(ABSENT)));
        assert_eq!(serde_json::to_value(&report.models[0]).unwrap()["idle"], serde_json::Value::Null);
    }
}
