//! The threads on which slow work is done: one for the disk, one for argon2.
//!
//! ```text
//! event loop ── try_submit(ticket, job) ──► bounded queue ──► worker: a batch of jobs, one fsync of the
//!     ▲                                                       folder, one write of the index
//!     └── drain() ◄── completions ◄──────── notify() ◄────────┘
//! ```
//! It stands apart because here, and only here, the store meets threads and the clock. A full queue is said
//! at once ([`Busy`]): the caller never waits. The disk's thread also refreshes old records when it is time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::protocol::names::ClientId;
use crate::service::{Done, Job, Ticket};

use super::disk::Disk;
use super::error::StoreError;
use super::passwords::verify_password;
use super::records::{Records, Refreshed};
use super::stamp::Stamp;

/// Jobs that wait for the disk: a moment's work for a healthy one.
const DISK_QUEUE: usize = 256;
/// Passwords that wait: at some 20 ms each, more would answer after the login's time is over.
const PASSWORD_QUEUE: usize = 64;
/// Jobs that share one fsync of the folder and one write of the index, and records refreshed at a time. A
/// large batch would make its first job wait for its last.
const BATCH: usize = 64;

/// Called when there are completions, from a worker's thread: wakes whoever drains them.
pub type Notify = Arc<dyn Fn() + Send + Sync>;

/// The queue is full (or its worker died): nothing was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue is full")]
pub struct Busy;

/// What the workers have to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// A job is done.
    Finished(Ticket, Done),
    /// Records got a new stamp, or were found to be none any more; never empty.
    Refreshed(Refreshed),
    /// The disk refused a refresh; it is tried again after the usual time.
    RefreshFailed {
        /// What it refused.
        reason: String,
    },
    /// The index could not be written; the records are safe, and it is tried again with the next write.
    IndexFailed {
        /// Why.
        reason: String,
    },
}

/// When records are refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// How often the index is looked at (`UPDATE_TIMER`).
    pub every: Duration,
    /// How old a stamp may get (`UPDATE_TRESH`).
    pub threshold: Duration,
}

/// Both workers, with the queues in front of them and the one behind. Dropped, they finish what is queued.
#[derive(Debug)]
pub struct Workers {
    disk: Option<SyncSender<(Ticket, Job)>>,
    passwords: Option<SyncSender<(Ticket, Job)>>,
    completions: Receiver<Completion>,
    records: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts them. `clock` is [`Stamp::now`] outside tests.
    ///
    /// # Errors
    /// A system without threads to give.
    pub fn start<D>(
        records: Records<D>,
        refresh: Refresh,
        clock: impl Fn() -> Stamp + Send + 'static,
        notify: Notify,
    ) -> std::io::Result<Workers>
    where
        D: Disk + Send + 'static,
        D::File: Send,
    {
        let (disk, disk_jobs) = mpsc::sync_channel(DISK_QUEUE);
        let (passwords, password_jobs) = mpsc::sync_channel(PASSWORD_QUEUE);
        let (sender, completions) = mpsc::channel();
        let count = Arc::new(AtomicUsize::new(records.len()));
        let out = Out { completions: sender, notify };
        let worker = DiskWorker { records, refresh, clock, count: count.clone(), out: out.clone() };
        // From here on a failed start drops the queues, which ends the thread that did start.
        let threads = vec![
            thread::Builder::new().name("disk".into()).spawn(move || worker.run(&disk_jobs))?,
            thread::Builder::new()
                .name("passwords".into())
                .spawn(move || verify_all(&password_jobs, &out))?,
        ];
        Ok(Workers { disk: Some(disk), passwords: Some(passwords), completions, records: count, threads })
    }

    /// Hands in a job. Its outcome comes out of [`drain`](Self::drain) under the same ticket.
    ///
    /// # Errors
    /// The queue is full; nothing will come out.
    pub fn try_submit(&self, ticket: Ticket, job: Job) -> Result<(), Busy> {
        let queue = match job {
            Job::VerifyPassword { .. } => &self.passwords,
            Job::WriteRecord { .. } | Job::ReadRecord { .. } => &self.disk,
        };
        queue.as_ref().ok_or(Busy)?.try_send((ticket, job)).map_err(|_| Busy)
    }

    /// What has happened since the last time; does not wait.
    pub fn drain(&self) -> impl Iterator<Item = Completion> {
        self.completions.try_iter()
    }

    /// How many records there are.
    #[must_use]
    pub fn records(&self) -> usize {
        self.records.load(Ordering::Relaxed)
    }

    /// Takes no more jobs, waits until the queued ones are done, and returns what was not drained yet.
    #[must_use]
    pub fn finish(mut self) -> Vec<Completion> {
        self.join();
        self.completions.try_iter().collect()
    }

