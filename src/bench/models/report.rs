//! What the comparison of the models reports: plain data. Measures nothing.

use std::fmt;

use serde::Serialize;

use super::non_reader::NonReader;
use super::{Idle, sentence};
use crate::bench::cpu::{Limit, Usage};
use crate::bench::report::{Checks, EchoReport, Load, whole, whole_or_tenth};
use crate::echo::tcp_server::Model;
use crate::text::{Grouped, byte_count};

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
    /// The server's processor time for a reply; `None` where the system does not tell, or counts too coarsely.
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
        // Replies take time: where none is counted, it is less than the system's smallest step.
        let counted = |usage: &&Usage| usage.us_per_reply > 0.0 || measured.replies == 0;
        let usage = measured.cpu.as_ref().and_then(|cpu| cpu.server.as_ref()).filter(counted);
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

impl Service {
    pub(super) fn served(&self) -> String {
        let all = self.served_connections + self.waiting_connections;
        format!("{} of {}", Grouped(self.served_connections as u64), Grouped(all as u64))
    }
}

impl Idle {
    pub(super) fn served(&self) -> String {
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
pub(super) mod tests {
    use super::*;

    pub(in crate::bench::models) fn service(served: usize, waiting: usize, lost: u64) -> Service {
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
}
