//! Demonstrations on real sockets: a real server and a real client in one process, on loopback.
//!
//! What the calls did is recorded, and what is claimed is computed from the records. Nothing is simulated.
//! A demonstration returns its report and prints nothing.

pub mod auth;
pub mod race;
pub mod sticky;
