//! Tables, drawn by comfy-table.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle};

use super::Style;
use crate::report::Table;

/// One line, below the titles: the columns' own edges do the rest.
const LINES: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
const ASCII_LINES: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-'));

/// A table as text, no wider than the screen.
#[must_use]
pub fn table(table: &Table, style: Style) -> String {
    let mut drawn = comfy_table::Table::new();
    drawn
        .load_style(if style.ascii { ASCII_LINES } else { LINES })
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(style.width).unwrap_or(u16::MAX))
        .set_header(table.columns.iter().map(|column| column.title).collect::<Vec<_>>());
    for row in &table.rows {
        drawn.add_row(row);
    }
    for (drawn, column) in drawn.column_iter_mut().zip(&table.columns) {
        if column.right {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
        if column.whole {
            drawn.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    format!("{}\n", drawn.trim_fmt())
}
