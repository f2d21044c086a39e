//! Signals that concern a full screen, on a thread of their own; and being stopped by the shell.
//!
//! In raw mode Ctrl-Z is a key: the terminal sends no SIGTSTP, so the chat sends it, to its whole process group as
//! the terminal would. The handler gives the terminal back first and only then stops.

#[cfg(unix)]
pub(super) use unix::{stop_now, suspend, watch};
#[cfg(not(unix))]
pub(super) use without::{stop_now, suspend, watch};

/// What a signal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// End: Ctrl-C from elsewhere, SIGTERM, a terminal that was closed.
    End,
    /// Give the terminal back and stop.
    Stop,
    /// Somebody let us go on.
    Continue,
}

#[cfg(unix)]
mod unix {
    use std::io;

    use rustix::process::{Signal as Kill, getpgrp, getsid, kill_current_process_group};
    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    use super::Signal;
    use crate::tui::screen;

    /// Calls `on_signal` for each of them. A second one that asks for the end ends the process at once, with the
    /// code that shells give a program which Ctrl-C ended.
    pub(in crate::tui) fn watch(on_signal: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT])?;
        let watch = move || {
            let mut ending = false;
            for signal in signals.forever() {
                match signal {
                    SIGTSTP => on_signal(Signal::Stop),
                    SIGCONT => on_signal(Signal::Continue),
                    _ if ending => {
                        screen::restore();
                        std::process::exit(130);
                    }
                    _ => {
                        ending = true;
                        on_signal(Signal::End);
                    }
                }
            }
        };
        std::thread::Builder::new().name("signals".into()).spawn(watch).map(drop)
    }

    /// Asks the whole process group to stop, as Ctrl-Z does. Nothing happens without a shell that could let us go
    /// on: such a one runs each job in a process group of its own.
    pub(in crate::tui) fn suspend() {
        let controlled = getsid(None).is_ok_and(|session| session != getpgrp());
        if controlled {
            // A group that is gone is not in need of a stop.
            let _ = kill_current_process_group(Kill::TSTP);
        }
    }

    /// Stops this process; returns when somebody has let it go on.
    pub(in crate::tui) fn stop_now() {
        let _ = emulate_default_handler(SIGTSTP);
    }
}

#[cfg(not(unix))]
mod without {
    use std::io;

    use super::Signal;

    /// Windows closes a console's programs without asking; Ctrl-C is a key in raw mode.
    pub(in crate::tui) fn watch(_on_signal: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
        let _ = [Signal::End, Signal::Stop, Signal::Continue];
        Ok(())
    }

    /// There is no job control.
    pub(in crate::tui) fn suspend() {}

    /// There is no job control.
    pub(in crate::tui) fn stop_now() {}
}
