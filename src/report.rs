//! What a program hands to whoever shows it: reports when it is done, events while it runs.
//!
//! A report is plain data that serializes (the JSON document) and that can lay itself out in [`Block`]s (the
//! text). It stands below every program so that measuring never knows how things look, and prints nothing.

use serde::Serialize;

/// The version of every JSON document and stream. It goes up when a member changes its meaning or leaves.
pub const SCHEMA_VERSION: u32 = 1;

/// A finished demonstration or measurement.
pub trait Report: Serialize {
    /// The report as text, tables and pictures, in reading order.
    fn blocks(&self) -> Vec<Block>;

    /// False if it ran and the answer is bad (lost, refused, failed): exit code 1.
    fn succeeded(&self) -> bool {
        true
    }
}

/// A piece of a report's layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A paragraph, wrapped to the width of the screen. An empty one is an empty line.
    Text(String),
    /// A table.
    Table(Table),
}

/// A table: titles and rows of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns, from the left.
    pub columns: Vec<Column>,
    /// The rows; each has a cell for every column.
    pub rows: Vec<Vec<String>>,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its title.
    pub title: &'static str,
    /// True for numbers, whose digits shall stand below each other.
    pub right: bool,
}

impl Table {
    /// A table with these titles; a `>` before a title aligns its column to the right.
    #[must_use]
    pub fn new(titles: &[&'static str]) -> Table {
        let column = |title: &&'static str| match title.strip_prefix('>') {
            Some(title) => Column { title, right: true },
            None => Column { title, right: false },
        };
        Table { columns: titles.iter().map(column).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len(), "a cell for every column");
        self.rows.push(cells.into());
    }
}

/// Where a program that runs long reports what happens, as it happens.
///
/// An implementation must not block: a reader who is too slow never stops a server.
pub trait Events<E> {
    /// Something happened.
    fn event(&mut self, event: E);
}

/// For tests and for callers that don't listen.
impl<E> Events<E> for Vec<E> {
    fn event(&mut self, event: E) {
        self.push(event);
    }
}
