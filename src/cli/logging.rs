//! Logs: what happens inside, on stderr. Off unless asked for by `-vv` or by `RUST_LOG`; the first `-v` is
//! the command's own: it shows more of what the command is about.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::UsageError;

/// Starts logging at the level that `-vv` (debug) or `-vvv` (trace) asks for; `RUST_LOG` overrides both.
pub(super) fn start(verbose: u8, color: bool) -> Result<(), UsageError> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => directives.parse::<Targets>().map_err(|error| {
            UsageError::new(format!("RUST_LOG is `{}`: {error}", directives.escape_debug()))
        })?,
        _ => match verbose {
            0 | 1 => return Ok(()),
            2 => Targets::new().with_target("netlab", LevelFilter::DEBUG),
            _ => Targets::new().with_target("netlab", LevelFilter::TRACE),
        },
    };
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(color).without_time().with_target(false);
    tracing_subscriber::registry().with(filter).with(lines).init();
    Ok(())
}
