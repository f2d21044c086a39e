//! The ways to count, and the race that tries each: all threads start at a barrier and add 1 to one
//! `num_clients`, over and over. What is missing at the end was lost.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Plan;
use super::semaphore::Semaphore;

/// A way to add 1 to the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Read, then write: nothing holds the others off in between.
    Unprotected,
    /// The same two steps, inside a mutex.
    Mutex,
    /// The same two steps, behind a semaphore with one permit: a lock by another name.
    #[serde(rename = "semaphore_1")]
    SemaphoreOf1,
    /// The same two steps, behind a semaphore with two permits: a limit, and no lock.
    #[serde(rename = "semaphore_2")]
    SemaphoreOf2,
    /// One step instead of two: the processor's own atomic addition.
    FetchAdd,
}

impl Method {
    /// Every way, in the order of the lesson.
    pub const ALL: [Method; 5] =
        [Method::Unprotected, Method::Mutex, Method::SemaphoreOf1, Method::SemaphoreOf2, Method::FetchAdd];

    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Method::Unprotected => "unprotected",
            Method::Mutex => "mutex",
            Method::SemaphoreOf1 => "semaphore, 1 permit",
            Method::SemaphoreOf2 => "semaphore, 2 permits",
            Method::FetchAdd => "fetch_add",
        }
    }

    /// True if it promises that nothing is lost.
    #[must_use]
    pub fn is_safe(self) -> bool {
        matches!(self, Method::Mutex | Method::SemaphoreOf1 | Method::FetchAdd)
    }
}

/// What one way of counting came to.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Count {
    /// The way.
    pub method: Method,
    /// Clients that the threads counted.
    pub expected: u64,
    /// What `num_clients` said in the end.
    pub counted: u64,
    /// The difference: updates that another thread overwrote.
    pub lost: u64,
    /// The most threads that stood between their read and their write at one time; 0 where nothing is between.
    pub most_inside: usize,
    /// How long the race took, from the barrier to the last thread's end.
    pub duration_us: u64,
}

/// What the threads share.
struct Shared {
    num_clients: AtomicU64,
    inside: AtomicUsize,
    most_inside: AtomicUsize,
    mutex: Mutex<()>,
    one: Semaphore,
    two: Semaphore,
}

impl Shared {
    fn new() -> Shared {
        Shared {
            num_clients: AtomicU64::new(0),
            inside: AtomicUsize::new(0),
            most_inside: AtomicUsize::new(0),
            mutex: Mutex::new(()),
            one: Semaphore::new(1),
            two: Semaphore::new(2),
        }
    }

    fn count(&self, method: Method) {
        match method {
            Method::Unprotected => self.read_then_write(),
            Method::Mutex => {
                let _held = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
                self.read_then_write();
            }
            Method::SemaphoreOf1 => {
                let _permit = self.one.acquire();
                self.read_then_write();
            }
            Method::SemaphoreOf2 => {
                let _permit = self.two.acquire();
                self.read_then_write();
            }
            Method::FetchAdd => {
                self.num_clients.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// `num_clients = num_clients + 1`, as two steps. The yield stands for whatever a server does in between;
    /// without it the mistake is the same, and rarer.
    fn read_then_write(&self) {
        let inside = self.inside.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_inside.fetch_max(inside, Ordering::Relaxed);
        let seen = self.num_clients.load(Ordering::Relaxed);
        thread::yield_now();
        self.num_clients.store(seen + 1, Ordering::Relaxed);
        self.inside.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Count {
    /// Races the threads, all of them counting in this way.
    #[must_use]
    pub fn race(method: Method, plan: Plan) -> Count {
        let shared = Shared::new();
        let barrier = Barrier::new(plan.threads + 1);
        let duration = thread::scope(|scope| {
            for _ in 0..plan.threads {
                scope.spawn(|| {
                    barrier.wait();
                    (0..plan.updates).for_each(|_| shared.count(method));
                });
            }
            barrier.wait();
            Instant::now()
        })
        .elapsed();
        Count::of(method, plan, &shared, duration)
    }

    fn of(method: Method, plan: Plan, shared: &Shared, duration: Duration) -> Count {
        let expected = plan.threads as u64 * plan.updates;
        let counted = shared.num_clients.load(Ordering::Relaxed);
        Count {
            method,
            expected,
            counted,
            lost: expected - counted,
            most_inside: shared.most_inside.load(Ordering::Relaxed),
            duration_us: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// True if the way kept its promise, or showed that it has none to keep.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        match self.method {
            Method::Unprotected => self.lost > 0,
            // Two inside at once may lose, and need not.
            Method::SemaphoreOf2 => true,
            Method::Mutex | Method::SemaphoreOf1 | Method::FetchAdd => self.lost == 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan { threads: 8, updates: 500 };

    #[test]
    fn a_hundred_races_lose_without_a_lock_and_never_with_one() {
        for _ in 0..100 {
            for method in Method::ALL {
                let count = Count::race(method, PLAN);
                assert!(count.as_expected(), "{count:?}");
            }
        }
    }

    #[test]
    fn a_lock_lets_one_inside_and_a_limit_as_many_as_it_says() {
        let inside = |method| Count::race(method, PLAN).most_inside;
        assert_eq!((inside(Method::Mutex), inside(Method::SemaphoreOf1)), (1, 1));
        assert!(inside(Method::SemaphoreOf2) <= 2);
        assert!(inside(Method::Unprotected) > 1);
        assert_eq!(inside(Method::FetchAdd), 0);
    }
}
