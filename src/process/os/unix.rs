//! Unix: process groups.

use std::fs::{Metadata, OpenOptions, Permissions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

use crate::process::Exit;

/// What the owner of a folder may: read, write, enter.
const OWNERS: u32 = 0o700;

/// Has the command start as the leader of a new group.
pub(in crate::process) fn lead_a_group(command: &mut Command) {
    command.process_group(0);
}

/// How the child ended, if it has. It is not waited for: as long as it is a zombie, nobody else gets its number.
pub(in crate::process) fn exited(child: &mut Child) -> Option<Exit> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let status = waitid(WaitId::Pid(pid(child)), options).ok()??;
    match status.exit_status() {
        Some(code) => Some(Exit::Code(code)),
        None => status.terminating_signal().map(Exit::Signal),
    }
}

/// Ends every process of the child's group. SIGKILL: what may be ignored is no certain end.
pub(in crate::process) fn kill_group(child: &mut Child) {
    // The only failure is a group without living members.
    let _ = kill_process_group(pid(child), Signal::KILL);
    // A launcher that has not come to lead its group yet.
    let _ = kill_process(pid(child), Signal::KILL);
}

/// Ends every process of the group that `leader` leads; it has not been waited for.
pub(in crate::process) fn kill_group_of(leader: u32) {
    if let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // The only failure is a group without living members.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Sends Ctrl-C's signal to every process of the child's group.
pub(in crate::process) fn interrupt_group(child: &mut Child) {
    // As above.
    let _ = kill_process_group(pid(child), Signal::INT);
}

/// The end of a child that was waited for.
pub(in crate::process) fn exit_of(status: ExitStatus) -> Exit {
    match status.code() {
        Some(code) => Exit::Code(code),
        None => Exit::Signal(status.signal().unwrap_or(0)),
    }
}

pub(super) fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Lets its owner enter a folder, read it and write there.
pub(in crate::process) fn open_up(folder: &Path) {
    // Not followed: a link is not ours to change.
    let Ok(metadata) = folder.symlink_metadata() else { return };
    let mode = metadata.permissions().mode();
    if metadata.is_dir() && mode & OWNERS != OWNERS {
        // Only its owner may; then what is in it stays.
        let _ = std::fs::set_permissions(folder, Permissions::from_mode(mode | OWNERS));
    }
}

/// Room on the disk, in bytes: a file with holes is smaller than it looks.
pub(in crate::process) fn allocated(metadata: &Metadata) -> u64 {
    metadata.blocks() * 512
}

/// Has the opening not follow a link, and not wait at a pipe.
pub(in crate::process) fn only_the_file(options: &mut OpenOptions) {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.custom_flags(flags.bits().cast_signed());
}
