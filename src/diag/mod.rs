//! Diagnostics: what a student would else need netstat, ping, Wireshark and three scripts for.
//!
//! | file            | what it holds                                                   |
//! |-----------------|-----------------------------------------------------------------|
//! | [`DISSECTOR`]   | the frames and messages, explained to Wireshark (`dissector.lua`) |

/// A Wireshark dissector for `u16`, `u32` and `header` framing and the room server's messages, in Lua.
pub const DISSECTOR: &str = include_str!("dissector.lua");
