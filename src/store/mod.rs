//! What outlives the process: the record files and the users file, written so that a crash loses nothing
//! that was acknowledged.
//!
//! | file         | what it holds                                                               |
//! |--------------|-----------------------------------------------------------------------------|
//! | [`disk`]     | the file operations, behind a trait that tests replace                      |
//! | `atomic`     | temporary file, fsync, rename, fsync of the folder: the one way to write    |
//! | [`Records`]  | record files and their index; the time is an argument                       |
//! | [`Stamp`]    | the time on a record                                                        |
//! | [`Workers`]  | the threads: bounded queues in, completions out                             |
//! | passwords    | argon2id                                                                    |
//! | [`users`]    | the users file                                                              |
//!
//! No sockets, no messages: [`service`](crate::service) says what is to be done, as a
//! [`Job`](crate::service::Job).

mod atomic;
pub mod disk;
mod error;
mod passwords;
mod records;
mod stamp;
#[cfg(test)]
mod test_disk;
pub mod users;
mod worker;

pub use disk::{Disk, Entry, RealDisk};
pub use error::{Op, StoreError};
pub use passwords::{hash_password, verify_password};
pub use records::{Folders, Opened, Record, Records, Refreshed};
pub use stamp::Stamp;
pub use users::UsersError;
pub use worker::{Busy, Completion, Notify, Refresh, Workers};
