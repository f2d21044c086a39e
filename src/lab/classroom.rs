//! What a walk needs of the place where it is shown: a terminal, or a test's script.

use std::io;
use std::ops::ControlFlow;

use super::desk::Line;
use super::page::Item;
use super::worksheet::Notes;

/// Where a lab is shown, and where its student answers.
pub trait Classroom {
    /// Shows a heading of this level (1 to 3). `Break` if the student leaves instead of reading on.
    ///
    /// # Errors
    /// An output that is gone.
    fn heading(&mut self, level: u8, title: &str) -> io::Result<ControlFlow<()>>;
    /// Shows a piece of the page. `Break` if the student leaves instead of reading on.
    ///
    /// # Errors
    /// An output that is gone.
    fn item(&mut self, item: &Item) -> io::Result<ControlFlow<()>>;
    /// Shows what a program printed.
    ///
    /// # Errors
    /// An output that is gone.
    fn line(&mut self, line: &Line) -> io::Result<()>;
    /// Says something about the walk itself.
    ///
    /// # Errors
    /// An output that is gone.
    fn say(&mut self, text: &str) -> io::Result<()>;
    /// Asks, and waits for a line; `None` if the student leaves.
    ///
    /// # Errors
    /// An input that can't be read.
    fn ask(&mut self, prompt: &str) -> io::Result<Option<String>>;
    /// True if something was typed since the last call: while a program is awaited, that ends it.
    fn typed(&mut self) -> bool {
        false
    }
    /// A round is over, and this is what was noted so far.
    ///
    /// # Errors
    /// Notes that can't be kept.
    fn keep(&mut self, notes: &Notes) -> io::Result<()>;
}
