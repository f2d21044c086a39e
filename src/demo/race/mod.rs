//! The lost update: threads count their clients in one `num_clients`, and some of the clients vanish.
//!
//! | file           | what it holds                                                      |
//! |----------------|--------------------------------------------------------------------|
//! | `counting.rs`  | the ways to count, and the race of threads that tries each of them |
//! | `semaphore.rs` | a counting semaphore, which the standard library does not have     |
//! | `timeline.rs`  | one real interleaving of two threads, step by step                 |
//! | `broadcast.rs` | telling every thread something: one slot against a queue for each  |
//! | `summary.rs`   | the report                                                         |
//!
//! Rust's compiler refuses the data race of the textbooks, two threads at one plain variable. The lost update
//! is not a data race, it is a mistake in logic, and safe Rust can make it: read an atomic, let others run,
//! write it back. Each of the two accesses is whole; what is between them is not protected.

mod broadcast;
mod counting;
mod semaphore;
mod summary;
mod timeline;

pub use self::broadcast::{Broadcast, Channel};
pub use self::counting::{Count, Method};
pub use self::summary::RaceReport;
pub use self::timeline::{Action, Step, Timeline};

/// The most threads that a race may have: far more than any machine of a class has processors.
pub const MAX_THREADS: usize = 64;
/// The most updates of one thread: a race of `MAX_THREADS` stays within a minute.
pub const MAX_UPDATES: u64 = 100_000;

/// What to race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How many threads; 2 to [`MAX_THREADS`].
    pub threads: usize,
    /// How many clients each thread counts; 1 to [`MAX_UPDATES`].
    pub updates: u64,
}

/// How many processors the threads may run on, where the system says it.
#[must_use]
pub fn processors() -> Option<usize> {
    std::thread::available_parallelism().ok().map(usize::from)
}
