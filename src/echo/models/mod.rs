//! Three ways to serve many clients, one file each, from the shortest to the one that lasts.

mod blocking;
pub(super) mod event_loop;
pub(super) mod iterative;
pub(super) mod threads;
