//! A text that is typed: a field of a form, or the input line. The editing itself is ratatui-textarea's; here is
//! what may get in, and what is kept of the text.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Style;
use ratatui_textarea::{CursorMove, TextArea, WrapMode};

use crate::text::is_unsafe;

/// A text under a cursor.
#[derive(Clone)]
pub(super) struct Field {
    area: TextArea<'static>,
    /// Line breaks may stand in it.
    lines: bool,
}

// By hand: it may hold a password.
impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Field").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl Field {
    /// A field of one line.
    pub(super) fn line(text: &str) -> Field {
        let mut field = Field::empty(false);
        field.set(text);
        field
    }

    /// A field whose text is never drawn.
    pub(super) fn secret(mask: char) -> Field {
        let mut field = Field::empty(false);
        field.area.set_mask_char(mask);
        // What was undone could be made visible nowhere, but there is no need to keep it either.
        field.area.set_max_histories(0);
        field
    }

    /// A field of several lines, broken at the edge.
    pub(super) fn lines() -> Field {
        let mut field = Field::empty(true);
        field.area.set_wrap_mode(WrapMode::WordOrGlyph);
        field
    }

    fn empty(lines: bool) -> Field {
        let mut area = TextArea::default();
        area.set_cursor_line_style(Style::default());
        // The terminal's own cursor is shown instead: input methods and screen readers follow it.
        area.set_cursor_style(Style::default());
        Field { area, lines }
    }

    /// The text.
    pub(super) fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// True if nothing was typed.
    pub(super) fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// Puts another text there, the cursor at its end.
    pub(super) fn set(&mut self, text: &str) {
        self.area.clear();
        self.paste(text);
    }

    /// Inserts a text as it was pasted, without what a terminal would obey.
    pub(super) fn paste(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', "    ");
        let text = if self.lines { text.trim_end_matches('\n').to_owned() } else { text.replace('\n', " ") };
        let text = if self.lines { text.as_str() } else { text.trim() };
        let clean: String = text.chars().filter(|c| *c == '\n' || !is_unsafe(*c)).collect();
        self.area.insert_str(clean);
    }

    /// Begins a new line, where there may be one.
    pub(super) fn break_line(&mut self) {
        if self.lines {
            self.area.insert_newline();
        }
    }

    /// Edits by a key. True if the key meant something.
    pub(super) fn key(&mut self, key: KeyEvent) -> bool {
        let before = self.area.cursor();
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return false,
            KeyCode::Char('m') if control => return false,
            // As in a shell.
            KeyCode::Char('u') if control => return self.area.delete_line_by_head(),
            _ => {}
        }
        self.area.input(key) || self.area.cursor() != before
    }

    /// True if the cursor stands in the first line.
    pub(super) fn is_at_first_line(&self) -> bool {
        self.area.cursor().0 == 0
    }

    /// True if the cursor stands in the last line.
    pub(super) fn is_at_last_line(&self) -> bool {
        self.area.cursor().0 + 1 == self.area.lines().len()
    }

    /// What stands before the cursor in its line.
    pub(super) fn before_cursor(&self) -> String {
        let cursor = self.area.cursor();
        self.area.lines()[cursor.0].chars().take(cursor.1).collect()
    }

    /// Puts `text` in the place of the last `chars` characters before the cursor.
    pub(super) fn complete(&mut self, chars: usize, text: &str) {
        for _ in 0..chars {
            self.area.move_cursor(CursorMove::Back);
        }
        self.area.delete_str(chars);
        self.area.insert_str(text);
    }

    /// The widget that draws it.
    pub(super) fn area(&self) -> &TextArea<'static> {
        &self.area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_gives_the_terminal_no_orders() {
        let mut field = Field::lines();
        field.paste("a\x1b[31mb\u{202e}\u{9b}c\td\r\ne\n");
        assert_eq!(field.text(), "a[31mbc    d\ne");
        let mut line = Field::line("x");
        line.paste(" two\nlines ");
        assert_eq!(line.text(), "xtwo lines");
    }

    #[test]
    fn a_word_is_completed_in_its_place() {
        let mut field = Field::line("/join la");
        assert_eq!(field.before_cursor(), "/join la");
        field.complete(2, "lab ");
        assert_eq!(field.text(), "/join lab ");
    }
}
