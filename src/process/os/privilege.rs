//! Linux: giving up what the launcher has and the program must not have: privileges, the terminal, descriptors.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{FileType, Gid, Uid, fchown, fstat};
use rustix::process::{geteuid, setsid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, configure_capability_in_ambient_set, set_capabilities,
    set_keep_capabilities, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

/// The first of the numbers that no list of users and no container has: systemd's documentation on user ids leaves
/// 0x7000_0000 to 0x7fff_fffe free.
const USERS: u32 = 0x7000_0000;
/// Descriptors that a program gets: input, output, errors.
const STANDARD: i32 = 2;

/// A user for one program, if this process is root's. Nobody else is it, so its processes can be counted and its
/// files told from others'.
pub(in crate::process) fn fresh_user(random: u32) -> Option<u32> {
    geteuid().is_root().then_some(USERS + random % (1 << 27))
}

/// Gives the folder or file to a user.
pub(in crate::process) fn give(path: &Path, user: u32) -> std::io::Result<()> {
    std::os::unix::fs::lchown(path, Some(user), Some(user))
}

/// The owner of a folder or file.
pub(in crate::process) fn owner(path: &Path) -> Option<u32> {
    path.symlink_metadata().ok().map(|metadata| metadata.uid())
}

/// True if every user may read it; for a folder, enter it too.
pub(in crate::process) fn readable_by_all(metadata: &Metadata) -> bool {
    let needed = if metadata.is_dir() { 0o005 } else { 0o004 };
    metadata.permissions().mode() & needed == needed
}

/// Becomes the leader of a session of its own: one without a terminal.
pub(in crate::process) fn leave_session() {
    // The only failure is a process that leads a group: someone tries the launcher by hand.
    let _ = setsid();
}

/// Closes what the launcher has inherited from netlab, and that from whoever started it.
pub(in crate::process) fn close_inherited() {
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    // All are read first: the folder's own descriptor is one of them, and is gone by then.
    let open: Vec<i32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for descriptor in open.into_iter().filter(|descriptor| *descriptor > STANDARD) {
        // The only failure is one that is closed already.
        let _ = nix::unistd::close(descriptor);
    }
}

/// Becomes `user`, and keeps of root's privileges that of reading alone: the submissions and the language may be in
/// root's home folder. RLIMIT_NPROC holds from now on.
pub(in crate::process) fn become_user(user: u32) -> Result<(), String> {
    let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(user));
    let reading = CapabilitySet::DAC_READ_SEARCH;
    for output in [rustix::stdio::stdout(), rustix::stdio::stderr()] {
        // netlab's pipes are root's, and scripts open /dev/stderr anew. What can't be given away can still be written.
        if fstat(output).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo) {
            let _ = fchown(output, Some(uid), Some(gid));
        }
    }
    let steps = || -> rustix::io::Result<()> {
        set_keep_capabilities(true)?;
        set_thread_groups(&[])?;
        set_thread_res_gid(gid, gid, gid)?;
        // Of the thread, which is the only one.
        set_thread_res_uid(uid, uid, uid)
    };
    steps().map_err(|error| format!("become another user: {error}"))?;
    let sets = CapabilitySets { effective: reading, permitted: reading, inheritable: reading };
    let kept = set_capabilities(None, sets).and_then(|()| configure_capability_in_ambient_set(reading, true));
    if kept.is_err() {
        // A container whose root may not read everything: neither may the program.
        let none = CapabilitySet::empty();
        let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
        set_capabilities(None, sets).map_err(|error| format!("give up privileges: {error}"))?;
    }
    Ok(())
}
