//! What the load costs: processor time of the server, if it runs on this machine, and of netlab itself.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::net::is_local_ip;
use crate::net::table::{self, Process, Transport};

/// A process that used its one thread for so much of the time had no more to give.
const BUSY: f64 = 0.95;

/// Systems count processor time in steps of 10 ms: a shorter load would be measured in a handful of steps.
const SHORTEST: Duration = Duration::from_millis(100);

/// Processor time of one process during the load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Usage {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Processor seconds a second: 1 is one processor that did nothing else.
    pub utilisation: f64,
    /// Processor time for each reply, in microseconds.
    pub us_per_reply: f64,
}

/// Who had no more to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The server: the figures are its own.
    Server,
    /// The generator: a better one would get more out of the server.
    Generator,
    /// Neither: the time goes into waiting.
    Neither,
    /// The system does not tell.
    Unknown,
}

/// Both sides' processor time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cpu {
    /// The server's, if its process was found.
    // Simplification: one process. Of a server of several, only the one that holds the listener is counted.
    pub server: Option<Usage>,
    /// netlab's own.
    pub generator: Option<Usage>,
    /// Who was the limit.
    pub limit: Limit,
}

/// Reads clocks of processor time twice.
#[derive(Debug)]
pub(super) struct Watch {
    began: Instant,
    server: Option<(Process, Duration)>,
    generator: Option<(Process, Duration)>,
}

/// The process that serves on `addr`, if that is this machine's.
pub(super) fn server_of(transport: Transport, addr: SocketAddr) -> Option<Process> {
    if !is_local_ip(addr.ip()) {
        return None;
    }
    let row = table::holder(transport, addr).ok()??;
    table::process(&row)
}

impl Watch {
    /// Notes what the processes have used so far.
    pub(super) fn start(server: Option<&Process>) -> Watch {
        let clock = |process: &Process| Some((process.clone(), process.cpu_time()?));
        let generator = clock(&Process::own());
        Watch { began: Instant::now(), server: server.and_then(clock), generator }
    }

    /// What they have used since then, for so many replies.
    pub(super) fn read(&self, replies: u64) -> Cpu {
        let elapsed = self.began.elapsed();
        if elapsed < SHORTEST {
            return Cpu { server: None, generator: None, limit: Limit::Unknown };
        }
        let usage = |watched: &Option<(Process, Duration)>| {
            let (process, before) = watched.as_ref()?;
            Some(usage(process, process.cpu_time()?.saturating_sub(*before), elapsed, replies))
        };
        let (server, generator) = (usage(&self.server), usage(&self.generator));
        let limit = limit(server.as_ref(), generator.as_ref());
        Cpu { server, generator, limit }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rounded figure")]
fn usage(process: &Process, used: Duration, elapsed: Duration, replies: u64) -> Usage {
    let rounded = |x: f64| (x * 1_000.0).round() / 1_000.0;
    Usage {
        pid: process.pid,
        name: process.name.clone(),
        utilisation: rounded(used.as_secs_f64() / elapsed.as_secs_f64().max(1e-9)),
        us_per_reply: rounded(used.as_secs_f64() * 1e6 / replies.max(1) as f64),
    }
}

fn limit(server: Option<&Usage>, generator: Option<&Usage>) -> Limit {
    let busy = |usage: &Usage| usage.utilisation >= BUSY;
    match (server.map(busy), generator.map(busy)) {
        // Both: with a faster generator the server would still be busy all the time.
        (Some(true), _) => Limit::Server,
        (_, Some(true)) => Limit::Generator,
        (Some(false), Some(false)) => Limit::Neither,
        _ => Limit::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_whoever_had_no_more_to_give() {
        let of = |utilisation: f64| {
            usage(&Process::own(), Duration::from_secs_f64(utilisation), Duration::from_secs(1), 1_000)
        };
        assert_eq!(limit(Some(&of(0.99)), Some(&of(0.4))), Limit::Server);
        assert_eq!(limit(Some(&of(0.99)), Some(&of(0.99))), Limit::Server);
        assert_eq!(limit(Some(&of(0.5)), Some(&of(0.97))), Limit::Generator);
        assert_eq!(limit(None, Some(&of(0.97))), Limit::Generator);
        assert_eq!(limit(Some(&of(0.5)), Some(&of(0.5))), Limit::Neither);
        assert_eq!(limit(None, Some(&of(0.5))), Limit::Unknown);
        assert!((of(0.5).us_per_reply - 500.0).abs() < 1e-6);
    }
}
