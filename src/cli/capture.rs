//! `--capture FILE`, for every command with sockets of its own.

use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use clap::Args;

use crate::net::{Capture, SocketOptions};
use crate::text::printable;

use super::UsageError;
use super::output::Output;

/// The one capture of this process, to be asked at its end whether the file is whole.
static STARTED: OnceLock<(Capture, String)> = OnceLock::new();

/// What the sockets carry, as a file.
#[derive(Clone, Debug, Args)]
pub(super) struct CaptureArgs {
    /// Write what this process sends and receives to a file that Wireshark opens (pcapng); no root needed
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
}

impl CaptureArgs {
    /// The options, with the capture in them if one is asked for. To be called once: it makes the file.
    pub(super) fn add_to(&self, mut options: SocketOptions) -> anyhow::Result<SocketOptions> {
        if let Some(path) = &self.capture {
            let shown = printable(&path.to_string_lossy());
            let capture = Capture::create(path).map_err(|error| UsageError {
                message: format!("capture to {shown}: {error}"),
                hint: hint(&error).map(str::to_owned),
            })?;
            let _ = STARTED.set((capture.clone(), shown));
            options.capture = Some(capture);
        }
        Ok(options)
    }
}

fn hint(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::NotFound => Some("its folder must exist"),
        io::ErrorKind::IsADirectory => Some("name a file in it, such as netlab.pcapng"),
        io::ErrorKind::PermissionDenied => Some("name a file in a folder that is yours"),
        _ => None,
    }
}

/// Says if the file is not whole. At the end, where no full screen is in the way.
pub(super) fn tell_of_failure() {
    if let Some((capture, path)) = STARTED.get()
        && let Some(error) = capture.failure()
    {
        Output::note(&format!("warning: the capture in {path} ends early: {error}"));
    }
}
