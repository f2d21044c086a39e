//! Pages of Markdown as text: headings, paragraphs broken at the screen's width, lists, boxes, code, tables.

use std::fmt::Write;

use super::{Style, table};
use crate::lab::page::{Inline, Item, Page, Span, SpanKind, plain};
use crate::report::{Column, Table};

/// Columns by which code stands in, where the screen has them.
const CODE_INDENT: usize = 4;

const RESET: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const CODE: &str = "\x1b[36m";

/// A whole page.
#[must_use]
pub fn page(page: &Page, style: Style) -> String {
    let mut out = heading(1, &page.title, style);
    for section in &page.sections {
        if !section.title.is_empty() {
            out.push_str(&heading(2, &section.title, style));
        }
        for part in &section.parts {
            if !part.title.is_empty() {
                out.push_str(&heading(3, &part.title, style));
            }
            for item in &part.items {
                out.push_str(&page_item(item, style));
            }
        }
    }
    out
}

/// A heading of this level, with an empty line behind it.
#[must_use]
pub fn heading(level: u8, title: &str, style: Style) -> String {
    let title = if style.ascii { ascii(title) } else { title.to_owned() };
    let line = match (level, style.ascii) {
        (1, _) => "=",
        (2, false) => "─",
        (2, true) => "-",
        _ => "",
    };
    let line = line.repeat(title.chars().count());
    let shown = if style.color { format!("{BOLD}{title}{RESET}") } else { title };
    let above = if level == 2 { "\n" } else { "" };
    if line.is_empty() { format!("{shown}\n\n") } else { format!("{above}{shown}\n{line}\n\n") }
}

/// A piece of a page, with an empty line behind it.
#[must_use]
pub fn page_item(item: &Item, style: Style) -> String {
    let mut out = String::new();
    block(&mut out, item, 0, style);
    out.push('\n');
    if style.ascii { ascii(&out) } else { out }
}

/// Draws an item `indent` columns from the left, without an empty line behind it.
fn block(out: &mut String, item: &Item, indent: usize, style: Style) {
    let margin = " ".repeat(indent);
    match item {
        Item::Heading(text) | Item::Paragraph(text) => {
            for line in wrapped(text, style.width.saturating_sub(indent), style) {
                let _ = writeln!(out, "{margin}{line}");
            }
        }
        Item::List(first, entries) => {
            for (at, entry) in entries.iter().enumerate() {
                let mark = first.map_or("- ".to_owned(), |first| format!("{}. ", first + at as u64));
                let mut text = String::new();
                blocks(&mut text, entry, indent + mark.len(), style);
                // Its first line has the mark in place of its margin.
                let _ = write!(out, "{margin}{mark}{}", text.get(indent + mark.len()..).unwrap_or("\n"));
            }
        }
        Item::Quote(items) => {
            let bar = if style.ascii { "| " } else { "│ " };
            let mut text = String::new();
            blocks(&mut text, items, 0, Style { width: style.width.saturating_sub(indent + 2), ..style });
            for line in text.lines() {
                let _ = writeln!(out, "{margin}{bar}{line}");
            }
        }
        Item::Table(titles, rows) => {
            let columns =
                titles.iter().map(|title| Column { title: plain(title).into(), right: false, whole: false });
            let rows = rows.iter().map(|row| row.iter().map(plain).collect()).collect();
            let drawn = table(&Table { columns: columns.collect(), rows }, style);
            for line in drawn.lines() {
                let _ = writeln!(out, "{margin}{}", line.trim_end());
            }
        }
        Item::Code(code) => {
            if let Some(name) = code.attribute("file") {
                let _ = writeln!(out, "{margin}{name}:");
            }
            let widest = code.lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
            let room = style.width.saturating_sub(indent + widest);
            let margin = " ".repeat(indent + CODE_INDENT.min(room));
            for line in &code.lines {
                let shown = paint(line, SpanKind::Code, style);
                let _ = writeln!(out, "{}", format!("{margin}{shown}").trim_end());
            }
        }
    }
}

/// Items with an empty line between them.
fn blocks(out: &mut String, items: &[Item], indent: usize, style: Style) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        block(out, item, indent, style);
    }
}

