//! A group: connections that are sent the same bytes. Its messages are encoded once, collected for a turn of
//! the loop, and leave with one `send` per member.
//!
//! ```text
//! out      |-- message 1 --|-- message 2 --|-- message 3 --|
//! member a ^from                                              gets 1, 2, 3
//! member b                                 ^from              joined after 2: gets 3
//! ```
//! Before a member is sent anything else, or leaves, its part of `out` moves to its own outbox: what one
//! connection receives keeps the order in which it was said.

use super::handler::ConnId;

#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) members: Vec<ConnId>,
    pub(super) out: Vec<u8>,
    pub(super) dirty: bool,
}

impl Group {
    /// More than this is not collected: the turn's output is sent before its end.
    pub(super) const FLUSH_AT: usize = 64 << 10;
}
