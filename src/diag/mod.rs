//! Diagnostics: what a student would else need netstat, ping, Wireshark and three scripts for.
//!
//! | module        | what it answers                                                      |
//! |---------------|----------------------------------------------------------------------|
//! | [`sockets`]   | which sockets there are, and in which state                          |
//! | [`ping`]      | who answers, how fast, and how often not                             |
//! | [`inspect`]   | what stands in a stream of bytes                                     |
//! | [`DISSECTOR`] | the same, told to Wireshark (`dissector.lua`)                        |
//! | [`bytes`]     | what a text or a number is in bytes                                  |
//! | [`explain`]   | what an error, a call, an address means                              |
//! | [`doctor`]    | whether this machine has what the labs need                          |
//!
//! Each returns a report and prints nothing. None needs privileges; what a system does not tell, they say so.

pub mod bytes;
pub mod doctor;
pub mod explain;
pub mod inspect;
pub mod ping;
pub mod sockets;

/// A Wireshark dissector for `u16`, `u32` and `header` framing and the room server's messages, in Lua.
pub const DISSECTOR: &str = include_str!("dissector.lua");
