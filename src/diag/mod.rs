//! Diagnostics: what a student would else need netstat, ping, Wireshark and three scripts for.
//!
//! | module        | what it answers                                                      |
//! |---------------|----------------------------------------------------------------------|
//! | [`bytes`]     | what a text or a number is in bytes                                  |
//! | [`explain`]   | what an error, a call, an address means                              |
//! | [`inspect`]   | what stands in a stream of bytes                                     |
//! | [`DISSECTOR`] | the same, told to Wireshark (`dissector.lua`)                        |
//!
//! Each returns a report and prints nothing.

pub mod bytes;
pub mod explain;
pub mod inspect;

/// A Wireshark dissector for `u16`, `u32` and `header` framing and the room server's messages, in Lua.
pub const DISSECTOR: &str = include_str!("dissector.lua");
