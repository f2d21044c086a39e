//! A model's figures in a sentence. What it says is read off the figures; the model's name is not known here.

use super::report::percent;
use super::{BesideNonReader, Idle, Service};
use crate::bench::report::{whole, whole_or_tenth};
use crate::text::{Grouped, byte_count, counted};

/// A rate that changes by less than this from run to run is the same.
const SAME_RATE: f64 = 0.7;

/// The figures in a sentence.
pub(super) fn sentence(load: &Service, idle: Option<&Idle>, beside: Option<&BesideNonReader>) -> String {
    let non_reader = beside.and_then(|beside| of_non_reader(load, beside));
    let parts = [Some(of_load(load)), idle.and_then(of_threads), idle.and_then(of_cpu), non_reader];
    let mut text = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
    text.push('.');
    text
}

fn of_load(load: &Service) -> String {
    let Service { served_connections, waiting_connections, .. } = *load;
    let speed = match load.p99_us {
        Some(p99) => format!(" ({}/s, p99 {} us)", whole(load.rate_per_s), whole_or_tenth(p99)),
        None => String::new(),
    };
    match (served_connections as u64, waiting_connections as u64) {
        (0, _) => "nobody was served".to_owned(),
        (served, 0) => format!("{} served at the same time{speed}", were(served)),
        (served, waiting) => {
            format!("{} served{speed}, {} waited in vain", were(served), Grouped(waiting))
        }
    }
}

/// `1 client was`, `50 clients were`.
fn were(clients: u64) -> String {
    format!("{} {}", counted(clients, "client"), if clients == 1 { "was" } else { "were" })
}

fn of_threads(idle: &Idle) -> Option<String> {
    let (connections, served) = (idle.connections as u64, idle.served_connections as u64);
    if served < connections {
        return Some(format!("of {} idle clients, {} served", Grouped(connections), were_of(served)));
    }
    let more = idle.threads_with?.saturating_sub(idle.threads_without?);
    let threads = match more {
        0 => "no thread more".to_owned(),
        more if more == served => "a thread more for each".to_owned(),
        more => format!("{} more in all", counted(more, "thread")),
    };
    let memory = idle.memory_per_connection_bytes.map(|bytes| format!(" and {} each", byte_count(bytes)));
    Some(format!("{} idle clients cost {threads}{}", Grouped(served), memory.unwrap_or_default()))
}

fn were_of(clients: u64) -> String {
    format!("{} {}", Grouped(clients), if clients == 1 { "was" } else { "were" })
}

fn of_cpu(idle: &Idle) -> Option<String> {
    Some(format!("while all are silent it uses {} of a CPU", percent(idle.cpu_utilisation?)))
}

fn of_non_reader(load: &Service, beside: &BesideNonReader) -> Option<String> {
    if beside.service.replies == 0 && load.replies > 0 {
        return Some("one client that never reads stops all others".to_owned());
    }
    let ratio = beside.rate_ratio?;
    let share = format!("{:.0} % of their rate", ratio * 100.0);
    Some(if ratio >= SAME_RATE {
        format!("one client that never reads leaves the others {share}")
    } else {
        format!("one client that never reads slows the others down, to {share}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Checks, Limit};

    fn service(served: usize, waiting: usize, rate_per_s: f64) -> Service {
        let p99_us = (rate_per_s > 0.0).then_some(250.0);
        Service {
            replies: if rate_per_s > 0.0 { 1_000 } else { 0 },
            rate_per_s,
            p50_us: p99_us,
            p99_us,
            served_connections: served,
            waiting_connections: waiting,
            cpu_us_per_reply: None,
            cpu_utilisation: None,
            limit: Limit::Unknown,
            checks: Checks::default(),
        }
    }

    fn idle(served: usize, threads: Option<(u64, u64)>, bytes: Option<u64>) -> Idle {
        Idle {
            connections: 100,
            served_connections: served,
            threads_without: threads.map(|t| t.0),
            threads_with: threads.map(|t| t.1),
            resident_without_bytes: None,
            resident_with_bytes: None,
            memory_per_connection_bytes: bytes,
            cpu_utilisation: bytes.map(|_| 0.0123),
        }
    }

    fn beside(service: Service, rate_ratio: f64) -> BesideNonReader {
        BesideNonReader {
            service,
            rate_ratio: Some(rate_ratio),
            non_reader_sent_bytes: 1,
            non_reader_held_up: true,
        }
    }

    #[test]
    fn the_sentence_follows_the_figures() {
        let cases = [
            (
                (service(1, 49, 2_000.0), idle(1, Some((4, 4)), None), beside(service(0, 50, 0.0), 0.0)),
                "1 client was served (2,000/s, p99 250 us), 49 waited in vain; of 100 idle clients, 1 was served; \
                 one client that never reads stops all others.",
            ),
            (
                (
                    service(50, 0, 2_000.0),
                    idle(100, Some((4, 104)), Some(9_000)),
                    beside(service(50, 0, 1_900.0), 0.95),
                ),
                "50 clients were served at the same time (2,000/s, p99 250 us); 100 idle clients cost a thread more \
                 for each and 9,000 B each; while all are silent it uses 1.23 % of a CPU; one client that never \
                 reads leaves the others 95 % of their rate.",
            ),
            (
                (
                    service(50, 0, 2_000.0),
                    idle(100, Some((4, 4)), Some(300)),
                    beside(service(50, 0, 800.0), 0.4),
                ),
                "50 clients were served at the same time (2,000/s, p99 250 us); 100 idle clients cost no thread more \
                 and 300 B each; while all are silent it uses 1.23 % of a CPU; one client that never reads slows \
                 the others down, to 40 % of their rate.",
            ),
            (
                (service(0, 2, 0.0), idle(100, None, None), beside(service(0, 2, 0.0), 0.0)),
                "nobody was served; one client that never reads slows the others down, to 0 % of their rate.",
            ),
        ];
        for ((load, idle, beside), expected) in cases {
            assert_eq!(sentence(&load, Some(&idle), Some(&beside)), expected);
        }
    }
}
