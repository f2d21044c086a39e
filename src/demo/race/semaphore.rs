//! A counting semaphore: at most so many threads inside at once. A mutex for a number, and a condition to wait
//! on; the standard library has the two but not the sum.

use std::sync::{Condvar, Mutex, PoisonError};

/// At most `permits` threads hold a permit at once.
#[derive(Debug)]
pub(super) struct Semaphore {
    free: Mutex<usize>,
    returned: Condvar,
}

/// The right to be inside; it goes back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit<'a>(&'a Semaphore);

impl Semaphore {
    pub(super) fn new(permits: usize) -> Semaphore {
        Semaphore { free: Mutex::new(permits), returned: Condvar::new() }
    }

    /// Waits until a permit is free.
    pub(super) fn acquire(&self) -> Permit<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = self.returned.wait_while(free, |free| *free == 0);
        *taken.unwrap_or_else(PoisonError::into_inner) -= 1;
        Permit(self)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.returned.notify_one();
    }
}
