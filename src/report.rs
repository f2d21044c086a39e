//! What a program hands to whoever shows it: reports when it is done, events while it runs.
//!
//! A report is plain data that serializes (the JSON document) and that can lay itself out in [`Block`]s (the
//! text). It stands below every program so that measuring never knows how things look, and prints nothing.

use std::borrow::Cow;

use serde::Serialize;

/// The version of every JSON document and stream. It goes up when a member changes its meaning or leaves.
pub const SCHEMA_VERSION: u32 = 1;

/// Why a command failed, as its JSON document says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The error with its causes.
    pub message: String,
    /// The next step, where one is known.
    pub hint: Option<String>,
}

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
    /// Lines that stay as they are: code.
    Verbatim(String),
    /// A table.
    Table(Table),
    /// What was sent and received, byte by byte.
    Exchange(Exchange),
    /// A picture of bytes.
    Ribbon(Ribbon),
    /// A picture of moments.
    TimeAxis(TimeAxis),
    /// A picture of how many of each.
    Bars(BarChart),
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
    pub title: Cow<'static, str>,
    /// True for numbers, whose digits shall stand below each other.
    pub right: bool,
    /// True if its cells are never broken, however narrow the screen.
    pub whole: bool,
}

impl Table {
    /// A table with these titles; a `>` before a title aligns its column to the right, a `=` keeps its
    /// cells whole.
    #[must_use]
    pub fn new(titles: &[&'static str]) -> Table {
        let column = |title: &&'static str| Column {
            title: title.trim_start_matches(['>', '=']).into(),
            right: title.starts_with('>'),
            whole: title.starts_with('='),
        };
        Table { columns: titles.iter().map(column).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len(), "a cell for every column");
        self.rows.push(cells.into());
    }
}

/// A picture of a stream of bytes: one column per byte, and nothing inserted between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ribbon {
    /// What is shown, in a word.
    pub name: String,
    /// What is shown, in a line.
    pub title: String,
    /// The rows, from the top; all of them show the same bytes.
    pub rows: Vec<RibbonRow>,
}

/// One row of a [`Ribbon`]: a label, the columns, a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RibbonRow {
    /// What the row shows, in at most nine letters.
    pub label: &'static str,
    /// What stands in the columns.
    pub cells: Cells,
    /// A remark, beside the columns where it fits; empty for none.
    pub note: String,
}

/// What stands in the columns of a [`RibbonRow`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cells {
    /// The bytes themselves. A mark covers those that are not payload and says what they mean.
    Bytes {
        /// One byte a column.
        bytes: Vec<u8>,
        /// The parts to be covered.
        marks: Vec<Span>,
    },
    /// Brackets: what one call, one frame holds.
    Spans(Vec<Span>),
    /// A remark in place of a picture.
    Text(String),
}

/// Some columns of a [`Ribbon`], from `start` to before `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first column.
    pub start: usize,
    /// The column behind the last.
    pub end: usize,
    /// What they hold; drawn where it fits.
    pub label: String,
}

impl Ribbon {
    /// How many columns the longest row takes: the length of the stream in bytes.
    #[must_use]
    pub fn columns(&self) -> usize {
        let columns = |row: &RibbonRow| match &row.cells {
            Cells::Bytes { bytes, .. } => bytes.len(),
            Cells::Spans(spans) => spans.iter().map(|span| span.end).max().unwrap_or(0),
            Cells::Text(_) => 0,
        };
        self.rows.iter().map(columns).max().unwrap_or(0)
    }
}

/// What clients sent and received, in order: hex and text, with the bytes named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// How many rows came before the first one here.
    pub left_out: usize,
    /// The rows, from the top.
    pub rows: Vec<ExchangeRow>,
}

/// One row of an [`Exchange`]: bytes in one direction, or a remark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExchangeRow {
    /// Who does what, in at most ten letters.
    pub label: String,
    /// The bytes, or the first of them.
    pub bytes: Vec<u8>,
    /// How many there are.
    pub length: usize,
    /// What they are called.
    pub fields: Vec<Span>,
    /// The first wrong one.
    pub wrong: Option<usize>,
    /// The one around which a part is shown, where there are too many.
    pub focus: Option<usize>,
    /// Shown without leaving anything out, up to a limit.
    pub whole: bool,
    /// A remark in place of bytes; empty for none.
    pub note: String,
}

/// A picture of moments: rows of events on one axis of time, which starts at 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeAxis {
    /// What is shown, in a word.
    pub name: String,
    /// What is shown, in a line.
    pub title: String,
    /// The rows, from the top.
    pub rows: Vec<AxisRow>,
}

/// One row of a [`TimeAxis`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisRow {
    /// What the row shows, in at most nine letters.
    pub label: &'static str,
    /// When something happened, in microseconds, and how many things happened then.
    pub events: Vec<(u64, usize)>,
    /// A remark on the row; empty for none.
    pub note: String,
}

/// A picture of counts: a bar for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BarChart {
    /// What is shown, in a word.
    pub name: String,
    /// What is shown, in a line.
    pub title: String,
    /// The bars, from the top.
    pub bars: Vec<Bar>,
}

/// One bar of a [`BarChart`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// What it counts.
    pub label: String,
    /// How many there are.
    pub value: u64,
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
