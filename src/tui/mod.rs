//! The chat on a full screen.
//!
//! ```text
//!   keys, signals ──┐                                    ┌──► the picture: view::draw
//!                   ├──► Event ──► update(&mut Model) ───┤
//!   Link::drain ────┘                                    └──► Effect ──► Link::send, the terminal
//! ```
//! | file         | what it is                                                             |
//! |--------------|------------------------------------------------------------------------|
//! | `model`      | all that the screen shows                                              |
//! | `update`     | what an event changes, and asks for: pure                              |
//! | `keys`       | the keys of each screen                                                |
//! | `view`       | the picture: pure                                                      |
//! | `chat`       | rooms, members, what was asked of the server                           |
//! | `log`        | what was said in a room                                                |
//! | `wire`       | the bytes of both directions, cut into frames                          |
//! | `form`, `picker`, `field`, `history`, `complete` | what is typed, and where            |
//! | `scroll`, `wrap`, `theme` | windows onto lists, lines of cells, colours and signs     |
//! | `screen`, `signals` | the terminal: taken, and given back in every way to end         |
//! | `run`        | the loop                                                               |
//!
//! Nothing here touches a socket: that is the [`Link`](crate::client::Link)'s.

mod chat;
mod complete;
mod field;
mod form;
mod history;
mod keys;
mod log;
mod model;
mod picker;
mod remembered;
mod run;
mod screen;
mod scroll;
mod signals;
mod theme;
mod update;
mod view;
mod wire;
mod wrap;

pub use form::Given;
pub use model::{Model, Now, Secret, Start};
pub use remembered::Remembered;
pub use run::{TuiError, run};
pub use theme::{Signs, Theme};
pub use update::{Effect, Event, connect, update};
pub use view::draw;

/// The terminal's columns and rows.
///
/// # Errors
/// No terminal.
pub fn terminal_size() -> std::io::Result<(u16, u16)> {
    ratatui::crossterm::terminal::size()
}
