//! The room server's logic, free of I/O: messages and time come in as arguments, decisions go out as
//! [Action`s. No sockets, no files, no clocks, no logging.

mod users;
mod work;

pub use users::{Role, User, Users};
pub use work::{Done, Job, Ticket};