/// Text in lines no wider than `width`; a longer word stays whole.
fn wrapped(text: &Inline, width: usize, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line: Vec<(char, SpanKind)> = Vec::new();
    let characters = characters(text, style);
    for word in characters.split(|(c, _)| *c == ' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(painted(&std::mem::take(&mut line), style));
        }
        if let Some((_, before)) = line.last().copied() {
            // A blank inside of code, or between words of one kind, is of that kind.
            line.push((' ', if word[0].1 == before { before } else { SpanKind::Plain }));
        }
        line.extend(word);
    }
    lines.push(painted(&line, style));
    lines
}

/// The characters with their kinds. Without colours, backquotes show what is code.
fn characters(text: &[Span], style: Style) -> Vec<(char, SpanKind)> {
    let of = |span: &Span| {
        let text = match span.kind {
            SpanKind::Code if !style.color => format!("`{}`", span.text),
            _ => span.text.clone(),
        };
        text.chars().map(|c| (c, span.kind)).collect::<Vec<_>>()
    };
    text.iter().flat_map(of).collect()
}

fn painted(line: &[(char, SpanKind)], style: Style) -> String {
    let runs = line.chunk_by(|one, other| one.1 == other.1);
    runs.map(|run| paint(&run.iter().map(|(c, _)| *c).collect::<String>(), run[0].1, style)).collect()
}

fn paint(text: &str, kind: SpanKind, style: Style) -> String {
    let begin = match kind {
        _ if !style.color || text.is_empty() => return text.to_owned(),
        SpanKind::Plain => return text.to_owned(),
        SpanKind::Strong => BOLD,
        SpanKind::Code => CODE,
    };
    format!("{begin}{text}{RESET}")
}

/// The pages' few characters beyond ASCII, by what comes nearest.
fn ascii(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii() => out.push(c),
            '─' => out.push('-'),
            '│' => out.push('|'),
            '►' => out.push('>'),
            '◄' => out.push('<'),
            '…' => out.push_str("..."),
            '×' => out.push('x'),
            '→' => out.push_str("->"),
            _ => out.push('?'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{LABS, page::parse};

    fn drawn(markdown: &str, style: Style) -> String {
        page(&parse(markdown), style)
    }

    const PAGE: &str = "# T\n\nA `b c` d.\n\n- **A. One.** two\n  three\n- x\n\n7. y\n\n   z\n\n> box\n\n\
                        | a | b |\n|---|---|\n| 1 | `2` |\n\n## S\n\n```python file=a.py\nprint()\n```\n";

    #[test]
    fn a_page_is_readable_without_colours() {
        let expected = "T\n=\n\nA `b c` d.\n\n- A. One. two three\n- x\n\n7. y\n\n   z\n\n| box\n\n a   b\n---------\n \
                        1   `2`\n\n\nS\n-\n\na.py:\n    print()\n\n";
        let shown = drawn(PAGE, Style { ascii: true, ..Style::default() });
        assert_eq!(shown, expected);
    }

    #[test]
    fn lines_are_broken_and_colours_are_closed() {
        let shown =
            drawn("# T\n\none `two` **three** four", Style { color: true, width: 9, ..Style::default() });
        assert!(shown.ends_with("one \x1b[36mtwo\x1b[0m\n\x1b[1mthree\x1b[0m\nfour\n\n"), "{shown:?}");
        let marks = drawn(PAGE, Style { color: true, ..Style::default() });
        assert_eq!(marks.matches(RESET).count(), marks.matches("\x1b[").count() / 2);
    }

    #[test]
    fn the_labs_fit_a_screen_of_80_columns() {
        for lab in LABS {
            for ascii in [false, true] {
                let shown = page(&lab.page(), Style { ascii, ..Style::default() });
                // Code that is wider itself is not broken.
                let code = |line: &str| {
                    lab.markdown.lines().any(|own| super::ascii(own.trim()) == super::ascii(line.trim()))
                };
                let wide = shown.lines().find(|line| line.chars().count() > 80 && !code(line));
                assert_eq!(wide, None, "{}", lab.name);
                assert!(!ascii || shown.is_ascii());
            }
        }
    }
}
