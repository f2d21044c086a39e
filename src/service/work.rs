//! Work that takes time, for others to do: the disk's and argon2's. The dispatcher hands out a [`Job`] under
//! a [`Ticket`] and goes on; the [`Done`] comes back with the same ticket.

use crate::protocol::names::ClientId;

/// Ties an outcome to its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub u64);

/// What has to be done.
#[derive(Clone, PartialEq, Eq)]
pub enum Job {
    /// Write a record, stamped with the time of writing; done when it is on disk.
    WriteRecord {
        /// Whose.
        id: ClientId,
        /// The text, without the stamp line.
        text: String,
    },
    /// Read a record.
    ReadRecord {
        /// Whose.
        id: ClientId,
    },
    /// Compare a password with its hash; without a hash (an unknown user) with a dummy, which costs the same.
    VerifyPassword {
        /// What the user typed.
        password: String,
        /// The PHC string of the user's hash.
        hash: Option<String>,
    },
}

// By hand: a password shall not reach a log by way of `{:?}`.
impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Job::WriteRecord { id, text } => write!(f, "WriteRecord({id}, {} B)", text.len()),
            Job::ReadRecord { id } => write!(f, "ReadRecord({id})"),
            Job::VerifyPassword { .. } => write!(f, "VerifyPassword"),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// The record is on disk, with this stamp (`YYYY-MM-DD HH:MM:SS`, UTC).
    Written {
        /// The stamp.
        updated: String,
    },
    /// The record.
    Read {
        /// Its stamp.
        updated: String,
        /// Its text, without the stamp line.
        text: String,
    },
    /// There is no such record.
    NoSuchRecord,
    /// The disk refused; what was there is intact.
    StoreFailed {
        /// The system's reason.
        reason: String,
    },
    /// Whether the password was right.
    Verified(bool),
    /// The queue is full: nothing was begun.
    Busy,
}
