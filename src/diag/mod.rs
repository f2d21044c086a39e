//! Diagnostics: what students otherwise need `ss`, `ping` and a search engine for, in reports that explain
//! themselves. None of them needs privileges; what a system does not tell, they say so.

pub mod doctor;
pub mod ping;
pub mod sockets;
