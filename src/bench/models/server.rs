//! A server in a process of its own, on a port of its own choice.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::BenchError;
use crate::net::ServerEvent;
use crate::net::table::{Holdings, Process};
use crate::process::{Child, Program};
use crate::text::escape;

/// How long a server may take to listen: on a machine that is busy, a process starts slowly.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// How often it is looked whether it does.
const LOOK: Duration = Duration::from_millis(2);
/// How long what a process holds must stay the same to be taken for settled, and how often that is tried.
const SETTLED: Duration = Duration::from_millis(20);
const TRIES: u32 = 50;

/// A server that runs. It ends when this is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) process: Process,
    _child: Child,
}

impl Server {
    /// Starts one, and waits until it says where it listens.
    pub(super) fn start(program: &Program) -> Result<Server, BenchError> {
        let mut child = program.spawn()?;
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let ended = child.exited().is_some();
            let said = child.stdout().head;
            if let Some(end) = said.iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&said[..end]);
                let address = ServerEvent::listening_address(&line)
                    .ok_or_else(|| BenchError::NotReady(escape(&said[..end])))?;
                let process = Process { pid: child.pid(), ..Process::own() };
                return Ok(Server { address, process, _child: child });
            }
            let complaint = child.stderr();
            if (ended && complaint.ended) || Instant::now() >= deadline {
                return Err(BenchError::NotReady(escape(complaint.head.trim_ascii_end())));
            }
            thread::sleep(LOOK);
        }
    }

    /// What it holds, once that has stopped changing: threads end a moment after their clients.
    pub(super) fn holdings(&self) -> Option<Holdings> {
        let mut before = self.process.holdings()?;
        for _ in 0..TRIES {
            thread::sleep(SETTLED);
            let now = self.process.holdings()?;
            if now == before {
                break;
            }
            before = now;
        }
        Some(before)
    }
}
