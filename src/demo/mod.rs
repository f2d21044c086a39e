//! Demonstrations on real sockets.
