//! Windows: no groups in the standard library, so the child alone is ended.
// Simplification: what the child started survives it; a job object would end them together.

use std::fs::{Metadata, OpenOptions};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};

use crate::process::Exit;

/// Nothing to do.
pub(in crate::process) fn lead_a_group(_command: &mut Command) {}

/// How the child ended, if it has.
pub(in crate::process) fn exited(child: &mut Child) -> Option<Exit> {
    child.try_wait().ok().flatten().map(exit_of)
}

/// Ends the child.
pub(in crate::process) fn kill_group(child: &mut Child) {
    // The only failure is a child that has ended.
    let _ = child.kill();
}

/// Not reached: no group's size is known here.
pub(in crate::process) fn kill_group_of(_leader: u32) {}

/// Ends the child: a console's Ctrl-C would reach netlab, too.
pub(in crate::process) fn interrupt_group(child: &mut Child) {
    kill_group(child);
}

/// The end of a child that was waited for.
pub(in crate::process) fn exit_of(status: ExitStatus) -> Exit {
    Exit::Code(status.code().unwrap_or(-1))
}

/// Nothing to do.
pub(in crate::process) fn open_up(_folder: &Path) {}

/// The size of a file, in bytes.
pub(in crate::process) fn allocated(metadata: &Metadata) -> u64 {
    metadata.len()
}

/// Nothing to do: links and pipes are rare, and need privileges.
pub(in crate::process) fn only_the_file(_options: &mut OpenOptions) {}
