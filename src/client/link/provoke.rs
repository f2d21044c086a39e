//! A way to make a thread panic, to test that the terminal comes back. A release build has none.

/// Panics if the environment variable `NETLAB_PANIC` names this thread, in debug builds alone.
pub fn panic_if_asked(thread: &str) {
    assert!(
        !cfg!(debug_assertions) || std::env::var_os("NETLAB_PANIC").is_none_or(|asked| asked != thread),
        "as asked by NETLAB_PANIC"
    );
}
