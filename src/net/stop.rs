//! Ctrl-C and SIGTERM, for loops that poll and for calls that block.
//!
//! ```text
//! running ──first signal, or request()──► stopping: every waker is called once, servers drain
//! stopping ──second signal──► exit 130 at once
//! ```
//! A thread waits for the signals, so that the same [`Stop`] ends the readiness loop (its waker is registered
//! here) and a thread that sits in `accept` or `recv` (its waker connects, or shuts down). Tests call
//! [`Stop::request`] instead of sending signals.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::os;

type Wake = Box<dyn FnOnce() + Send>;

/// Asks a server to stop. Clones share one state.
#[derive(Clone, Default)]
pub struct Stop {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    requested: AtomicBool,
    wakers: Mutex<Vec<(u64, Wake)>>,
}

impl Stop {
    /// A stop that nothing but [`request`](Stop::request) triggers.
    #[must_use]
    pub fn new() -> Stop {
        Stop::default()
    }

    /// A stop that the first Ctrl-C or SIGTERM triggers; the second one ends the process with 130.
    ///
    /// # Errors
    /// A system that refuses to install the handler.
    pub fn on_signals() -> std::io::Result<Stop> {
        let stop = Stop::new();
        let on_signal = stop.clone();
        os::watch_signals(move || {
            if on_signal.requested() {
                // The exit code that shells give a program which Ctrl-C ended.
                std::process::exit(130);
            }
            on_signal.request();
        })?;
        Ok(stop)
    }

    /// The same, and the terminal's end (SIGHUP) counts as a Ctrl-C: for who has child programs to end.
    ///
    /// # Errors
    /// A system that refuses to install the handler.
    pub fn on_signals_and_hangup() -> std::io::Result<Stop> {
        let stop = Stop::on_signals()?;
        let on_hangup = stop.clone();
        os::watch_hangup(move || on_hangup.request())?;
        Ok(stop)
    }

    /// True once the server shall stop.
    #[must_use]
    pub fn requested(&self) -> bool {
        self.state.requested.load(Ordering::SeqCst)
    }

    /// Asks for the stop. The first call calls every waker; later ones do nothing.
    pub fn request(&self) {
        if self.state.requested.swap(true, Ordering::SeqCst) {
            return;
        }
        let wakers = std::mem::take(&mut *self.wakers());
        for (_, wake) in wakers {
            wake();
        }
    }

    /// Has `wake` called when the stop is asked for, at once if it was. Forgotten when the guard is dropped.
    pub fn on_stop(&self, wake: impl FnOnce() + Send + 'static) -> StopGuard {
        let mut wakers = self.wakers();
        let id = wakers.last().map_or(0, |(id, _)| id + 1);
        if self.requested() {
            drop(wakers);
            wake();
        } else {
            wakers.push((id, Box::new(wake)));
        }
        StopGuard { stop: self.clone(), id }
    }

    fn wakers(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Wake)>> {
        // A waker that panicked leaves a list that is still a list.
        self.state.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stop").field("requested", &self.requested()).finish_non_exhaustive()
    }
}

/// Keeps a waker registered.
#[must_use = "the waker is forgotten when the guard is dropped"]
#[derive(Debug)]
pub struct StopGuard {
    stop: Stop,
    id: u64,
}

impl Drop for StopGuard {
    fn drop(&mut self) {
        self.stop.wakers().retain(|(id, _)| *id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn each_waker_is_called_once_and_a_late_one_at_once() {
        let (stop, calls) = (Stop::new(), Arc::new(AtomicUsize::new(0)));
        let count = |calls: &Arc<AtomicUsize>| {
            let calls = calls.clone();
            move || {
                calls.fetch_add(1, Ordering::SeqCst);
            }
        };
        let _kept = stop.on_stop(count(&calls));
        drop(stop.on_stop(count(&calls)));
        let _also_kept = stop.on_stop(count(&calls));
        stop.request();
        stop.request();
        assert_eq!(calls.load(Ordering::SeqCst), 2, "the dropped one is forgotten");
        let _late = stop.on_stop(count(&calls));
        assert_eq!(calls.load(Ordering::SeqCst), 3);
    }
}
