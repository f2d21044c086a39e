//! How a text and a number are laid out: encodings side by side, then what goes wrong.

use crate::report::{Block, Report, Table};
use crate::text::counted;

use super::{Bytes, NumberFacts, TextFacts};

/// Code points that are listed on a screen.
const SHOWN: usize = 64;
/// Characters of a text that are shown in a line.
const LINE: usize = 60;

impl Report for Bytes {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        if let Some(number) = &self.number {
            add_number(&mut blocks, number);
            blocks.push(Block::Text(String::new()));
        }
        add_text(&mut blocks, &self.text);
        blocks
    }
}

fn add_number(blocks: &mut Vec<Block>, number: &NumberFacts) {
    blocks.push(Block::Text(format!("The number {} = {}", number.value, number.hex)));
    let mut table =
        Table::new(&["type", "big-endian (network)", "little-endian", ">read in the other order"]);
    for width in &number.widths {
        table.row([
            width.name.to_owned(),
            width.big_endian.clone(),
            width.little_endian.clone(),
            width.read_in_the_other_order.clone(),
        ]);
    }
    blocks.push(Block::Table(table));
}

fn add_text(blocks: &mut Vec<Block>, facts: &TextFacts) {
    blocks.push(Block::Text(format!("The text \"{}\"", beginning(&facts.text))));
    let counts = [
        counted(facts.graphemes as u64, "visible character"),
        counted(facts.code_points as u64, "code point"),
        counted(facts.utf16_units as u64, "UTF-16 unit"),
        counted(facts.utf8_bytes as u64, "byte") + " in UTF-8",
    ];
    blocks.push(Block::Text(counts.join(", ")));
    if facts.characters.is_empty() {
        return;
    }
    blocks.push(Block::Text(String::new()));
    let mut table = Table::new(&["character", "code point", "ASCII", "UTF-8", "UTF-16 (big-endian)"]);
    for c in facts.characters.iter().take(SHOWN) {
        let ascii = c.ascii.clone().unwrap_or_else(|| "-".to_owned());
        table.row([c.character.clone(), c.code_point.clone(), ascii, c.utf8.clone(), c.utf16.clone()]);
    }
    blocks.push(Block::Table(table));
    if let Some(hidden) = facts.characters.len().checked_sub(SHOWN + 1) {
        blocks.push(Block::Text(format!("and {} more", counted(hidden as u64 + 1, "code point"))));
    }
    blocks.push(Block::Text(String::new()));
    let mut table = Table::new(&["where two ends disagree", "this comes out"]);
    for mix_up in &facts.mix_ups {
        table.row([mix_up.mistake.to_owned(), beginning(&mix_up.result)]);
    }
    blocks.push(Block::Table(table));
    if facts.ascii {
        blocks
            .push(Block::Text("All of it is ASCII: ASCII, Latin-1 and UTF-8 are the same bytes.".to_owned()));
    }
}

/// As much of a text as a line holds.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
