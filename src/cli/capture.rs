//! `--capture FILE`, for every command with sockets of its own.

use std::path::PathBuf;

use clap::Args;

use crate::net::{Capture, SocketOptions};

use super::UsageError;

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
            let capture = Capture::create(path).map_err(|error| {
                let path = crate::text::escape(path.as_os_str().as_encoded_bytes());
                UsageError::new(format!("capture to {path}: {error}"))
            })?;
            options.capture = Some(capture);
        }
        Ok(options)
    }
}
