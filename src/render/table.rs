//! Tables, drawn by comfy-table.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle};

use super::Style;
use crate::report::Table;

/// One line, below the titles: the columns' own edges do the rest.
const LINES: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
const ASCII_LINES: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-'));

/// Blanks at the left and right of a cell, the widest first: a table that would not fit gets along with fewer.
const PADDINGS: [(u16, u16); 3] = [(1, 1), (0, 1), (0, 0)];

/// A table as text, no wider than the screen: where no padding is narrow enough, cells are wrapped.
#[must_use]
pub fn table(table: &Table, style: Style) -> String {
    let fits = |drawn: &String| drawn.lines().all(|line| line.chars().count() <= style.width);
    let unwrapped = |padding| draw(table, style, padding, ContentArrangement::Disabled);
    PADDINGS
        .into_iter()
        .map(unwrapped)
        .find(fits)
        .unwrap_or_else(|| draw(table, style, PADDINGS[0], ContentArrangement::Dynamic))
}

fn draw(table: &Table, style: Style, padding: (u16, u16), arrangement: ContentArrangement) -> String {
    let mut drawn = comfy_table::Table::new();
    drawn
        .load_style(if style.ascii { ASCII_LINES } else { LINES })
        .set_content_arrangement(arrangement)
        .set_width(u16::try_from(style.width).unwrap_or(u16::MAX))
        .set_header(table.columns.iter().map(|column| column.title.as_ref()).collect::<Vec<_>>());
    for row in &table.rows {
        drawn.add_row(row);
    }
    for (drawn, column) in drawn.column_iter_mut().zip(&table.columns) {
        drawn.set_padding(padding);
        if column.right {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
        if column.whole {
            drawn.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    format!("{}\n", drawn.trim_fmt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(width: usize) -> Vec<String> {
        let mut table_of_two = Table::new(&["name", ">n"]);
        table_of_two.row(["twelve chars".to_owned(), "7".to_owned()]);
        let drawn = table(&table_of_two, Style { width, ascii: true, ..Style::default() });
        drawn.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_table_gives_up_its_blanks_before_it_wraps() {
        assert_eq!(lines(80)[2], " twelve chars   7");
        assert_eq!(lines(16)[2], "twelve chars  7");
        assert_eq!(lines(14)[2], "twelve chars 7");
        assert!(lines(12).len() > 3, "{:?}", lines(12));
        assert!(lines(12).iter().all(|line| line.chars().count() <= 12), "{:?}", lines(12));
    }
}
