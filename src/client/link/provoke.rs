//! A way to make a thread panic, to test that the terminal comes back. A release build has none.

use crate::protocol::message::Request;

/// Panics when something is said in a room, if the environment variable `NETLAB_PANIC` names this thread; in debug
/// builds alone.
pub fn panic_if_asked(thread: &str, request: &Request<'_>) {
    if cfg!(debug_assertions) && matches!(request, Request::RoomEcho(_)) {
        let asked = std::env::var_os("NETLAB_PANIC").is_some_and(|asked| asked == thread);
        assert!(!asked, "NETLAB_PANIC asked for this");
    }
}