    fn join(&mut self) {
        // Without a sender a worker's queue ends once it is empty.
        self.disk = None;
        self.passwords = None;
        for thread in self.threads.drain(..) {
            // A worker that panicked has said so on stderr; its queue is gone with it.
            let _ = thread.join();
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.join();
    }
}

/// Where outcomes go.
#[derive(Clone)]
struct Out {
    completions: Sender<Completion>,
    notify: Notify,
}

impl Out {
    fn send(&self, completions: Vec<Completion>) {
        if !completions.is_empty() {
            for completion in completions {
                // Whoever drops the receiver wants to know nothing more.
                let _ = self.completions.send(completion);
            }
            (self.notify)();
        }
    }
}

fn verify_all(jobs: &Receiver<(Ticket, Job)>, out: &Out) {
    for (ticket, job) in jobs {
        if let Job::VerifyPassword { password, hash } = job {
            let right = verify_password(&password, hash.as_deref());
            out.send(vec![Completion::Finished(ticket, Done::Verified(right))]);
        }
    }
}

struct DiskWorker<D: Disk, C> {
    records: Records<D>,
    refresh: Refresh,
    clock: C,
    count: Arc<AtomicUsize>,
    out: Out,
}

impl<D: Disk, C: Fn() -> Stamp> DiskWorker<D, C> {
    fn run(mut self, jobs: &Receiver<(Ticket, Job)>) {
        let mut due = Instant::now() + self.refresh.every;
        // A refresh of many records is done in parts, between which jobs have their turn. They all get the
        // stamp of its start, by which the next part knows them.
        let mut begun = None;
        loop {
            match jobs.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(first) => self.batch(std::iter::once(first).chain(jobs.try_iter()).take(BATCH)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if Instant::now() >= due {
                let (now, after) = begun.take().unwrap_or_else(|| ((self.clock)(), None));
                match self.refresh_part(now, after.as_ref()) {
                    Some(last) => begun = Some((now, Some(last))),
                    None => due = Instant::now() + self.refresh.every,
                }
            }
        }
    }

    /// Does a batch of jobs. What was written is acknowledged once all of it is on disk, not before.
    fn batch(&mut self, jobs: impl Iterator<Item = (Ticket, Job)>) {
        let mut outcomes: Vec<(Ticket, Done)> =
            jobs.map(|(ticket, job)| (ticket, self.handle(job))).collect();
        let mut failed = None;
        if outcomes.iter().any(|(_, done)| is_written(done)) {
            if let Err(error) = self.records.settle() {
                outcomes
                    .iter_mut()
                    .filter(|(_, done)| is_written(done))
                    .for_each(|(_, done)| *done = refused(&error));
            }
            failed = self.records.write_index().err();
        }
        self.count.store(self.records.len(), Ordering::Relaxed);
        let mut out: Vec<Completion> =
            outcomes.into_iter().map(|(ticket, done)| Completion::Finished(ticket, done)).collect();
        out.extend(failed.map(|error| Completion::IndexFailed { reason: describe(&error) }));
        self.out.send(out);
    }

    fn handle(&mut self, job: Job) -> Done {
        match job {
            Job::WriteRecord { id, text } => {
                let now = (self.clock)();
                match self.records.put(&id, &text, now) {
                    Ok(()) => Done::Written { updated: now.to_string() },
                    Err(error) => refused(&error),
                }
            }
            Job::ReadRecord { id } => match self.records.get(&id) {
                Ok(Some(record)) => Done::Read { updated: record.updated.to_string(), text: record.text },
                Ok(None) => Done::NoSuchRecord,
                Err(error) => refused(&error),
            },
            Job::VerifyPassword { .. } => unreachable!("passwords have a queue of their own"),
        }
    }

    /// Refreshes a batch of records behind `after`; returns the last one if there may be more.
    fn refresh_part(&mut self, now: Stamp, after: Option<&ClientId>) -> Option<ClientId> {
        let result = self.records.refresh(now, self.refresh.threshold, BATCH, after);
        self.count.store(self.records.len(), Ordering::Relaxed);
        let completion = match result {
            Ok(refreshed) if refreshed.is_empty() => return None,
            Ok(refreshed) => Completion::Refreshed(refreshed),
            Err(error) => Completion::RefreshFailed { reason: describe(&error) },
        };
        let last = match &completion {
            Completion::Refreshed(refreshed) => refreshed.last.clone(),
            _ => None,
        };
        self.out.send(vec![completion]);
        last
    }
}

fn is_written(done: &Done) -> bool {
    matches!(done, Done::Written { .. })
}

fn refused(error: &StoreError) -> Done {
    Done::StoreFailed { reason: error.reason() }
}

/// For the operator, who may know the path.
fn describe(error: &StoreError) -> String {
    format!("{error}: {}", error.source)
}

#[cfg(test)]
mod tests;
