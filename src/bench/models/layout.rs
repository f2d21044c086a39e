//! How the comparison is laid out: a table with a column for each model, a sentence for each, what to beware of.

use super::report::percent;
use super::{Idle, ModelReport, ModelsReport, Service};
use crate::bench::cpu::Limit;
use crate::bench::report::{Load, whole, whole_or_tenth};
use crate::report::{Block, Column, Report, Table};
use crate::text::{Grouped, byte_count, counted};

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
        let columns =
            self.models.iter().map(|model| Column { title: model.model.into(), right: true, whole: false });
        let first = Column { title: "".into(), right: false, whole: false };
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

#[cfg(test)]
mod tests {
    use super::super::report::tests::service;
    use super::*;
    use crate::echo::tcp_server::Model;

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
